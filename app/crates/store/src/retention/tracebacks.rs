//! Tracebacks: those of old weeks go, but a line's latest; where all together are too large, the
//! oldest.

use super::Round;
use crate::columns::{get, get_count};
use crate::dialect::Dialect;
use crate::repositories::overwrite_in;
use crate::rows::{chunks, values};
use crate::{StoreError, Tx};
use domain::retention::Boundaries;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Tracebacks that one piece deletes: with what they have beside their pages, some hundred pages.
const MOST_TRACEBACKS: usize = 128;

/// Bytes of the tracebacks that stay, by the week that they are of, Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sizes {
    /// Of those that are not their line's latest.
    older: BTreeMap<i64, u64>,
    /// Of those that are.
    latest: BTreeMap<i64, u64>,
}

impl Sizes {
    /// Before which weeks they have to go so that all fit into so many bytes: first of those that
    /// are not their line's latest. Those of `this_week` stay in any case.
    pub(super) fn too_large(&self, most: u64, this_week: Timestamp) -> Option<[i64; 2]> {
        let mut bytes: u64 = self.older.values().chain(self.latest.values()).sum();
        let mut before = [i64::MIN; 2];
        for (kind, weeks) in [&self.older, &self.latest].into_iter().enumerate() {
            for (week, size) in weeks.range(..this_week.as_millis()) {
                if bytes <= most {
                    break;
                }
                before[kind] = week + 1;
                bytes -= size;
            }
        }
        (before != [i64::MIN; 2]).then_some(before)
    }
}

/// One traceback, as far as it matters here.
struct Kept {
    line: i64,
    week: i64,
    bytes: u64,
    is_latest: bool,
}

/// Deletes what is too old, or too much, of these lines, and adds what stays to the round's sizes.
/// `false`: there is more to delete.
pub(super) async fn drop_in(
    tx: &mut Tx,
    dialect: Dialect,
    cuts: &[(i64, Boundaries)],
    round: &mut Round,
) -> Result<bool, StoreError> {
    let [older_before, latest_before] = round.too_large.unwrap_or([i64::MIN; 2]);
    let kept = of_lines_in(tx, cuts).await?;
    let boundary: BTreeMap<i64, i64> =
        cuts.iter().map(|(line, boundaries)| (*line, boundaries.tracebacks.as_millis())).collect();
    let goes = |one: &Kept| match one.is_latest {
        true => one.week < latest_before,
        false => one.week < older_before.max(boundary[&one.line]),
    };
    let (gone, stays): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(goes);
    let rows: Vec<[i64; 2]> = gone.iter().take(MOST_TRACEBACKS).map(|one| [one.line, one.week]).collect();
    delete_in(tx, dialect, &rows).await?;
    if gone.len() > rows.len() {
        return Ok(false);
    }
    for one in stays {
        let weeks = if one.is_latest { &mut round.sizes.latest } else { &mut round.sizes.older };
        *weeks.entry(one.week).or_default() += one.bytes;
    }
    Ok(true)
}

/// All tracebacks of these lines, each line's in the order of its weeks.
async fn of_lines_in(tx: &mut Tx, cuts: &[(i64, Boundaries)]) -> Result<Vec<Kept>, StoreError> {
    let mut kept: Vec<Kept> = Vec::new();
    for chunk in chunks(cuts) {
        let sql = format!(
            "WITH these (line_id) AS (VALUES {})
             SELECT t.line_id AS line, t.week_ms AS week, CAST(LENGTH(t.body) AS BIGINT) AS bytes
             FROM these JOIN tracebacks t ON t.line_id = these.line_id ORDER BY t.line_id, t.week_ms",
            values(chunk.len(), 1)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (line, _) in chunk {
            query = query.bind(*line);
        }
        for row in query.fetch_all(tx.conn()).await? {
            let (line, week): (i64, i64) = (get(&row, "line")?, get(&row, "week")?);
            if let Some(before) = kept.last_mut().filter(|before| before.line == line) {
                before.is_latest = false;
            }
            kept.push(Kept { line, week, bytes: get_count(&row, "bytes")?, is_latest: true });
        }
    }
    Ok(kept)
}

/// Deletes tracebacks by line and week, and overwrites what they held: they have variables, and
/// whoever has a limit for them means it.
pub(super) async fn delete_in(tx: &mut Tx, dialect: Dialect, rows: &[[i64; 2]]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    overwrite_in(tx, dialect, true).await?;
    for chunk in chunks(rows) {
        // Joined, or SQLite would look at every row of the table.
        let sql = format!(
            "WITH these (line_id, week_ms) AS (VALUES {}) DELETE FROM tracebacks WHERE (line_id, week_ms) IN (
                 SELECT t.line_id, t.week_ms FROM these
                 JOIN tracebacks t ON t.line_id = these.line_id AND t.week_ms = these.week_ms)",
            values(chunk.len(), 2)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in chunk.iter().flatten() {
            query = query.bind(*value);
        }
        query.execute(tx.conn()).await?;
    }
    overwrite_in(tx, dialect, false).await
}
