//! Which account on GitHub an address belongs to, as GitHub said.

use crate::columns::{get, get_time, indexable};
use crate::transaction::execute;
use crate::{Store, StoreError};
use domain::names::Login;
use domain::timestamp::Timestamp;

/// What GitHub said of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownAccount {
    /// Its login; `None`: no account has this address.
    pub login: Option<Login>,
    /// The account is a program.
    pub is_bot: bool,
}

/// The account of an address, and when GitHub was asked about it; `None` where it never was.
pub async fn by_email(store: &Store, email: &str) -> Result<Option<(KnownAccount, Timestamp)>, StoreError> {
    let row = sqlx::query("SELECT login, is_bot, asked_at_ms FROM accounts WHERE email = $1")
        .bind(indexable(email))
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let account = KnownAccount {
        login: get::<Option<String>>(&row, "login")?.map(Login::from),
        is_bot: get::<i64>(&row, "is_bot")? != 0,
    };
    Ok(Some((account, get_time(&row, "asked_at_ms")?)))
}

/// Remembers what GitHub said of an address.
pub async fn record(store: &Store, email: &str, account: &KnownAccount, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "INSERT INTO accounts (email, login, is_bot, asked_at_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (email) DO UPDATE SET login = excluded.login, is_bot = excluded.is_bot,
             asked_at_ms = excluded.asked_at_ms",
    )
    .bind(indexable(email))
    .bind(account.login.as_ref().map(Login::as_str))
    .bind(i64::from(account.is_bot))
    .bind(now.as_millis());
    execute(store, statement).await
}

/// The addresses that are an account's, as far as GitHub was asked about them.
pub async fn addresses_of(store: &Store, login: &Login) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query("SELECT email FROM accounts WHERE LOWER(login) = $1")
        .bind(login.key())
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(|row| get(row, "email")).collect()
}
