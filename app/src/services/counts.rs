//! Counts that are exact: the journal is folded soon after something was appended, and at once for
//! who needs to know.

use super::{Wake, log_store_error};
use domain::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreError};
use tokio::sync::Mutex;

/// How long what was counted gathers before it is folded: a line that fails a thousand times within
/// it is added to once. Folding takes a few milliseconds for each 256 lines, so a count is at most
/// a second old.
const GATHERED_FOR: Duration = Duration::from_millis(400);
/// How often it is looked whether there is something, though nobody said so: another process on the
/// same database may have ended before it folded what it appended.
const LOOKED_EVERY: Duration = Duration::from_secs(5);

/// What keeps counts up to date.
#[derive(Clone)]
pub struct Counts {
    store: Store,
    /// Who folds: others wait and find that it is done.
    folding: Arc<Mutex<()>>,
    /// Something was appended to the journal.
    counted: Wake,
    /// A count was waited for, and a worker is to decide.
    wake: Wake,
}

impl Counts {
    /// Of this database; wakes workers where a count asks for a decision.
    pub fn new(store: Store, wake: Wake) -> Self {
        Self { store, folding: Arc::default(), counted: Wake::default(), wake }
    }

    /// The same, written on behalf of whoever has this handle of the database.
    #[must_use]
    pub fn through(&self, store: Store) -> Self {
        Self { store, ..self.clone() }
    }

    /// Has [`Self::keep`] look: something was appended to the journal, or may have been, or all is
    /// to end.
    pub fn look(&self) {
        self.counted.notify_one();
    }

    /// Folds what was appended before.
    ///
    /// # Errors
    /// The database is out of reach, or can't be written.
    pub async fn bring_up_to_date(&self, now: Timestamp) -> Result<(), StoreError> {
        let _folding = self.folding.lock().await;
        let folded = store::journal::fold(&self.store, now).await?;
        if folded.asked {
            self.wake.notify_one();
        }
        if folded.unreadable > 0 {
            tracing::error!(
                entries = folded.unreadable,
                "the journal held what can't be read, as after damage to the disk: so many counts of lines are lost"
            );
        }
        Ok(())
    }

    /// Waits until something was counted, lets more gather, and folds it.
    pub async fn keep(&self, now: impl FnOnce() -> Timestamp) {
        self.counted.sleep(LOOKED_EVERY).await;
        tokio::time::sleep(GATHERED_FOR).await;
        if let Err(error) = self.bring_up_to_date(now()).await {
            log_store_error(&self.store, &error, "counts wait in the journal, and are added as soon as that works");
        }
    }
}
