//! Revoking a key, and dropping what it had queued.

use crate::columns::{get, get_count};
use crate::rows::{chunks, placeholders};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx};
use domain::ids::{FingerprintId, IngestKeyId, LineId, RepositoryId};
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// Rows that one transaction drops: reports wait for it, so it takes some 50 ms at most.
const AT_ONCE: i64 = 200;

/// What was dropped of what came by a key alone. What another key reported as well goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Reports that waited to be attributed, one for each fingerprint.
    pub reports: u64,
    /// Their occurrences.
    pub occurrences: u64,
    /// Lines of which somebody was still to be told.
    pub lines: u64,
}

/// Of lines that came by the key $1 alone: $2 is its repository.
const BY_IT_ALONE: &str = "l.repository_id = $2
     AND EXISTS (SELECT 1 FROM fingerprints f WHERE f.line_id = l.id AND f.key_id = $1)
     AND NOT EXISTS (SELECT 1 FROM fingerprints f WHERE f.line_id = l.id AND (f.key_id IS NULL OR f.key_id <> $1))";

/// What reports alone make somebody be told of. What a person commanded is answered all the same,
/// and what may have been filed is looked for.
const BY_REPORTS: &str = "d.state IN ('pending', 'gathered') AND (d.channel <> 'issue' OR d.attempts = 0)
     AND d.purpose IN ('alert', 'known_minimum', 'known_every', 'count', 'new_exception')";

/// Revokes a key, for ever; whose it was, and its number. `None`: there is no such key. One revoked
/// before stays as it was.
pub async fn revoke(
    store: &Store,
    key: &str,
    now: Timestamp,
) -> Result<Option<(RepositoryId, IngestKeyId)>, StoreError> {
    let mut tx = store.begin().await?;
    let row = sqlx::query(
        "UPDATE ingest_keys SET revoked_at_ms = COALESCE(revoked_at_ms, $2) WHERE ingest_key = $1
         RETURNING repository_id, id",
    )
    .bind(key)
    .bind(now.as_millis())
    .fetch_optional(tx.conn())
    .await?;
    tx.commit().await?;
    row.map(|row| Ok((RepositoryId(get(&row, "repository_id")?), IngestKeyId(get(&row, "id")?)))).transpose()
}

/// Drops what waits and came by a revoked key alone: reports to be attributed, and what was still
/// to be told of lines. Their counts stay; they are told of when they happen again, by another key.
pub async fn drop_queued(
    store: &Store,
    repository: RepositoryId,
    key: IngestKeyId,
    now: Timestamp,
) -> Result<Dropped, StoreError> {
    let mut dropped = Dropped::default();
    // Nothing is let in any more, so both come to an end.
    while drop_reports(store, key, &mut dropped).await? {}
    while drop_alerts(store, repository, key, &mut dropped).await? {}
    end_empty_storms(store, repository, now).await?;
    Ok(dropped)
}

/// Of these lines, those of which all that is known came by keys that are revoked by now.
pub async fn of_revoked_keys(store: &Store, lines: &[LineId]) -> Result<HashSet<LineId>, StoreError> {
    let mut found = HashSet::new();
    for ids in chunks(lines) {
        let sql = format!(
            "SELECT f.line_id AS line FROM fingerprints f LEFT JOIN ingest_keys k ON k.id = f.key_id
             WHERE f.line_id IN ({}) GROUP BY f.line_id
             HAVING SUM(CASE WHEN k.revoked_at_ms IS NULL THEN 1 ELSE 0 END) = 0",
            placeholders(ids.len())
        );
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
        for row in query.fetch_all(&store.pool).await? {
            found.insert(LineId(get(&row, "line")?));
        }
    }
    Ok(found)
}

/// Drops reports that wait to be attributed, some at once; `false`: there are none any more.
async fn drop_reports(store: &Store, key: IngestKeyId, dropped: &mut Dropped) -> Result<bool, StoreError> {
    // In the order in which arrivals lock them, so that none waits for the other for ever.
    let rows = sqlx::query(
        "SELECT id FROM fingerprints WHERE key_id = $1 AND state = 'pending'
         ORDER BY repository_id, fingerprint LIMIT $2",
    )
    .bind(key.0)
    .bind(AT_ONCE)
    .fetch_all(&store.pool)
    .await?;
    let mut tx = store.begin().await?;
    for row in &rows {
        drop_report_in(&mut tx, key, FingerprintId(get(row, "id")?), dropped).await?;
    }
    tx.commit().await?;
    Ok(!rows.is_empty())
}

