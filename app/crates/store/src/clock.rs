//! Moments in rows, where the clock that they come from was set back.
//!
//! All moments are compared with "now". One that was a minute ahead is an hour and a minute ahead
//! once the clock was set back by an hour: jobs would wait, pauses last, and a window of time hold
//! what is not in it. So the latest moment that it was is written down, and where it is earlier
//! than that, each moment that is still to come is moved back by as much.

use crate::columns::get;
use crate::{Dialect, Store, StoreError, Tx};
use domain::timestamp::{Timestamp, millis};
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

/// The name in `meta` of the latest moment that it was.
const LATEST: &str = "clock";
/// The name in `meta` of when the clock was last set back, and from when on it is as late again as
/// it once was: two moments.
const SET_BACK: &str = "clock_set_back";

/// How far the clock may go back unnoticed: daemons that keep time set it by less, again and again,
/// and no pause of ours is hurt by it.
pub const UNNOTICED: SignedDuration = SignedDuration::from_secs(30);

/// The moments by which something is put off, or is taken to be recent. Those that people see as
/// dates (a shadow's end, a rule's last day) stay, and so does what only says when something was.
const MOMENTS: [(&str, &[&str]); 13] = [
    ("jobs", &["run_at_ms", "turn_ms", "created_at_ms"]),
    ("deliveries", &["due_at_ms"]),
    ("doubts", &["due_at_ms"]),
    ("storms", &["began_at_ms", "last_line_at_ms", "changed_at_ms", "written_at_ms", "due_at_ms", "mails_at_ms"]),
    ("lines", &["alerted_at_ms", "status_at_ms", "status_due_at_ms"]),
    (
        "repositories",
        &["pushed_at_ms", "fetched_at_ms", "fetch_paused_until_ms", "labels_due_at_ms", "refused_look_at_ms"],
    ),
    ("writes", &["at_ms"]),
    ("write_pauses", &["until_ms"]),
    ("sessions", &["access_at_ms", "used_at_ms"]),
    ("accounts", &["asked_at_ms"]),
    ("look_ups", &["asked_at_ms"]),
    ("ingest_keys", &["last_used_at_ms"]),
    ("test_reports", &["sent_at_ms"]),
];

/// How long the clock may be ahead without that being written down. What was put off meanwhile is
/// that much earlier at most than the latest moment that somebody was told.
const UNRECORDED: SignedDuration = SignedDuration::from_secs(60);

/// Work is put off by no more: by failures a quarter of an hour, by GitHub's limits up to an hour.
/// (What killed its process is tried once a day, and can wait.)
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Later than this means "never", and stays so.
const NEVER: i64 = i64::MAX / 2;

/// What the database knows of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The latest moment that it was; up to half a minute may have passed since.
    pub latest: Option<Timestamp>,
    /// That the clock was set back, the last time that somebody noticed.
    pub set_back: Option<SetBack>,
}

/// That the clock was set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetBack {
    /// When that was noticed, by the clock as it went from then on.
    pub at: Timestamp,
    /// The latest moment that it had been before: what happened until then is dated up to it.
    pub until: Timestamp,
}

/// What is known of the time.
pub async fn known(store: &Store) -> Result<Known, StoreError> {
    let latest = crate::meta::by_name(store, LATEST).await?;
    let set_back = crate::meta::by_name(store, SET_BACK).await?;
    Ok(Known { latest: latest.as_deref().and_then(moment), set_back: set_back.as_deref().and_then(moments) })
}

fn moment(millis: &str) -> Option<Timestamp> {
    millis.parse().ok().map(Timestamp::from_millis)
}

fn moments(value: &str) -> Option<SetBack> {
    let (at, until) = value.split_once(' ')?;
    Some(SetBack { at: moment(at)?, until: moment(until)? })
}

/// What the database's own clock says, where it is a server's; a file has no clock.
pub async fn of_server(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    if store.dialect == Dialect::Sqlite {
        return Ok(None);
    }
    let now = crate::jobs::lease_clock(store).await?;
    Ok(Some(Timestamp::from_millis(now)))
}

