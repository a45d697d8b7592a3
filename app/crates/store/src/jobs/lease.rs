//! Leases: whose a job is, by a clock that no operator sets.
//!
//! Ownership is a number, not a moment: a job is its holder's until somebody else claims it. Time
//! only says from when on somebody may, and it is the database's on PostgreSQL, which all replicas
//! share, and this process's uptime on SQLite, whose file one server has for itself. So a machine's
//! clock that leaps takes no job from anybody.

use crate::columns::get;
use crate::dialect::Dialect;
use crate::{Store, StoreError, Tx};
use domain::ids::JobId;
use sqlx::AssertSqlSafe;

/// What a [`Store`] proves before each of its write transactions: that the job is still this
/// claim's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    pub(crate) job: JobId,
    pub(crate) holder: i64,
}

impl Fence {
    /// Proves it: until the end of the transaction, nobody can claim the job.
    pub(crate) async fn prove_in(self, tx: &mut Tx, dialect: Dialect) -> Result<(), StoreError> {
        if !lock_in(tx, dialect, self.job, "pg_try_advisory_xact_lock_shared").await? {
            return Err(StoreError::LeaseLost);
        }
        let held = sqlx::query("SELECT id FROM jobs WHERE id = $1 AND holder = $2")
            .bind(self.job.0)
            .bind(self.holder)
            .fetch_optional(tx.conn())
            .await?;
        if held.is_none() { Err(StoreError::LeaseLost) } else { Ok(()) }
    }
}

/// Takes over a job whose holder did not renew it; `false`: its holder is writing just now.
pub(super) async fn take_over_in(tx: &mut Tx, dialect: Dialect, job: JobId) -> Result<bool, StoreError> {
    lock_in(tx, dialect, job, "pg_try_advisory_xact_lock").await
}

/// Locks a job's ownership until the end of the transaction, and waits for nobody: the job's row
/// itself is locked by all who ask for it once more, in whatever order, and would be one lock too
/// many for transactions that touch several rows. On SQLite a write transaction is alone anyway.
async fn lock_in(tx: &mut Tx, dialect: Dialect, job: JobId, how: &'static str) -> Result<bool, StoreError> {
    if dialect == Dialect::Sqlite {
        return Ok(true);
    }
    let sql = format!("SELECT CAST(CAST({how}($1) AS INT) AS BIGINT) AS locked");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(job.0).fetch_one(tx.conn()).await?;
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
