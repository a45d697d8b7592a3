//! All SQL, one dialect for SQLite and PostgreSQL, by sqlx.

pub mod attributed;
pub mod deliveries;
mod facets;
pub mod fingerprints;
mod forget;
pub mod handovers;
pub mod hooks;
pub mod ids;
pub mod ingest_keys;
pub mod intake;
pub mod jobs;
pub mod lines;
pub mod lookups;
pub mod meta;
pub mod pack;
pub mod people;
pub mod repositories;
pub mod rules;
pub mod sessions;
pub mod shadow;
pub mod status;
pub mod storms;
mod succession;
pub mod test_reports;
pub mod upkeep;
pub mod weekly;
pub mod writes;

use ids::Ids;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections in the pool: one writes at a time on SQLite, the others read pages and jobs.
const POOL_SIZE: u32 = 8;
/// How long a request waits for a connection before it fails: longer than any transaction of ours takes.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    /// SQLite has one writer. Waiting here in order is fair; SQLite's own waiting is by polling, and starves.
    writers: Arc<Semaphore>,
    ids: Arc<Ids>,
}

/// Which database it is, for the few places where that matters (connection settings and locks, never SQL texts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Why the database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `DATABASE_URL` is not understood.
    #[error(
        "DATABASE_URL {url:?} is not understood: {why}; write sqlite:///path/to/file.db or postgres://user@host/name"
    )]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    /// A row holds what this version can't read.
    #[error("the database holds {what} that this version cannot read: {why}")]
    Content {
        /// Which column.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// A write transaction. It begins with the write lock, so it never has to be tried again.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Any>,
    _turn: OwnedSemaphorePermit,
}

impl Tx {
    fn conn(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// The database could not; nothing was changed.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}

impl Store {
    /// Opens the database and brings its tables up to date. A SQLite file is created where there is none.
    ///
    /// # Errors
    /// The URL is not understood, the database is out of reach, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (dialect, url) = dialect_of(url)?;
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|error| StoreError::Url { url: without_password(&url), why: error.to_string() })?;
        let pool = AnyPoolOptions::new()
            .max_connections(POOL_SIZE)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if dialect == Dialect::Sqlite {
                        for pragma in SQLITE_PRAGMAS {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        let turns = if dialect == Dialect::Sqlite { 1 } else { POOL_SIZE as usize };
        let store = Self { pool, dialect, writers: Arc::new(Semaphore::new(turns)), ids: Arc::new(Ids::new()) };
        sqlx::migrate!("../../../migrations").run(&store.pool).await?;
        Ok(store)
    }

    /// Begins a write transaction.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let turn = Arc::clone(&self.writers).acquire_owned().await.expect("the semaphore is never closed");
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        Ok(Tx { inner: self.pool.begin_with(begin).await?, _turn: turn })
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Answers whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections, after their transactions.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// WAL lets pages read while reports are written; FULL makes a commit mean that the disk has it.
const SQLITE_PRAGMAS: [&str; 5] = [
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8000",
];

/// The dialect of a URL, and the URL as sqlx wants it (a SQLite file is to be created where there is none).
fn dialect_of(url: &str) -> Result<(Dialect, String), StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((Dialect::Postgres, url.to_owned()));
    }
    if let Some(path) = url.strip_prefix("sqlite:") {
        let file = path.trim_start_matches("//").split('?').next().unwrap_or_default();
        if let Some(folder) = Path::new(file).parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| StoreError::Url { url: url.to_owned(), why: error.to_string() })?;
        }
        let url = if path.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
        return Ok((Dialect::Sqlite, url));
    }
    Err(StoreError::Url { url: without_password(url), why: "it begins with neither sqlite: nor postgres:".to_owned() })
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}

/// Reads one column, naming it where it can't be read.
fn get<'r, T>(row: &'r AnyRow, column: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Any> + sqlx::Type<Any>,
{
    row.try_get(column).map_err(|error| StoreError::Content { what: column, why: error.to_string() })
}

/// Counts and the like, which are never negative.
fn get_count(row: &AnyRow, column: &'static str) -> Result<u64, StoreError> {
    Ok(u64::try_from(get::<i64>(row, column)?).unwrap_or(0))
}

fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Content { what, why: error.to_string() })
}

fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Content { what, why: error.to_string() })
}

/// A text as both databases take it: PostgreSQL refuses the character U+0000, which clients do send.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_out_of_messages() {
        assert_eq!(without_password("postgres://ada:secret@db/flawless"), "postgres://…@db/flawless");
        assert!(matches!(dialect_of("mysql://x"), Err(StoreError::Url { .. })));
    }
}
