//! What is refused because a key brings more than it may: counted in memory, written now and then.

use crate::services::log_store_error;
use domain::ids::{IngestKeyId, RepositoryId};
use domain::key_limits::DefaultLimits;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::ingest_keys::{IngestAuth, Over, Refused, RefusedRow};
use store::{Store, StoreError};
use tokio::time::sleep;

/// How long counts wait to be written: a flood is a row in each such time, and a crash loses as
/// much of them.
const WRITTEN_AFTER: Duration = Duration::from_secs(10);
/// How often the log says that there are any.
const SAID_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Keys that are counted until the next write, some 100 bytes each. What others bring is counted by
/// the metrics alone.
const KEYS: usize = 10_000;

/// What was refused, by key.
#[derive(Debug)]
pub(in crate::server) struct OverLimit {
    store: Store,
    /// What holds for keys without limits of their own.
    pub(in crate::server) defaults: DefaultLimits,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    counted: HashMap<(IngestKeyId, Over), Refused>,
    /// Somebody writes them soon.
    is_due: bool,
    /// What the log has not said yet.
    unsaid: u64,
    said_at: Option<Timestamp>,
}

impl OverLimit {
    /// Nothing yet; written to this database.
    pub(super) fn new(store: Store, defaults: DefaultLimits) -> Self {
        Self { store, defaults, waiting: Mutex::default() }
    }

    /// Counts a request that was refused, and sees that it is written soon.
    pub(super) fn note(self: &Arc<Self>, auth: IngestAuth, over: Over, now: Timestamp) {
        let (said, must_write) = self.count(auth.key, over, now);
        if let Some(refused) = said {
            say(auth.id, auth.key, over, refused);
        }
        if must_write {
            // A server that is gone by then keeps no database open for it.
            let over_limit = Arc::downgrade(self);
            tokio::spawn(async move {
                sleep(WRITTEN_AFTER).await;
                let Some(over_limit) = over_limit.upgrade() else { return };
                over_limit.lock().is_due = false;
                if let Err(error) = over_limit.write().await {
                    log_store_error(&over_limit.store, &error, "what was refused of keys could not be written yet");
                }
            });
        }
    }

    /// Counts it; what the log is to say, where it is to say something, and whether somebody has to
    /// see that it is written.
    fn count(&self, key: IngestKeyId, over: Over, now: Timestamp) -> (Option<u64>, bool) {
        let mut waiting = self.lock();
        waiting.unsaid += 1;
        let is_silent = waiting.said_at.is_some_and(|at| now.is_within(SAID_EVERY, at));
        let said = (!is_silent).then(|| {
            waiting.said_at = Some(now);
            std::mem::take(&mut waiting.unsaid)
        });
        if waiting.counted.len() < KEYS || waiting.counted.contains_key(&(key, over)) {
            let one = Refused { count: 1, first_at: now, last_at: now };
            waiting.counted.entry((key, over)).and_modify(|before| *before = before.and(one)).or_insert(one);
        }
        (said, !std::mem::replace(&mut waiting.is_due, true))
    }

    /// Writes what was counted by now.
    ///
    /// # Errors
    /// The database is out of reach; then it stays counted, and comes with the next.
    pub(in crate::server) async fn write(&self) -> Result<(), StoreError> {
        let counted = std::mem::take(&mut self.lock().counted);
        let row = |(&(key, over), &refused): (&(IngestKeyId, Over), &Refused)| RefusedRow { key, over, refused };
        let mut rows: Vec<RefusedRow> = counted.iter().map(row).collect();
        // In one order, so that no two servers wait for each other.
        rows.sort_by_key(|row| (row.key.0, row.over));
        let Some(now) = rows.iter().map(|row| row.refused.last_at).max() else { return Ok(()) };
        let written = store::ingest_keys::record_refusals(&self.store, &rows, now).await;
        if written.is_err() {
            let mut waiting = self.lock();
            for RefusedRow { key, over, refused } in rows {
                waiting.counted.entry((key, over)).and_modify(|newer| *newer = newer.and(refused)).or_insert(refused);
            }
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing under it can panic half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn say(project: RepositoryId, key: IngestKeyId, over: Over, refused: u64) {
    let limit = over.name();
    tracing::warn!(
        project = project.0,
        key = key.0,
        limit,
        refused,
        "a key sends more than it may, and that is refused: the page \"Connect an application\" of its repository \
         says how much, and sets the limits; what else is refused within a minute is counted there, too"
    );
}
