//! What was written to GitHub lately, and until when an installation is left alone.

use crate::columns::get_time;
use crate::transaction::execute;
use crate::{Store, StoreError};
use domain::pace::Budget;
use domain::timestamp::{HOUR, Timestamp};

/// A write that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteId(i64);

/// When this installation wrote within the last hour.
pub async fn of_last_hour(store: &Store, installation: u64, now: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
    let rows = sqlx::query("SELECT at_ms FROM writes WHERE installation = $1 AND at_ms > $2")
        .bind(installation.cast_signed())
        .bind((now - HOUR).as_millis())
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(|row| get_time(row, "at_ms")).collect()
}

/// Counts a write before it is made: it counts even if its answer gets lost.
pub async fn record_write(store: &Store, installation: u64, now: Timestamp) -> Result<WriteId, StoreError> {
    let id = store.ids.next(now);
    let mut tx = store.begin().await?;
    sqlx::query("DELETE FROM writes WHERE installation = $1 AND at_ms <= $2")
        .bind(installation.cast_signed())
        .bind((now - HOUR).as_millis())
        .execute(tx.conn())
        .await?;
    sqlx::query("INSERT INTO writes (id, installation, at_ms) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(installation.cast_signed())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(WriteId(id))
}

/// Records when a write was answered, which is when it counts from.
pub async fn record_answered(store: &Store, id: WriteId, now: Timestamp) -> Result<(), StoreError> {
    let statement =
        sqlx::query("UPDATE writes SET at_ms = $2 WHERE id = $1 AND at_ms < $2").bind(id.0).bind(now.as_millis());
    execute(store, statement).await
}

/// Until when this installation is not to be written to; the epoch: it may be.
pub async fn paused_until(store: &Store, installation: u64) -> Result<Timestamp, StoreError> {
    let row = sqlx::query("SELECT until_ms FROM write_pauses WHERE installation = $1")
        .bind(installation.cast_signed())
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map_or(Ok(Timestamp::UNIX_EPOCH), |row| get_time(row, "until_ms"))
}

/// Leaves this installation alone until then.
pub async fn set_pause(store: &Store, installation: u64, until: Timestamp, why: &str) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO write_pauses (installation, until_ms, why) VALUES ($1, $2, $3)
         ON CONFLICT (installation) DO UPDATE SET until_ms = excluded.until_ms, why = excluded.why",
    )
    .bind(installation.cast_signed())
    .bind(until.as_millis())
    .bind(why);
    execute(store, statement).await
}

/// What is left of this installation's budget.
pub async fn budget(store: &Store, installation: u64, now: Timestamp) -> Result<Budget, StoreError> {
    let writes = of_last_hour(store, installation, now).await?;
    Ok(Budget::after(&writes, paused_until(store, installation).await?, now))
}
