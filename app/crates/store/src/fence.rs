//! What a [`crate::Store`] proves before it writes in the name of jobs, and what it knows of those
//! that ended.

use crate::dialect::Dialect;
use domain::ids::JobId;
use domain::job::Job;
use domain::timestamp::Timestamp;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// In whose name a [`crate::Store`] writes: jobs of one claim. Each of its write transactions
/// proves first that they still are that claim's.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    holder: i64,
    jobs: Arc<[FencedJob]>,
    over: Arc<Over>,
}

/// A job of a claim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FencedJob {
    pub(crate) id: JobId,
    pub(crate) job: Job,
    /// As it was when it was claimed: it goes up where the job is asked for once more.
    pub(crate) version: i64,
    /// Its turn when it was claimed.
    pub(crate) turn: Timestamp,
}

/// Jobs that ended with a transaction of their own step.
#[derive(Debug, Default)]
struct Over(Mutex<HashSet<JobId>>);

impl Over {
    fn lock(&self) -> MutexGuard<'_, HashSet<JobId>> {
        // Nothing under this lock can panic half-way, so a poisoned one holds what it should.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Jobs that end where their transaction is committed.
#[derive(Debug)]
pub(crate) struct Ending {
    over: Arc<Over>,
    /// Empty once it is.
    jobs: Vec<JobId>,
}

impl Ending {
    /// The transaction was committed.
    pub(crate) fn keep(mut self) {
        self.jobs.clear();
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let mut over = self.over.lock();
        for job in &self.jobs {
            over.remove(job);
        }
    }
}

impl Fence {
    /// Of a claim, by its number.
    pub(crate) fn new(holder: i64, jobs: impl IntoIterator<Item = FencedJob>) -> Self {
        Self { holder, jobs: jobs.into_iter().collect(), over: Arc::default() }
    }

    /// The same of one of its jobs only.
    pub(crate) fn of_one(&self, id: JobId) -> Self {
        let jobs = self.jobs.iter().copied().filter(|job| job.id == id).collect();
        Self { jobs, ..self.clone() }
    }

    /// Whether a job ended.
    pub(crate) fn is_over(&self, id: JobId) -> bool {
        self.over.lock().contains(&id)
    }

    /// The turn that a job of it had.
    pub(crate) fn turn(&self, job: Job) -> Option<Timestamp> {
        self.jobs.iter().find(|one| one.job == job).map(|one| one.turn)
    }

    /// Its jobs that did not end yet.
    pub(crate) fn open(&self) -> Vec<FencedJob> {
        let over = self.over.lock();
        self.jobs.iter().copied().filter(|job| !over.contains(&job.id)).collect()
    }

    /// The statement that has them until that moment of the clock of leases. `None`: they ended.
    pub(crate) fn renewal(&self, dialect: Dialect, until: i64) -> Option<String> {
        let ids = in_order(dialect, listed(&self.open())?);
        Some(format!("UPDATE jobs SET locked_until_ms = {until} WHERE holder = {} AND id IN ({ids})", self.holder))
    }

    /// The statement without parameters that answers 1 as long as they are held by this claim, and
    /// 0 from then on. `None`: they ended, so nothing is to be written in their name.
    pub(crate) fn held(&self) -> Option<String> {
        let open = self.open();
        let (count, ids) = (open.len(), listed(&open)?);
        Some(format!(
            "SELECT CASE WHEN COUNT(*) = {count} THEN 1 ELSE 0 END AS held FROM jobs
             WHERE holder = {} AND id IN ({ids})",
            self.holder
        ))
    }

    /// The same as statements that begin a transaction: until its end, nobody can claim the jobs.
    pub(crate) fn proof(&self, dialect: Dialect) -> Option<String> {
        let held = self.held()?;
        if dialect == Dialect::Sqlite {
            return Some(held);
        }
        let lock = |job: &FencedJob| {
            format!("SELECT CAST(CAST(pg_try_advisory_xact_lock_shared({}) AS INT) AS BIGINT) AS held; ", job.id.0)
        };
        Some(self.open().iter().map(lock).collect::<String>() + &held)
    }

    /// The statements that end those of these jobs that are its own, and what takes that back where
    /// they are not committed. Asked for again meanwhile, they run once more. `None`: it has none
    /// of them.
    pub(crate) fn ending(&self, dialect: Dialect, jobs: &[Job]) -> Option<(Ending, String)> {
        let ended: Vec<FencedJob> = self.open().into_iter().filter(|job| jobs.contains(&job.job)).collect();
        let ids = listed(&ended)?;
        let same: Vec<String> =
            ended.iter().map(|job| format!("(id = {} AND version = {})", job.id.0, job.version)).collect();
        let (holder, same) = (self.holder, same.join(" OR "));
        let sql = format!(
            "DELETE FROM jobs WHERE holder = {holder} AND ({same}) AND id IN ({});
             UPDATE jobs SET locked_until_ms = 0, holder = NULL, attempts = 0, deaths = 0, set_aside_at_ms = NULL,
                 error = NULL WHERE holder = {holder} AND id IN ({ids})",
            in_order(dialect, ids.clone())
        );
        let ending = Ending { over: Arc::clone(&self.over), jobs: ended.iter().map(|job| job.id).collect() };
        self.over.lock().extend(&ending.jobs);
        Some((ending, sql))
    }
}

/// These jobs' numbers; on PostgreSQL with their rows locked in the order in which they are asked
/// for once more (`store::jobs`): two that lock them crosswise would wait for each other.
pub(crate) fn in_order(dialect: Dialect, ids: String) -> String {
    match dialect {
        Dialect::Sqlite => ids,
        Dialect::Postgres => {
            format!("SELECT id FROM jobs WHERE id IN ({ids}) ORDER BY kind, subject FOR UPDATE")
        }
    }
}

fn listed(jobs: &[FencedJob]) -> Option<String> {
    let ids: Vec<String> = jobs.iter().map(|job| job.id.0.to_string()).collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}
