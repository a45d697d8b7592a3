//! How much a key may bring, where its repository says so.

use crate::columns::get;
use crate::{Store, StoreError};
use domain::ids::RepositoryId;
use domain::key_limits::KeyLimits;
use sqlx::any::AnyRow;

/// The limits of a row of a key.
pub(super) fn limits_of(row: &AnyRow) -> Result<KeyLimits, StoreError> {
    let limit = |column: &'static str| -> Result<Option<u32>, StoreError> {
        let limit = get::<Option<i64>>(row, column)?;
        Ok(limit.map(|limit| u32::try_from(limit.max(0)).unwrap_or(u32::MAX)))
    };
    Ok(KeyLimits { rate: limit("rate")?, budget: limit("budget")? })
}

/// The limits of a key, in force or revoked. `None`: there is no such key.
pub async fn limits_of_key(store: &Store, key: &str) -> Result<Option<KeyLimits>, StoreError> {
    let query = sqlx::query("SELECT rate, budget FROM ingest_keys WHERE ingest_key = $1").bind(key);
    query.fetch_optional(&store.pool).await?.as_ref().map(limits_of).transpose()
}

/// Sets both limits of a key; whose it is. `None`: there is no such key, or it is revoked.
pub async fn set_limits(store: &Store, key: &str, limits: KeyLimits) -> Result<Option<RepositoryId>, StoreError> {
    let mut tx = store.begin().await?;
    let row = sqlx::query(
        "UPDATE ingest_keys SET rate = $2, budget = $3 WHERE ingest_key = $1 AND revoked_at_ms IS NULL
         RETURNING repository_id",
    )
    .bind(key)
    .bind(limits.rate.map(i64::from))
    .bind(limits.budget.map(i64::from))
    .fetch_optional(tx.conn())
    .await?;
    tx.commit().await?;
    row.map(|row| Ok(RepositoryId(get(&row, "repository_id")?))).transpose()
}
