//! Beginning and ending to watch a repository, which webhooks, reconciliation and the command line all do.

use super::{Failure, Services};
use domain::ids::RepositoryId;
use store::repositories::{NewRepository, RepositoryRow};

impl Services {
    /// Watches a repository, or brings what is known of it up to date.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn watch(&self, new: &NewRepository, now_ms: i64) -> Result<RepositoryId, Failure> {
        let (id, is_new) = store::repositories::watch(&self.store, new, now_ms).await?;
        if is_new && self.shadow_ms > 0 {
            store::shadow::set_first_until(&self.store, id, now_ms, now_ms.saturating_add(self.shadow_ms)).await?;
        }
        if is_new {
            tracing::info!(repository = %new.full_name, project = id.0, "watching a repository");
            self.epoch.turn();
        }
        self.wake.notify_one();
        Ok(id)
    }

    /// Stops watching a repository: its mirror and tracebacks are deleted, its counts stay.
    ///
    /// # Errors
    /// The database is out of reach, or the mirror can't be deleted.
    pub async fn unwatch(&self, row: &RepositoryRow, now_ms: i64) -> Result<(), Failure> {
        let id = row.repository.id;
        store::repositories::unwatch(&self.store, id, now_ms).await?;
        self.epoch.turn();
        let mirrors = self.mirrors.clone();
        super::blocking(move || mirrors.remove(id)).await?;
        tracing::info!(repository = %row.repository.full_name, "not watching a repository any more");
        Ok(())
    }
}
