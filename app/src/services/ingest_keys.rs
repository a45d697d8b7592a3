//! Making and revoking a repository's keys, which the page and the terminal both do.

use super::{Epoch, Failure};
use domain::timestamp::Timestamp;
use store::ingest_keys::MOST_KEYS;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// Makes a repository another key, and returns it.
///
/// # Errors
/// The database is out of reach, or there are too many keys already.
pub async fn add(store: &Store, row: &RepositoryRow, label: Option<&str>, now: Timestamp) -> Result<String, Failure> {
    let made = store::ingest_keys::insert(store, row.repository.id, label, now).await?;
    let key = made.ok_or_else(|| {
        Failure::give_up(format!("{MOST_KEYS} keys are in force already: revoke one that nobody uses"))
    })?;
    tracing::info!(repository = %row.repository.full_name, "made a key");
    Ok(key)
}

/// Revokes a key: in force at once in this process, and within 10 s in others. `false`: there is no
/// such key.
///
/// # Errors
/// The database is out of reach.
pub async fn revoke(store: &Store, epoch: &Epoch, key: &str, now: Timestamp) -> Result<bool, StoreError> {
    let Some(id) = store::ingest_keys::revoke(store, key, now).await? else { return Ok(false) };
    epoch.turn();
    tracing::info!(project = id.0, "revoked a key");
    Ok(true)
}
