//! Counting what happened at lines: totals and hours in chunks, each facet once.

use crate::columns::{get, signed};
use crate::rows::{chunks, values};
use crate::{Dialect, StoreError, Tx};
use domain::ids::{LineId, RepositoryId};
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Values kept of each kind (server, release …) for one line: autoscaled servers have endless names
/// that nobody reads.
pub(crate) const FACETS_PER_KIND: i64 = 200;

/// Characters kept of a facet: two of them and a key have to fit into 2,704 bytes, PostgreSQL's
/// limit on what is indexed.
const FACET_LENGTH: usize = 256;

/// What is added to a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition {
    pub(crate) line: LineId,
    /// Occurrences.
    pub(crate) count: u64,
    /// When the last of them was.
    pub(crate) last_at: Timestamp,
}

/// What came of adding to lines.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// Those that are there.
    pub(crate) there: Vec<LineId>,
    /// Those whose count reached the one at which to decide, with their repository and the moment
    /// of the last occurrence.
    pub(crate) due: Vec<(LineId, RepositoryId, Timestamp)>,
}

/// On PostgreSQL, locks lines in the order of their numbers, as all do who write several: two that
/// lock them crosswise would wait for each other. On SQLite a write transaction is alone.
pub(crate) async fn lock_all_in(tx: &mut Tx, lines: &[LineId]) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite || lines.len() < 2 {
        return Ok(());
    }
    let ids: Vec<String> = lines.iter().map(|line| line.0.to_string()).collect();
    let sql = format!("SELECT id FROM lines WHERE id IN ({}) ORDER BY id FOR NO KEY UPDATE", ids.join(", "));
    sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(tx.conn()).await?;
    Ok(())
}

/// Adds to totals; each line once.
pub(crate) async fn add_totals_in(tx: &mut Tx, additions: &[Addition]) -> Result<Added, StoreError> {
    let mut added = Added::default();
    lock_all_in(tx, &additions.iter().map(|addition| addition.line).collect::<Vec<_>>()).await?;
    for chunk in chunks(additions) {
        let sql = format!(
            "WITH fresh (id, n, last) AS (VALUES {}) UPDATE lines SET total = total + fresh.n,
                 last_seen_ms = CASE WHEN fresh.last > lines.last_seen_ms THEN fresh.last ELSE lines.last_seen_ms END
             FROM fresh WHERE lines.id = fresh.id RETURNING lines.id AS line,
                 lines.repository_id AS repository, lines.total AS total, lines.next_decide_at AS next",
            values(chunk.len(), 3)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for addition in chunk {
            query = query.bind(addition.line.0).bind(signed(addition.count)).bind(addition.last_at.as_millis());
        }
        for row in query.fetch_all(tx.conn()).await? {
            let line = LineId(get(&row, "line")?);
            added.there.push(line);
            let total: i64 = get(&row, "total")?;
            if get::<Option<i64>>(&row, "next")?.is_some_and(|next| total >= next) {
                let last_at = chunk.iter().find(|it| it.line == line).map_or(Timestamp::UNIX_EPOCH, |it| it.last_at);
                added.due.push((line, RepositoryId(get(&row, "repository")?), last_at));
            }
        }
    }
    added.due.sort_by_key(|(line, ..)| *line);
    for (due, ..) in &added.due {
        sqlx::query("UPDATE lines SET next_decide_at = NULL WHERE id = $1").bind(due.0).execute(tx.conn()).await?;
    }
    Ok(added)
}

/// Adds to hours: a line that is there, the beginning of an hour, and how many.
pub(crate) async fn add_hours_in(tx: &mut Tx, additions: &[(LineId, Timestamp, u64)]) -> Result<(), StoreError> {
    for chunk in chunks(additions) {
        let sql = format!(
            "INSERT INTO line_hours (line_id, hour_ms, occurrences) VALUES {}
             ON CONFLICT (line_id, hour_ms) DO UPDATE SET occurrences = line_hours.occurrences + excluded.occurrences",
            values(chunk.len(), 3)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (line, hour, count) in chunk {
            query = query.bind(line.0).bind(hour.as_millis()).bind(signed(*count));
        }
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

/// A name of a kind (server, release …) that was seen at a line.
#[derive(Clone, Debug)]
pub(crate) struct SeenFacet<'a> {
    pub(crate) line: LineId,
    pub(crate) kind: &'a str,
    /// As stored ([`facet`]).
    pub(crate) value: String,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// Remembers facets: those that a line has were seen again; of new ones, the latest first, as many
/// as there is room for.
pub(crate) async fn add_facets_in<'a>(
    tx: &mut Tx,
    seen: impl Iterator<Item = SeenFacet<'a>>,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<(LineId, &str, String), (Timestamp, Timestamp)> = BTreeMap::new();
    for facet in seen {
        let (first, last) = rows.entry((facet.line, facet.kind, facet.value)).or_insert((facet.first, facet.last));
        (*first, *last) = (facet.first.min(*first), facet.last.max(*last));
    }
    let rows: Vec<_> = rows.into_iter().collect();
    for chunk in chunks(&rows) {
        let fresh = format!("WITH fresh (line, kind, value, first, last) AS (VALUES {})", values(chunk.len(), 5));
        for what in [SEE_FACETS_AGAIN, INSERT_FACETS] {
            let sql = format!("{fresh} {}", what.replace("{most}", &FACETS_PER_KIND.to_string()));
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for ((line, kind, value), (first, last)) in chunk {
                query = query.bind(line.0).bind(*kind).bind(value).bind(first.as_millis()).bind(last.as_millis());
            }
            query.execute(tx.conn()).await?;
        }
    }
    Ok(())
}

/// Of `fresh`, those that their lines have.
const SEE_FACETS_AGAIN: &str = "UPDATE line_facets SET last_seen_ms = fresh.last FROM fresh
     WHERE line_facets.line_id = fresh.line AND line_facets.kind = fresh.kind AND line_facets.value = fresh.value
         AND line_facets.last_seen_ms < fresh.last";

/// Of `fresh`, those that are new to their lines.
const INSERT_FACETS: &str = "INSERT INTO line_facets (line_id, kind, value, first_seen_ms, last_seen_ms)
     SELECT new.line, new.kind, new.value, new.first, new.last FROM (
         SELECT fresh.line, fresh.kind, fresh.value, fresh.first, fresh.last,
             ROW_NUMBER() OVER (PARTITION BY fresh.line, fresh.kind ORDER BY fresh.last DESC, fresh.value) AS place
         FROM fresh WHERE NOT EXISTS (SELECT 1 FROM line_facets f
             WHERE f.line_id = fresh.line AND f.kind = fresh.kind AND f.value = fresh.value)) new
     WHERE new.place + (SELECT COUNT(*) FROM line_facets f WHERE f.line_id = new.line AND f.kind = new.kind) <= {most}
     ON CONFLICT (line_id, kind, value) DO NOTHING";

/// A facet as it is stored.
pub(crate) fn facet(value: &str) -> String {
    value.chars().take(FACET_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_name_as_much_is_kept_as_can_be_indexed() {
        let name = facet(&"é".repeat(5_000));
        assert_eq!(name.chars().count(), FACET_LENGTH);
        // Of the longest characters, beside another as long and a number.
        const { assert!(2 * 4 * FACET_LENGTH + 8 < 2_704) };
    }
}
