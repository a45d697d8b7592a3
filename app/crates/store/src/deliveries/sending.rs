//! The life of a delivery: inserted, attempted, sent or given up.

use super::{Delivery, FAILING_SINCE, NewDelivery, by_id};
use crate::columns::indexable;
use crate::transaction::execute;
use crate::{Store, StoreError, Tx, jobs, writes};
use domain::delivery::{DeliveryMode, DeliveryState, MAIL_LEFT_ALONE_FOR};
use domain::ids::{DeliveryId, LineId, RepositoryId};
use domain::job::Job;
use domain::pace::Rank;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;

/// Asks for a delivery by itself; one of the same purpose that exists already is not sent again.
pub async fn insert(
    store: &Store,
    repository: RepositoryId,
    line: LineId,
    delivery: &NewDelivery,
    mode: DeliveryMode,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    insert_in(&mut tx, repository, line, delivery, mode, now).await?;
    tx.commit().await
}

/// The same within a transaction. `false`: one of the same purpose exists already.
pub(crate) async fn insert_in(
    tx: &mut Tx,
    repository: RepositoryId,
    line: LineId,
    delivery: &NewDelivery,
    mode: DeliveryMode,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let id = DeliveryId(tx.next_id(now));
    let state = mode.first_state(delivery.channel);
    let storm = if let DeliveryMode::Storm(storm) = mode { Some(storm.0) } else { None };
    let (purpose, subject) = delivery.purpose.parts();
    let fresh = sqlx::query(
        "INSERT INTO deliveries (id, repository_id, line_id, channel, purpose, subject, recipient, content, state,
             attempts, created_at_ms, rank, storm_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12)
         ON CONFLICT (line_id, channel, purpose, subject, recipient) DO NOTHING",
    )
    .bind(id.0)
    .bind(repository.0)
    .bind(line.0)
    .bind(delivery.channel.as_str())
    .bind(purpose)
    .bind(indexable(&subject))
    .bind(indexable(&delivery.recipient))
    .bind(&delivery.content)
    .bind(state.as_str())
    .bind(now.as_millis())
    .bind(Rank::of(mode, &delivery.purpose).number())
    .bind(storm)
    .execute(tx.conn())
    .await?
    .rows_affected();
    let is_fresh = fresh > 0;
    if !is_fresh || state != DeliveryState::Pending {
        return Ok(is_fresh);
    }
    if !(delivery.channel.is_written_to_github() && writes::enqueue_in(tx, repository, now).await?) {
        jobs::enqueue_in(tx, Job::Deliver(id), now, now).await?;
    }
    Ok(is_fresh)
}

/// Claims an attempt, counted before anything is sent: after a crash it is known that something may
/// have been. `None`: there is no such delivery, or a storm has just taken it. One that is not
/// pending is answered as it is, and counts nothing.
pub async fn claim_attempt(store: &Store, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let Some(delivery) = by_id(store, id).await? else { return Ok(None) };
    if delivery.state == DeliveryState::Pending {
        let mut tx = store.begin().await?;
        let begun = sqlx::query("UPDATE deliveries SET attempts = attempts + 1 WHERE id = $1 AND state = 'pending'")
            .bind(id.0)
            .execute(tx.conn())
            .await?
            .rows_affected();
        tx.commit().await?;
        // A storm that begins at this moment has taken it.
        if begun == 0 {
            return Ok(None);
        }
    }
    Ok(Some(delivery))
}

/// Records that it was sent, and as what.
pub async fn record_sent(store: &Store, id: DeliveryId, receipt: &str, now: Timestamp) -> Result<(), StoreError> {
    settle(
        store,
        "UPDATE deliveries SET state = 'sent', receipt = $2, error = NULL, settled_at_ms = $3 WHERE id = $1",
        id,
        receipt,
        now,
    )
    .await
}

/// Records that it will never be sent, and why.
pub async fn record_given_up(store: &Store, id: DeliveryId, why: &str, now: Timestamp) -> Result<(), StoreError> {
    settle(
        store,
        "UPDATE deliveries SET state = 'given_up', error = $2, settled_at_ms = $3 WHERE id = $1",
        id,
        why,
        now,
    )
    .await
}

/// Records why an attempt failed, and when the next is due.
pub async fn record_failed(
    store: &Store,
    id: DeliveryId,
    why: &str,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!("UPDATE deliveries SET error = $2, due_at_ms = $3, {FAILING_SINCE} WHERE id = $1");
    let statement = sqlx::query(AssertSqlSafe(sql))
        .bind(id.0)
        .bind(why)
        .bind(due_at.as_millis())
        .bind(now.as_millis())
        .bind((now - MAIL_LEFT_ALONE_FOR).as_millis());
    execute(store, statement).await
}

/// Records that it waits, until when and for what: nothing failed, nor goes on failing.
pub async fn record_put_off(store: &Store, id: DeliveryId, why: &str, due_at: Timestamp) -> Result<(), StoreError> {
    settle(
        store,
        "UPDATE deliveries SET error = $2, due_at_ms = $3, failing_since_ms = NULL WHERE id = $1",
        id,
        why,
        due_at,
    )
    .await
}

/// Counts that the mail server was sent it and did not say whether it took it.
pub async fn count_lost_answer(store: &Store, id: DeliveryId) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE deliveries SET lost_answers = lost_answers + 1 WHERE id = $1").bind(id.0);
    execute(store, statement).await
}

/// Records when GitHub was asked to make it, before it is asked; `None` once it said that it did
/// not.
pub async fn set_unanswered(store: &Store, id: DeliveryId, asked_at: Option<Timestamp>) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE deliveries SET unanswered_at_ms = $2 WHERE id = $1")
        .bind(id.0)
        .bind(asked_at.map(Timestamp::as_millis));
    execute(store, statement).await
}

async fn settle(
    store: &Store,
    sql: &'static str,
    id: DeliveryId,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = sqlx::query(sql).bind(id.0).bind(text).bind(now.as_millis());
    execute(store, statement).await
}

/// Takes back the issue of a line that was whitelisted before anybody tried to file it. Once the
/// rule ends, the line is told of when it happens again.
pub async fn withdraw_issue(store: &Store, id: DeliveryId, line: LineId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query("DELETE FROM deliveries WHERE id = $1 AND state = 'pending'").bind(id.0).execute(tx.conn()).await?;
    sqlx::query(
        "UPDATE lines SET alerted_at_ms = NULL, next_decide_at = total + 1 WHERE id = $1 AND issue_number IS NULL",
    )
    .bind(line.0)
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
