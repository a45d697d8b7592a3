//! Connections to the database: opened, lent for a statement or a transaction, and closed where
//! they can't be trusted any more.

use crate::Dialect;
use crate::error::{StoreError, Trouble};
use crate::outage::{ANSWERS_WITHIN, Outage};
use crate::takeable::takeable;
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleResult};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::any::{Any, AnyConnectOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{AnyConnection, ConnectOptions, Connection, Describe, Either, Error, Execute, Executor, Row, SqlStr};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Connections at once: one writes at a time on SQLite, the others read pages and jobs.
pub(crate) const POOL_SIZE: usize = 8;
/// How long is waited for a connection while all are in use. On a slow disk, each is used for as
/// long as a disk takes.
const FREE_WITHIN: Duration = Duration::from_secs(10);
/// How long an idle connection of PostgreSQL's may take to say that it is alive before another is
/// opened: one that is silently gone says nothing, though the server is there.
const ALIVE_WITHIN: Duration = Duration::from_millis(500);
/// How long an answer may still be on its way once PostgreSQL says that it works on no statement of
/// the connection.
const ARRIVES_WITHIN: Duration = Duration::from_millis(250);

/// The connections to one database.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pool: Pool<Opener>,
    /// As many as there may be connections: who waits here waits for other work, and who waits for
    /// the pool waits for the database.
    permits: Arc<Semaphore>,
    outage: Arc<Outage>,
    dialect: Dialect,
}

/// What a transaction's end means to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Once it is committed, the disk has it.
    Now,
    /// The disk has it with the next one that is durable at once, or soon after. What is lost in a
    /// power failure is the newest of it, never what an older one built on.
    Later,
}

/// Opens connections.
#[derive(Debug)]
pub(crate) struct Opener {
    options: AnyConnectOptions,
    dialect: Dialect,
}

impl Opener {
    /// For connections to this database.
    pub(crate) fn new(options: AnyConnectOptions, dialect: Dialect) -> Self {
        Self { options, dialect }
    }

    /// A connection that is told this first.
    pub(crate) async fn open(&self, session: &'static str) -> Result<AnyConnection, Error> {
        let mut connection = self.options.connect().await?;
        sqlx::raw_sql(session).execute(&mut connection).await?;
        Ok(connection)
    }

    /// Which database it is.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// A connection of the pool.
#[derive(Debug)]
pub(crate) struct Session {
    connection: AnyConnection,
    /// Of PostgreSQL's process that serves it.
    backend: Option<Backend>,
    /// What the ends of its transactions mean on SQLite; `None`: it was being told, and nobody
    /// knows what came of that.
    durability: Option<Durability>,
}

/// PostgreSQL's number of the process that serves a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend(i32);

impl Manager for Opener {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session, Error> {
        let mut connection = self.open(self.dialect.session()).await?;
        let backend = match self.dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => {
                let row = sqlx::query("SELECT pg_backend_pid() AS pid").fetch_one(&mut connection).await?;
                Some(Backend(row.try_get("pid")?))
            }
        };
        // As `Dialect::session` has it.
        Ok(Session { connection, backend, durability: Some(Durability::Now) })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Error> {
        // A file can't go away unnoticed as a server can, and asking it takes as long as writing.
        if self.dialect == Dialect::Postgres {
            session.connection.ping().await?;
        }
        Ok(())
    }
}

impl Opener {
    /// Whether PostgreSQL still works on a statement of this process's. A connection can be lost
    /// without a word, and only one end of it know.
    async fn is_at_work(&self, backend: Backend) -> Result<bool, Error> {
        let mut session = self.create().await?;
        let sql = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE pid = $1 AND COALESCE(state, '') NOT LIKE 'idle%'";
        let row = sqlx::query(sql).bind(backend.0).fetch_one(&mut session.connection).await?;
        // A good-bye only spares PostgreSQL a line in its log.
        let _ = session.connection.close().await;
        Ok(row.try_get::<i64, _>("n")? > 0)
    }
}

/// A connection that is used by somebody. Dropped without [`Lent::give_back`], it is closed: what
/// was under way on it, nobody knows.
#[derive(Debug)]
pub(crate) struct Lent {
    object: Option<Object<Opener>>,
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    /// The connection.
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.object.as_mut().expect("a connection is lent until it is given back or closed").connection
    }

