//! Which forge account an author's address belongs to, as the forge said, so that it is asked once.

use super::{Store, StoreError, get};

impl Store {
    /// The login of an address: `None` where the forge was not asked since `since_ms`, `Some(None)` where it knows none.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn login_of(&self, email: &str, since_ms: i64) -> Result<Option<Option<String>>, StoreError> {
        let row = sqlx::query("SELECT login FROM accounts WHERE email = $1 AND asked_at_ms >= $2")
            .bind(email)
            .bind(since_ms)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(|row| get(row, "login")).transpose()
    }

    /// Remembers what the forge said.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn remember_login(&self, email: &str, login: Option<&str>, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO accounts (email, login, asked_at_ms) VALUES ($1, $2, $3)
             ON CONFLICT (email) DO UPDATE SET login = excluded.login, asked_at_ms = excluded.asked_at_ms",
        )
        .bind(email)
        .bind(login)
        .bind(now_ms)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }
}
