//! The issue of a storm: filed, and brought up to date.

use super::CHANGED;
use crate::columns::{get, get_count, signed};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx, jobs, writes};
use domain::ids::{DeliveryId, LineId, RepositoryId, StormId};
use domain::job::Job;
use domain::pace::Rank;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;

/// Claims an attempt to file a storm's issue, counted before it is made. As long as nothing else is
/// recorded, it may have been filed then.
pub async fn claim_issue_attempt(store: &Store, id: StormId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE storms SET attempts = attempts + 1, unanswered_at_ms = $2 WHERE id = $1";
    execute(store, sqlx::query(sql).bind(id.0).bind(now.as_millis())).await
}

/// Records when GitHub was asked to make the storm's issue; `None` once it said that it did not.
pub async fn set_unanswered(store: &Store, id: StormId, asked_at: Option<Timestamp>) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE storms SET unanswered_at_ms = $2 WHERE id = $1")
        .bind(id.0)
        .bind(asked_at.map(Timestamp::as_millis));
    execute(store, statement).await
}

/// Records when GitHub said for the first time that the storm's issue is not there; `None`: it is.
pub async fn set_missed(store: &Store, id: StormId, at: Option<Timestamp>) -> Result<(), StoreError> {
    let statement =
        sqlx::query("UPDATE storms SET missed_at_ms = $2 WHERE id = $1").bind(id.0).bind(at.map(Timestamp::as_millis));
    execute(store, statement).await
}

/// Records the storm's issue.
pub async fn set_issue(store: &Store, id: StormId, issue: u64) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE storms SET issue_number = $2 WHERE id = $1").bind(id.0).bind(signed(issue));
    execute(store, statement).await
}

/// Records that another one of the storm's issues is its own from now on, which is to say all.
pub async fn move_issue(store: &Store, id: StormId, issue: u64, now: Timestamp) -> Result<(), StoreError> {
    let sql =
        format!("UPDATE storms SET issue_number = $3, missed_at_ms = NULL, changed_at_ms = {CHANGED} WHERE id = $1");
    execute(store, sqlx::query(AssertSqlSafe(sql)).bind(id.0).bind(now.as_millis()).bind(signed(issue))).await
}

/// Records that the storm's issue says all up to the change of `as_of`, and is left alone until
/// `due_at`.
pub async fn record_written(store: &Store, id: StormId, as_of: Timestamp, due_at: Timestamp) -> Result<(), StoreError> {
    // Where the clock was set back since that change, it is the last one.
    let statement = sqlx::query(
        "UPDATE storms SET due_at_ms = $3,
             written_at_ms = CASE WHEN changed_at_ms < $2 THEN changed_at_ms ELSE CAST($2 AS BIGINT) END WHERE id = $1",
    )
    .bind(id.0)
    .bind(as_of.as_millis())
    .bind(due_at.as_millis());
    execute(store, statement).await
}

/// Records that the storm's issue is written no more.
pub async fn record_given_up(store: &Store, id: StormId) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE storms SET written_at_ms = $2, due_at_ms = $2 WHERE id = $1")
        .bind(id.0)
        .bind(Timestamp::MAX.as_millis());
    execute(store, statement).await
}

/// Leaves the storm's issue alone until then.
pub async fn set_due(store: &Store, id: StormId, due_at: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE storms SET due_at_ms = $2 WHERE id = $1").bind(id.0).bind(due_at.as_millis());
    execute(store, statement).await
}

/// Records that the issue of the storm which a line is in, if any, should say something else now.
pub async fn record_line_changed(store: &Store, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE storms SET changed_at_ms = {CHANGED} WHERE id = (SELECT storm_id FROM lines WHERE id = $1)
             AND issue_number IS NOT NULL"
    );
    execute(store, sqlx::query(AssertSqlSafe(sql)).bind(line.0).bind(now.as_millis())).await
}

/// The issues of a storm's lines that no attempt was made at wait for its end, or for a person.
pub(super) async fn gather_issues_in(tx: &mut Tx, id: StormId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'gathered', rank = $2, storm_id = $1
         WHERE state = 'pending' AND channel = 'issue' AND purpose = 'alert' AND attempts = 0
             AND line_id IN (SELECT id FROM lines WHERE storm_id = $1)",
    )
    .bind(id.0)
    .bind(Rank::StormLine.number())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many issues of a repository wait for the end of its storm.
pub async fn count_waiting_issues(store: &Store, repository: RepositoryId) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) AS waiting FROM deliveries
         WHERE repository_id = $1 AND state = 'gathered' AND channel = 'issue'";
    let row = sqlx::query(sql).bind(repository.0).fetch_one(&store.pool).await?;
    get_count(&row, "waiting")
}

/// Has the issues filed that wait for the end of a repository's storm: a person asked for them.
/// They come after everybody else's.
pub async fn file_waiting_issues(store: &Store, repository: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let rows = sqlx::query(
        "UPDATE deliveries SET state = 'pending' WHERE repository_id = $1 AND state = 'gathered' AND channel = 'issue'
         RETURNING id",
    )
    .bind(repository.0)
    .fetch_all(tx.conn())
    .await?;
    if !writes::enqueue_in(&mut tx, repository, now).await? {
        for row in &rows {
            jobs::enqueue_in(&mut tx, Job::Deliver(DeliveryId(get(row, "id")?)), now, now).await?;
        }
    }
    tx.commit().await
}

/// Keeps the issues that wait for a storm's end to be shown: the repository is in shadow mode.
pub async fn keep_waiting_issues(store: &Store, id: StormId) -> Result<(), StoreError> {
    let sql = "UPDATE deliveries SET state = 'shadow' WHERE storm_id = $1 AND state = 'gathered' AND channel = 'issue'";
    execute(store, sqlx::query(sql).bind(id.0)).await
}

/// What becomes of the issues that waited for a storm's end, in this order; the storm is $1. Its
/// lines are told of when they happen again, one by one or as another storm; whoever had a mail
/// gets no second one.
const RELEASING: [&str; 2] = [
    "UPDATE lines SET alerted_at_ms = NULL, next_decide_at = total + 1
     WHERE issue_number IS NULL AND resolved_at_ms IS NULL AND id IN (
         SELECT line_id FROM deliveries WHERE storm_id = $1 AND state = 'gathered' AND channel = 'issue')",
    "DELETE FROM deliveries WHERE storm_id = $1 AND state = 'gathered' AND channel = 'issue'",
];

/// Ends the wait of a storm's issues.
pub(super) async fn release_issues_in(tx: &mut Tx, id: StormId) -> Result<(), StoreError> {
    for sql in RELEASING {
        sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
    }
    Ok(())
}
