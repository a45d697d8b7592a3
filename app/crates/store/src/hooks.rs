//! Webhook deliveries: stored before they are answered, and remembered.

use crate::columns::{from_json, get, get_time, get_time_opt, indexable, to_json};
use crate::transaction::execute;
use crate::{Store, StoreError, jobs};
use domain::event::Event;
use domain::ids::HookId;
use domain::job::Job;
use domain::timestamp::Timestamp;

/// Whether a delivery was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Stored; a job will act on it.
    New,
    /// Seen before: nothing changed.
    Repeated,
}

/// Stores a webhook delivery with its job. Where that fails, the sender has to be told to try
/// again.
pub async fn insert(
    store: &Store,
    delivery: &str,
    name: &str,
    event: &Event,
    now: Timestamp,
) -> Result<Inserted, StoreError> {
    let id = HookId(store.ids.next(now));
    let mut tx = store.begin().await?;
    let stored = sqlx::query(
        "INSERT INTO hooks (id, delivery, event, parsed, received_at_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (delivery) DO NOTHING",
    )
    .bind(id.0)
    .bind(indexable(delivery))
    .bind(name)
    .bind(to_json("hooks.parsed", event)?)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?
    .rows_affected();
    if stored == 0 {
        return Ok(Inserted::Repeated);
    }
    jobs::enqueue_in(&mut tx, Job::Webhook(id), now, now).await?;
    tx.commit().await?;
    Ok(Inserted::New)
}

/// A stored delivery: its event and when it came; `None` once it was processed.
pub async fn pending_by_id(store: &Store, id: HookId) -> Result<Option<(Event, Timestamp)>, StoreError> {
    let row = sqlx::query("SELECT parsed, received_at_ms FROM hooks WHERE id = $1 AND processed_at_ms IS NULL")
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((from_json("hooks.parsed", &get::<String>(&row, "parsed")?)?, get_time(&row, "received_at_ms")?)))
}

/// Whether a delivery arrived.
pub async fn exists(store: &Store, delivery: &str) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT id FROM hooks WHERE delivery = $1")
        .bind(indexable(delivery))
        .fetch_optional(&store.pool)
        .await?;
    Ok(row.is_some())
}

/// Marks a delivery as acted on.
pub async fn record_processed(store: &Store, id: HookId, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE hooks SET processed_at_ms = $2 WHERE id = $1").bind(id.0).bind(now.as_millis());
    execute(store, statement).await
}

/// When the last webhook arrived.
pub async fn last_received_at(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query("SELECT MAX(received_at_ms) AS at FROM hooks").fetch_one(&store.pool).await?;
    get_time_opt(&row, "at")
}
