//! Clocks that were set: what was put off by them goes on all the same.

use crate::clock::Clock;
use crate::services::Epoch;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use store::clock::UNNOTICED;
use store::{Store, StoreError};

/// How often the latest moment is written down, so that the next process knows of it.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// A machine whose clock is further from the database's than this is worth a word in the log.
const WORTH_A_WORD: SignedDuration = SignedDuration::from_secs(10);

/// Watches the clock.
#[derive(Clone)]
pub(super) struct Timekeeper {
    store: Store,
    clock: Clock,
    epoch: Epoch,
    /// Whether it was compared with what the last process wrote down.
    compared: Arc<AtomicBool>,
    /// The latest moment that is written down.
    noted: Arc<AtomicI64>,
}

impl Timekeeper {
    pub(super) fn new(store: Store, clock: Clock, epoch: Epoch) -> Self {
        let noted = Arc::new(AtomicI64::new(Timestamp::MIN.as_millis()));
        Self { store, clock, epoch, compared: Arc::default(), noted }
    }

    /// Goes by the database's clock, where that is a server's: replicas then agree on what is due,
    /// whatever their machines say.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn follow_the_database(&self) -> Result<(), StoreError> {
        let Some(theirs) = store::clock::of_server(&self.store).await? else { return Ok(()) };
        let ahead = self.clock.follow(theirs);
        if ahead.abs() > WORTH_A_WORD {
            tracing::warn!(
                ?ahead,
                "the database's clock is ahead of this machine's (or behind, if negative), and is followed"
            );
        }
        Ok(())
    }

    /// Looks whether the clock was set back since the latest moment that this process, or the last
    /// one, knew of; then all that was put off until a moment is put off by as much less.
    ///
    /// # Errors
    /// The database is out of reach: the next call finds it again.
    pub(super) async fn notice(&self, now: Timestamp) -> Result<(), StoreError> {
        let latest = self.clock.latest().unwrap_or(now);
        if now + UNNOTICED < latest || !self.compared.load(Ordering::Acquire) {
            self.look(now, latest).await?;
        } else if now - Timestamp::from_millis(self.noted.load(Ordering::Acquire)) >= NOTED_EVERY {
            store::clock::record(&self.store, now).await?;
            self.noted.store(now.as_millis(), Ordering::Release);
        }
        Ok(())
    }

    async fn look(&self, now: Timestamp, latest: Timestamp) -> Result<(), StoreError> {
        if let Some(by) = store::clock::set_back(&self.store, latest, UNNOTICED, now).await? {
            tracing::warn!(?by, "the clock was set back: what was put off until later goes on as if it had not been");
        }
        // Another process may have put the rows right: what this one remembers is void all the
        // same.
        self.epoch.turn();
        self.clock.forget_later(now);
        self.compared.store(true, Ordering::Release);
        self.noted.store(now.as_millis(), Ordering::Release);
        Ok(())
    }
}
