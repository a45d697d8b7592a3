//! The queue of background work.

mod claims;
mod costly;
mod lease;
mod oldest;
mod set_aside;

use crate::columns::{get_count, get_time_opt};
use crate::rows::{chunks, values};
use crate::{Store, StoreError, Tx};
pub use claims::{
    Among, BATCH, Batch, LEASE, claim, claim_batch, finish, is_suspect_due, put_back, put_back_unbegun, record_failed,
    record_panicked, release_all, renew, requeue, set_aside,
};
pub(crate) use costly::Costs;
pub use costly::let_others_go_first;
use domain::ids::{JobId, LineId, RepositoryId};
use domain::job::Job;
use domain::timestamp::Timestamp;
pub(crate) use lease::{end_in, lease_clock};
pub use oldest::{Held, Oldest, Waiting, oldest};
pub use set_aside::{SetAside, list_set_aside, repository_of};
use sqlx::AssertSqlSafe;

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
    /// How many of them panicked, or were not outlived by their process.
    pub deaths: u32,
    /// Why it failed or panicked last, if it did.
    pub error: Option<String>,
    /// Its turn among those that were due: in the future where others were to go first.
    turn: Timestamp,
    version: i64,
    /// The number of this claim; no other has it.
    holder: i64,
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
    /// Jobs that are tried once a day only, because each attempt took the process with it.
    pub set_aside: u64,
}

/// Asks for a job, not before `run_at`. A job asked for again while it waits runs once; while it
/// runs, once more; one that is set aside stays so.
pub(crate) async fn enqueue_in(tx: &mut Tx, job: Job, run_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    insert_in(tx, job, Due { run_at, turn: run_at }, now, ONCE_MORE).await
}

/// The same of a decision about a line of this repository: it lets those of others go first, where
/// what the repository asked for took long.
pub(crate) async fn enqueue_decision_in(
    tx: &mut Tx,
    costs: &Costs,
    (line, repository): (LineId, RepositoryId),
    now: Timestamp,
) -> Result<(), StoreError> {
    let due = Due { run_at: now, turn: costs.turn(repository, now) };
    insert_in(tx, Job::Decide(line), due, now, ONCE_MORE).await
}

/// A decision that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AskedDecision {
    pub(crate) line: LineId,
    pub(crate) repository: RepositoryId,
    /// When its turn is, unless its repository's are later.
    pub(crate) turn: Timestamp,
}

/// The same of several lines, each once.
pub(crate) async fn enqueue_decisions_in(
    tx: &mut Tx,
    costs: &Costs,
    asked: &[AskedDecision],
    now: Timestamp,
) -> Result<(), StoreError> {
    let due =
        |one: &AskedDecision| (Job::Decide(one.line), Due { run_at: now, turn: costs.turn(one.repository, one.turn) });
    let mut asked: Vec<(Job, Due)> = asked.iter().map(due).collect();
    // Those that are there are locked in the order in which all lock several.
    asked.sort_by_key(|(job, _)| job.parts());
    insert_all_in(tx, &asked, now, ONCE_MORE).await
}

/// Asks for jobs at once, each named once, with its turn.
pub(crate) async fn enqueue_all_in(tx: &mut Tx, jobs: &[(Job, Timestamp)], now: Timestamp) -> Result<(), StoreError> {
    let asked: Vec<(Job, Due)> = jobs.iter().map(|(job, turn)| (*job, Due { run_at: now, turn: *turn })).collect();
    insert_all_in(tx, &asked, now, ONCE_MORE).await
}

/// What becomes of a job that is asked for again.
const ONCE_MORE: &str = "DO UPDATE SET
     version = jobs.version + 1,
     run_at_ms = CASE WHEN jobs.run_at_ms < excluded.run_at_ms OR jobs.set_aside_at_ms IS NOT NULL
         THEN jobs.run_at_ms ELSE excluded.run_at_ms END,
     turn_ms = CASE WHEN jobs.turn_ms < excluded.turn_ms THEN jobs.turn_ms ELSE excluded.turn_ms END";

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
    insert_all_in(tx, &[(job, due)], now, if_there).await
}

/// The same of several, each named once.
async fn insert_all_in(
    tx: &mut Tx,
    jobs: &[(Job, Due)],
    now: Timestamp,
    if_there: &'static str,
) -> Result<(), StoreError> {
    for chunk in chunks(jobs) {
        let sql = format!(
            "INSERT INTO jobs (id, kind, subject, run_at_ms, turn_ms, locked_until_ms, attempts, version, created_at_ms)
             VALUES {} ON CONFLICT (kind, subject) {if_there}",
            values(chunk.len(), 9)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (job, due) in chunk {
            let (kind, subject) = job.parts();
            query = query.bind(tx.next_id(now)).bind(kind).bind(subject).bind(due.run_at.as_millis());
            query = query.bind(due.turn.as_millis()).bind(0i64).bind(0i64).bind(0i64).bind(now.as_millis());
        }
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

/// Asks for a job by itself.
pub async fn enqueue(store: &Store, job: Job, run_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    enqueue_in(&mut tx, job, run_at, now).await?;
    tx.commit().await
}

/// The queue in figures.
pub async fn queue_state(store: &Store) -> Result<QueueState, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS length, MIN(created_at_ms) AS oldest,
                CAST(COALESCE(SUM(CASE WHEN error IS NULL THEN 0 ELSE 1 END), 0) AS BIGINT) AS failing,
                COUNT(set_aside_at_ms) AS set_aside FROM jobs",
    )
    .fetch_one(&store.pool)
    .await?;
    Ok(QueueState {
        length: get_count(&row, "length")?,
        oldest_at: get_time_opt(&row, "oldest")?,
        failing: get_count(&row, "failing")?,
        set_aside: get_count(&row, "set_aside")?,
    })
}
