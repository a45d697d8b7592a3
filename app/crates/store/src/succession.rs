//! Lines that follow lines: what was edited takes over the issue of what it was.

use super::lines::{COLUMNS, Line, read};
use super::{Store, StoreError, Tx, get, signed};
use domain::ids::LineId;

impl Store {
    /// Other lines of the same function that raise the same exception and have an open issue, the latest seen first.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn alike_with_issue(&self, line: &Line, most: usize) -> Result<Vec<Line>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND path = $2 AND function_name = $3 AND exception = $4
                 AND id <> $5 AND issue_number IS NOT NULL AND resolved_at_ms IS NULL AND known = 0
             ORDER BY last_seen_ms DESC, id DESC LIMIT $6"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(line.repository.0)
            .bind(&line.place.path)
            .bind(&line.place.function)
            .bind(&line.exception)
            .bind(line.id.0)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The line that a line was before somebody edited it, where it took over that one's issue.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn line_before(&self, line: LineId) -> Result<Option<LineId>, StoreError> {
        let row = sqlx::query(
            "SELECT purpose FROM deliveries WHERE line_id = $1 AND channel = 'comment' AND purpose LIKE 'carried:%' LIMIT 1",
        )
        .bind(line.0)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let purpose: String = get(&row, "purpose")?;
        Ok(purpose.strip_prefix("carried:").and_then(|id| id.parse().ok()).map(LineId))
    }

    /// Whether the issue of a line that came back is still to be opened again.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn is_reopening(&self, line: LineId) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT id FROM deliveries WHERE line_id = $1 AND channel = 'comment' AND state = 'pending'
                 AND purpose LIKE 'regression:%' LIMIT 1",
        )
        .bind(line.0)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }

    /// Types of exceptions that a line raised for the first time after its alert, oldest first.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn exceptions_since_alert(&self, line: LineId, most: usize) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT f.value AS value FROM line_facets f JOIN lines l ON l.id = f.line_id
             WHERE f.line_id = $1 AND f.kind = 'exception' AND f.first_seen_ms > l.alerted_at_ms
             ORDER BY f.first_seen_ms, f.value LIMIT $2",
        )
        .bind(line.0)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| get(row, "value")).collect()
    }
}

/// Gives the issue of an old line to the line that it became, with its owner and the labels that command there. `false`: the
/// issue is not the old line's any more, or it was closed.
pub(super) async fn carry_over(tx: &mut Tx, old: LineId, issue: u64, new: LineId) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "UPDATE lines SET issue_number = NULL WHERE id = $1 AND issue_number = $2 AND resolved_at_ms IS NULL AND known = 0",
    )
    .bind(old.0)
    .bind(signed(issue))
    .execute(tx.conn())
    .await?
    .rows_affected();
    if taken == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE lines SET issue_number = $3, status_wanted = 1,
             owner_login = (SELECT o.owner_login FROM lines o WHERE o.id = $1),
             regressions = (SELECT o.regressions FROM lines o WHERE o.id = $1) WHERE id = $2",
    )
    .bind(old.0)
    .bind(new.0)
    .bind(signed(issue))
    .execute(tx.conn())
    .await?;
    sqlx::query("UPDATE rules SET line_id = $2 WHERE line_id = $1 AND ended_at_ms IS NULL")
        .bind(old.0)
        .bind(new.0)
        .execute(tx.conn())
        .await?;
    // Its issue has gone: what was still to be said or done there of the old line has no place any more.
    sqlx::query(
        "UPDATE deliveries SET state = 'given_up', error = 'its issue goes on with the line as it was edited'
         WHERE line_id = $1 AND channel IN ('comment', 'issue') AND state = 'pending'",
    )
    .bind(old.0)
    .execute(tx.conn())
    .await?;
    Ok(true)
}
