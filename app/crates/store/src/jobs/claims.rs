//! The life of a claimed job: begun, renewed, and ended in one of its ways.

use super::Claim;
use super::lease::{Fence, lease_clock, take_over_in};
use crate::columns::{get, get_count};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx};
use domain::ids::JobId;
use domain::job::{Job, MOST_DEATHS};
use domain::timestamp::{Timestamp, millis};
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How long a claimed job belongs to its worker unless it is renewed.
pub const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// Which jobs are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// Those that never took their process with them.
    Ordinary,
    /// The same without [`Job::Fetch`]: as many repositories are being fetched as may be.
    AllButFetches,
    /// The same without [`Job::Deliver`] and [`Job::Storm`]: as many mails are being sent as may
    /// be.
    AllButMails,
    /// Without all of these.
    AllButFetchesAndMails,
    /// Those that ran when their process ended or that panicked, and whose holder did not renew
    /// them: what was tried least often is first.
    Suspects,
}

impl Among {
    /// A job of this kind that may be claimed; $1 is the program's clock, $2 that of leases.
    fn condition(self) -> &'static str {
        match self {
            // The sign keeps both databases to the index of turns: they would sort all that is due.
            Self::Ordinary => "+run_at_ms <= $1 AND holder IS NULL AND deaths = 0 AND $2 = $2",
            Self::AllButFetches => "+run_at_ms <= $1 AND holder IS NULL AND deaths = 0 AND $2 = $2 AND kind <> 'fetch'",
            Self::AllButMails => {
                "+run_at_ms <= $1 AND holder IS NULL AND deaths = 0 AND $2 = $2 AND kind NOT IN ('deliver', 'storm')"
            }
            Self::AllButFetchesAndMails => {
                "+run_at_ms <= $1 AND holder IS NULL AND deaths = 0 AND $2 = $2
                     AND kind NOT IN ('fetch', 'deliver', 'storm')"
            }
            Self::Suspects => {
                "((holder IS NULL AND deaths > 0 AND run_at_ms <= $1) OR (holder IS NOT NULL AND locked_until_ms <= $2))"
            }
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Ordinary | Self::AllButFetches | Self::AllButMails | Self::AllButFetchesAndMails => "turn_ms, id",
            Self::Suspects => "deaths, run_at_ms, id",
        }
    }
}

/// Claims the job whose turn it is of those that are due, if there is one, for this long; counts
/// the attempt before it is made. A job that somebody else held and did not renew has lived through
/// another death.
pub async fn claim(
    store: &Store,
    among: Among,
    lease: SignedDuration,
    now: Timestamp,
) -> Result<Option<Claim>, StoreError> {
    loop {
        let clock = lease_clock(store).await?;
        // Looking first costs no write lock: most of the time nothing is due.
        let Some(id) = first_due(store, among, now, clock).await? else { return Ok(None) };
        let mut tx = store.begin_lazily().await?;
        if among == Among::Suspects && !take_over_in(&mut tx, store.dialect, id).await? {
            return Ok(None);
        }
        let claimed = claim_in(&mut tx, (id, among), (clock, lease), now).await?;
        tx.commit().await?;
        if claimed.is_some() {
            return Ok(claimed);
        }
        // Another worker was faster: there may be a next one.
    }
}

/// Whether a job waits that is to be tried by itself.
pub async fn is_suspect_due(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let clock = lease_clock(store).await?;
    Ok(first_due(store, Among::Suspects, now, clock).await?.is_some())
}

async fn first_due(store: &Store, among: Among, now: Timestamp, clock: i64) -> Result<Option<JobId>, StoreError> {
    let sql = format!("SELECT id FROM jobs WHERE {} ORDER BY {} LIMIT 1", among.condition(), among.order());
    let query = sqlx::query(AssertSqlSafe(sql)).bind(now.as_millis()).bind(clock);
    query.fetch_optional(&store.pool).await?.map(|row| Ok(JobId(get(&row, "id")?))).transpose()
}

