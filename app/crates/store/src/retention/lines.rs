//! Lines: hours become days, old days and tracebacks go, and what was silent for long is archived.
//!
//! A row of `line_hours` that begins with a day stands for the day once it is older than hours are
//! kept: what other hours of that day have is added to it. So a day has the same count before and
//! after, whenever that is looked at, and done twice it is done once.

use super::{Phase, Policy, Round, tracebacks};
use crate::columns::{get, get_count, get_time};
use crate::dialect::Dialect;
use crate::rows::{chunks, values};
use crate::{StoreError, Tx};
use domain::ids::{LineId, RepositoryId};
use domain::retention::Boundaries;
use domain::timestamp::{DAY, Timestamp, millis};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Lines that one piece looks at.
const LINES: i64 = 64;
/// Rows of `line_hours` that one statement of a piece deletes.
const MOST_HOURS: usize = 512;
/// Lines that one piece archives: each may have 800 facets.
const MOST_ARCHIVED: usize = 16;

/// A line that nobody waits for: no issue of it is open, and nothing of it is still to be said.
const MAY_BE_ARCHIVED: &str = "(l.archived_total IS NULL OR l.archived_total <> l.total)
    AND (l.issue_number IS NULL OR l.known = 1 OR l.resolved_at_ms IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.line_id = l.id AND d.state IN ('pending', 'gathered'))
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'decide' AND j.subject = l.id)";

/// Looks at the next lines.
pub(super) async fn piece_in(
    tx: &mut Tx,
    dialect: Dialect,
    policy: &Policy,
    round: &mut Round,
) -> Result<(), StoreError> {
    let (cuts, silent) = next_in(tx, policy, round).await?;
    let Some((last, _)) = cuts.last().copied() else {
        end(policy, round);
        return Ok(());
    };
    let archived = &silent[..silent.len().min(MOST_ARCHIVED)];
    let whole = roll_hours_in(tx, &cuts).await?
        && drop_days_in(tx, &cuts).await?
        && archive_all_in(tx, dialect, archived).await?
        && archived.len() == silent.len()
        && tracebacks::drop_in(tx, dialect, &cuts, round).await?;
    if whole {
        round.cursor = last;
    }
    Ok(())
}

/// All lines were looked at. Where their tracebacks are too large together, once more.
fn end(policy: &Policy, round: &mut Round) {
    let most = u64::from(policy.server.tracebacks_mib) << 20;
    let too_large = if most == 0 { None } else { round.sizes.too_large(most, round.horizon().week()) };
    let is_second = round.too_large.is_some();
    round.sizes = tracebacks::Sizes::default();
    match too_large {
        Some(before) if !is_second => {
            round.too_large = Some(before);
            round.enter(Phase::Lines);
        }
        _ => {
            round.too_large = None;
            round.enter(Phase::Fingerprints);
        }
    }
}

