//! The jobs that have waited or run for longest, and those whose holder is not heard of: what shows
//! from outside that workers are stuck, or that another process is frozen.

use super::claims::LEASE;
use super::lease::lease_clock;
use crate::columns::{get, get_time};
use crate::{Store, StoreError};
use domain::job::Job;
use domain::timestamp::{Timestamp, millis};
use jiff::SignedDuration;
use sqlx::any::AnyRow;

/// Jobs under way that are looked at: each process has a handful.
const MOST_HELD: i64 = 1_000;

/// The jobs to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Oldest {
    /// The job that is due for longest, and that nobody has begun.
    pub waiting: Option<Waiting>,
    /// The jobs under way, the one first whose holder has been silent for longest.
    pub held: Vec<Held>,
}

/// A job that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What it does.
    pub job: Job,
    /// Since when it is due.
    pub since: Timestamp,
}

/// A job that a process works on, or worked on when it was last heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it does.
    pub job: Job,
    /// Since when it was due.
    pub since: Timestamp,
    /// How long ago its holder last said that it is at it. Not after zero where the holder goes by
    /// another clock: SQLite's, of which only its one server knows.
    pub silent_for: SignedDuration,
}

/// The jobs that have waited or run for longest. One that has its turn later, because its key has
/// asked for much, is not due before.
pub async fn oldest(store: &Store, now: Timestamp) -> Result<Oldest, StoreError> {
    let waiting = sqlx::query(
        "SELECT kind, subject, run_at_ms FROM jobs WHERE run_at_ms <= $1 AND turn_ms <= $1 AND holder IS NULL
         ORDER BY run_at_ms, id LIMIT 1",
    )
    .bind(now.as_millis())
    .fetch_optional(&store.pool)
    .await?;
    let held = sqlx::query(
        "SELECT kind, subject, run_at_ms, locked_until_ms FROM jobs WHERE holder IS NOT NULL
         ORDER BY locked_until_ms, id LIMIT $1",
    )
    .bind(MOST_HELD)
    .fetch_all(&store.pool)
    .await?;
    let clock = lease_clock(store).await?;
    let waiting = match &waiting {
        Some(row) => job(row)?.map(|(job, since)| Waiting { job, since }),
        None => None,
    };
    let read = |row| -> Result<Option<Held>, StoreError> {
        let Some((job, since)) = job(row)? else { return Ok(None) };
        let heard_at = get::<i64>(row, "locked_until_ms")?.saturating_sub(millis(LEASE));
        let silent_for = SignedDuration::from_millis(clock.saturating_sub(heard_at));
        Ok(Some(Held { job, since, silent_for }))
    };
    let held: Result<Vec<Held>, StoreError> = held.iter().filter_map(|row| read(row).transpose()).collect();
    Ok(Oldest { waiting, held: held? })
}

/// A job of a kind that this version knows.
fn job(row: &AnyRow) -> Result<Option<(Job, Timestamp)>, StoreError> {
    let job = Job::from_parts(&get::<String>(row, "kind")?, get(row, "subject")?);
    let since = get_time(row, "run_at_ms")?;
    Ok(job.map(|job| (job, since)))
}