/// Whether anything waits for a moment about this one: for somebody who was told it while the clock
/// was ahead, and wrote it down after all others were put right.
pub async fn is_waited_for(store: &Store, told: Timestamp) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS n FROM (
             SELECT id FROM jobs WHERE run_at_ms BETWEEN $1 AND $2
             UNION ALL SELECT id FROM deliveries WHERE state = 'pending' AND due_at_ms BETWEEN $1 AND $2
             UNION ALL SELECT id FROM storms
                 WHERE ended_at_ms IS NULL AND (due_at_ms BETWEEN $1 AND $2 OR mails_at_ms BETWEEN $1 AND $2)
         ) AS waiting",
    )
    .bind((told - UNRECORDED).as_millis())
    .bind((told + LONGEST_PAUSE).as_millis())
    .fetch_one(&store.pool)
    .await?;
    Ok(get::<i64>(&row, "n")? > 0)
}

/// Records the latest moment that it was.
pub async fn record(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    record_in(&mut tx, now).await?;
    tx.commit().await
}

async fn record_in(tx: &mut Tx, latest: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET
             value = CASE WHEN CAST(meta.value AS BIGINT) < CAST(excluded.value AS BIGINT)
                 THEN excluded.value ELSE meta.value END",
    )
    .bind(LATEST)
    .bind(latest.as_millis().to_string())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Moves all moments that are still to come back by as much as the clock was set back since the
/// latest moment that is recorded, or that the caller knows of; by how much. Where it was ahead for
/// so short that nothing is recorded of it, only those that came of that are moved: all others are
/// right. What another process has moved already is not moved again, unless it is later than that
/// moment even so.
/// `None`: it was not set back by more than `unnoticed`.
pub async fn set_back(
    store: &Store,
    known: Timestamp,
    unnoticed: SignedDuration,
    now: Timestamp,
) -> Result<Option<SignedDuration>, StoreError> {
    let mut tx = store.begin().await?;
    // First the lock: of several processes that notice it, one does it.
    record_in(&mut tx, now).await?;
    let row = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(LATEST).fetch_one(tx.conn()).await?;
    let recorded = moment(&get::<String>(&row, "value")?).unwrap_or(now);
    let latest = recorded.max(known);
    if latest <= now + unnoticed {
        tx.commit().await?;
        return Ok(None);
    }
    let by = latest - now;
    let after = if recorded > now + unnoticed { now } else { (latest - UNRECORDED).max(now) };
    for (table, columns) in MOMENTS {
        for column in columns {
            let sql = format!("UPDATE {table} SET {column} = {column} - $1 WHERE {column} > $2 AND {column} < $3");
            let query = sqlx::query(AssertSqlSafe(sql)).bind(millis(by)).bind(after.as_millis()).bind(NEVER);
            query.execute(tx.conn()).await?;
        }
    }
    sqlx::query("UPDATE meta SET value = $2 WHERE name = $1")
        .bind(LATEST)
        .bind(now.as_millis().to_string())
        .execute(tx.conn())
        .await?;
    record_set_back_in(&mut tx, SetBack { at: now, until: now + by }).await?;
    tx.commit().await?;
    Ok(Some(by))
}