/// The next lines with where their detail ends, and those of them that are to be archived.
async fn next_in(
    tx: &mut Tx,
    policy: &Policy,
    round: &Round,
) -> Result<(Vec<(i64, Boundaries)>, Vec<i64>), StoreError> {
    let sql = format!(
        "SELECT l.id, l.repository_id, l.last_seen_ms, CAST(CASE WHEN {MAY_BE_ARCHIVED} THEN 1 ELSE 0 END AS BIGINT) AS may
         FROM lines l WHERE l.id > $1 ORDER BY l.id LIMIT $2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(round.cursor).bind(LINES).fetch_all(tx.conn()).await?;
    let (mut cuts, mut silent) = (Vec::new(), Vec::new());
    for row in &rows {
        let id: i64 = get(row, "id")?;
        let boundaries = policy.boundaries(RepositoryId(get(row, "repository_id")?), round.horizon());
        if get::<i64>(row, "may")? == 1 && get::<i64>(row, "last_seen_ms")? < boundaries.archive.as_millis() {
            silent.push(id);
        }
        cuts.push((id, boundaries));
    }
    Ok((cuts, silent))
}

/// Adds hours to their days. `false`: there are more.
async fn roll_hours_in(tx: &mut Tx, cuts: &[(i64, Boundaries)]) -> Result<bool, StoreError> {
    let (mut days, mut most) = (BTreeMap::<(LineId, Timestamp), u64>::new(), 0);
    for chunk in chunks(cuts) {
        let sql = format!(
            "WITH old (line_id, before_ms) AS (VALUES {}) DELETE FROM line_hours WHERE (line_id, hour_ms) IN (
                 SELECT h.line_id, h.hour_ms FROM old JOIN line_hours h
                     ON h.line_id = old.line_id AND h.hour_ms < old.before_ms
                 WHERE h.hour_ms % {} <> 0 LIMIT {MOST_HOURS})
             RETURNING line_id, hour_ms, occurrences",
            values(chunk.len(), 2),
            millis(DAY)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (line, boundaries) in chunk {
            query = query.bind(*line).bind(boundaries.hours.as_millis());
        }
        let rows = query.fetch_all(tx.conn()).await?;
        most = most.max(rows.len());
        for row in &rows {
            let line = LineId(get(row, "line_id")?);
            let count = days.entry((line, get_time(row, "hour_ms")?.day())).or_default();
            *count = count.saturating_add(get_count(row, "occurrences")?);
        }
    }
    let additions: Vec<_> = days.into_iter().map(|((line, day), count)| (line, day, count)).collect();
    crate::lines::add_hours_in(tx, &additions).await?;
    Ok(most < MOST_HOURS)
}

/// Deletes old days. `false`: there are more.
async fn drop_days_in(tx: &mut Tx, cuts: &[(i64, Boundaries)]) -> Result<bool, StoreError> {
    let mut gone = 0;
    for chunk in chunks(cuts) {
        let sql = format!(
            "WITH old (line_id, before_ms) AS (VALUES {}) DELETE FROM line_hours WHERE (line_id, hour_ms) IN (
                 SELECT h.line_id, h.hour_ms FROM old JOIN line_hours h
                     ON h.line_id = old.line_id AND h.hour_ms < old.before_ms LIMIT {MOST_HOURS})",
            values(chunk.len(), 2)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (line, boundaries) in chunk {
            query = query.bind(*line).bind(boundaries.days.as_millis());
        }
        let deleted = query.execute(tx.conn()).await?.rows_affected();
        gone = gone.max(usize::try_from(deleted).unwrap_or(usize::MAX));
    }
    Ok(gone < MOST_HOURS)
}

/// Archives all of these lines.
async fn archive_all_in(tx: &mut Tx, dialect: Dialect, silent: &[i64]) -> Result<bool, StoreError> {
    for chunk in chunks(silent) {
        archive_in(tx, dialect, chunk).await?;
    }
    Ok(true)
}

/// Archives lines: of what was kept of them stays what makes them known when they fail again, and
/// their counts by day, for as long as those of all. An occurrence that is counted meanwhile makes
/// the total another one than is noted, so the line is not archived any more.
async fn archive_in(tx: &mut Tx, dialect: Dialect, lines: &[i64]) -> Result<(), StoreError> {
    let these: Vec<String> = (1..=lines.len()).map(|number| format!("${number}")).collect();
    let these = these.join(", ");
    let weeks = format!("SELECT line_id, week_ms FROM tracebacks WHERE line_id IN ({these})");
    let mut query = sqlx::query(AssertSqlSafe(weeks));
    for line in lines {
        query = query.bind(*line);
    }
    let mut gone: Vec<[i64; 2]> = Vec::new();
    for row in query.fetch_all(tx.conn()).await? {
        gone.push([get(&row, "line_id")?, get(&row, "week_ms")?]);
    }
    tracebacks::delete_in(tx, dialect, &gone).await?;
    for sql in [
        format!("UPDATE lines SET archived_total = total WHERE id IN ({these})"),
        format!("DELETE FROM line_facets WHERE line_id IN ({these}) AND kind IN ('server', 'environment')"),
        // The release in which a line failed first is told of it for ever, and types of exceptions
        // that it raised are no news.
        format!(
            "DELETE FROM line_facets WHERE line_id IN ({these}) AND kind = 'release' AND EXISTS (
                 SELECT 1 FROM line_facets f WHERE f.line_id = line_facets.line_id AND f.kind = 'release'
                 AND (f.first_seen_ms, f.last_seen_ms, f.value)
                     < (line_facets.first_seen_ms, line_facets.last_seen_ms, line_facets.value))"
        ),
    ] {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for line in lines {
            query = query.bind(*line);
        }
        query.execute(tx.conn()).await?;
    }
    Ok(())
}
