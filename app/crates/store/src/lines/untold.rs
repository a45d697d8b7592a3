//! Lines that nobody was told of.

use super::{COLUMNS, Line, read};
use crate::columns::{get, get_count};
use crate::{Store, StoreError};
use domain::ids::RepositoryId;
use sqlx::AssertSqlSafe;

/// Open lines whose alert found nobody: no recipient, no watcher, and no owner whom somebody gave
/// them. A mail to the operator ($1) told nobody of the repository. What a recipient is called is
/// escaped in JSON, so no name holds these quotes.
const UNTOLD: &str = "alerted_at_ms IS NOT NULL AND known = 0 AND resolved_at_ms IS NULL AND owner_login IS NULL
    AND told LIKE '%\"step\":\"nobody\"%'
    AND NOT EXISTS (SELECT 1 FROM deliveries d
        WHERE d.line_id = lines.id AND d.channel = 'mail' AND LOWER(d.recipient) <> LOWER($1))";

/// The open lines of a repository that nobody was told of, those seen last first.
pub async fn untold(
    store: &Store,
    repository: RepositoryId,
    operator: Option<&str>,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lines WHERE {UNTOLD} AND repository_id = $2 ORDER BY last_seen_ms DESC, id DESC LIMIT $3"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(operator.unwrap_or_default()).bind(repository.0).bind(limit);
    query.fetch_all(&store.pool).await?.iter().map(read).collect()
}

/// How many open lines of each repository nobody was told of; those with none are left out.
pub async fn count_untold(store: &Store, operator: Option<&str>) -> Result<Vec<(RepositoryId, u64)>, StoreError> {
    let sql = format!("SELECT repository_id, COUNT(*) AS untold FROM lines WHERE {UNTOLD} GROUP BY repository_id");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(operator.unwrap_or_default()).fetch_all(&store.pool).await?;
    rows.iter().map(|row| Ok((RepositoryId(get(row, "repository_id")?), get_count(row, "untold")?))).collect()
}