/// Claims this job, if it still may be: the condition is asked again once the row is locked, so two
/// workers on PostgreSQL never hold one job.
async fn claim_in(
    tx: &mut Tx,
    (id, among): (JobId, Among),
    (clock, lease): (i64, SignedDuration),
    now: Timestamp,
) -> Result<Option<Claim>, StoreError> {
    let holder = tx.next_id(now);
    let sql = format!(
        "UPDATE jobs SET locked_until_ms = $3, holder = $4, attempts = attempts + 1,
             deaths = deaths + CASE WHEN holder IS NULL THEN 0 ELSE 1 END
         WHERE id = $5 AND {} RETURNING kind, subject, attempts, deaths, version, error",
        among.condition()
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(now.as_millis())
        .bind(clock)
        .bind(clock.saturating_add(millis(lease)))
        .bind(holder)
        .bind(id.0)
        .fetch_optional(tx.conn())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let kind: String = get(&row, "kind")?;
    let job = Job::from_parts(&kind, get(&row, "subject")?)
        .ok_or_else(|| StoreError::content("jobs.kind", format!("no job is called {kind:?}")))?;
    Ok(Some(Claim {
        id,
        job,
        attempts: u32::try_from(get_count(&row, "attempts")?).unwrap_or(u32::MAX),
        deaths: u32::try_from(get_count(&row, "deaths")?).unwrap_or(u32::MAX),
        error: get(&row, "error")?,
        version: get(&row, "version")?,
        holder,
    }))
}

impl Claim {
    fn fence(&self) -> Fence {
        Fence { job: self.id, holder: self.holder }
    }
}

impl Store {
    /// The database as the holder of a job writes to it: each write transaction proves first that
    /// the job is still this claim's, and fails with [`StoreError::LeaseLost`] where it is not.
    pub fn held_by(&self, claim: &Claim) -> Self {
        Self { fence: Some(claim.fence()), under_way: Arc::default(), ..self.clone() }
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
        if self.fence.is_none() {
            return Ok(());
        }
        self.begin().await?.commit().await
    }
}

/// Ends a job that was done; asked for again meanwhile, it runs once more. Here and below: a job
/// that another worker holds by now is left to that one.
pub async fn finish(store: &Store, claim: &Claim) -> Result<(), StoreError> {
    let mut tx = store.begin_lazily().await?;
    let done = sqlx::query("DELETE FROM jobs WHERE id = $1 AND version = $2 AND holder = $3")
        .bind(claim.id.0)
        .bind(claim.version)
        .bind(claim.holder)
        .execute(tx.conn())
        .await?
        .rows_affected();
    if done == 0 {
        sqlx::query(
            "UPDATE jobs SET locked_until_ms = 0, holder = NULL, attempts = 0, deaths = 0, set_aside_at_ms = NULL,
                 error = NULL WHERE id = $1 AND holder = $2",
        )
        .bind(claim.id.0)
        .bind(claim.holder)
        .execute(tx.conn())
        .await?;
    }
    tx.commit().await
}

/// Records why an attempt failed, and puts the job back, to run at `run_at`. It came to an end, so
/// deaths before it were not the job's doing: it need not run by itself while it waits for others.
pub async fn record_failed(store: &Store, claim: &Claim, run_at: Timestamp, why: &str) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE jobs SET locked_until_ms = 0, holder = NULL, deaths = 0, run_at_ms = $2, turn_ms = $2,
             set_aside_at_ms = NULL, error = $3 WHERE id = $1 AND holder = $4",
    )
    .bind(claim.id.0)
    .bind(run_at.as_millis())
    .bind(why)
    .bind(claim.holder);
    execute(store, statement).await
}

/// Records that an attempt panicked, which counts as a death, and puts the job back.
pub async fn record_panicked(store: &Store, claim: &Claim, run_at: Timestamp, why: &str) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE jobs SET locked_until_ms = 0, holder = NULL, run_at_ms = $2, turn_ms = $2, deaths = deaths + 1, error = $3
         WHERE id = $1 AND holder = $4",
    )
    .bind(claim.id.0)
    .bind(run_at.as_millis())
    .bind(why)
    .bind(claim.holder);
    execute(store, statement).await
}

/// Sets a job aside that died as often as it may: it is tried once more at `run_at`, whoever asks
/// for it before.
pub async fn set_aside(
    store: &Store,
    claim: &Claim,
    run_at: Timestamp,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE jobs SET locked_until_ms = 0, holder = NULL, run_at_ms = $2, turn_ms = $2, set_aside_at_ms = $3, error = $4,
             deaths = $5 WHERE id = $1 AND holder = $6",
    )
    .bind(claim.id.0)
    .bind(run_at.as_millis())
    .bind(now.as_millis())
    .bind(why)
    // The next attempt is its last, until it is set aside again.
    .bind(i64::from(MOST_DEATHS) - 1)
    .bind(claim.holder);
    execute(store, statement).await
}

/// Puts a job back of which there is more, from `at` on; at once where it was asked for again
/// meanwhile.
pub async fn requeue(store: &Store, claim: &Claim, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE jobs SET locked_until_ms = 0, holder = NULL, attempts = 0, deaths = 0, set_aside_at_ms = NULL,
             error = NULL, run_at_ms = CASE WHEN version = $2 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END,
             turn_ms = CASE WHEN version = $2 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END
         WHERE id = $1 AND holder = $5",
    )
    .bind(claim.id.0)
    .bind(claim.version)
    .bind(at.as_millis())
    .bind(now.as_millis())
    .bind(claim.holder);
    execute(store, statement).await
}

/// Puts a job back as it was: its attempt did not get to an end, and nothing says that this was the
/// job's doing.
pub async fn put_back(store: &Store, claim: &Claim) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE jobs SET locked_until_ms = 0, holder = NULL WHERE id = $1 AND holder = $2")
        .bind(claim.id.0)
        .bind(claim.holder);
    execute(store, statement).await
}

/// Holds a job for another lease. `false`: another worker holds it.
pub async fn renew(store: &Store, claim: &Claim, lease: SignedDuration) -> Result<bool, StoreError> {
    let until = lease_clock(store).await?.saturating_add(millis(lease));
    let mut tx = store.begin().await?;
    let held = sqlx::query("UPDATE jobs SET locked_until_ms = $2 WHERE id = $1 AND holder = $3")
        .bind(claim.id.0)
        .bind(until)
        .bind(claim.holder)
        .execute(tx.conn())
        .await?
        .rows_affected();
    tx.commit().await?;
    Ok(held > 0)
}

/// Frees the jobs that ran when the last process ended, at the start of the only one on a SQLite
/// file; how many there were. Each has lived through a death.
pub async fn release_all(store: &Store) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let freed =
        sqlx::query("UPDATE jobs SET locked_until_ms = 0, holder = NULL, deaths = deaths + 1 WHERE holder IS NOT NULL")
            .execute(tx.conn())
            .await?
            .rows_affected();
    tx.commit().await?;
    Ok(freed)
}
