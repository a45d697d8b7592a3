//! The status blocks of issues: which lack something, and what was written last.

use crate::columns::{get, signed};
use crate::transaction::execute;
use crate::{Store, StoreError, jobs};
use domain::ids::LineId;
use domain::job::Job;
use domain::timestamp::{DAY, Timestamp, WEEK, millis};
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

/// How long a status stands at least, of a line that is younger than a day: somebody may be
/// watching it.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// Of one that is younger than a week.
const RECENT: SignedDuration = SignedDuration::from_hours(2);

/// Of an older one: who wants to know now looks at the page.
const OLD: SignedDuration = DAY;

/// A line (`l`) whose issue's status lacks something that is due at $2.
pub(crate) fn due_condition() -> String {
    let [day, week, fresh, recent, old] = [DAY, WEEK, FRESH, RECENT, OLD].map(millis);
    format!(
        "l.issue_number IS NOT NULL AND l.status_off = 0 AND l.status_due_at_ms <= $2 AND (l.status_wanted > 0 OR
             (l.total > l.status_total AND l.status_at_ms <= $2 - CASE WHEN $2 - l.first_seen_ms < {day} THEN {fresh}
                 WHEN $2 - l.first_seen_ms < {week} THEN {recent} ELSE {old} END))"
    )
}

/// Asks for a turn of each queue of writes that has a status to write.
pub async fn enqueue_due(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT DISTINCT r.installation AS installation FROM repositories r JOIN lines l ON l.repository_id = r.id
         WHERE r.installation IS NOT NULL AND r.removed_at_ms IS NULL AND r.suspended_at_ms IS NULL AND r.unnamed_since_ms IS NULL
             AND r.refused_since_ms IS NULL AND $1 = $1 AND {}",
        due_condition()
    );
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(now.as_millis()).bind(now.as_millis()).fetch_all(&store.pool).await?;
    for row in &rows {
        let installation = get::<i64>(row, "installation")?.cast_unsigned();
        jobs::enqueue(store, Job::Write(installation), now, now).await?;
    }
    Ok(())
}

/// Claims an issue's status before it is written: what changes from now on is wanted anew.
pub async fn claim(store: &Store, line: LineId) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE lines SET status_wanted = 2 WHERE id = $1 AND status_wanted = 1").bind(line.0);
    execute(store, statement).await
}

/// Records that an issue's status says this total. `off`: it has no block any more, and gets none.
pub async fn record_written(
    store: &Store,
    line: LineId,
    total: u64,
    off: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "UPDATE lines SET status_total = $2, status_at_ms = $3,
             status_wanted = CASE WHEN status_wanted = 1 THEN 1 ELSE 0 END,
             status_off = CASE WHEN $4 = 1 THEN 1 ELSE status_off END WHERE id = $1",
    )
    .bind(line.0)
    .bind(signed(total))
    .bind(now.as_millis())
    .bind(i64::from(off));
    execute(store, statement).await
}

/// Leaves an issue's status alone until then.
pub async fn set_due(store: &Store, line: LineId, due_at: Timestamp) -> Result<(), StoreError> {
    let statement =
        sqlx::query("UPDATE lines SET status_due_at_ms = $2 WHERE id = $1").bind(line.0).bind(due_at.as_millis());
    execute(store, statement).await
}
