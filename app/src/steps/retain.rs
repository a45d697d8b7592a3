//! Deleting what is old: some pieces at each tick, so that nobody waits for long behind one.

use crate::services::kept::policy;
use domain::retention::Kept;
use domain::timestamp::{DAY, Timestamp};
use email::{MailError, Outbox};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::retention::Piece;
use store::{Store, StoreError};

/// Pieces of one turn, each a transaction of some milliseconds: a tick is not late because of them,
/// and a million lines are looked at within a day.
const PIECES: usize = 40;
/// Steps by which SQLite's file becomes smaller in one turn: 20 MiB.
const STEPS: usize = 20;
/// Files of the outbox that one turn deletes.
const FILES: usize = 1_000;

/// Deletes what is old.
#[derive(Clone)]
pub struct Retain {
    store: Store,
    outbox: Outbox,
    kept: Kept,
    /// When this process looked through its outbox last, Unix milliseconds; [`Timestamp::MIN`]
    /// before the first time.
    swept_at: Arc<AtomicI64>,
}

/// Why something could not be deleted.
#[derive(Debug, thiserror::Error)]
pub enum RetainError {
    /// The database is out of reach.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The outbox is.
    #[error(transparent)]
    Outbox(#[from] MailError),
}

impl Retain {
    /// Deletes in this database, and in this process's outbox.
    pub fn new(store: Store, outbox: Outbox, kept: Kept) -> Self {
        Self { store, outbox, kept, swept_at: Arc::new(AtomicI64::new(Timestamp::MIN.as_millis())) }
    }

    /// Goes on with the day's round, for as long as `goes_on` says so.
    ///
    /// # Errors
    /// The database or the outbox is out of reach: the next turn tries it again.
    pub async fn turn(&self, now: Timestamp, goes_on: impl Fn() -> bool) -> Result<(), RetainError> {
        if store::retention::is_due(&self.store, now).await? {
            let policy = policy(&self.store, self.kept).await?;
            for _ in 0..PIECES {
                if !goes_on() || store::retention::piece(&self.store, &policy, now).await? == Piece::Done {
                    break;
                }
            }
        }
        for _ in 0..STEPS {
            if !goes_on() || !store::size::shrink(&self.store).await? {
                break;
            }
        }
        self.sweep_outbox(now).await
    }

    /// Deletes old files of the outbox, once a day; where there are many, some at each turn.
    async fn sweep_outbox(&self, now: Timestamp) -> Result<(), RetainError> {
        if now.is_within(DAY, Timestamp::from_millis(self.swept_at.load(Ordering::Acquire))) {
            return Ok(());
        }
        // Not by the clock, which may be wrong for an hour.
        let horizon = store::retention::horizon(&self.store).await?.unwrap_or(now);
        if self.outbox.delete_before(self.kept.outbox_before(horizon), FILES).await? < FILES {
            self.swept_at.store(now.as_millis(), Ordering::Release);
        }
        Ok(())
    }
}
