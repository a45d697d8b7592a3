//! Addresses that the mail server refused.

use crate::columns::indexable;
use crate::transaction::execute;
use crate::{Store, StoreError};
use domain::timestamp::Timestamp;

/// Whether the mail server refused an address since `since`.
pub async fn contains(store: &Store, address: &str, since: Timestamp) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT address FROM refused_addresses WHERE address = $1 AND refused_at_ms >= $2")
        .bind(indexable(&address.to_lowercase()))
        .bind(since.as_millis())
        .fetch_optional(&store.pool)
        .await?;
    Ok(row.is_some())
}

/// Records that the mail server refused an address.
pub async fn record(store: &Store, address: &str, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO refused_addresses (address, why, refused_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (address) DO UPDATE SET why = excluded.why, refused_at_ms = excluded.refused_at_ms",
    )
    .bind(indexable(&address.to_lowercase()))
    .bind(why)
    .bind(now.as_millis());
    execute(store, statement).await
}