/// Records that the clock was set back. Where it is not yet as late again as it was before it was
/// set back another time, it is that late moment that counts.
async fn record_set_back_in(tx: &mut Tx, now: SetBack) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(SET_BACK).fetch_optional(tx.conn()).await?;
    let before = row.as_ref().map(|row| get::<String>(row, "value")).transpose()?;
    let until = before.as_deref().and_then(moments).map_or(now.until, |before| before.until.max(now.until));
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(SET_BACK)
    .bind(format!("{} {}", now.at.as_millis(), until.as_millis()))
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments that stay as they are, in order: what only says when something was, dates that
    /// people see, patience of a day or more, what is compared either way
    /// (`deliveries.unanswered_at_ms`, `doubles.unanswered_at_ms`, `lines.issue_missed_at_ms`),
    /// and what goes by another clock (`jobs.locked_until_ms`, and what GitHub dates:
    /// `lines.assigned_at_ms`, `lines.issue_acted_on_ms`, `lines.issue_edited_ms`,
    /// `rules.commanded_at_ms`).
    const STAY: &[&str] = &[
        "deliveries.created_at_ms",
        "deliveries.failing_since_ms",
        "deliveries.settled_at_ms",
        "deliveries.unanswered_at_ms",
        "deployment_roots.seen_at_ms",
        "doubles.said_at_ms",
        "doubles.settled_at_ms",
        "doubles.unanswered_at_ms",
        "fingerprints.last_seen_ms",
        "fingerprints.plain_until_ms",
        "fingerprints.recheck_at_ms",
        "handovers.ended_at_ms",
        "handovers.made_at_ms",
        "hooks.processed_at_ms",
        "hooks.received_at_ms",
        "ingest_keys.created_at_ms",
        "ingest_keys.revoked_at_ms",
        "jobs.locked_until_ms",
        "jobs.set_aside_at_ms",
        "key_refusals.first_at_ms",
        "key_refusals.hour_ms",
        "key_refusals.last_at_ms",
        "line_facets.first_seen_ms",
        "line_facets.last_seen_ms",
        "line_hours.hour_ms",
        "lines.assigned_at_ms",
        "lines.first_seen_ms",
        "lines.issue_acted_on_ms",
        "lines.issue_edited_ms",
        "lines.issue_missed_at_ms",
        "lines.known_mailed_at_ms",
        "lines.last_seen_ms",
        "lines.person_closed_ms",
        "lines.plain_until_ms",
        "lines.regressed_at_ms",
        "lines.resolved_at_ms",
        "lines.written_at_ms",
        "pending_facets.first_seen_ms",
        "pending_facets.last_seen_ms",
        "pending_occurrences.hour_ms",
        "pending_occurrences.last_seen_ms",
        "refused_addresses.refused_at_ms",
        "reports.received_at_ms",
        "repositories.created_at_ms",
        "repositories.labelled_at_ms",
        "repositories.refused_since_ms",
        "repositories.removed_at_ms",
        "repositories.shadow_until_ms",
        "repositories.suspended_at_ms",
        "repositories.unnamed_since_ms",
        "rules.commanded_at_ms",
        "rules.edited_at_ms",
        "rules.ended_at_ms",
        "rules.made_at_ms",
        "sessions.created_at_ms",
        "sessions.expires_at_ms",
        "storms.ended_at_ms",
        "storms.missed_at_ms",
        "storms.unanswered_at_ms",
        "test_reports.settled_at_ms",
        "tracebacks.received_at_ms",
        "tracebacks.week_ms",
        "versions.first_seen_ms",
    ];

    #[tokio::test]
    async fn it_is_decided_of_every_moment_whether_it_moves_with_the_clock() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/a.db", folder.path().display())).await.unwrap();
        let sql = "SELECT t.name || '.' || c.name AS moment FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND c.name LIKE '%\\_ms' ESCAPE '\\' ORDER BY 1";
        let rows = sqlx::query(sql).fetch_all(&store.pool).await.unwrap();
        let all: Vec<String> = rows.iter().map(|row| get(row, "moment").unwrap()).collect();
        let moves = |moment: &str| {
            let (table, column) = moment.split_once('.').unwrap();
            MOMENTS.iter().any(|(name, columns)| *name == table && columns.contains(&column))
        };
        let stay: Vec<&str> = all.iter().map(String::as_str).filter(|moment| !moves(moment)).collect();
        assert_eq!(stay, STAY, "a moment that is still to come moves with the clock: add it to MOMENTS");
        let moved: usize = MOMENTS.iter().map(|(_, columns)| columns.len()).sum();
        assert_eq!(all.len() - stay.len(), moved, "each of MOMENTS is a column");
    }

    #[tokio::test]
    async fn set_back_twice_the_latest_moment_of_all_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/a.db", folder.path().display())).await.unwrap();
        let (latest, hour) = (Timestamp::from_seconds(100_000), SignedDuration::from_hours(1));
        for now in [latest - hour, latest - 2 * hour] {
            // The second time, nobody knows any more of the first.
            assert_eq!(set_back(&store, now + hour, UNNOTICED, now).await.unwrap(), Some(hour));
            assert_eq!(known(&store).await.unwrap().set_back, Some(SetBack { at: now, until: latest }));
        }
    }
}
