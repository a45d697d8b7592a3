//! Shadow mode of a repository: begun by hand or for its first days, ended by hand, by its file or
//! by time.

use super::{Epoch, Wake};
use domain::timestamp::Timestamp;
use store::repositories::RepositoryRow;
use store::shadow::FOR_EVER;
use store::{Store, StoreError};

/// Begins and ends shadows.
#[derive(Clone)]
pub struct ShadowMode {
    /// The rows.
    pub store: Store,
    /// To be turned when a shadow ends: then lines are told of that were only counted.
    pub epoch: Epoch,
    /// What was held back goes on.
    pub wake: Wake,
}

impl ShadowMode {
    /// Begins shadow mode, until somebody ends it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn begin(&self, row: &RepositoryRow) -> Result<(), StoreError> {
        store::shadow::set_until(&self.store, row.repository.id, Some(FOR_EVER)).await?;
        tracing::info!(repository = %row.repository.full_name, "shadow mode: nothing is sent");
        Ok(())
    }

    /// Ends shadow mode: what happens from now on is told.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), StoreError> {
        store::shadow::set_until(&self.store, row.repository.id, None).await?;
        store::shadow::end(&self.store, row.repository.id, now).await?;
        self.epoch.turn();
        self.wake.notify_one();
        tracing::info!(repository = %row.repository.full_name, "shadow mode is over");
        Ok(())
    }

    /// Ends shadow mode where its time is over, or the repository's settings ended it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end_what_is_over(&self, now: Timestamp) -> Result<(), StoreError> {
        for id in store::shadow::repositories(&self.store).await? {
            if let Some(row) = store::repositories::by_id(&self.store, id).await?
                && !row.is_shadow(now)
            {
                self.end(&row, now).await?;
            }
        }
        Ok(())
    }
}
