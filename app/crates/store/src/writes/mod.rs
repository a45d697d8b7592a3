//! The write queue, one for each installation of the App: what waits, and what is first.

mod budget;

use crate::columns::{get, get_count, get_time_opt};
use crate::{Store, StoreError, Tx, jobs, repositories, statuses};
pub use budget::{WriteId, budget, of_last_hour, paused_until, record_answered, record_write, set_pause};
use domain::ids::{DeliveryId, DoubtId, LineId, RepositoryId, StormId};
use domain::job::Job;
use domain::pace::Rank;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;

/// Something that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteTarget {
    /// An issue or a comment.
    Delivery(DeliveryId),
    /// The issue of a storm: to be filed, or brought up to date.
    Storm(StormId),
    /// A label that the repository lacks.
    Label(RepositoryId),
    /// The status block of a line's issue.
    Status(LineId),
    /// Whether GitHub made something twice.
    Doubt(DoubtId),
    /// Whether GitHub takes what is written in the repository again.
    Look(RepositoryId),
}

/// What waits first, and of which rank it is ([`Rank::number`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextWrite {
    /// What.
    pub what: WriteTarget,
    /// Its rank.
    pub rank: i64,
}

/// An installation's queue in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteQueue {
    /// Issues and comments that wait and can be written.
    pub length: u64,
    /// When the oldest of them was decided.
    pub oldest_at: Option<Timestamp>,
}

/// Of repositories whose installation is there; $1 is its number.
const SERVED: &str =
    "r.installation = $1 AND r.removed_at_ms IS NULL AND r.suspended_at_ms IS NULL AND r.unnamed_since_ms IS NULL";

/// Of repositories that can be written to. Where GitHub refuses it, it is looked for that first.
const WRITABLE: &str = "r.installation = $1 AND r.removed_at_ms IS NULL AND r.suspended_at_ms IS NULL
    AND r.unnamed_since_ms IS NULL AND r.refused_since_ms IS NULL";

/// Of one repository, whatever it is like; $1 is its number.
const OF_ONE: &str = "r.id = $1";

/// What one installation's writer does.
const OURS: &str = "d.state = 'pending' AND d.channel IN ('issue', 'comment')";

/// The comments of one issue are read in the order in which they were decided, so a later one waits
/// for an earlier one.
const IN_TURN: &str = "(d.channel = 'issue' OR NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.line_id = d.line_id
    AND o.channel = 'comment' AND o.state = 'pending' AND o.id < d.id))";

/// A storm whose issue lacks something. One that was given up was "written" at the end of time.
const STALE: &str = "((s.issue_number IS NULL AND s.written_at_ms = 0) OR s.changed_at_ms > s.written_at_ms)";

/// A repository whose labels are still to be made.
const UNLABELLED: &str = "r.labelled_at_ms = 0";

/// What this installation writes next, of all that is due; a status only where nothing else waits.
pub async fn next(store: &Store, installation: u64, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    match next_look(store, installation, now).await? {
        None => next_within(store, (WRITABLE, installation.cast_signed()), now).await,
        look => Ok(look),
    }
}

/// What would be written next in a repository, whether GitHub refuses it or not. Where nothing of
/// it is due, that of the issues and comments which is due first.
pub async fn next_of_repository(
    store: &Store,
    id: RepositoryId,
    now: Timestamp,
) -> Result<Option<NextWrite>, StoreError> {
    match next_within(store, (OF_ONE, id.0), now).await? {
        None => next_delivery(store, (OF_ONE, id.0), Timestamp::MAX).await,
        first => Ok(first),
    }
}

