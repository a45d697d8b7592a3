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
mod connections;
pub mod decisions;
pub mod deliveries;
pub mod deployment_roots;
mod dialect;
pub mod doubles;
pub mod doubts;
mod error;
mod fence;
pub mod fingerprints;
pub mod handovers;
pub mod hooks;
pub mod ids;
pub mod ingest_keys;
pub mod intake;
pub mod jobs;
pub mod journal;
pub mod lines;
pub mod look_ups;
pub mod meta;
pub mod moving;
mod open;
mod outage;
pub mod pack;
mod pending;
mod private;
pub mod refused_addresses;
pub mod reports;
pub mod repositories;
pub mod retention;
mod rows;
pub mod rules;
mod server_lock;
pub mod sessions;
pub mod shadow;
pub mod size;
pub mod stamp;
pub mod statuses;
pub mod storms;
mod takeable;
pub mod test_reports;
pub mod tracebacks;
mod transaction;
pub mod trial;
mod turns;
pub mod versions;
pub mod weekly;
mod whereabouts;
pub mod writes;

pub use dialect::{Dialect, database_file};
pub use error::{StoreError, Trouble};
pub use server_lock::ServerLock;
pub use transaction::Tx;
pub use turns::Side;

use connections::{Connections, Durability, POOL_SIZE};
use ids::Ids;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use transaction::UnderWay;
use turns::{Turn, Turns};
use whereabouts::Whereabouts;

/// Transactions at once on PostgreSQL: two connections are left for what only reads.
const POSTGRES_WRITERS: usize = POOL_SIZE - 2;
/// Of them, those of one side at most: where it waits for rows that somebody holds, the others do
/// not.
const POSTGRES_WRITERS_OF_A_SIDE: usize = 3;
/// How long is waited for a turn to write. A disk that syncs within 300 ms works off thirty others
/// by then; on one that does not sync at all, an answer is better than none.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Connections,
    dialect: Dialect,
    /// Of SQLite's file: whether it is still there.
    whereabouts: Option<Arc<Whereabouts>>,
    turns: Turns,
    side: Side,
    ids: Arc<Ids>,
    costs: Arc<jobs::Costs>,
    /// Since when it is open: what leases on SQLite go by.
    opened: Instant,
    /// The jobs in whose name is written, if it is in any's.
    fence: Option<fence::Fence>,
    /// How many transactions are under way, or wait for their turn: in a job's name, its own.
    under_way: Arc<AtomicUsize>,
}

impl Store {
    /// Opens the database and brings its tables up to date. A SQLite file is created where there is
    /// none. What is written counts as asked for by [`Side::Requests`].
    ///
    /// # Errors
    /// It can't be opened; the message says why and what to do, within some seconds.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let (opener, whereabouts) = open::open(url).await?;
        let dialect = opener.dialect();
        let turns = match dialect {
            Dialect::Sqlite => Turns::new(1, 1),
            Dialect::Postgres => Turns::new(POSTGRES_WRITERS, POSTGRES_WRITERS_OF_A_SIDE),
        };
        Ok(Self {
            pool: Connections::new(opener)?,
            dialect,
            whereabouts: whereabouts.map(Arc::new),
            turns,
            side: Side::Requests,
            ids: Arc::new(Ids::new()),
            costs: Arc::default(),
            opened: Instant::now(),
            fence: None,
            under_way: Arc::default(),
        })
    }

    /// The same database, written to on behalf of this side.
    #[must_use]
    pub fn on_behalf_of(&self, side: Side) -> Self {
        Self { side, ..self.clone() }
    }

    /// Begins a write transaction. In the name of a job ([`Store::held_by`]), it proves first that
    /// the job is still its holder's.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.begin_with(Durability::Now).await
    }

    /// Begins a write transaction that need not be on the disk at once: for work that begins anew
    /// where it is lost, such as claiming a job. A later [`Self::begin`] takes it along, so that
    /// nothing is ever durable before what it built on. On SQLite it costs no sync of the disk.
    pub(crate) async fn begin_lazily(&self) -> Result<Tx, StoreError> {
        self.begin_with(Durability::Later).await
    }

    async fn begin_with(&self, durability: Durability) -> Result<Tx, StoreError> {
        let under_way = UnderWay::begin(&self.under_way);
        let turn = self.turn().await?;
        Tx::begin(self, turn, under_way, durability).await
    }

    /// Waits for a turn to write to a database that is still where it was.
    async fn turn(&self) -> Result<Turn, StoreError> {
        let turn = timeout(TURN_WITHIN, self.turns.next(self.side)).await;
        let turn = turn.map_err(|_| StoreError::busy("no turn to write came in time"))?;
        if let Some(whereabouts) = &self.whereabouts {
            whereabouts.prove().await?;
        }
        Ok(turn)
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

    /// Why the disk did not take a write within this time, if it did not; whatever it took since.
    pub fn refused_within(&self, life: Duration) -> Option<Trouble> {
        self.pool.outage().refused_within(life, Instant::now())
    }

    /// Whether this trouble is to be logged now, as it is once a minute; and how often it was
    /// passed over since it last was.
    pub fn to_be_logged(&self, trouble: Trouble) -> Option<u64> {
        self.pool.outage().to_be_logged(trouble, Instant::now())
    }

    /// Closes all connections, after their transactions.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