    /// What is known of how SQLite ends transactions on it. To be `None` while it is told
    /// otherwise: who stops waiting does not learn what came of that.
    pub(crate) fn durability(&mut self) -> &mut Option<Durability> {
        &mut self.object.as_mut().expect("a connection is lent until it is given back or closed").durability
    }

    /// PostgreSQL's process at its other end.
    pub(crate) fn backend(&self) -> Option<Backend> {
        self.object.as_ref().and_then(|session| session.backend)
    }

    /// Leaves it to the next one.
    pub(crate) fn give_back(mut self) {
        self.object = None;
    }

    /// Ends it, and with it whatever was under way on it.
    pub(crate) async fn close(mut self) {
        if let Some(object) = self.object.take() {
            // One that can't even be closed is dropped, which does the same without a good-bye.
            let _ = timeout(ANSWERS_WITHIN, Object::take(object).connection.close()).await;
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

impl Connections {
    /// Connections that are opened when they are needed.
    pub(crate) fn new(opener: Opener) -> Result<Self, StoreError> {
        let dialect = opener.dialect;
        // The one that was used last has the newest pages in its cache: SQLite reads what another
        // connection wrote anew.
        let pool = Pool::builder(opener).max_size(POOL_SIZE).queue_mode(QueueMode::Lifo);
        let pool = pool.build().map_err(StoreError::away)?;
        let permits = Arc::new(Semaphore::new(POOL_SIZE));
        Ok(Self { pool, permits, outage: Arc::default(), dialect })
    }

    /// Waits for a connection that answers.
    pub(crate) async fn lend(&self) -> Result<Lent, StoreError> {
        self.outage.passes(Instant::now())?;
        let free = Arc::clone(&self.permits).acquire_owned();
        let permit = timeout(FREE_WITHIN, free).await.map_err(|_| StoreError::busy("all connections are in use"))?;
        let permit = permit.map_err(|_| StoreError::away("it was closed"))?;
        // A file is never away, but its disk may be slow.
        let within = if self.dialect == Dialect::Sqlite { FREE_WITHIN } else { ANSWERS_WITHIN };
        let connected = timeout(within, self.connected()).await.unwrap_or_else(|_| {
            let seconds = within.as_secs();
            Err(StoreError::away(format!("no answer within {seconds} s")))
        });
        if self.dialect == Dialect::Postgres {
            self.note(connected.as_ref().err());
        }
        Ok(Lent { object: Some(connected?), _permit: permit })
    }

    /// A connection that is idle and alive, or else a new one.
    async fn connected(&self) -> Result<Object<Opener>, StoreError> {
        if self.dialect == Dialect::Postgres && self.pool.status().available > 0 {
            match timeout(ALIVE_WITHIN, self.pool.get()).await {
                Ok(connected) => return connected.map_err(why_not),
                // Those that are idle are no better than the one that was tried.
                Err(_) => drop(self.pool.retain(|_, _| false)),
            }
        }
        self.pool.get().await.map_err(why_not)
    }

    /// Waits for a statement's answer. One that takes long on PostgreSQL is waited for only as long
    /// as its server says by another connection that it works on it: a connection that is silently
    /// gone says nothing, ever, though the server may be back.
    pub(crate) async fn watch<T>(
        &self,
        backend: Option<Backend>,
        statement: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(backend) = backend else { return statement.await };
        let mut statement = std::pin::pin!(statement);
        loop {
            if let Ok(answer) = timeout(ANSWERS_WITHIN, &mut statement).await {
                return answer;
            }
            match timeout(ANSWERS_WITHIN, self.pool.manager().is_at_work(backend)).await {
                Ok(Ok(true)) => {}
                // It has no connection left to be asked by, so it is there.
                Ok(Err(error)) if Trouble::of_sql(&error) == Some(Trouble::Busy) => {}
                Ok(Ok(false)) => {
                    if let Ok(answer) = timeout(ARRIVES_WITHIN, &mut statement).await {
                        return answer;
                    }
                    // Those that nobody uses now have gone the same way.
                    drop(self.pool.retain(|_, _| false));
                    return Err(StoreError::away("the connection was lost in the middle of a statement").into_sql());
                }
                _ => {
                    let away = StoreError::away("it stopped to answer in the middle of a statement");
                    self.note(Some(&away));
                    return Err(away.into_sql());
                }
            }
        }
    }

    /// Notes what came of asking the database. Where it did not answer, the connections that wait
    /// are no better than the one that was tried: each would be waited for in its turn, once
    /// another machine answers at the same address.
    fn note(&self, error: Option<&StoreError>) {
        self.outage.note(error, Instant::now());
        if error.is_some() {
            drop(self.pool.retain(|_, _| false));
        }
    }

    /// Which database it is.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What was noted of outages.
    pub(crate) fn outage(&self) -> &Outage {
        &self.outage
    }

    /// Closes all connections, those in use after their statements.
    pub(crate) async fn close(&self) {
        // One that hears nothing any more is not waited for.
        let all = self.permits.acquire_many(u32::try_from(POOL_SIZE).unwrap_or(u32::MAX));
        let _all = timeout(ANSWERS_WITHIN, all).await;
        for session in self.pool.retain(|_, _| false).removed {
            // What can't be closed in an orderly way ends with the process.
            let _ = timeout(ANSWERS_WITHIN, session.connection.close()).await;
        }
        self.permits.close();
    }
}

/// Why no connection could be had, in the database's words.
fn why_not(error: PoolError<Error>) -> StoreError {
    match error {
        PoolError::Backend(Error::Io(error)) => StoreError::away(error),
        // A disk that is full, and the like.
        PoolError::Backend(error) if Trouble::of_sql(&error).is_some() => error.into(),
        PoolError::Backend(error) => StoreError::away(error),
        other => StoreError::away(other),
    }
}

/// Whether a connection can be used again after a statement of it failed so.
pub(crate) fn leaves_connection_sound(error: &Error) -> bool {
    matches!(error, Error::Database(_) | Error::RowNotFound | Error::ColumnDecode { .. } | Error::Encode(_))
        && Trouble::of_sql(error).is_none_or(|trouble| trouble == Trouble::Busy)
}

impl<'c> Executor<'c> for &'c Connections {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let all = async move {
            let query = takeable(query)?;
            let mut lent = self.lend().await.map_err(StoreError::into_sql)?;
            let all: Result<Vec<_>, Error> =
                self.watch(lent.backend(), lent.connection().fetch_many(query).try_collect()).await;
            if all.as_ref().err().is_none_or(leaves_connection_sound) {
                lent.give_back();
            }
            Ok::<_, Error>(stream::iter(all?.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(async move {
            let query = takeable(query)?;
            let mut lent = self.lend().await.map_err(StoreError::into_sql)?;
            let row = self.watch(lent.backend(), lent.connection().fetch_optional(query)).await;
            if row.as_ref().err().is_none_or(leaves_connection_sound) {
                lent.give_back();
            }
            row
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let mut lent = self.lend().await.map_err(StoreError::into_sql)?;
            let prepared = self.watch(lent.backend(), lent.connection().prepare_with(sql, parameters)).await;
            if prepared.is_ok() {
                lent.give_back();
            }
            prepared
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let mut lent = self.lend().await.map_err(StoreError::into_sql)?;
            let described = self.watch(lent.backend(), lent.connection().describe(sql)).await;
            if described.is_ok() {
                lent.give_back();
            }
            described
        })
    }
}