/// Which repositories: a condition of `r`, and the number that it takes as $1.
type Scope = (&'static str, i64);

async fn next_within(store: &Store, scope: Scope, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    let due = [
        next_label(store, scope, now).await?,
        next_storm(store, scope, now).await?,
        next_delivery(store, scope, now).await?,
        next_doubt(store, scope, now).await?,
    ];
    match due.into_iter().flatten().min_by_key(|write| write.rank) {
        None => next_status(store, scope, now).await,
        first => Ok(first),
    }
}

async fn next_look(store: &Store, installation: u64, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    let sql = format!(
        "SELECT r.id AS id, {} AS rank FROM repositories r
         WHERE {SERVED} AND r.refused_since_ms IS NOT NULL AND r.refused_look_at_ms <= $2
         ORDER BY r.refused_look_at_ms, r.id LIMIT 1",
        literal(Rank::Look)
    );
    first(store, sql, installation.cast_signed(), now, |id| WriteTarget::Look(RepositoryId(id))).await
}

async fn next_delivery(store: &Store, (of, number): Scope, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    let sql = format!(
        "SELECT d.id AS id, d.rank AS rank FROM deliveries d JOIN repositories r ON r.id = d.repository_id
         WHERE {of} AND {OURS} AND {IN_TURN} AND d.due_at_ms <= $2 ORDER BY d.rank, d.created_at_ms, d.id LIMIT 1"
    );
    first(store, sql, number, now, |id| WriteTarget::Delivery(DeliveryId(id))).await
}

async fn next_storm(store: &Store, (of, number): Scope, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    let sql = format!(
        "SELECT s.id AS id, CASE WHEN s.issue_number IS NULL THEN {} ELSE {} END AS rank
         FROM storms s JOIN repositories r ON r.id = s.repository_id
         WHERE {of} AND {STALE} AND s.due_at_ms <= $2 ORDER BY rank, s.id LIMIT 1",
        literal(Rank::Storm),
        literal(Rank::StormUpdate)
    );
    first(store, sql, number, now, |id| WriteTarget::Storm(StormId(id))).await
}

async fn next_doubt(store: &Store, (of, number): Scope, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    let sql = format!(
        "SELECT u.id AS id, {} AS rank FROM doubts u JOIN repositories r ON r.id = u.repository_id
         WHERE {of} AND u.due_at_ms <= $2 ORDER BY u.due_at_ms, u.id LIMIT 1",
        literal(Rank::Double)
    );
    first(store, sql, number, now, |id| WriteTarget::Doubt(DoubtId(id))).await
}

async fn next_label(store: &Store, (of, number): Scope, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    let sql = format!(
        "SELECT r.id AS id, {} AS rank FROM repositories r
         WHERE {of} AND {UNLABELLED} AND r.labels_due_at_ms <= $2 ORDER BY r.id LIMIT 1",
        literal(Rank::Label)
    );
    first(store, sql, number, now, |id| WriteTarget::Label(RepositoryId(id))).await
}

async fn next_status(store: &Store, (of, number): Scope, now: Timestamp) -> Result<Option<NextWrite>, StoreError> {
    let sql = format!(
        "SELECT l.id AS id, {} AS rank FROM lines l JOIN repositories r ON r.id = l.repository_id
         WHERE {of} AND {} ORDER BY l.status_wanted DESC, l.status_at_ms, l.id LIMIT 1",
        literal(Rank::Status),
        statuses::due_condition()
    );
    first(store, sql, number, now, |id| WriteTarget::Status(LineId(id))).await
}

/// A rank as a column that both databases read as a BIGINT.
fn literal(rank: Rank) -> String {
    format!("CAST({} AS BIGINT)", rank.number())
}

/// The one row (`id`, `rank`) of a query that takes a scope's number and a moment.
async fn first(
    store: &Store,
    sql: String,
    number: i64,
    now: Timestamp,
    what: fn(i64) -> WriteTarget,
) -> Result<Option<NextWrite>, StoreError> {
    let query = sqlx::query(AssertSqlSafe(sql)).bind(number).bind(now.as_millis());
    let Some(row) = query.fetch_optional(&store.pool).await? else { return Ok(None) };
    Ok(Some(NextWrite { what: what(get(&row, "id")?), rank: get(&row, "rank")? }))
}

/// When something of this installation is due that is not due yet; `None`: nothing waits.
pub async fn next_due_at(store: &Store, installation: u64) -> Result<Option<Timestamp>, StoreError> {
    let sql = format!(
        "SELECT MIN(due) AS due FROM (
             SELECT d.due_at_ms AS due FROM deliveries d JOIN repositories r ON r.id = d.repository_id
             WHERE {WRITABLE} AND {OURS} AND {IN_TURN}
             UNION ALL
             SELECT s.due_at_ms AS due FROM storms s JOIN repositories r ON r.id = s.repository_id
             WHERE {WRITABLE} AND {STALE}
             UNION ALL
             SELECT r.labels_due_at_ms AS due FROM repositories r WHERE {WRITABLE} AND {UNLABELLED}
             UNION ALL
             SELECT r.refused_look_at_ms AS due FROM repositories r
             WHERE {SERVED} AND r.refused_since_ms IS NOT NULL) AS waiting"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(installation.cast_signed()).fetch_one(&store.pool).await?;
    get_time_opt(&row, "due")
}

/// How many issues and comments of a repository wait to be written.
pub async fn count_waiting(store: &Store, repository: RepositoryId) -> Result<u64, StoreError> {
    let sql = format!("SELECT COUNT(*) AS length FROM deliveries d WHERE d.repository_id = $1 AND {OURS}");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).fetch_one(&store.pool).await?;
    get_count(&row, "length")
}

/// This installation's queue in figures.
pub async fn queue_state(store: &Store, installation: u64) -> Result<WriteQueue, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) AS length, MIN(d.created_at_ms) AS oldest
         FROM deliveries d JOIN repositories r ON r.id = d.repository_id WHERE {WRITABLE} AND {OURS}"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(installation.cast_signed()).fetch_one(&store.pool).await?;
    Ok(WriteQueue { length: get_count(&row, "length")?, oldest_at: get_time_opt(&row, "oldest")? })
}

/// Asks for a turn of the queue that a repository's issues go through, if it has one.
pub(crate) async fn enqueue_in(tx: &mut Tx, repository: RepositoryId, now: Timestamp) -> Result<bool, StoreError> {
    match repositories::installation_in(tx, repository).await? {
        Some(installation) => jobs::enqueue_in(tx, Job::Write(installation), now, now).await.map(|()| true),
        None => Ok(false),
    }
}
