//! Shadow mode: what would have been sent, and the way out of it.

use crate::columns::get;
use crate::deliveries::{COLUMNS, Delivery};
use crate::jobs::AskedDecision;
use crate::transaction::execute;
use crate::{Store, StoreError, deliveries, jobs, writes};
use domain::ids::{DeliveryId, LineId, RepositoryId};
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// "Until somebody ends it", as a moment.
pub const FOR_EVER: Timestamp = Timestamp::MAX;

/// Sets until when nothing of a repository is sent; `None`: from now on everything is.
pub async fn set_until(store: &Store, id: RepositoryId, until: Option<Timestamp>) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE repositories SET shadow_until_ms = $2 WHERE id = $1")
        .bind(id.0)
        .bind(until.map(Timestamp::as_millis));
    execute(store, statement).await
}

/// Puts a repository in shadow mode that was watched for the first time at `now`; one that comes
/// back keeps its mode.
pub async fn set_first_until(
    store: &Store,
    id: RepositoryId,
    now: Timestamp,
    until: Timestamp,
) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE repositories SET shadow_until_ms = $3 WHERE id = $1 AND created_at_ms = $2")
        .bind(id.0)
        .bind(now.as_millis())
        .bind(until.as_millis());
    execute(store, statement).await
}

/// What would have been sent, latest first.
pub async fn deliveries(store: &Store, id: RepositoryId, most: usize) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries WHERE repository_id = $1 AND state = 'shadow' ORDER BY id DESC LIMIT $2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(id.0)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(deliveries::read).collect()
}

/// One thing that would have been sent.
pub async fn delivery_by_id(store: &Store, of: RepositoryId, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id = $1 AND repository_id = $2 AND state = 'shadow'");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.0).bind(of.0).fetch_optional(&store.pool).await?;
    row.as_ref().map(deliveries::read).transpose()
}

/// Keeps what was to be sent when shadow mode began: it is shown, and not sent.
pub async fn keep_delivery(store: &Store, id: DeliveryId) -> Result<(), StoreError> {
    let statement =
        sqlx::query("UPDATE deliveries SET state = 'shadow' WHERE id = $1 AND state IN ('pending', 'gathered')")
            .bind(id.0);
    execute(store, statement).await
}

/// Repositories of which something would have been sent.
pub async fn repositories(store: &Store) -> Result<Vec<RepositoryId>, StoreError> {
    let rows = sqlx::query(
        "SELECT id FROM repositories r WHERE EXISTS (
             SELECT 1 FROM deliveries d WHERE d.repository_id = r.id AND d.state = 'shadow')",
    )
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(|row| Ok(RepositoryId(get(row, "id")?))).collect()
}

/// What ends with a shadow, in this order; the repository is $1.
const ENDING: [&str; 5] = [
    // Lines whose alert nobody got are told of when they happen again.
    "UPDATE lines SET alerted_at_ms = NULL, next_decide_at = total + 1
     WHERE repository_id = $1 AND resolved_at_ms IS NULL AND id IN (
         SELECT line_id FROM deliveries WHERE repository_id = $1 AND state = 'shadow' AND purpose = 'alert')",
    // Nobody got the mail of a known error that reached its minimum, which comes once.
    "UPDATE lines SET known_mailed_at_ms = NULL, next_decide_at = total + 1
     WHERE repository_id = $1 AND id IN (
         SELECT line_id FROM deliveries WHERE repository_id = $1 AND state = 'shadow' AND purpose = 'known_minimum')",
    "DELETE FROM deliveries WHERE repository_id = $1 AND state = 'shadow'",
    // What may have been sent in part before the shadow goes on now.
    "UPDATE deliveries SET due_at_ms = 0 WHERE repository_id = $1 AND state = 'pending'",
    "UPDATE repositories SET labels_due_at_ms = 0 WHERE id = $1",
];

/// Ends shadow mode: lines whose alert nobody got are told of when they happen again, and lines
/// that came back are decided about now.
pub async fn end(store: &Store, id: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    for sql in ENDING {
        sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
    }
    let back = sqlx::query("SELECT id FROM lines WHERE repository_id = $1 AND regressed_at_ms IS NOT NULL")
        .bind(id.0)
        .fetch_all(tx.conn())
        .await?;
    let asked = |row: &AnyRow| Ok(AskedDecision { line: LineId(get(row, "id")?), repository: id, turn: now });
    let back: Vec<AskedDecision> = back.iter().map(asked).collect::<Result<_, StoreError>>()?;
    jobs::enqueue_decisions_in(&mut tx, &store.costs, &back, now).await?;
    writes::enqueue_in(&mut tx, id, now).await?;
    tx.commit().await
}
