//! The issue of a storm: filed, and brought up to date.

use crate::columns::signed;
use crate::transaction::execute;
use crate::{Store, StoreError, Tx};
use domain::ids::{LineId, StormId};
use domain::pace::Rank;
use domain::timestamp::Timestamp;

/// Claims an attempt to file a storm's issue, counted before it is made.
pub async fn claim_issue_attempt(store: &Store, id: StormId) -> Result<(), StoreError> {
    execute(store, sqlx::query("UPDATE storms SET attempts = attempts + 1 WHERE id = $1").bind(id.0)).await
}

/// Records the storm's issue.
pub async fn set_issue(store: &Store, id: StormId, issue: u64) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE storms SET issue_number = $2 WHERE id = $1").bind(id.0).bind(signed(issue));
    execute(store, statement).await
}

/// Records that the storm's issue says what was known at `as_of`, and is left alone until `due_at`.
pub async fn record_written(store: &Store, id: StormId, as_of: Timestamp, due_at: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE storms SET written_at_ms = $2, due_at_ms = $3 WHERE id = $1")
        .bind(id.0)
        .bind(as_of.as_millis())
        .bind(due_at.as_millis());
    execute(store, statement).await
}

/// Leaves the storm's issue alone until then.
pub async fn set_due(store: &Store, id: StormId, due_at: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE storms SET due_at_ms = $2 WHERE id = $1").bind(id.0).bind(due_at.as_millis());
    execute(store, statement).await
}

/// Records that the issue of the storm which a line is in, if any, should say something else now.
pub async fn record_line_changed(store: &Store, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE storms SET changed_at_ms = $2 WHERE id = (SELECT storm_id FROM lines WHERE id = $1)
             AND issue_number IS NOT NULL AND written_at_ms < $2",
    )
    .bind(line.0)
    .bind(now.as_millis());
    execute(store, statement).await
}

/// The issues of a storm's lines that are not filed yet come after everybody else's.
pub(super) async fn postpone_issues_in(tx: &mut Tx, id: StormId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET rank = $2, storm_id = $1
         WHERE state = 'pending' AND channel = 'issue' AND purpose = 'alert'
             AND line_id IN (SELECT id FROM lines WHERE storm_id = $1)",
    )
    .bind(id.0)
    .bind(Rank::StormLine.number())
    .execute(tx.conn())
    .await?;
    Ok(())
}
