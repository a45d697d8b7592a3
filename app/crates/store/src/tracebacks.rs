//! Tracebacks: the latest report of a line in each week.

use crate::columns::{get, get_time};
use crate::pack::unpack;
use crate::rows::{chunks, placeholders, values};
use crate::{Store, StoreError, Tx};
use domain::attribution::Attribution;
use domain::ids::{FingerprintId, LineId, RepositoryId};
use domain::report::Report;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// The latest traceback of a line in a week.
#[derive(Clone, Debug, PartialEq)]
pub struct Traceback {
    /// When it came in.
    pub received_at: Timestamp,
    /// Its fingerprint, which knows the attribution.
    pub fingerprint: FingerprintId,
    /// The report.
    pub report: Report,
}

/// The latest report of a line that was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestReport {
    /// Its fingerprint, hexadecimal.
    pub fingerprint: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// The report.
    pub report: Report,
}

/// The latest traceback of a line, of those that began before `before`, with what its fingerprint
/// is attributed to, if it is.
pub async fn latest_of_line(
    store: &Store,
    line: LineId,
    before: Timestamp,
) -> Result<Option<(Traceback, Option<Attribution>)>, StoreError> {
    let row = sqlx::query(
        "SELECT t.fingerprint_id, t.received_at_ms, t.body, f.attribution
         FROM tracebacks t LEFT JOIN fingerprints f ON f.id = t.fingerprint_id
         WHERE t.line_id = $1 AND t.week_ms < $2 ORDER BY t.week_ms DESC LIMIT 1",
    )
    .bind(line.0)
    .bind(before.as_millis())
    .fetch_optional(&store.pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let traceback = Traceback {
        received_at: get_time(&row, "received_at_ms")?,
        fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
        report: unpack("tracebacks.body", &get::<Vec<u8>>(&row, "body")?)?,
    };
    let attribution = get::<Option<Vec<u8>>>(&row, "attribution")?;
    Ok(Some((traceback, attribution.map(|bytes| unpack("fingerprints.attribution", &bytes)).transpose()?)))
}

/// The fingerprints of the latest tracebacks of lines; those of which none is kept are missing.
pub async fn latest_fingerprints(
    store: &Store,
    lines: &[LineId],
) -> Result<HashMap<LineId, FingerprintId>, StoreError> {
    let mut found = HashMap::new();
    for ids in chunks(lines) {
        let sql = format!(
            "SELECT t.line_id, t.fingerprint_id FROM tracebacks t WHERE t.line_id IN ({})
                 AND t.week_ms = (SELECT MAX(o.week_ms) FROM tracebacks o WHERE o.line_id = t.line_id)",
            placeholders(ids.len())
        );
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
        for row in query.fetch_all(&store.pool).await? {
            found.insert(LineId(get(&row, "line_id")?), FingerprintId(get(&row, "fingerprint_id")?));
        }
    }
    Ok(found)
}

/// The latest kept reports of a repository, the newest first: one for each of the lines that failed
/// last.
pub async fn latest_of_repository(
    store: &Store,
    id: RepositoryId,
    limit: usize,
) -> Result<Vec<LatestReport>, StoreError> {
    let rows = sqlx::query(
        "SELECT d.fingerprint, t.received_at_ms, t.body FROM tracebacks t JOIN fingerprints d ON d.id = t.fingerprint_id
         WHERE t.line_id IN (SELECT id FROM lines WHERE repository_id = $1 ORDER BY last_seen_ms DESC LIMIT $2)
         ORDER BY t.received_at_ms DESC LIMIT $2",
    )
    .bind(id.0)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(LatestReport {
                fingerprint: get(row, "fingerprint")?,
                received_at: get_time(row, "received_at_ms")?,
                report: unpack("tracebacks.body", &get::<Vec<u8>>(row, "body")?)?,
            })
        })
        .collect()
}

/// A report to be kept as the latest traceback of its line in its week.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<'a> {
    pub(crate) line: LineId,
    pub(crate) fingerprint: FingerprintId,
    pub(crate) at: Timestamp,
    /// Packed.
    pub(crate) body: &'a [u8],
}

/// Keeps reports, each of another line.
pub(crate) async fn upsert_all_in(tx: &mut Tx, kept: &[Kept<'_>]) -> Result<(), StoreError> {
    for chunk in chunks(kept) {
        // A fingerprint whose repository was given up a moment ago is gone: it must not take the
        // others with it.
        let sql = format!(
            "WITH fresh (line, week, fingerprint, at, body) AS (VALUES {})
             INSERT INTO tracebacks (line_id, week_ms, fingerprint_id, received_at_ms, body)
             SELECT fresh.line, fresh.week, f.id, fresh.at, fresh.body FROM fresh
                 JOIN fingerprints f ON f.id = fresh.fingerprint WHERE 1 = 1
             ON CONFLICT (line_id, week_ms) DO UPDATE SET fingerprint_id = excluded.fingerprint_id,
                 received_at_ms = excluded.received_at_ms, body = excluded.body",
            values(chunk.len(), 5)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for it in chunk {
            query = query
                .bind(it.line.0)
                .bind(it.at.week().as_millis())
                .bind(it.fingerprint.0)
                .bind(it.at.as_millis())
                .bind(it.body.to_vec());
        }
        query.execute(tx.conn()).await?;
    }
    Ok(())
}