/// Drops one, unless another key reported it at this moment. Its fingerprint is attributed anew
/// where it comes again.
async fn drop_report_in(
    tx: &mut Tx,
    key: IngestKeyId,
    id: FingerprintId,
    dropped: &mut Dropped,
) -> Result<(), StoreError> {
    let taken =
        sqlx::query("UPDATE fingerprints SET state = 'stale' WHERE id = $1 AND key_id = $2 AND state = 'pending'")
            .bind(id.0)
            .bind(key.0)
            .execute(tx.conn())
            .await?
            .rows_affected();
    if taken == 0 {
        return Ok(());
    }
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(occurrences), 0) AS BIGINT) AS occurrences FROM pending_occurrences
         WHERE fingerprint_id = $1",
    )
    .bind(id.0)
    .fetch_one(tx.conn())
    .await?;
    for sql in [
        "DELETE FROM jobs WHERE kind = 'attribute' AND subject IN (SELECT id FROM reports WHERE fingerprint_id = $1)",
        "DELETE FROM reports WHERE fingerprint_id = $1",
        "DELETE FROM pending_occurrences WHERE fingerprint_id = $1",
        "DELETE FROM pending_facets WHERE fingerprint_id = $1",
    ] {
        sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
    }
    dropped.reports += 1;
    dropped.occurrences = dropped.occurrences.saturating_add(get_count(&row, "occurrences")?);
    Ok(())
}

/// Drops what is still to be told of lines that came by the key alone, of some at once; `false`:
/// there is nothing any more.
async fn drop_alerts(
    store: &Store,
    repository: RepositoryId,
    key: IngestKeyId,
    dropped: &mut Dropped,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT l.id FROM lines l WHERE {BY_IT_ALONE}
             AND (EXISTS (SELECT 1 FROM deliveries d WHERE d.line_id = l.id AND {BY_REPORTS})
                 OR EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'decide' AND j.subject = l.id))
         ORDER BY l.id LIMIT $3"
    );
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(key.0).bind(repository.0).bind(AT_ONCE).fetch_all(&store.pool).await?;
    let mut tx = store.begin().await?;
    for row in &rows {
        let line = LineId(get(row, "id")?);
        // The line first, as whoever counts it does; another key may have brought it meanwhile.
        let sql = format!("UPDATE lines AS l SET next_decide_at = total + 1 WHERE l.id = $3 AND {BY_IT_ALONE}");
        let own = sqlx::query(AssertSqlSafe(sql)).bind(key.0).bind(repository.0).bind(line.0);
        if own.execute(tx.conn()).await?.rows_affected() > 0 {
            drop_alert_in(&mut tx, line).await?;
            dropped.lines += 1;
        }
    }
    tx.commit().await?;
    Ok(!rows.is_empty())
}

/// Drops what is still to be told of a line. It is told of when it happens again, by another key.
async fn drop_alert_in(tx: &mut Tx, line: LineId) -> Result<(), StoreError> {
    let deliveries = format!("SELECT d.id FROM deliveries d WHERE d.line_id = $1 AND {BY_REPORTS}");
    let of_storm = "SELECT s.id FROM storms s WHERE s.id = lines.storm_id AND s.issue_number IS NULL";
    for sql in [
        "DELETE FROM jobs WHERE kind = 'decide' AND subject = $1".to_owned(),
        format!("DELETE FROM jobs WHERE kind = 'deliver' AND subject IN ({deliveries})"),
        format!("DELETE FROM deliveries WHERE id IN ({deliveries})"),
        format!(
            "UPDATE lines SET alerted_at_ms = CASE WHEN issue_number IS NULL AND NOT EXISTS (
                     SELECT 1 FROM deliveries d WHERE d.line_id = lines.id AND d.channel = 'issue')
                     THEN NULL ELSE alerted_at_ms END,
                 storm_id = CASE WHEN EXISTS ({of_storm}) THEN NULL ELSE storm_id END
             WHERE id = $1"
        ),
    ] {
        sqlx::query(AssertSqlSafe(sql)).bind(line.0).execute(tx.conn()).await?;
    }
    Ok(())
}

/// A storm whose lines were all dropped before its issue was filed is none.
async fn end_empty_storms(store: &Store, repository: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE storms SET ended_at_ms = COALESCE(ended_at_ms, $2), written_at_ms = $2, changed_at_ms = 0
         WHERE repository_id = $1 AND issue_number IS NULL AND written_at_ms = 0
             AND NOT EXISTS (SELECT 1 FROM lines l WHERE l.storm_id = storms.id)",
    )
    .bind(repository.0)
    .bind(now.as_millis());
    execute(store, statement).await
}
