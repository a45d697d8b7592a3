//! Test reports: those under way, and what the latest of each repository came to.

use crate::columns::{from_json, get, get_time, get_time_opt, to_json};
use crate::reports::StoredReport;
use crate::transaction::execute;
use crate::{Store, StoreError, fingerprints, pending, reports};
use domain::ids::RepositoryId;
use domain::test_report::TestReport;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;

/// A test report that is not settled by then got lost, or its repository did.
const LOST_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A repository's latest test report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReportRow {
    /// Its id, as an SDK would have chosen it.
    pub event_id: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was worked out, and what it came to; `None`: not yet.
    pub settled: Option<(Timestamp, TestReport)>,
}

/// Inserts a test report before it is sent: only one whose id is known is taken for a test. Those
/// that were settled are forgotten; one that is still under way is not, for it must not become a
/// real one.
pub async fn insert(store: &Store, id: RepositoryId, event_id: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query("DELETE FROM test_reports WHERE repository_id = $1 AND (settled_at_ms IS NOT NULL OR sent_at_ms < $2)")
        .bind(id.0)
        .bind((now - LOST_AFTER).as_millis())
        .execute(tx.conn())
        .await?;
    sqlx::query("INSERT INTO test_reports (event_id, repository_id, sent_at_ms) VALUES ($1, $2, $3)")
        .bind(event_id)
        .bind(id.0)
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    tx.commit().await
}

/// Forgets a test report that did not get in.
pub async fn delete(store: &Store, event_id: &str) -> Result<(), StoreError> {
    let statement = sqlx::query("DELETE FROM test_reports WHERE event_id = $1").bind(event_id);
    execute(store, statement).await
}

/// Whether a report is one of a repository's test reports.
pub async fn exists(store: &Store, id: RepositoryId, event_id: &str) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 AS one FROM test_reports WHERE event_id = $1 AND repository_id = $2")
        .bind(event_id)
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    Ok(row.is_some())
}

/// A repository's latest test report.
pub async fn latest(store: &Store, id: RepositoryId) -> Result<Option<TestReportRow>, StoreError> {
    let row =
        sqlx::query("SELECT event_id, sent_at_ms, settled_at_ms, outcome FROM test_reports WHERE repository_id = $1 ORDER BY sent_at_ms DESC LIMIT 1")
            .bind(id.0)
            .fetch_optional(&store.pool)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let settled_at: Option<Timestamp> = get_time_opt(&row, "settled_at_ms")?;
    let outcome: Option<String> = get(&row, "outcome")?;
    let outcome = outcome.map(|text| from_json("test_reports.outcome", &text)).transpose()?;
    Ok(Some(TestReportRow {
        event_id: get(&row, "event_id")?,
        sent_at: get_time(&row, "sent_at_ms")?,
        settled: settled_at.zip(outcome),
    }))
}

/// Writes what a test report came to, and deletes everything else of it: it leaves no line, count
/// or fingerprint.
pub async fn record_outcome(
    store: &Store,
    stored: &StoredReport,
    outcome: &TestReport,
    now: Timestamp,
) -> Result<(), StoreError> {
    let outcome = to_json("test_reports.outcome", outcome)?;
    let mut tx = store.begin().await?;
    fingerprints::lock_all_in(&mut tx, &[stored.fingerprint]).await?;
    sqlx::query("UPDATE test_reports SET settled_at_ms = $3, outcome = $4 WHERE repository_id = $1 AND event_id = $2")
        .bind(stored.repository.0)
        .bind(&stored.report.event_id)
        .bind(now.as_millis())
        .bind(outcome)
        .execute(tx.conn())
        .await?;
    reports::delete_all_in(&mut tx, &[stored.id]).await?;
    pending::take_in(&mut tx, &[stored.fingerprint]).await?;
    sqlx::query("DELETE FROM fingerprints WHERE id = $1").bind(stored.fingerprint.0).execute(tx.conn()).await?;
    tx.commit().await
}
