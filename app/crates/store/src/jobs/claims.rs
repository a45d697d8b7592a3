//! The life of a claimed job: begun, renewed, and ended in one of its ways.

use super::Claim;
use super::lease::{end_in, lease_clock, take_over_in};
use crate::columns::{get, get_count, get_time};
use crate::fence::in_order;
use crate::transaction::{execute, fetch_at_once};
use crate::{Dialect, Store, StoreError};
use domain::ids::JobId;
use domain::job::{Job, MOST_DEATHS, is_batched};
use domain::timestamp::{Timestamp, millis};
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::sync::Arc;

/// How long a claimed job belongs to its worker unless it is renewed.
pub const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// Jobs that are claimed at once at most: what is written of them in one transaction keeps reports
/// that come in waiting for some milliseconds only.
pub const BATCH: usize = 16;

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
    /// A job of this kind that may be claimed, by the program's clock and that of leases.
    fn condition(self, now: &str, clock: &str) -> String {
        // The sign keeps both databases to the index of turns: they would sort all that is due.
        let ordinary = format!("+run_at_ms <= {now} AND holder IS NULL AND deaths = 0");
        match self {
            Self::Ordinary => ordinary,
            Self::AllButFetches => format!("{ordinary} AND kind <> 'fetch'"),
            Self::AllButMails => format!("{ordinary} AND kind NOT IN ('deliver', 'storm')"),
            Self::AllButFetchesAndMails => format!("{ordinary} AND kind NOT IN ('fetch', 'deliver', 'storm')"),
            Self::Suspects => format!(
                "((holder IS NULL AND deaths > 0 AND run_at_ms <= {now})
                     OR (holder IS NOT NULL AND locked_until_ms <= {clock}))"
            ),
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Ordinary | Self::AllButFetches | Self::AllButMails | Self::AllButFetchesAndMails => "turn_ms, id",
            Self::Suspects => "deaths, run_at_ms, id",
        }
    }
}

/// Jobs that were claimed together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// In the order of their turns, all of one kind.
    pub claims: Vec<Claim>,
    /// Whether more were due.
    pub is_more: bool,
}

/// Claims the jobs whose turn it is of those that are due: one, or as many of its kind as follow it
/// and are done in batches ([`is_batched`]), up to [`BATCH`].
///
/// # Errors
/// The database is out of reach.
pub async fn claim_batch(
    store: &Store,
    among: Among,
    lease: SignedDuration,
    now: Timestamp,
) -> Result<Batch, StoreError> {
    claim_up_to(store, (among, BATCH), lease, now).await
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
    if among != Among::Suspects {
        return Ok(claim_up_to(store, (among, 1), lease, now).await?.claims.pop());
    }
    loop {
        let clock = lease_clock(store).await?;
        let due = due(store, (among, 1), &[], now, clock).await?;
        let Some((id, _)) = due.first() else { return Ok(None) };
        let mut tx = store.begin_lazily().await?;
        if !take_over_in(&mut tx, *id).await? {
            return Ok(None);
        }
        let sql = claiming(store, (among, &[*id]), (clock, lease), now);
        let claimed = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(tx.conn()).await?;
        tx.commit().await?;
        // Another worker was faster: there may be a next one.
        if let Some(row) = claimed.first() {
            return read(row).map(Some);
        }
    }
}

/// The same of [`claim_batch`] for so many at most.
async fn claim_up_to(
    store: &Store,
    (among, most): (Among, usize),
    lease: SignedDuration,
    now: Timestamp,
) -> Result<Batch, StoreError> {
    // Those that somebody else is about to claim, or to ask for once more.
    let mut taken: Vec<JobId> = Vec::new();
    loop {
        let clock = lease_clock(store).await?;
        // Looking first costs no write lock: most of the time nothing is due.
        let due = due(store, (among, most + 1), &taken, now, clock).await?;
        let Some((_, first)) = due.first() else { return Ok(Batch::default()) };
        let most = if is_batched(first) { most } else { 1 };
        let ids: Vec<JobId> = due.iter().take(most).take_while(|(_, kind)| kind == first).map(|(id, _)| *id).collect();
        let sql = claiming(store, (among, &ids), (clock, lease), now);
        let rows = fetch_at_once(store, sql).await?;
        if !rows.is_empty() {
            let mut claims: Vec<Claim> = rows.iter().map(read).collect::<Result<_, StoreError>>()?;
            claims.sort_by_key(|claim| ids.iter().position(|id| *id == claim.id));
            return Ok(Batch { claims, is_more: due.len() > ids.len() });
        }
        taken.extend(ids);
    }
}

/// Whether a job waits that is to be tried by itself.
pub async fn is_suspect_due(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let clock = lease_clock(store).await?;
    Ok(!due(store, (Among::Suspects, 1), &[], now, clock).await?.is_empty())
}

