//! Issues of ours that another one says already, and what was done about each.

use crate::columns::{get, get_time_opt, signed};
use crate::transaction::execute;
use crate::{Store, StoreError};
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use sqlx::any::AnyRow;

/// An issue that another one says already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Double {
    /// Its number.
    pub issue: u64,
    /// When GitHub was asked for the comment that links the other one, without saying whether it
    /// made it.
    pub unanswered_at: Option<Timestamp>,
    /// Whether that comment is there.
    pub is_said: bool,
    /// Whether nothing more is to be done there.
    pub is_settled: bool,
    /// Whether GitHub refuses to close it as a duplicate.
    pub not_planned: bool,
}

fn read(row: &AnyRow) -> Result<Double, StoreError> {
    Ok(Double {
        issue: get::<i64>(row, "issue_number")?.unsigned_abs(),
        unanswered_at: get_time_opt(row, "unanswered_at_ms")?,
        is_said: get_time_opt(row, "said_at_ms")?.is_some(),
        is_settled: get_time_opt(row, "settled_at_ms")?.is_some(),
        not_planned: get::<i64>(row, "not_planned")? != 0,
    })
}

/// A double; `None`: the issue is none.
pub async fn by_issue(store: &Store, repository: RepositoryId, issue: u64) -> Result<Option<Double>, StoreError> {
    let row = sqlx::query(
        "SELECT issue_number, unanswered_at_ms, said_at_ms, settled_at_ms, not_planned FROM doubles
         WHERE repository_id = $1 AND issue_number = $2",
    )
    .bind(repository.0)
    .bind(signed(issue))
    .fetch_optional(&store.pool)
    .await?;
    row.as_ref().map(read).transpose()
}

/// The doubles of a repository at which something is still to be done.
pub async fn unsettled(store: &Store, repository: RepositoryId) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT issue_number FROM doubles WHERE repository_id = $1 AND settled_at_ms IS NULL ORDER BY issue_number",
    )
    .bind(repository.0)
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(|row| Ok(get::<i64>(row, "issue_number")?.unsigned_abs())).collect()
}

/// Notes that an issue is a double, before anything is done about it.
pub async fn insert(store: &Store, repository: RepositoryId, issue: u64) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO doubles (repository_id, issue_number) VALUES ($1, $2)
         ON CONFLICT (repository_id, issue_number) DO NOTHING",
    )
    .bind(repository.0)
    .bind(signed(issue));
    execute(store, statement).await
}

/// Records when GitHub was asked for its comment, before it is asked; `None` once it said that it
/// did not make it.
pub async fn set_unanswered(
    store: &Store,
    repository: RepositoryId,
    issue: u64,
    asked_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = "UPDATE doubles SET unanswered_at_ms = $3 WHERE repository_id = $1 AND issue_number = $2";
    let statement = sqlx::query(sql).bind(repository.0).bind(signed(issue)).bind(asked_at.map(Timestamp::as_millis));
    execute(store, statement).await
}

/// Records that its comment is there.
pub async fn record_said(
    store: &Store,
    repository: RepositoryId,
    issue: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE doubles SET said_at_ms = $3 WHERE repository_id = $1 AND issue_number = $2";
    execute(store, sqlx::query(sql).bind(repository.0).bind(signed(issue)).bind(now.as_millis())).await
}

/// Records that nothing more is to be done there.
pub async fn record_settled(
    store: &Store,
    repository: RepositoryId,
    issue: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE doubles SET settled_at_ms = $3 WHERE repository_id = $1 AND issue_number = $2";
    execute(store, sqlx::query(sql).bind(repository.0).bind(signed(issue)).bind(now.as_millis())).await
}

/// Records that GitHub does not close it as a duplicate.
pub async fn set_not_planned(store: &Store, repository: RepositoryId, issue: u64) -> Result<(), StoreError> {
    let sql = "UPDATE doubles SET not_planned = 1 WHERE repository_id = $1 AND issue_number = $2";
    execute(store, sqlx::query(sql).bind(repository.0).bind(signed(issue))).await
}
