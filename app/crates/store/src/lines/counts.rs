//! What was counted of lines: occurrences by hour, servers, releases and the like, and how many
//! lines are open.

use crate::columns::{get, get_count, get_time, get_time_opt};
use crate::lines::Line;
use crate::{Store, StoreError};
use domain::alert::Counts;
use domain::ids::{LineId, RepositoryId};
use domain::status::SPARK_DAYS;
use domain::timestamp::{DAY, Timestamp, millis};

/// Values of one kind that an alert or a page lists, most recent first.
const LISTED_FACETS: i64 = 20;

/// Releases, servers, environments and exception types of a line, with its totals.
pub async fn counts(store: &Store, line: &Line) -> Result<Counts, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, value FROM (SELECT kind, value,
                 ROW_NUMBER() OVER (PARTITION BY kind ORDER BY last_seen_ms DESC, value) AS place
             FROM line_facets WHERE line_id = $1) latest
         WHERE place <= $2 ORDER BY kind, place",
    )
    .bind(line.id.0)
    .bind(LISTED_FACETS)
    .fetch_all(&store.pool)
    .await?;
    let mut counts = Counts {
        total: line.total,
        first_seen_at: line.first_seen_at,
        last_seen_at: line.last_seen_at,
        servers: Vec::new(),
        releases: Vec::new(),
        environments: Vec::new(),
        exceptions: Vec::new(),
    };
    for row in &rows {
        let values = match get::<String>(row, "kind")?.as_str() {
            "server" => &mut counts.servers,
            "release" => &mut counts.releases,
            "environment" => &mut counts.environments,
            "exception" => &mut counts.exceptions,
            _ => continue,
        };
        values.push(get(row, "value")?);
    }
    Ok(counts)
}

/// The same with the occurrences of each of the last days up to its latest occurrence, oldest
/// first. Total and days are of one moment, however fast they grow: read one after the other, a day
/// could have more than all days.
pub async fn counts_and_days(store: &Store, line: &Line) -> Result<(Counts, Vec<u64>), StoreError> {
    let rows = sqlx::query(
        "SELECT l.total, l.first_seen_ms, l.last_seen_ms, h.hour_ms, h.occurrences
         FROM lines l LEFT JOIN line_hours h ON h.line_id = l.id AND h.hour_ms >= l.last_seen_ms - $2
         WHERE l.id = $1",
    )
    .bind(line.id.0)
    .bind(millis(DAY * SPARK_DAYS as i32))
    .fetch_all(&store.pool)
    .await?;
    let mut counts = counts(store, line).await?;
    if let Some(row) = rows.first() {
        counts.total = get_count(row, "total")?;
        counts.first_seen_at = get_time(row, "first_seen_ms")?;
        counts.last_seen_at = get_time(row, "last_seen_ms")?;
    }
    let first_day = counts.last_seen_at.day() - DAY * (SPARK_DAYS as i32 - 1);
    let mut days = vec![0; SPARK_DAYS];
    for row in &rows {
        let Some(hour) = get_time_opt(row, "hour_ms")? else { continue };
        let day = millis(hour - first_day).div_euclid(millis(DAY));
        if let Some(day) = usize::try_from(day).ok().and_then(|day| days.get_mut(day)) {
            *day += get_count(row, "occurrences")?;
        }
    }
    Ok((counts, days))
}

/// The release in which a line first failed, as the client named it.
pub async fn first_release(store: &Store, line: LineId) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(
        "SELECT value FROM line_facets WHERE line_id = $1 AND kind = 'release'
         ORDER BY first_seen_ms, last_seen_ms, value LIMIT 1",
    )
    .bind(line.0)
    .fetch_optional(&store.pool)
    .await?;
    row.as_ref().map(|row| get(row, "value")).transpose()
}

/// Types of exceptions that a line raised for the first time after its alert, oldest first.
pub async fn exceptions_since_alert(store: &Store, line: LineId, most: usize) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(
        "SELECT f.value AS value FROM line_facets f JOIN lines l ON l.id = f.line_id
         WHERE f.line_id = $1 AND f.kind = 'exception' AND f.first_seen_ms > l.alerted_at_ms
         ORDER BY f.first_seen_ms, f.value LIMIT $2",
    )
    .bind(line.0)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(|row| get(row, "value")).collect()
}

/// For each repository: how many lines are open (neither known nor resolved, alerted or not),
/// and when one was last seen.
pub async fn count_open(store: &Store) -> Result<Vec<(RepositoryId, u64, Option<Timestamp>)>, StoreError> {
    let rows = sqlx::query(
        // An index each: of a million lines, none is read.
        "SELECT r.id AS repository_id, (SELECT MAX(l.last_seen_ms) FROM lines l WHERE l.repository_id = r.id) AS last,
             (SELECT COUNT(*) FROM lines l
              WHERE l.repository_id = r.id AND l.known = 0 AND l.resolved_at_ms IS NULL) AS open
         FROM repositories r",
    )
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| Ok((RepositoryId(get(row, "repository_id")?), get_count(row, "open")?, get_time_opt(row, "last")?)))
        .collect()
}

/// How many lines of a repository were told of since then.
pub async fn count_alerted_since(store: &Store, repository: RepositoryId, since: Timestamp) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS lines FROM lines WHERE repository_id = $1 AND alerted_at_ms > $2")
        .bind(repository.0)
        .bind(since.as_millis())
        .fetch_one(&store.pool)
        .await?;
    get_count(&row, "lines")
}

/// How many lines are decided about without their mirrors, because reading those ended the process.
pub async fn count_plain(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS plain FROM lines WHERE plain_until_ms > $1")
        .bind(now.as_millis())
        .fetch_one(&store.pool)
        .await?;
    get_count(&row, "plain")
}
