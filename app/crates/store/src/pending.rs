//! What was counted of a fingerprint while it waited for its line: moved there, or deleted.

use crate::columns::{get, get_time};
use crate::{StoreError, Tx, lines};
use domain::ids::{FingerprintId, LineId};

/// Moves what was counted while the line was not known, in a fixed number of statements: reports
/// that come in wait for this transaction.
pub(crate) async fn move_in(tx: &mut Tx, fingerprint: FingerprintId, line: LineId) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(occurrences), 0) AS BIGINT) AS total, COALESCE(MAX(last_seen_ms), 0) AS last
         FROM pending_occurrences WHERE fingerprint_id = $1",
    )
    .bind(fingerprint.0)
    .fetch_one(tx.conn())
    .await?;
    let (total, last_at): (i64, _) = (get(&row, "total")?, get_time(&row, "last")?);
    if total > 0 {
        for sql in MOVES {
            sqlx::query(sql).bind(fingerprint.0).bind(line.0).execute(tx.conn()).await?;
        }
        sqlx::query(MOVE_NEW_FACETS)
            .bind(fingerprint.0)
            .bind(line.0)
            .bind(lines::FACETS_PER_KIND)
            .execute(tx.conn())
            .await?;
        // The job to decide is asked for in any case, so what the count reached need not be asked
        // here.
        let count = total.unsigned_abs();
        lines::add_totals_in(tx, &[lines::Addition { line, count, last_at }]).await?;
    }
    delete_in(tx, fingerprint).await
}

/// From a fingerprint ($1) to its line ($2): hours, and names that the line has already.
const MOVES: [&str; 2] = [
    "INSERT INTO line_hours (line_id, hour_ms, occurrences)
     SELECT CAST($2 AS BIGINT), hour_ms, occurrences FROM pending_occurrences WHERE fingerprint_id = $1
     ON CONFLICT (line_id, hour_ms) DO UPDATE SET occurrences = line_hours.occurrences + excluded.occurrences",
    "UPDATE line_facets SET last_seen_ms = p.last_seen_ms FROM pending_facets p
     WHERE p.fingerprint_id = $1 AND line_facets.line_id = $2 AND line_facets.kind = p.kind
         AND line_facets.value = p.value AND line_facets.last_seen_ms < p.last_seen_ms",
];

/// The same of names that are new to it, the latest seen first, as long as there are fewer than $3
/// of their kind.
const MOVE_NEW_FACETS: &str = "INSERT INTO line_facets (line_id, kind, value, first_seen_ms, last_seen_ms)
     SELECT CAST($2 AS BIGINT), fresh.kind, fresh.value, fresh.first_seen_ms, fresh.last_seen_ms FROM (
         SELECT p.kind, p.value, p.first_seen_ms, p.last_seen_ms,
             ROW_NUMBER() OVER (PARTITION BY p.kind ORDER BY p.last_seen_ms DESC, p.value) AS place
         FROM pending_facets p WHERE p.fingerprint_id = $1 AND NOT EXISTS (
             SELECT 1 FROM line_facets f WHERE f.line_id = $2 AND f.kind = p.kind AND f.value = p.value)) fresh
     WHERE fresh.place + (SELECT COUNT(*) FROM line_facets f WHERE f.line_id = $2 AND f.kind = fresh.kind) <= $3
     ON CONFLICT (line_id, kind, value) DO NOTHING";

/// Deletes what was counted of a fingerprint while it had no line.
pub(crate) async fn delete_in(tx: &mut Tx, fingerprint: FingerprintId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM pending_occurrences WHERE fingerprint_id = $1",
        "DELETE FROM pending_facets WHERE fingerprint_id = $1",
    ] {
        sqlx::query(sql).bind(fingerprint.0).execute(tx.conn()).await?;
    }
    Ok(())
}
