//! Write transactions.

use crate::columns::get;
use crate::connections::{Connections, Durability, Lent};
use crate::fence::Ending;
use crate::ids::Ids;
use crate::outage::ANSWERS_WITHIN;
use crate::takeable::takeable;
use crate::turns::Turn;
use crate::{Dialect, Store, StoreError, Trouble};
use domain::timestamp::Timestamp;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::any::{Any, AnyArguments, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Describe, Either, Error, Execute, Executor, SqlStr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::{Instant, timeout};

macro_rules! sync_at_once {
    () => {
        "PRAGMA synchronous = FULL"
    };
}

/// A write transaction. It begins with the write lock, so it never has to be tried again for want
/// of it.
///
/// sqlx's own transactions are not used: where a COMMIT or ROLLBACK of theirs fails, as on a full
/// disk, the connection goes back to the pool as one that is within a transaction, for good.
#[derive(Debug)]
pub struct Tx {
    /// None once it is over.
    lent: Option<Lent>,
    connections: Connections,
    /// A statement of it failed, so it can only be undone.
    failed: bool,
    pub(crate) ids: Arc<Ids>,
    turn: Option<Turn>,
    /// Whether it is in a job's name.
    is_fenced: bool,
    /// Jobs that end with it.
    ending: Option<Ending>,
    _under_way: UnderWay,
}

/// Counts a transaction for as long as it is under way, or waits for its turn.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    pub(crate) fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Tx {
    /// Begins on a connection, in this turn.
    pub(crate) async fn begin(
        store: &Store,
        turn: Turn,
        under_way: UnderWay,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let lent = Some(store.pool.lend().await?);
        // From here on, whatever happens ends the transaction: BEGIN may have been done when its
        // answer is not waited for any more.
        let (connections, ids) = (store.pool.clone(), Arc::clone(&store.ids));
        let is_fenced = store.fence.is_some();
        let turn = Some(turn);
        let mut tx =
            Self { lent, connections, failed: false, ids, turn, is_fenced, ending: None, _under_way: under_way };
        let known = tx.lent.as_mut().and_then(|lent| lent.durability().take());
        let begin = match (store.dialect, durability) {
            (Dialect::Sqlite, durability) if known == Some(durability) => "BEGIN IMMEDIATE",
            (Dialect::Sqlite, Durability::Now) => concat!(sync_at_once!(), "; BEGIN IMMEDIATE"),
            (Dialect::Sqlite, Durability::Later) => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
            (Dialect::Postgres, _) => "BEGIN",
        };
        let proof = match &store.fence {
            Some(fence) => Some(fence.proof(store.dialect).ok_or(StoreError::LeaseLost)?),
            None => None,
        };
        let held = match proof {
            // In one exchange with the database: most transactions are in a job's name.
            Some(proof) => {
                let sql = AssertSqlSafe(format!("{begin}; {proof}"));
                sqlx::raw_sql(sql).fetch_all(tx.conn()).await?
            }
            None => {
                tx.run(begin).await?;
                Vec::new()
            }
        };
        if let Some(lent) = &mut tx.lent {
            *lent.durability() = Some(durability);
        }
        for answer in &held {
            if get::<i64>(answer, "held")? != 1 {
                return Err(StoreError::LeaseLost);
            }
        }
        Ok(tx)
    }

    /// Has jobs end with it.
    pub(crate) fn ends_with(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// Where its statements are run.
    pub(crate) fn conn(&mut self) -> Within<'_> {
        Within(self)
    }

    /// In which database.
    pub(crate) fn dialect(&self) -> Dialect {
        self.connections.dialect()
    }

    /// The next row id.
    pub(crate) fn next_id(&self, now: Timestamp) -> i64 {
        self.ids.next(now)
    }

    /// Makes it durable. Where that fails, nothing was changed; but where the database went away
    /// just then, nobody knows.
    ///
    /// In a job's name, its holder is asked once more whether the job goes on before anything
    /// follows ([`Store::is_writing`]).
    pub async fn commit(self) -> Result<(), StoreError> {
        let is_fenced = self.is_fenced;
        self.commit_and_end().await?;
        if is_fenced {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn commit_and_end(mut self) -> Result<(), StoreError> {
        if self.failed {
            // PostgreSQL would undo it without a word, SQLite keep the other half.
            return Err(Error::Protocol("a statement of the transaction had failed".to_owned()).into());
        }
        self.run("COMMIT").await?;
        if let Some(ending) = self.ending.take() {
            ending.keep();
        }
        if let Some(lent) = self.lent.take() {
            lent.give_back();
        }
        Ok(())
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(sql).execute(self.conn()).await?;
        Ok(())
    }

    /// Waits for a statement's answer, and notes where it failed.
    fn answered<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &answer {
            self.failed = true;
            if let Some(trouble) = Trouble::of_sql(error) {
                self.connections.outage().note_refused(trouble, Instant::now());
            }
        }
        answer
    }
}

/// Undone in the background: the turn is the next one's once it is.
impl Drop for Tx {
    fn drop(&mut self) {
        let Some(lent) = self.lent.take() else { return };
        let turn = self.turn.take();
        // Without a runtime, dropping the connection closes it, which undoes it as well.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                undo(lent).await;
                drop(turn);
            });
        }
    }
}

