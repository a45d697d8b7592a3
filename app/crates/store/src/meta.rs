//! Facts and secrets of this installation.

use super::{Store, StoreError, get};

impl Store {
    /// A stored fact.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(name).fetch_optional(&self.pool).await?;
        row.as_ref().map(|row| get(row, "value")).transpose()
    }

    /// Stores a fact in place of the one before.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_fact(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// The fact of this name, which is `fresh` where there was none: two processes that start together agree.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn fact_or(&self, name: &str, fresh: &str) -> Result<String, StoreError> {
        if let Some(value) = self.fact(name).await? {
            return Ok(value);
        }
        let mut tx = self.begin().await?;
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
}
