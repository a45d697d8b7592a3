//! Tracebacks: the latest report of a line in each week.

use crate::columns::{get, get_time};
use crate::pack::unpack;
use crate::{Store, StoreError, Tx};
use domain::ids::{FingerprintId, LineId, RepositoryId};
use domain::report::Report;
use domain::timestamp::Timestamp;

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

/// The latest traceback of a line, of those that began before `before`.
pub async fn latest_of_line(store: &Store, line: LineId, before: Timestamp) -> Result<Option<Traceback>, StoreError> {
    let row = sqlx::query(
        "SELECT fingerprint_id, received_at_ms, body FROM tracebacks WHERE line_id = $1 AND week_ms < $2
         ORDER BY week_ms DESC LIMIT 1",
    )
    .bind(line.0)
    .bind(before.as_millis())
    .fetch_optional(&store.pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Traceback {
        received_at: get_time(&row, "received_at_ms")?,
        fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
        report: unpack("tracebacks.body", &get::<Vec<u8>>(&row, "body")?)?,
    }))
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

/// Keeps a report as the latest traceback of its line in its week.
pub(crate) async fn upsert_in(
    tx: &mut Tx,
    line: LineId,
    fingerprint: FingerprintId,
    at: Timestamp,
    body: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        // A fingerprint whose repository was given up a moment ago is gone: it must not take the
        // whole batch with it.
        "INSERT INTO tracebacks (line_id, week_ms, fingerprint_id, received_at_ms, body)
         SELECT $1, $2, id, $4, $5 FROM fingerprints WHERE id = $3
         ON CONFLICT (line_id, week_ms) DO UPDATE SET
             fingerprint_id = excluded.fingerprint_id, received_at_ms = excluded.received_at_ms, body = excluded.body",
    )
    .bind(line.0)
    .bind(at.week().as_millis())
    .bind(fingerprint.0)
    .bind(at.as_millis())
    .bind(body.to_vec())
    .execute(tx.conn())
    .await?;
    Ok(())
}
