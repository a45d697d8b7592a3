//! Leases: whose a job is, by a clock that no operator sets.
//!
//! Ownership is a number, not a moment: a job is its holder's until somebody else claims it. Time
//! only says from when on somebody may, and it is the database's on PostgreSQL, which all replicas
//! share, and this process's uptime on SQLite, whose file one server has for itself. So a machine's
//! clock that leaps takes no job from anybody.

use super::Claim;
use crate::columns::get;
use crate::dialect::Dialect;
use crate::fence::{Fence, FencedJob};
use crate::{Store, StoreError, Tx};
use domain::ids::JobId;
use domain::job::Job;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Store {
    /// The database as the holder of a job writes to it: each write transaction proves first that
    /// the job is still this claim's, and fails with [`StoreError::LeaseLost`] where it is not, or
    /// ended.
    pub fn held_by(&self, claim: &Claim) -> Self {
        self.held_by_all(std::slice::from_ref(claim))
    }

    /// The same of jobs that were claimed together.
    pub fn held_by_all(&self, claims: &[Claim]) -> Self {
        let jobs = claims.iter().map(|claim| FencedJob {
            id: claim.id,
            job: claim.job,
            version: claim.version,
            turn: claim.turn,
        });
        let fence = claims.first().map(|first| Fence::new(first.holder, jobs));
        Self { fence, under_way: Arc::default(), ..self.clone() }
    }

    /// Of those that were claimed together, in the name of this one alone.
    #[must_use]
    pub fn of_one(&self, claim: &Claim) -> Self {
        Self { fence: self.fence.as_ref().map(|fence| fence.of_one(claim.id)), ..self.clone() }
    }

    /// Whether a job ended with the last transaction of its step.
    pub fn has_ended(&self, claim: &Claim) -> bool {
        self.fence.as_ref().is_some_and(|fence| fence.is_over(claim.id))
    }

    /// The turn of what follows at `now` from a job in whose name this is used: not before that
    /// job's own, so that whoever was to wait does not overtake by what they lead to.
    pub(crate) fn turn_after(&self, job: Job, now: Timestamp) -> Timestamp {
        self.fence.as_ref().and_then(|fence| fence.turn(job)).map_or(now, |turn| turn.max(now))
    }

    /// Whether the holder of a job is in the middle of a write transaction, or waits for its turn
    /// to write. Who stands still there holds up everybody who writes, and need not: a transaction
    /// proves by itself that the job is still its holder's.
    pub fn is_writing(&self) -> bool {
        self.under_way.load(Ordering::Acquire) > 0
    }

    /// Proves that the job in whose name this is used is still its claim's: right before something
    /// is done outside that can't be taken back.
    pub async fn prove_lease(&self) -> Result<(), StoreError> {
        let Some(fence) = &self.fence else { return Ok(()) };
        let held = fence.held().ok_or(StoreError::LeaseLost)?;
        let row = sqlx::raw_sql(AssertSqlSafe(held)).fetch_one(&self.pool).await?;
        // The holder is asked once more whether the job goes on before anything follows.
        tokio::task::yield_now().await;
        if get::<i64>(&row, "held")? == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}

/// Ends these jobs with the transaction, where it is in their name: the last one of a step.
pub(crate) async fn end_in(tx: &mut Tx, store: &Store, jobs: &[Job]) -> Result<(), StoreError> {
    let Some((ending, sql)) = store.fence.as_ref().and_then(|fence| fence.ending(store.dialect, jobs)) else {
        return Ok(());
    };
    tx.ends_with(ending);
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(tx.conn()).await?;
    Ok(())
}

/// Takes over a job whose holder did not renew it, until the end of the transaction; `false`: its
/// holder is writing just now. It waits for nobody: the job's row itself is locked by all who ask
/// for it once more, in whatever order, and would be one lock too many for transactions that touch
/// several rows. On SQLite a write transaction is alone anyway.
pub(super) async fn take_over_in(tx: &mut Tx, job: JobId) -> Result<bool, StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(true);
    }
    let sql = "SELECT CAST(CAST(pg_try_advisory_xact_lock($1) AS INT) AS BIGINT) AS locked";
    let row = sqlx::query(sql).bind(job.0).fetch_one(tx.conn()).await?;
    Ok(get::<i64>(&row, "locked")? == 1)
}

/// Milliseconds of the clock that leases go by; only differences of it mean anything.
pub(crate) async fn lease_clock(store: &Store) -> Result<i64, StoreError> {
    match store.dialect {
        Dialect::Sqlite => Ok(i64::try_from(store.opened.elapsed().as_millis()).unwrap_or(i64::MAX)),
        Dialect::Postgres => {
            let row = sqlx::query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now")
                .fetch_one(&store.pool)
                .await?;
            get(&row, "now")
        }
    }
}
