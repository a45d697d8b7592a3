//! The versions that reports of a repository came from.

use crate::columns::{get, get_time};
use crate::lines::facet;
use crate::{Store, StoreError, Tx};
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use domain::version::SeenVersion;

/// Versions kept for each repository, the newest. Of twenty deployments a day these are those of
/// seven weeks; an older one that still runs is taken for a new one.
const MOST_VERSIONS: i64 = 1_000;

/// Remembers that a report came from a version at `at`; the earliest counts.
pub(crate) async fn record_in(
    tx: &mut Tx,
    repository: RepositoryId,
    name: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO versions (repository_id, name, first_seen_ms) VALUES ($1, $2, $3)
               ON CONFLICT (repository_id, name) DO UPDATE SET first_seen_ms = excluded.first_seen_ms
               WHERE versions.first_seen_ms > excluded.first_seen_ms";
    let (query, name) = (sqlx::query(sql), facet(name));
    let written = query.bind(repository.0).bind(name).bind(at.as_millis()).execute(tx.conn()).await?;
    if written.rows_affected() > 0 {
        let sql = "DELETE FROM versions WHERE repository_id = $1 AND first_seen_ms < (
                       SELECT MIN(first_seen_ms) FROM (
                           SELECT first_seen_ms FROM versions WHERE repository_id = $1
                           ORDER BY first_seen_ms DESC LIMIT $2) newest)";
        sqlx::query(sql).bind(repository.0).bind(MOST_VERSIONS).execute(tx.conn()).await?;
    }
    Ok(())
}

/// All versions of a repository that are remembered.
///
/// # Errors
/// The database is out of reach.
pub async fn of_repository(store: &Store, repository: RepositoryId) -> Result<Vec<SeenVersion>, StoreError> {
    let rows = sqlx::query("SELECT name, first_seen_ms FROM versions WHERE repository_id = $1")
        .bind(repository.0)
        .fetch_all(&store.pool)
        .await?;
    rows.iter()
        .map(|row| Ok(SeenVersion { name: get(row, "name")?, first_seen: get_time(row, "first_seen_ms")? }))
        .collect()
}

/// A version's name as it is stored.
pub fn stored_name(name: &str) -> String {
    facet(name)
}
