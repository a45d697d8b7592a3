//! Sessions: who is signed in, from which browser, until when.

use crate::columns::{from_json, get, get_count, get_time, signed, to_json};
use crate::transaction::execute;
use crate::{Store, StoreError};
use domain::access::Access;
use domain::names::Login;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// Characters kept of what a browser calls itself.
const BROWSER_LENGTH: usize = 200;

/// A session's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the cookie's value, hexadecimal.
    pub id: String,
    /// Login on GitHub; `None`: the admin.
    pub login: Option<Login>,
    /// Of an admin: signs the token.
    pub bound_to: String,
    /// The person's tokens, sealed.
    pub tokens: Option<String>,
    /// What the browser called itself.
    pub browser: String,
    /// What GitHub let them do.
    pub access: Access,
    /// When it said so.
    pub access_at: Timestamp,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When they were last here, within some minutes.
    pub used_at: Timestamp,
    /// When the session ends in any case.
    pub expires_at: Timestamp,
}

const COLUMNS: &str =
    "id, login, bound_to, tokens, browser, access, access_at_ms, created_at_ms, used_at_ms, expires_at_ms";

fn read(row: &AnyRow) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        id: get(row, "id")?,
        login: get::<Option<String>>(row, "login")?.map(Login::from),
        bound_to: get(row, "bound_to")?,
        tokens: get(row, "tokens")?,
        browser: get(row, "browser")?,
        access: from_json("sessions.access", &get::<String>(row, "access")?)?,
        access_at: get_time(row, "access_at_ms")?,
        created_at: get_time(row, "created_at_ms")?,
        used_at: get_time(row, "used_at_ms")?,
        expires_at: get_time(row, "expires_at_ms")?,
    })
}

/// Keeps a new session.
pub async fn insert(store: &Store, new: &SessionRow) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO sessions ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    let statement = sqlx::query(AssertSqlSafe(sql))
        .bind(&new.id)
        .bind(new.login.as_ref().map(Login::as_str))
        .bind(&new.bound_to)
        .bind(new.tokens.as_deref())
        .bind(new.browser.chars().take(BROWSER_LENGTH).collect::<String>())
        .bind(to_json("sessions.access", &new.access)?)
        .bind(new.access_at.as_millis())
        .bind(new.created_at.as_millis())
        .bind(new.used_at.as_millis())
        .bind(new.expires_at.as_millis());
    execute(store, statement).await
}

/// A session.
pub async fn by_id(store: &Store, id: &str) -> Result<Option<SessionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// All sessions, or those of one login, the latest used first; `most` at most.
pub async fn list(store: &Store, of: Option<&Login>, most: u64, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sessions WHERE ($1 = '' OR LOWER(login) = $1) AND expires_at_ms > $2
         ORDER BY used_at_ms DESC, id LIMIT $3"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(of.map(Login::key).unwrap_or_default())
        .bind(now.as_millis())
        .bind(signed(most))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(read).collect()
}

/// How many sessions there are, or of one login.
pub async fn count(store: &Store, of: Option<&Login>, now: Timestamp) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) AS sessions FROM sessions WHERE ($1 = '' OR LOWER(login) = $1) AND expires_at_ms > $2";
    let row = sqlx::query(sql)
        .bind(of.map(Login::key).unwrap_or_default())
        .bind(now.as_millis())
        .fetch_one(&store.pool)
        .await?;
    get_count(&row, "sessions")
}

/// Records that somebody was here.
pub async fn record_use(store: &Store, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE sessions SET used_at_ms = $2 WHERE id = $1").bind(id).bind(now.as_millis());
    execute(store, statement).await
}

/// Records what GitHub says that somebody may do, and their tokens.
pub async fn set_access(
    store: &Store,
    id: &str,
    access: &Access,
    tokens: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE sessions SET access = $2, tokens = $3, access_at_ms = $4 WHERE id = $1")
        .bind(id)
        .bind(to_json("sessions.access", access)?)
        .bind(tokens)
        .bind(at.as_millis());
    execute(store, statement).await
}

/// Ends a session.
pub async fn delete(store: &Store, id: &str) -> Result<(), StoreError> {
    let statement = sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id);
    execute(store, statement).await
}

/// Ends all sessions, or those of one login, but for one.
pub async fn delete_others(store: &Store, of: Option<&Login>, but: &str) -> Result<(), StoreError> {
    let statement = sqlx::query("DELETE FROM sessions WHERE ($1 = '' OR LOWER(login) = $1) AND id <> $2")
        .bind(of.map(Login::key).unwrap_or_default())
        .bind(but);
    execute(store, statement).await
}

/// Deletes the sessions that are over: past their end, or not used since `idle_since`.
pub async fn delete_old(store: &Store, now: Timestamp, idle_since: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("DELETE FROM sessions WHERE expires_at_ms <= $1 OR used_at_ms <= $2")
        .bind(now.as_millis())
        .bind(idle_since.as_millis());
    execute(store, statement).await
}