/// Rolls back; a connection that can't is closed. SQLite has undone some failed transactions by
/// itself, and PostgreSQL may be gone.
async fn undo(mut lent: Lent) {
    let undone = timeout(ANSWERS_WITHIN, sqlx::raw_sql("ROLLBACK").execute(lent.connection())).await;
    if matches!(undone, Ok(Ok(_))) {
        lent.give_back();
    } else {
        lent.close().await;
    }
}

/// A transaction, as statements take it.
#[derive(Debug)]
pub(crate) struct Within<'t>(&'t mut Tx);

impl Tx {
    /// The connection and what watches over it; an error once a statement failed.
    fn parts(&mut self) -> Result<(&Connections, &mut Lent), Error> {
        match &mut self.lent {
            Some(lent) if !self.failed => Ok((&self.connections, lent)),
            _ => Err(Error::Protocol("the transaction is over, for a statement of it had failed".to_owned())),
        }
    }
}

impl<'t> Executor<'t> for Within<'t> {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>
    where
        't: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let all = async move {
            let query = takeable(query)?;
            let (connections, lent) = self.0.parts()?;
            let all: Result<Vec<_>, Error> =
                connections.watch(lent.backend(), lent.connection().fetch_many(query).try_collect()).await;
            Ok::<_, Error>(stream::iter(self.0.answered(all)?.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        't: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(async move {
            let query = takeable(query)?;
            let (connections, lent) = self.0.parts()?;
            let row = connections.watch(lent.backend(), lent.connection().fetch_optional(query)).await;
            self.0.answered(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        't: 'e,
    {
        Box::pin(async move {
            let (connections, lent) = self.0.parts()?;
            let prepared = connections.watch(lent.backend(), lent.connection().prepare_with(sql, parameters)).await;
            self.0.answered(prepared)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        't: 'e,
    {
        Box::pin(async move {
            let (connections, lent) = self.0.parts()?;
            let described = connections.watch(lent.backend(), lent.connection().describe(sql)).await;
            self.0.answered(described)
        })
    }
}

/// Runs one statement as a transaction of its own, which is on the disk afterwards, in one exchange
/// with the database where [`execute`] takes three. It is prepared once on each connection.
///
/// # Errors
/// Those of the database, with whether nothing was changed for sure: where the connection was lost,
/// nobody knows.
pub(crate) async fn execute_at_once(
    store: &Store,
    statement: Query<'_, Any, AnyArguments>,
) -> Result<(), (StoreError, bool)> {
    let nothing = |error| (error, true);
    let _turn = store.turn().await.map_err(nothing)?;
    let mut lent = store.pool.lend().await.map_err(nothing)?;
    let (connections, backend) = (&store.pool, lent.backend());
    let done = async {
        // A transaction before it may have set it otherwise.
        if store.dialect == Dialect::Sqlite && lent.durability().take() != Some(Durability::Now) {
            sqlx::raw_sql(sync_at_once!()).execute(lent.connection()).await?;
        }
        *lent.durability() = Some(Durability::Now);
        // To the end of its answer: PostgreSQL commits after it has said how many rows there were.
        statement.execute(lent.connection()).await
    };
    match connections.watch(backend, done).await {
        Ok(_) => {
            lent.give_back();
            Ok(())
        }
        Err(error) => {
            if let Some(trouble) = Trouble::of_sql(&error) {
                connections.outage().note_refused(trouble, Instant::now());
            }
            // A connection that could not do it is closed with what may be under way on it.
            let nothing_changed = matches!(error, Error::Database(_));
            Err((error.into(), nothing_changed))
        }
    }
}

/// Runs one statement without parameters as a transaction of its own, which need not be on the disk
/// at once ([`Durability::Later`]), in one exchange with the database; its rows.
pub(crate) async fn fetch_at_once(store: &Store, statement: String) -> Result<Vec<AnyRow>, StoreError> {
    let _turn = store.turn().await?;
    let mut lent = store.pool.lend().await?;
    let known = lent.durability().take();
    let sql = match store.dialect {
        Dialect::Sqlite if known != Some(Durability::Later) => format!("PRAGMA synchronous = NORMAL; {statement}"),
        Dialect::Sqlite | Dialect::Postgres => statement,
    };
    let (connections, backend) = (&store.pool, lent.backend());
    match connections.watch(backend, sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(lent.connection())).await {
        Ok(rows) => {
            *lent.durability() = Some(Durability::Later);
            lent.give_back();
            Ok(rows)
        }
        Err(error) => {
            if let Some(trouble) = Trouble::of_sql(&error) {
                connections.outage().note_refused(trouble, Instant::now());
            }
            Err(error.into())
        }
    }
}

/// Runs one statement as a transaction of its own.
pub(crate) async fn execute(store: &Store, statement: Query<'_, Any, AnyArguments>) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    statement.execute(tx.conn()).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Row as _};

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        (folder, store)
    }

    /// Writes until the file may not grow any more, as on a full disk.
    async fn fill(store: &Store) -> StoreError {
        let mut tx = store.begin().await.unwrap();
        let pages: i64 = sqlx::query("PRAGMA page_count").fetch_one(tx.conn()).await.unwrap().get(0);
        let limit = format!("PRAGMA max_page_count = {}", pages + 2);
        sqlx::raw_sql(AssertSqlSafe(limit)).execute(tx.conn()).await.unwrap();
        for n in 0.. {
            let row = sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2)").bind(format!("fill {n}"));
            if let Err(error) = row.bind("x".repeat(4000)).execute(tx.conn()).await {
                return error.into();
            }
        }
        unreachable!("a limit of two pages is reached")
    }

    #[tokio::test]
    async fn a_full_disk_leaves_no_connection_behind_that_is_of_no_use() {
        let (_folder, store) = store().await;
        for _ in 0..crate::connections::POOL_SIZE * 2 {
            assert_eq!(fill(&store).await.trouble(), Some(Trouble::Full));
        }
        for n in 0..crate::connections::POOL_SIZE * 4 {
            let name = format!("after {n}");
            assert_eq!(crate::meta::by_name_or_insert(&store, &name, "there").await.unwrap(), "there");
        }
        let filled = sqlx::query("SELECT COUNT(*) FROM meta WHERE name LIKE 'fill %'").fetch_one(&store.pool).await;
        assert_eq!(filled.unwrap().get::<i64, _>(0), 0, "what failed changed nothing");
    }

    #[tokio::test]
    async fn a_transaction_that_failed_is_not_committed_in_part() {
        let (_folder, store) = store().await;
        let mut tx = store.begin().await.unwrap();
        sqlx::query("INSERT INTO meta (name, value) VALUES ('a', 'first')").execute(tx.conn()).await.unwrap();
        assert!(sqlx::query("INSERT INTO none_such VALUES (1)").execute(tx.conn()).await.is_err());
        assert!(sqlx::query("INSERT INTO meta (name, value) VALUES ('b', '')").execute(tx.conn()).await.is_err());
        assert!(tx.commit().await.is_err());
        assert_eq!(crate::meta::by_name_or_insert(&store, "a", "second").await.unwrap(), "second");
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_no_transaction_open() {
        let (_folder, store) = store().await;
        for n in 0..20 {
            let cut_off = async {
                let mut tx = store.begin().await.unwrap();
                sqlx::query("INSERT INTO meta (name, value) VALUES ('cut', 'off')").execute(tx.conn()).await.unwrap();
                std::future::pending::<()>().await;
            };
            let _ = timeout(std::time::Duration::from_micros(300 * n), cut_off).await;
        }
        assert_eq!(crate::meta::by_name_or_insert(&store, "cut", "anew").await.unwrap(), "anew");
    }

    #[tokio::test]
    async fn what_may_be_lost_is_durable_with_the_next_that_may_not() {
        let (_folder, store) = store().await;
        for (lazily, level) in [(true, 1), (false, 2), (true, 1)] {
            let mut tx = if lazily { store.begin_lazily().await } else { store.begin().await }.unwrap();
            let set: i64 = sqlx::query("PRAGMA synchronous").fetch_one(tx.conn()).await.unwrap().get(0);
            assert_eq!(set, level, "1 is NORMAL, 2 is FULL");
            tx.commit().await.unwrap();
        }
    }
}
