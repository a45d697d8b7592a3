//! The issue of a storm: filed, and brought up to date.

use super::update;
use crate::columns::signed;
use crate::{Store, StoreError};
use domain::ids::{LineId, StormId};

/// Counts an attempt to file a storm's issue.
pub async fn claim_issue_attempt(store: &Store, id: StormId) -> Result<(), StoreError> {
    update(store, "UPDATE storms SET attempts = attempts + 1 WHERE id = $1", id, None).await
}

/// Notes the storm's issue.
pub async fn set_issue(store: &Store, id: StormId, issue: u64) -> Result<(), StoreError> {
    let sql = "UPDATE storms SET issue_number = $2 WHERE id = $1";
    update(store, sql, id, Some(signed(issue))).await
}

/// Notes that the storm's issue says what was known at `as_of_ms`, and is left alone until `due_ms`.
pub async fn record_written(store: &Store, id: StormId, as_of_ms: i64, due_ms: i64) -> Result<(), StoreError> {
    update(store, "UPDATE storms SET written_at_ms = $2 WHERE id = $1", id, Some(as_of_ms)).await?;
    set_due(store, id, due_ms).await
}

/// Leaves the storm's issue alone until then.
pub async fn set_due(store: &Store, id: StormId, due_ms: i64) -> Result<(), StoreError> {
    update(store, "UPDATE storms SET due_at_ms = $2 WHERE id = $1", id, Some(due_ms)).await
}

/// Notes that the issue of the storm which a line is in, if any, should say something else now.
pub async fn record_line_changed(store: &Store, line: LineId, now_ms: i64) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(
        "UPDATE storms SET changed_at_ms = $2 WHERE id = (SELECT storm_id FROM lines WHERE id = $1)
             AND issue_number IS NOT NULL AND written_at_ms < $2",
    )
    .bind(line.0)
    .bind(now_ms)
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
