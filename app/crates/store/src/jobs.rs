//! The queue of background work.

use crate::columns::{get, get_count, get_time_opt};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx};
use domain::ids::JobId;
use domain::job::Job;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

/// How long a claimed job belongs to its worker: longer than the longest step (a first clone renews
/// its lease).
pub const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// A job that this worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its number.
    pub id: JobId,
    /// What to do.
    pub job: Job,
    /// How often it was begun, this time included. More than one: an earlier attempt failed or
    /// died.
    pub attempts: u32,
    version: i64,
    /// Until when it is this worker's; no two workers hold it until the same moment.
    locked_until: Timestamp,
}

/// The queue in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Jobs that wait or run.
    pub length: u64,
    /// When the oldest of them was asked for.
    pub oldest_at: Option<Timestamp>,
    /// Jobs that failed at least once.
    pub failing: u64,
}

/// Asks for a job, not before `run_at`. A job asked for again while it waits runs once; while it
/// runs, once more.
pub(crate) async fn enqueue_in(tx: &mut Tx, job: Job, run_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let once_more = "DO UPDATE SET
         version = jobs.version + 1,
         run_at_ms = CASE WHEN jobs.run_at_ms < excluded.run_at_ms THEN jobs.run_at_ms ELSE excluded.run_at_ms END,
         turn_ms = CASE WHEN jobs.turn_ms < excluded.turn_ms THEN jobs.turn_ms ELSE excluded.turn_ms END";
    insert_in(tx, job, Due { run_at, turn: run_at }, now, once_more).await
}

/// Asks for a new job, due at once, that lets those go first whose turn is earlier.
pub(crate) async fn enqueue_in_turn_in(
    tx: &mut Tx,
    job: Job,
    turn: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert_in(tx, job, Due { run_at: now, turn }, now, "DO NOTHING").await
}

/// When a job is due, and its turn among those that are.
#[derive(Clone, Copy)]
struct Due {
    run_at: Timestamp,
    turn: Timestamp,
}

/// Asks for a job where none of its kind and subject waits or runs: one that failed keeps its
/// pause.
pub async fn enqueue_if_none(store: &Store, job: Job, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    insert_in(&mut tx, job, Due { run_at: now, turn: now }, now, "DO NOTHING").await?;
    tx.commit().await
}

/// Inserts a job; `if_there` is what becomes of one of its kind and subject that waits or runs.
async fn insert_in(tx: &mut Tx, job: Job, due: Due, now: Timestamp, if_there: &'static str) -> Result<(), StoreError> {
    let (kind, subject) = job.parts();
    let sql = format!(
        "INSERT INTO jobs (id, kind, subject, run_at_ms, turn_ms, locked_until_ms, attempts, version, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6) ON CONFLICT (kind, subject) {if_there}"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(tx.next_id(now))
        .bind(kind)
        .bind(subject)
        .bind(due.run_at.as_millis())
        .bind(due.turn.as_millis())
        .bind(now.as_millis())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Asks for a job by itself.
pub async fn enqueue(store: &Store, job: Job, run_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    enqueue_in(&mut tx, job, run_at, now).await?;
    tx.commit().await
}

/// Claims the job whose turn it is of those that are due, if there is one; counts the attempt
/// before it is made.
pub async fn claim(store: &Store, now: Timestamp) -> Result<Option<Claim>, StoreError> {
    // Looking first costs no write lock: most of the time nothing is due.
    let due = sqlx::query("SELECT id FROM jobs WHERE run_at_ms <= $1 AND locked_until_ms <= $1 LIMIT 1")
        .bind(now.as_millis())
        .fetch_optional(&store.pool)
        .await?;
    if due.is_none() {
        return Ok(None);
    }
    let mut tx = store.begin().await?;
    // The sign keeps both databases to the index of turns: they would sort all that is due.
    // The outer condition is asked again once the row is locked, so two workers on PostgreSQL never
    // hold one job.
    let row = sqlx::query(
        "UPDATE jobs SET locked_until_ms = $2, attempts = attempts + 1
         WHERE locked_until_ms <= $1 AND id = (
             SELECT id FROM jobs WHERE +run_at_ms <= $1 AND locked_until_ms <= $1 ORDER BY turn_ms, id LIMIT 1)
         RETURNING id, kind, subject, attempts, version",
    )
    .bind(now.as_millis())
    .bind((now + LEASE).as_millis())
    .fetch_optional(tx.conn())
    .await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(None) };
    let kind: String = get(&row, "kind")?;
    let job = Job::from_parts(&kind, get(&row, "subject")?)
        .ok_or_else(|| StoreError::content("jobs.kind", format!("no job is called {kind:?}")))?;
    Ok(Some(Claim {
        id: JobId(get(&row, "id")?),
        job,
        attempts: u32::try_from(get::<i64>(&row, "attempts")?).unwrap_or(u32::MAX),
        version: get(&row, "version")?,
        locked_until: now + LEASE,
    }))
}

/// Ends a job that was done; asked for again meanwhile, it runs once more. Here and below: a job
/// that another worker holds by now, because this one was stopped for longer than its lease, is
/// left to that one.
pub async fn finish(store: &Store, claim: &Claim) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let done = sqlx::query("DELETE FROM jobs WHERE id = $1 AND version = $2 AND locked_until_ms = $3")
        .bind(claim.id.0)
        .bind(claim.version)
        .bind(claim.locked_until.as_millis())
        .execute(tx.conn())
        .await?
        .rows_affected();
    if done == 0 {
        sqlx::query(
            "UPDATE jobs SET locked_until_ms = 0, attempts = 0, error = NULL WHERE id = $1 AND locked_until_ms = $2",
        )
        .bind(claim.id.0)
        .bind(claim.locked_until.as_millis())
        .execute(tx.conn())
        .await?;
    }
    tx.commit().await
}

