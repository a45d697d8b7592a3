//! Refreshing a repository: its mirror and its settings.

use crate::services::mirror_sync::MirrorSync;
use crate::services::{Failure, Wake};
use domain::ids::RepositoryId;
use domain::job::Job;
use store::{Store, StoreError};

/// How often a repository is fetched though no push was announced: webhooks get lost.
pub const FETCH_EVERY_MS: i64 = 15 * 60_000;

/// Refreshes a repository.
///
/// # Errors
/// The repository, GitHub or the database is out of reach: to be tried again.
pub async fn refresh(store: &Store, mirror_sync: &MirrorSync, id: RepositoryId, now_ms: i64) -> Result<(), Failure> {
    let Some(row) = store::repositories::by_id(store, id).await? else { return Ok(()) };
    if row.removed_at_ms.is_some() || row.suspended_at_ms.is_some() {
        return Ok(());
    }
    mirror_sync.bring_up_to_date(&row, now_ms).await
}

/// Asks for a fetch of every repository that was not fetched for a while.
///
/// # Errors
/// The database is out of reach.
pub async fn ask_for_overdue(store: &Store, wake: &Wake, now_ms: i64) -> Result<(), StoreError> {
    for row in store::repositories::list(store).await? {
        if now_ms - row.fetched_at_ms >= FETCH_EVERY_MS && row.suspended_at_ms.is_none() {
            store::jobs::enqueue(store, Job::Fetch(row.repository.id), now_ms, now_ms).await?;
        }
    }
    wake.notify_one();
    Ok(())
}
