//! The weekly report: what broke, how often, and whose it was.

use crate::columns::{get, get_count};
use crate::lines::Line;
use crate::{Store, StoreError, lines};
use domain::ids::RepositoryId;
use domain::timestamp::{DAY, Timestamp, WEEK, millis};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// Lines of one page of a report: more than anybody reads, and a page that still loads at once.
pub const LINES_PER_REPORT: i64 = 500;

/// What to report on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekQuery {
    /// One repository, or all that are watched.
    pub repository: Option<RepositoryId>,
    /// Start of the week.
    pub week: Timestamp,
    /// Also lines that a known-error rule covers.
    pub known: bool,
}

/// A line in a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineInWeek {
    /// The line.
    pub line: Line,
    /// Occurrences in the week.
    pub count: u64,
    /// Occurrences by day, Monday first.
    pub days: [u64; 7],
}

/// The lines that failed in a week, most frequent first.
pub async fn lines(store: &Store, wanted: &WeekQuery) -> Result<Vec<LineInWeek>, StoreError> {
    let columns: Vec<String> = lines::COLUMNS.split(',').map(|name| format!("l.{}", name.trim())).collect();
    let sql = format!(
        "SELECT {}, w.n AS week_count FROM lines l
         JOIN (SELECT line_id, CAST(SUM(occurrences) AS BIGINT) AS n FROM line_hours
               WHERE hour_ms >= $1 AND hour_ms < $2 GROUP BY line_id) w ON w.line_id = l.id
         JOIN repositories r ON r.id = l.repository_id
         WHERE r.removed_at_ms IS NULL AND ($3 = 0 OR l.repository_id = $3) AND ($4 = 1 OR l.known = 0)
         ORDER BY w.n DESC, l.last_seen_ms DESC, l.id LIMIT $5",
        columns.join(", ")
    );
    let end = wanted.week + WEEK;
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(wanted.week.as_millis())
        .bind(end.as_millis())
        .bind(wanted.repository.map_or(0, |id| id.0))
        .bind(i64::from(wanted.known))
        .bind(LINES_PER_REPORT)
        .fetch_all(&store.pool)
        .await?;
    let mut days = days_of(store, wanted, end).await?;
    rows.iter()
        .map(|row| {
            let line = lines::read(row)?;
            let days = days.remove(&line.id.0).unwrap_or_default();
            Ok(LineInWeek { line, count: get_count(row, "week_count")?, days })
        })
        .collect()
}

/// How many such lines failed in a week, read or beyond the limit.
pub async fn count_lines(store: &Store, wanted: &WeekQuery) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(DISTINCT h.line_id) AS n FROM line_hours h JOIN lines l ON l.id = h.line_id
         JOIN repositories r ON r.id = l.repository_id
         WHERE h.hour_ms >= $1 AND h.hour_ms < $2 AND r.removed_at_ms IS NULL
             AND ($3 = 0 OR l.repository_id = $3) AND ($4 = 1 OR l.known = 0)",
    )
    .bind(wanted.week.as_millis())
    .bind((wanted.week + WEEK).as_millis())
    .bind(wanted.repository.map_or(0, |id| id.0))
    .bind(i64::from(wanted.known))
    .fetch_one(&store.pool)
    .await?;
    get_count(&row, "n")
}

/// Occurrences by day of the lines of a week, by line.
async fn days_of(store: &Store, wanted: &WeekQuery, end: Timestamp) -> Result<HashMap<i64, [u64; 7]>, StoreError> {
    let rows = sqlx::query(
        "SELECT h.line_id, (h.hour_ms - $1) / $3 AS day, CAST(SUM(h.occurrences) AS BIGINT) AS n FROM line_hours h
         JOIN lines l ON l.id = h.line_id
         WHERE h.hour_ms >= $1 AND h.hour_ms < $2 AND ($4 = 0 OR l.repository_id = $4)
         GROUP BY h.line_id, (h.hour_ms - $1) / $3",
    )
    .bind(wanted.week.as_millis())
    .bind(end.as_millis())
    .bind(millis(DAY))
    .bind(wanted.repository.map_or(0, |id| id.0))
    .fetch_all(&store.pool)
    .await?;
    let mut out: HashMap<i64, [u64; 7]> = HashMap::new();
    for row in &rows {
        let day = usize::try_from(get::<i64>(row, "day")?).unwrap_or(0).min(6);
        out.entry(get(row, "line_id")?).or_default()[day] += get_count(row, "n")?;
    }
    Ok(out)
}
