//! The rows of storms: inserted, joined by lines, and closed.

mod issue;
mod mails;

use crate::columns::{get, get_count, get_time, get_time_opt};
use crate::rows::chunks;
use crate::{Store, StoreError, Tx, jobs, writes};
use domain::ids::{LineId, RepositoryId, StormId};
use domain::job::Job;
use domain::storm::Storm;
use domain::timestamp::Timestamp;
pub use issue::{
    claim_issue_attempt, count_waiting_issues, file_waiting_issues, keep_waiting_issues, move_issue, record_given_up,
    record_line_changed, record_written, set_due, set_issue, set_missed, set_unanswered,
};
use issue::{gather_issues_in, release_issues_in};
use mails::gather_mails_in;
pub(crate) use mails::set_mails_due_in;
pub use mails::{gathered_mails, record_mail_failed, record_mail_settled, record_mails_sent};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

const COLUMNS: &str = "id, repository_id, began_at_ms, last_line_at_ms, ended_at_ms, issue_number, attempts, unanswered_at_ms, \
     missed_at_ms, changed_at_ms, mails_at_ms";

fn read(row: &AnyRow) -> Result<Storm, StoreError> {
    Ok(Storm {
        id: StormId(get(row, "id")?),
        repository: RepositoryId(get(row, "repository_id")?),
        began_at: get_time(row, "began_at_ms")?,
        last_line_at: get_time(row, "last_line_at_ms")?,
        ended_at: get_time_opt(row, "ended_at_ms")?,
        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::unsigned_abs),
        attempts: get_count(row, "attempts")?,
        unanswered_at: get_time_opt(row, "unanswered_at_ms")?,
        missed_at: get_time_opt(row, "missed_at_ms")?,
        changed_at: get_time(row, "changed_at_ms")?,
        mails_at: get_time_opt(row, "mails_at_ms")?,
    })
}

/// When a storm changed, at `$2`: later than all changes before it. Who writes its issue meanwhile
/// may have begun after the one who changes it, and has read without.
const CHANGED: &str = "CASE WHEN changed_at_ms < $2 THEN CAST($2 AS BIGINT) ELSE changed_at_ms + 1 END";

/// A storm.
pub async fn by_id(store: &Store, id: StormId) -> Result<Option<Storm>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM storms WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.0).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// A repository is in one storm at a time, which the table's index sees to.
const OPEN: &str = "SELECT id FROM storms WHERE repository_id = $1 AND ended_at_ms IS NULL";

/// The storm that a repository is in.
pub async fn open_of(store: &Store, repository: RepositoryId) -> Result<Option<StormId>, StoreError> {
    let row = sqlx::query(OPEN).bind(repository.0).fetch_optional(&store.pool).await?;
    row.as_ref().map(|row| Ok(StormId(get(row, "id")?))).transpose()
}

/// Begins a storm with the lines that were told of since `since`: those of their mails that are not
/// sent yet are sent as the storm's, and issues that are not filed wait. Where another worker began
/// it first, that one's is the storm.
pub async fn insert(
    store: &Store,
    repository: RepositoryId,
    since: Timestamp,
    now: Timestamp,
) -> Result<StormId, StoreError> {
    let mut tx = store.begin().await?;
    let id = StormId(store.ids.next(now));
    if !insert_row_in(&mut tx, id, repository, since, now).await? {
        let row = sqlx::query(OPEN).bind(repository.0).fetch_one(tx.conn()).await?;
        return Ok(StormId(get(&row, "id")?));
    }
    sqlx::query("UPDATE lines SET storm_id = $1 WHERE repository_id = $2 AND alerted_at_ms > $3")
        .bind(id.0)
        .bind(repository.0)
        .bind(since.as_millis())
        .execute(tx.conn())
        .await?;
    if gather_mails_in(&mut tx, id).await? {
        set_mails_due_in(&mut tx, id, now).await?;
    }
    gather_issues_in(&mut tx, id).await?;
    // It must end, too, where the line that began it never joins it.
    jobs::enqueue_in(&mut tx, Job::Storm(id), now, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// `false`: the repository is in a storm already.
async fn insert_row_in(
    tx: &mut Tx,
    id: StormId,
    repository: RepositoryId,
    since: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let begun = sqlx::query(
        "INSERT INTO storms (id, repository_id, began_at_ms, last_line_at_ms, attempts, changed_at_ms, written_at_ms, due_at_ms,
             mails_sent)
         SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST(COALESCE(MIN(alerted_at_ms), $3) AS BIGINT),
             CAST($3 AS BIGINT), 0, CAST($3 AS BIGINT), 0, 0, 0
         FROM lines WHERE repository_id = $2 AND alerted_at_ms > $4
         ON CONFLICT DO NOTHING",
    )
    .bind(id.0)
    .bind(repository.0)
    .bind(now.as_millis())
    .bind(since.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(begun.rows_affected() > 0)
}

/// Records that lines became part of a storm, whose mails now wait. `false`: it ended meanwhile,
/// and nothing was written: whatever waited for it would wait for ever.
pub(crate) async fn add_lines_in(
    tx: &mut Tx,
    storm: StormId,
    lines: &[LineId],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = format!(
        "UPDATE storms SET last_line_at_ms = $2, changed_at_ms = {CHANGED} WHERE id = $1 AND ended_at_ms IS NULL"
    );
    let open = sqlx::query(AssertSqlSafe(sql)).bind(storm.0).bind(now.as_millis()).execute(tx.conn()).await?;
    if open.rows_affected() == 0 {
        return Ok(false);
    }
    for ids in chunks(lines) {
        // Numbers of ours.
        let ids: Vec<String> = ids.iter().map(|line| line.0.to_string()).collect();
        let sql = format!("UPDATE lines SET storm_id = {} WHERE id IN ({})", storm.0, ids.join(", "));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(tx.conn()).await?;
    }
    Ok(true)
}

/// Ends a storm: the next new lines are told of one by one again, and its own where they happen
/// again. Its issue says so.
pub async fn end(store: &Store, id: StormId, repository: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let sql = format!(
        "UPDATE storms SET ended_at_ms = $2, changed_at_ms = {CHANGED}, due_at_ms = 0
         WHERE id = $1 AND ended_at_ms IS NULL"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(id.0).bind(now.as_millis()).execute(tx.conn()).await?;
    release_issues_in(&mut tx, id).await?;
    writes::enqueue_in(&mut tx, repository, now).await?;
    tx.commit().await
}
