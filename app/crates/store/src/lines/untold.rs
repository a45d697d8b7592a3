//! Lines that nobody was told of.

use super::{COLUMNS, Line, read};
use crate::columns::{get, get_count};
use crate::{Store, StoreError};
use domain::ids::RepositoryId;
use domain::untold::Untold;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// That its alert went to who runs the server. What a recipient is called is escaped in JSON, so no
/// name holds these quotes.
const IS_THEIRS: &str = "told LIKE '%\"to_operator\":true%'";

/// Open lines whose alert found nobody: no recipient, no watcher, and no owner whom somebody gave
/// them. A mail to who runs the server told nobody of the repository.
fn is_untold() -> String {
    format!(
        "alerted_at_ms IS NOT NULL AND known = 0 AND resolved_at_ms IS NULL AND owner_login IS NULL
         AND told_nobody = 1
         AND (SELECT COUNT(*) FROM deliveries d WHERE d.line_id = lines.id AND d.channel = 'mail')
             <= CASE WHEN {IS_THEIRS} THEN 1 ELSE 0 END"
    )
}

/// Lines whose mail to who runs the server was sent, or waits for that.
fn is_with_operator() -> String {
    format!(
        "{IS_THEIRS} AND EXISTS (SELECT 1 FROM deliveries d WHERE d.line_id = lines.id AND d.channel = 'mail'
            AND d.state NOT IN ('given_up', 'shadow'))"
    )
}

/// The open lines of a repository that nobody was told of, those seen last first.
pub async fn untold(store: &Store, repository: RepositoryId, limit: i64) -> Result<Vec<Line>, StoreError> {
    let untold = is_untold();
    let sql = format!(
        "SELECT {COLUMNS} FROM lines WHERE {untold} AND repository_id = $1 ORDER BY last_seen_ms DESC, id DESC LIMIT $2"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).bind(limit);
    query.fetch_all(&store.pool).await?.iter().map(read).collect()
}

/// How many open lines of each repository nobody was told of; those with none are left out.
pub async fn count_untold(store: &Store) -> Result<Vec<(RepositoryId, Untold)>, StoreError> {
    let (untold, theirs) = (is_untold(), is_with_operator());
    let sql = format!(
        "SELECT repository_id, COUNT(*) AS untold, SUM(CASE WHEN {theirs} THEN 1 ELSE 0 END) AS theirs
         FROM lines WHERE {untold} GROUP BY repository_id"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&store.pool).await?;
    rows.iter().map(|row| Ok((RepositoryId(get(row, "repository_id")?), count(row)?))).collect()
}

/// How many of at most so many open lines of a repository nobody was told of, those seen last.
pub async fn count_untold_of(store: &Store, repository: RepositoryId, most: i64) -> Result<Untold, StoreError> {
    let (untold, theirs) = (is_untold(), is_with_operator());
    let sql = format!(
        "SELECT COUNT(*) AS untold, COALESCE(SUM(theirs), 0) AS theirs
         FROM (SELECT CASE WHEN {theirs} THEN 1 ELSE 0 END AS theirs FROM lines
               WHERE {untold} AND repository_id = $1 ORDER BY last_seen_ms DESC, id DESC LIMIT $2) latest"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).bind(most).fetch_one(&store.pool).await?;
    count(&row)
}

fn count(row: &AnyRow) -> Result<Untold, StoreError> {
    Ok(Untold { lines: get_count(row, "untold")?, to_operator: get_count(row, "theirs")? })
}
