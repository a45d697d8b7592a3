//! The life of a delivery: inserted, attempted, sent or given up.

use super::{COLUMNS, Delivery, FAILING_SINCE, NewDelivery, by_id, read};
use crate::columns::{get, indexable};
use crate::rows::{chunks, values};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx, jobs, repositories};
use domain::delivery::{DeliveryMode, DeliveryState, MAIL_LEFT_ALONE_FOR};
use domain::ids::{DeliveryId, LineId, RepositoryId};
use domain::job::Job;
use domain::pace::Rank;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

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

/// A delivery to be inserted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Insertion<'a> {
    pub(crate) repository: RepositoryId,
    pub(crate) line: LineId,
    pub(crate) what: &'a NewDelivery,
    pub(crate) mode: DeliveryMode,
    /// When its turn to be sent is.
    pub(crate) turn: Timestamp,
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
    Ok(insert_all_in(tx, &[Insertion { repository, line, what: delivery, mode, turn: now }], now).await? > 0)
}

/// The same of several; how many are new.
pub(crate) async fn insert_all_in(
    tx: &mut Tx,
    insertions: &[Insertion<'_>],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut fresh = 0;
    let mut pending: Vec<(DeliveryId, Insertion<'_>)> = Vec::new();
    for chunk in chunks(insertions) {
        let rows: Vec<(DeliveryId, Insertion<'_>)> =
            chunk.iter().map(|insertion| (DeliveryId(tx.next_id(now)), *insertion)).collect();
        let inserted = insert_rows_in(tx, &rows, now).await?;
        fresh += inserted.len();
        let is_sent =
            |insertion: &Insertion<'_>| insertion.mode.first_state(insertion.what.channel) == DeliveryState::Pending;
        pending.extend(rows.into_iter().filter(|(id, insertion)| inserted.contains(id) && is_sent(insertion)));
    }
    // What goes to GitHub waits for the writer of its installation, where there is one.
    let mut installations: HashMap<RepositoryId, Option<u64>> = HashMap::new();
    let mut jobs = Vec::new();
    for (id, Insertion { repository, what, turn, .. }) in pending {
        let installation = match installations.entry(repository) {
            _ if !what.channel.is_written_to_github() => None,
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => *unknown.insert(repositories::installation_in(tx, repository).await?),
        };
        let job = installation.map_or((Job::Deliver(id), turn), |installation| (Job::Write(installation), now));
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }
    jobs::enqueue_all_in(tx, &jobs, now).await?;
    Ok(fresh)
}

/// Inserts rows; which of them are new.
async fn insert_rows_in(
    tx: &mut Tx,
    rows: &[(DeliveryId, Insertion<'_>)],
    now: Timestamp,
) -> Result<HashSet<DeliveryId>, StoreError> {
    let sql = format!(
        "INSERT INTO deliveries (id, repository_id, line_id, channel, purpose, subject, recipient, content, state,
             attempts, created_at_ms, rank, storm_id)
         VALUES {}
         ON CONFLICT (line_id, channel, purpose, subject, recipient) DO NOTHING RETURNING id",
        values(rows.len(), 13)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (id, Insertion { repository, line, what, mode, .. }) in rows {
        let storm = if let DeliveryMode::Storm(storm) = mode { Some(storm.0) } else { None };
        let (purpose, subject) = what.purpose.parts();
        query = query
            .bind(id.0)
            .bind(repository.0)
            .bind(line.0)
            .bind(what.channel.as_str())
            .bind(purpose)
            .bind(indexable(&subject))
            .bind(indexable(&what.recipient))
            .bind(&what.content)
            .bind(mode.first_state(what.channel).as_str())
            .bind(0i64)
            .bind(now.as_millis())
            .bind(Rank::of(*mode, &what.purpose).number())
            .bind(storm);
    }
    query.fetch_all(tx.conn()).await?.iter().map(|row| Ok(DeliveryId(get(row, "id")?))).collect()
}

/// Claims an attempt, counted before anything is sent: after a crash it is known that something may
/// have been. `None`: there is no such delivery, or a storm has taken it, maybe just now. One that
/// is settled is answered as it is, and counts nothing.
pub async fn claim_attempt(store: &Store, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let mut tx = store.begin().await?;
    let sql = format!(
        "UPDATE deliveries SET attempts = attempts + 1 WHERE id = $1 AND state = 'pending' RETURNING {COLUMNS}"
    );
    let claimed = sqlx::query(AssertSqlSafe(sql)).bind(id.0).fetch_optional(tx.conn()).await?;
    tx.commit().await?;
    match claimed {
        Some(row) => {
            let delivery = read(&row)?;
            Ok(Some(Delivery { attempts: delivery.attempts.saturating_sub(1), ..delivery }))
        }
        None => Ok(by_id(store, id).await?.filter(|delivery| delivery.state != DeliveryState::Gathered)),
    }
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
    let statement =
        sqlx::query("UPDATE deliveries SET error = $2, due_at_ms = $3, failing_since_ms = NULL WHERE id = $1")
            .bind(id.0)
            .bind(why)
            .bind(due_at.as_millis());
    execute(store, statement).await
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

/// Nothing more is to be done of it: the job that sent it ends as well, if it has one of its own.
async fn settle(
    store: &Store,
    sql: &'static str,
    id: DeliveryId,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(sql).bind(id.0).bind(text).bind(now.as_millis()).execute(tx.conn()).await?;
    jobs::end_in(&mut tx, store, &[Job::Deliver(id)]).await?;
    tx.commit().await
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