/// Records why an attempt failed, and puts the job back, to run at `run_at`.
pub async fn record_failed(store: &Store, claim: &Claim, run_at: Timestamp, why: &str) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE jobs SET locked_until_ms = 0, run_at_ms = $2, turn_ms = $2, error = $3 WHERE id = $1 AND locked_until_ms = $4",
    )
    .bind(claim.id.0)
    .bind(run_at.as_millis())
    .bind(why)
    .bind(claim.locked_until.as_millis());
    execute(store, statement).await
}

/// Puts a job back of which there is more, from `at` on; at once where it was asked for again
/// meanwhile.
pub async fn requeue(store: &Store, claim: &Claim, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE jobs SET locked_until_ms = 0, attempts = 0, error = NULL,
             run_at_ms = CASE WHEN version = $2 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END,
             turn_ms = CASE WHEN version = $2 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END
         WHERE id = $1 AND locked_until_ms = $5",
    )
    .bind(claim.id.0)
    .bind(claim.version)
    .bind(at.as_millis())
    .bind(now.as_millis())
    .bind(claim.locked_until.as_millis());
    execute(store, statement).await
}

/// Holds a job for another lease: for steps that take long. `false`: another worker holds it.
pub async fn renew(store: &Store, claim: &mut Claim, now: Timestamp) -> Result<bool, StoreError> {
    let until = now.max(claim.locked_until - LEASE) + LEASE;
    let mut tx = store.begin().await?;
    let held = sqlx::query("UPDATE jobs SET locked_until_ms = $2 WHERE id = $1 AND locked_until_ms = $3")
        .bind(claim.id.0)
        .bind(until.as_millis())
        .bind(claim.locked_until.as_millis())
        .execute(tx.conn())
        .await?
        .rows_affected();
    tx.commit().await?;
    claim.locked_until = until;
    Ok(held > 0)
}

/// Frees jobs that a killed process held, at the start of the only process on a SQLite file.
pub async fn release_all(store: &Store) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE jobs SET locked_until_ms = 0 WHERE locked_until_ms > 0");
    execute(store, statement).await
}

/// The queue in figures.
pub async fn queue_state(store: &Store) -> Result<QueueState, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS length, MIN(created_at_ms) AS oldest,
                CAST(COALESCE(SUM(CASE WHEN error IS NULL THEN 0 ELSE 1 END), 0) AS BIGINT) AS failing FROM jobs",
    )
    .fetch_one(&store.pool)
    .await?;
    Ok(QueueState {
        length: get_count(&row, "length")?,
        oldest_at: get_time_opt(&row, "oldest")?,
        failing: get_count(&row, "failing")?,
    })
}
