//! Refreshing a repository: its mirror and its settings.

use crate::services::fetches::after_others;
use crate::services::mirror_sync::MirrorSync;
use crate::services::{Failure, Wake, blocking};
use domain::ids::RepositoryId;
use domain::job::Job;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::Mirrors;
use store::{Store, StoreError};

/// How often a repository is fetched though no push was announced: webhooks get lost.
pub const FETCH_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// When it is tried again where others are being fetched: most fetches take less.
const OTHERS_FIRST: SignedDuration = SignedDuration::from_secs(5);

/// Refreshes a repository.
///
/// # Errors
/// The repository, GitHub or the database is out of reach: to be tried again.
pub async fn refresh(store: &Store, mirror_sync: &MirrorSync, id: RepositoryId, now: Timestamp) -> Result<(), Failure> {
    let Some(row) = store::repositories::by_id(store, id).await? else { return Ok(()) };
    if row.removed_at.is_some() || !row.is_served() {
        return Ok(());
    }
    mirror_sync.bring_up_to_date(&row, now).await.map_err(|failure| after_others(failure, now + OTHERS_FIRST))
}

/// Asks for a fetch of every repository that was not fetched for a while. One whose last fetch
/// failed keeps the pause that its job has.
///
/// # Errors
/// The database is out of reach.
pub async fn ask_for_overdue(store: &Store, wake: &Wake, now: Timestamp) -> Result<(), StoreError> {
    for row in store::repositories::list(store).await? {
        let is_overdue = !now.is_within(FETCH_EVERY, row.fetched_at);
        if is_overdue && !row.is_fetch_paused(now) && row.is_served() {
            store::jobs::enqueue_if_none(store, Job::Fetch(row.repository.id), now).await?;
        }
    }
    wake.notify_one();
    Ok(())
}

/// Deletes the mirrors of repositories that are not watched any more. Each server has its own, and
/// only one of them heard of the end. What is fetched just now is called off, and deleted the next
/// time.
///
/// # Errors
/// The database is out of reach, or a mirror can't be deleted; the others are.
pub async fn delete_unwatched(store: &Store, mirrors: &Mirrors) -> Result<(), Failure> {
    // Read first: what is watched and cloned meanwhile is in the other.
    let here = blocking({
        let mirrors = mirrors.clone();
        move || mirrors.ids()
    })
    .await?;
    let (known, highest) = store::repositories::numbers(store).await?;
    let mut failure = Ok(());
    for id in here {
        // A higher number is of another database's.
        let is_over = known.get(&id).map_or(id <= highest, |is_watched| !is_watched);
        if is_over {
            let mirrors = mirrors.clone();
            match blocking(move || mirrors.remove(id)).await {
                Ok(true) => tracing::info!(project = id.0, "the mirror of what is not watched any more was deleted"),
                Ok(false) => {}
                Err(error) => failure = Err(error),
            }
        }
    }
    failure
}
