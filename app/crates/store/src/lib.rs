//! All SQL, one dialect for SQLite and PostgreSQL, by sqlx.
//!
//! Queries are functions in modules by noun, and take the [`Store`] first: `lines::by_id(&store,
//! id)`. A module is called as its table where there is one. Most names follow one pattern; the
//! others are verbs of their noun, such as `ingest_keys::revoke`:
//!
//! | name | does |
//! | --- | --- |
//! | `by_…` | reads one row by a key |
//! | `of_…`, `list`, `count…` | reads rows, or figures, of something |
//! | `insert`, `update`, `set_…`, `delete…` | writes what the caller decided |
//! | `record_…` | writes what happened |
//! | `claim…` | takes something before it is worked on or sent, and counts the attempt where attempts are counted |
//! | `enqueue…` | asks for a job |
//! | `…_in` | the same within a transaction of the caller's |
//!
//! Whatever writes several rows does so in one transaction, and asks for the job that follows in
//! the same one. Each function can fail with a [`StoreError`]: the database is out of reach, or a
//! row can't be read.

pub mod acceptance;
pub mod accounts;
pub mod attributions;
pub mod clock;
mod columns;
pub mod decisions;
pub mod deliveries;
mod dialect;
mod error;
pub mod fingerprints;
pub mod handovers;
pub mod hooks;
pub mod ids;
pub mod ingest_keys;
pub mod intake;
pub mod jobs;
pub mod lines;
pub mod look_ups;
pub mod meta;
pub mod pack;
pub mod refused_addresses;
pub mod reports;
pub mod repositories;
pub mod rules;
pub mod sessions;
pub mod shadow;
pub mod statuses;
pub mod storms;
pub mod test_reports;
pub mod tracebacks;
mod transaction;
pub mod weekly;
pub mod writes;

pub use dialect::Dialect;
pub use error::StoreError;
pub use transaction::Tx;

use dialect::{SQLITE_PRAGMAS, dialect_of, without_password};
use ids::Ids;
use sqlx::AnyPool;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections in the pool: one writes at a time on SQLite, the others read pages and jobs.
const POOL_SIZE: u32 = 8;
/// How long a request waits for a connection before it fails: longer than any transaction of ours
/// takes.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    /// SQLite has one writer. Waiting here in order is fair; SQLite's own waiting is by polling,
    /// and starves.
    writers: Arc<Semaphore>,
    ids: Arc<Ids>,
    /// Since when it is open: what leases on SQLite go by.
    opened: tokio::time::Instant,
    /// The job in whose name is written, if it is one.
    fence: Option<jobs::Fence>,
}

impl Store {
    /// Opens the database and brings its tables up to date. A SQLite file is created where there is
    /// none.
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
        let store = Self {
            pool,
            dialect,
            writers: Arc::new(Semaphore::new(turns)),
            ids: Arc::new(Ids::new()),
            opened: tokio::time::Instant::now(),
            fence: None,
        };
        sqlx::migrate!("../../../migrations").run(&store.pool).await?;
        Ok(store)
    }

    /// Begins a write transaction. In the name of a job ([`Store::held_by`]), it proves first that
    /// the job is still its holder's.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let turn = Arc::clone(&self.writers).acquire_owned().await.expect("the semaphore is never closed");
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        let mut tx = Tx { inner: self.pool.begin_with(begin).await?, ids: Arc::clone(&self.ids), _turn: turn };
        if let Some(fence) = self.fence {
            fence.prove_in(&mut tx, self.dialect).await?;
        }
        Ok(tx)
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Answers whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections, after their transactions.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
