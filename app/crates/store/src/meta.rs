//! Facts and secrets of this installation, by name.

use crate::columns::get;
use crate::transaction::execute;
use crate::{Store, StoreError};
use domain::ids::RepositoryId;

/// The fact that says when a repository's issues were compared with its lines last.
pub fn issues_looked(repository: RepositoryId) -> String {
    format!("issues_looked_ms:{repository}")
}

/// A stored fact.
pub async fn by_name(store: &Store, name: &str) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(name).fetch_optional(&store.pool).await?;
    row.as_ref().map(|row| get(row, "value")).transpose()
}

/// Stores a fact in place of the one before.
pub async fn set(store: &Store, name: &str, value: &str) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value);
    execute(store, statement).await
}

/// The fact of this name, which is `fresh` where there was none: two processes that start together
/// agree.
pub async fn by_name_or_insert(store: &Store, name: &str, fresh: &str) -> Result<String, StoreError> {
    if let Some(value) = by_name(store, name).await? {
        return Ok(value);
    }
    let mut tx = store.begin().await?;
    let row = sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value",
    )
    .bind(name)
    .bind(fresh)
    .fetch_one(tx.conn())
    .await?;
    let value = get(&row, "value")?;
    tx.commit().await?;
    Ok(value)
}
