//! What GitHub said of pull requests, accounts and teams, so that it is asked once.

use crate::columns::{from_json, get, get_count, get_time, indexable, to_json};
use crate::{Store, StoreError};
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Answers are forgotten after 90 days: the lines that they were asked for are told by then.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What was said to a question, and when; `None` where it was not asked.
pub async fn answer<T: DeserializeOwned>(
    store: &Store,
    repository: RepositoryId,
    question: &str,
) -> Result<Option<(T, Timestamp)>, StoreError> {
    let row = sqlx::query("SELECT answer, asked_at_ms FROM look_ups WHERE repository_id = $1 AND question = $2")
        .bind(repository.0)
        .bind(indexable(question))
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((from_json("look_ups.answer", &get::<String>(&row, "answer")?)?, get_time(&row, "asked_at_ms")?)))
}

/// How many questions that begin so were asked of a repository since then.
pub async fn count_since(
    store: &Store,
    repository: RepositoryId,
    begin: &str,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS asked FROM look_ups WHERE repository_id = $1 AND SUBSTR(question, 1, $2) = $3
             AND asked_at_ms >= $4",
    )
    .bind(repository.0)
    .bind(i32::try_from(begin.chars().count()).unwrap_or(i32::MAX))
    .bind(begin)
    .bind(since.as_millis())
    .fetch_one(&store.pool)
    .await?;
    get_count(&row, "asked")
}

/// Remembers what was said to a question.
pub async fn record<T: Serialize + Sync>(
    store: &Store,
    repository: RepositoryId,
    question: &str,
    answer: &T,
    now: Timestamp,
) -> Result<(), StoreError> {
    let answer = to_json("look_ups.answer", answer)?;
    let mut tx = store.begin().await?;
    sqlx::query(
        "INSERT INTO look_ups (repository_id, question, answer, asked_at_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (repository_id, question) DO UPDATE SET answer = excluded.answer, asked_at_ms = excluded.asked_at_ms",
    )
    .bind(repository.0)
    .bind(indexable(question))
    .bind(answer)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    sqlx::query("DELETE FROM look_ups WHERE asked_at_ms < $1")
        .bind((now - FORGOTTEN_AFTER).as_millis())
        .execute(tx.conn())
        .await?;
    tx.commit().await
}
