//! What is known of people: which forge account an address belongs to, whom the mail server refuses, and who is told of a line.

use super::{Store, StoreError, get, storable, to_json};
use domain::ids::LineId;
use domain::person::Told;

/// What the forge said of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownAccount {
    /// Its login; `None`: no account has this address.
    pub login: Option<String>,
    /// The account is a program.
    pub is_bot: bool,
}

impl Store {
    /// The account of an address; `None` where the forge was not asked since `since_ms`.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn account_of(&self, email: &str, since_ms: i64) -> Result<Option<KnownAccount>, StoreError> {
        let row = sqlx::query("SELECT login, is_bot FROM accounts WHERE email = $1 AND asked_at_ms >= $2")
            .bind(email)
            .bind(since_ms)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(KnownAccount { login: get(&row, "login")?, is_bot: get::<i64>(&row, "is_bot")? != 0 }))
    }

    /// Remembers what the forge said of an address.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn remember_account(&self, email: &str, account: &KnownAccount, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO accounts (email, login, is_bot, asked_at_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (email) DO UPDATE SET login = excluded.login, is_bot = excluded.is_bot,
                 asked_at_ms = excluded.asked_at_ms",
        )
        .bind(email)
        .bind(account.login.as_deref())
        .bind(i64::from(account.is_bot))
        .bind(now_ms)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Whether the mail server refused an address since `since_ms`.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn is_refused(&self, address: &str, since_ms: i64) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT address FROM refused_addresses WHERE address = $1 AND refused_at_ms >= $2")
            .bind(address.to_lowercase())
            .bind(since_ms)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Notes that the mail server refused an address.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn address_refused(&self, address: &str, why: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO refused_addresses (address, why, refused_at_ms) VALUES ($1, $2, $3)
             ON CONFLICT (address) DO UPDATE SET why = excluded.why, refused_at_ms = excluded.refused_at_ms",
        )
        .bind(address.to_lowercase())
        .bind(storable(why))
        .bind(now_ms)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Notes the login of a line's author.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_author_login(&self, line: LineId, login: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE lines SET author_login = $2 WHERE id = $1")
            .bind(line.0)
            .bind(login)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    /// Notes who is told of a line.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_told(&self, line: LineId, told: &Told) -> Result<(), StoreError> {
        let text = to_json("lines.told", told)?;
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE lines SET told = $2, handover_id = $3 WHERE id = $1")
            .bind(line.0)
            .bind(storable(&text))
            .bind(told.handover.map(|id| id.0))
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    /// The release in which a line first failed, as the client named it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn first_release(&self, line: LineId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(
            "SELECT value FROM line_facets WHERE line_id = $1 AND kind = 'release'
             ORDER BY first_seen_ms, last_seen_ms, value LIMIT 1",
        )
        .bind(line.0)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(|row| get(row, "value")).transpose()
    }
}