/// The first that are due but for these, with the kind of each.
async fn due(
    store: &Store,
    (among, most): (Among, usize),
    but: &[JobId],
    now: Timestamp,
    clock: i64,
) -> Result<Vec<(JobId, String)>, StoreError> {
    let but = if but.is_empty() { String::new() } else { format!("AND id NOT IN ({})", listed(but)) };
    let sql = format!(
        "SELECT id, kind FROM jobs WHERE {} AND $2 = $2 {but} ORDER BY {} LIMIT $3",
        among.condition("$1", "$2"),
        among.order()
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(now.as_millis()).bind(clock);
    let rows = query.bind(i64::try_from(most).unwrap_or(i64::MAX)).fetch_all(&store.pool).await?;
    rows.iter().map(|row| Ok((JobId(get(row, "id")?), get(row, "kind")?))).collect()
}

fn listed(ids: &[JobId]) -> String {
    ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ")
}

/// The statement that claims these jobs. The condition is asked again once a row is locked, so two
/// workers on PostgreSQL never hold one job; nobody waits there for a row that another one is
/// about to claim.
fn claiming(
    store: &Store,
    (among, ids): (Among, &[JobId]),
    (clock, lease): (i64, SignedDuration),
    now: Timestamp,
) -> String {
    let condition = among.condition(&now.as_millis().to_string(), &clock.to_string());
    let free = match store.dialect {
        Dialect::Sqlite => listed(ids),
        Dialect::Postgres => format!("SELECT id FROM jobs WHERE id IN ({}) FOR UPDATE SKIP LOCKED", listed(ids)),
    };
    format!(
        "UPDATE jobs SET locked_until_ms = {}, holder = {}, attempts = attempts + 1,
             deaths = deaths + CASE WHEN holder IS NULL THEN 0 ELSE 1 END
         WHERE id IN ({free}) AND {condition}
         RETURNING id, kind, subject, attempts, deaths, version, error, holder, turn_ms",
        clock.saturating_add(millis(lease)),
        store.ids.next(now),
    )
}

fn read(row: &AnyRow) -> Result<Claim, StoreError> {
    let kind: String = get(row, "kind")?;
    let job = Job::from_parts(&kind, get(row, "subject")?)
        .ok_or_else(|| StoreError::content("jobs.kind", format!("no job is called {kind:?}")))?;
    Ok(Claim {
        id: JobId(get(row, "id")?),
        job,
        attempts: u32::try_from(get_count(row, "attempts")?).unwrap_or(u32::MAX),
        deaths: u32::try_from(get_count(row, "deaths")?).unwrap_or(u32::MAX),
        error: get(row, "error")?,
        turn: get_time(row, "turn_ms")?,
        version: get(row, "version")?,
        holder: get(row, "holder")?,
    })
}

/// Ends a job that was done; asked for again meanwhile, it runs once more. Here and below: a job
/// that another worker holds by now is left to that one. Most end with the last transaction of
/// their step already.
pub async fn finish(store: &Store, claim: &Claim) -> Result<(), StoreError> {
    if store.has_ended(claim) {
        return Ok(());
    }
    let mut tx = store.begin_lazily().await?;
    end_in(&mut tx, &store.held_by(claim), &[claim.job]).await?;
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

/// Puts jobs back that were claimed with others, and not begun: that attempt does not count.
pub async fn put_back_unbegun(store: &Store, claims: &[&Claim]) -> Result<(), StoreError> {
    let Some(first) = claims.first() else { return Ok(()) };
    let ids: Vec<JobId> = claims.iter().map(|claim| claim.id).collect();
    let sql = format!(
        "UPDATE jobs SET locked_until_ms = 0, holder = NULL, attempts = attempts - 1 WHERE holder = {} AND id IN ({})",
        first.holder,
        in_order(store.dialect, listed(&ids))
    );
    fetch_at_once(store, sql).await.map(drop)
}

/// Holds the jobs in whose name this store writes for another lease, but for those that ended.
/// `false`: another worker holds one of them.
pub async fn renew(store: &Store, lease: SignedDuration) -> Result<bool, StoreError> {
    let Some(fence) = &store.fence else { return Ok(true) };
    let until = lease_clock(store).await?.saturating_add(millis(lease));
    let sql = fence.renewal(store.dialect, until);
    let Some(sql) = sql else { return Ok(true) };
    // Not counted among what the step writes: that goes on while its lease is in doubt.
    let mut tx = Store { fence: None, under_way: Arc::default(), ..store.clone() }.begin().await?;
    let held = sqlx::raw_sql(AssertSqlSafe(sql)).execute(tx.conn()).await?.rows_affected();
    tx.commit().await?;
    // Some may have ended meanwhile.
    Ok(held >= u64::try_from(fence.open().len()).unwrap_or(u64::MAX))
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
