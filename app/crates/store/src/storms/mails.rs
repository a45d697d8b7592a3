//! The mails of a storm: gathered, and sent as one for each recipient.

use crate::columns::get_time;
use crate::deliveries::{COLUMNS, Delivery, FAILING_SINCE};
use crate::{Store, StoreError, Tx, deliveries, jobs};
use domain::delivery::{DeliveryState, MAIL_LEFT_ALONE_FOR};
use domain::ids::StormId;
use domain::job::Job;
use domain::timestamp::{Timestamp, millis};
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

/// How long mails wait for the storm's other lines, the first time: a minute is what a burst takes
/// to be worked out, and nobody minds another one.
const FIRST_MAIL_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// How long they wait in a storm that goes on: one mail an hour, however many lines break.
const NEXT_MAIL_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// The mails of a storm that were gathered and not sent, by recipient; each with the moment from
/// which it may be tried again, the epoch where it was not tried.
pub async fn gathered_mails(store: &Store, id: StormId) -> Result<Vec<(Delivery, Timestamp)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries WHERE storm_id = $1 AND state = 'gathered' AND channel = 'mail'
         ORDER BY recipient, id"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(id.0).fetch_all(&store.pool).await?;
    let read = |row| {
        let mail = deliveries::read(row)?;
        let due_at = mail.due_at;
        Ok((mail, due_at))
    };
    rows.iter().map(read).collect()
}

/// Gathers the mails of a storm's lines that no attempt was made at; `false`: there are none. A
/// worker that begins one at this moment finds it changed.
pub(super) async fn gather_mails_in(tx: &mut Tx, id: StormId) -> Result<bool, StoreError> {
    let gathered = sqlx::query(
        "UPDATE deliveries SET state = 'gathered', storm_id = $1
         WHERE state = 'pending' AND channel = 'mail' AND purpose = 'alert' AND attempts = 0
             AND line_id IN (SELECT id FROM lines WHERE storm_id = $1)",
    )
    .bind(id.0)
    .execute(tx.conn())
    .await?;
    Ok(gathered.rows_affected() > 0)
}

/// Sets when the mails of a storm are due, if they are not yet, and asks for the job.
pub(crate) async fn set_mails_due_in(tx: &mut Tx, storm: StormId, now: Timestamp) -> Result<(), StoreError> {
    let row = sqlx::query(
        "UPDATE storms SET mails_at_ms = COALESCE(mails_at_ms, CAST($2 AS BIGINT) + CASE WHEN mails_sent = 0
             THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END) WHERE id = $1 RETURNING mails_at_ms",
    )
    .bind(storm.0)
    .bind(now.as_millis())
    .bind(millis(FIRST_MAIL_AFTER))
    .bind(millis(NEXT_MAIL_AFTER))
    .fetch_one(tx.conn())
    .await?;
    jobs::enqueue_in(tx, Job::Storm(storm), get_time(&row, "mails_at_ms")?, now).await
}

/// Records that one recipient's gathered mails went out as one (or, with `error`, never will).
pub async fn record_mail_settled(
    store: &Store,
    mails: &[&Delivery],
    result: Result<&str, &str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let state = if result.is_ok() { DeliveryState::Sent } else { DeliveryState::GivenUp };
    let mut tx = store.begin().await?;
    for mail in mails {
        sqlx::query("UPDATE deliveries SET state = $2, receipt = $3, error = $4, settled_at_ms = $5 WHERE id = $1")
            .bind(mail.id.0)
            .bind(state.as_str())
            .bind(result.ok())
            .bind(result.err())
            .bind(now.as_millis())
            .execute(tx.conn())
            .await?;
    }
    tx.commit().await
}

/// Records that one recipient's gathered mails could not be sent, and when they may be tried again.
pub async fn record_mail_failed(
    store: &Store,
    mails: &[&Delivery],
    why: &str,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE deliveries SET attempts = attempts + 1, error = $2, due_at_ms = $3, {FAILING_SINCE} WHERE id = $1"
    );
    let mut tx = store.begin().await?;
    for mail in mails {
        sqlx::query(AssertSqlSafe(sql.as_str()))
            .bind(mail.id.0)
            .bind(why)
            .bind(due_at.as_millis())
            .bind(now.as_millis())
            .bind((now - MAIL_LEFT_ALONE_FOR).as_millis())
            .execute(tx.conn())
            .await?;
    }
    tx.commit().await
}

/// Records that the mails which waited were sent, or tried. Those that came meanwhile wait for the
/// next time, and where there are none, the next line sets it.
pub async fn record_mails_sent(store: &Store, id: StormId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    // First the lock: a line that joins at this moment is seen by the second statement, or sees
    // what that one wrote.
    sqlx::query("UPDATE storms SET mails_sent = mails_sent + 1 WHERE id = $1").bind(id.0).execute(tx.conn()).await?;
    sqlx::query(
        "UPDATE storms SET mails_at_ms = CASE WHEN EXISTS (
             SELECT 1 FROM deliveries WHERE storm_id = $1 AND state = 'gathered' AND channel = 'mail' AND due_at_ms = 0)
             THEN CAST($2 AS BIGINT) ELSE NULL END WHERE id = $1",
    )
    .bind(id.0)
    .bind((now + NEXT_MAIL_AFTER).as_millis())
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
