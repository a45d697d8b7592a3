//! What GitHub refuses in a repository, noted where its writes are looked for.

use super::RepositoryRow;
use crate::columns::{get, get_time_opt, to_json};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx, writes};
use domain::ids::RepositoryId;
use domain::refusal::{Refusal, RefusalReason};
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// The columns of a [`Refusal`], for [`read`].
pub(super) const COLUMNS: &str = "refused_since_ms, refused_what, refused_why, refused_said, refused_look_at_ms";

pub(super) fn read(row: &AnyRow) -> Result<Option<Refusal>, StoreError> {
    let Some(since) = get_time_opt(row, "refused_since_ms")? else { return Ok(None) };
    let why: String = get::<Option<String>>(row, "refused_why")?.unwrap_or_default();
    let reason = RefusalReason::from_stored(&why)
        .ok_or_else(|| StoreError::content("repositories.refused_why", format!("no reason is called {why:?}")))?;
    Ok(Some(Refusal {
        what: get::<Option<String>>(row, "refused_what")?.unwrap_or_default(),
        since,
        reason,
        said: get::<Option<String>>(row, "refused_said")?.unwrap_or_default(),
        look_at: get_time_opt(row, "refused_look_at_ms")?.unwrap_or(since),
    }))
}

/// Records what GitHub refuses in a repository: nothing is written there but by a look at
/// `refusal.look_at`, for which a turn of the queue is asked. One that was noted before goes on
/// since then.
pub async fn record_refused(
    store: &Store,
    id: RepositoryId,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(
        "UPDATE repositories SET refused_since_ms = COALESCE(refused_since_ms, $2), refused_what = $3,
             refused_why = $4, refused_said = $5, refused_look_at_ms = $6 WHERE id = $1",
    )
    .bind(id.0)
    .bind(refusal.since.as_millis())
    .bind(&refusal.what)
    .bind(refusal.reason.as_str())
    .bind(&refusal.said)
    .bind(refusal.look_at.as_millis())
    .execute(tx.conn())
    .await?;
    writes::enqueue_in(&mut tx, id, now).await?;
    tx.commit().await
}

/// Has it looked at a moment whether a refusal is over, where there is one.
pub async fn set_look_at(store: &Store, id: RepositoryId, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let sql = "UPDATE repositories SET refused_look_at_ms = $2 WHERE id = $1 AND refused_since_ms IS NOT NULL";
    let refused = sqlx::query(sql).bind(id.0).bind(at.as_millis()).execute(tx.conn()).await?.rows_affected();
    if refused > 0 {
        writes::enqueue_in(&mut tx, id, now).await?;
    }
    tx.commit().await
}

/// The comments that wait and say what is so, newest last: that it is closed or back, what a rule
/// does, whose the line is, how often it happened; and by what the later one has to be the same.
const STATES: [(&str, &str); 4] = [
    ("'regression', 'resolved'", "line_id"),
    ("'rule_made', 'rule_ended'", "subject"),
    ("'reassigned'", "line_id"),
    ("'count', 'known_minimum', 'known_every'", "line_id"),
];

/// A line that somebody whitelisted meanwhile is not told to be back.
const KNOWN: &str = "DELETE FROM deliveries WHERE repository_id = $1 AND state = 'pending' AND channel = 'comment'
    AND purpose = 'regression' AND line_id IN (SELECT id FROM lines WHERE known = 1)";

/// Takes back the comments that wait in a repository and that a later one of the same line leaves
/// out of date. How many they were.
pub async fn keep_newest_comments(store: &Store, id: RepositoryId) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let mut outdated = sqlx::query(KNOWN).bind(id.0).execute(tx.conn()).await?.rows_affected();
    for (purposes, same) in STATES {
        let waiting = |table: &str| {
            format!("{table}.state = 'pending' AND {table}.channel = 'comment' AND {table}.purpose IN ({purposes})")
        };
        let sql = format!(
            "DELETE FROM deliveries WHERE repository_id = $1 AND {} AND EXISTS (SELECT 1 FROM deliveries o
                 WHERE o.line_id = deliveries.line_id AND o.{same} = deliveries.{same} AND o.id > deliveries.id AND {})",
            waiting("deliveries"),
            waiting("o")
        );
        outdated += sqlx::query(AssertSqlSafe(sql)).bind(id.0).execute(tx.conn()).await?.rows_affected();
    }
    tx.commit().await?;
    Ok(outdated)
}

/// Records that GitHub takes what is written in a repository again.
pub async fn record_taken(store: &Store, id: RepositoryId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    forget_refusal_in(&mut tx, id).await?;
    tx.commit().await
}

pub(super) async fn forget_refusal_in(tx: &mut Tx, id: RepositoryId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE repositories SET refused_since_ms = NULL, refused_what = NULL, refused_why = NULL, refused_said = NULL,
             refused_look_at_ms = NULL WHERE id = $1",
    )
    .bind(id.0)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds labels of the settings that GitHub refuses to those that issues of the repository go
/// without, until the settings change.
pub async fn add_refused_labels(store: &Store, row: &RepositoryRow, labels: &[String]) -> Result<(), StoreError> {
    let all: Vec<&String> = row.refused_labels.iter().chain(labels).collect();
    let statement = sqlx::query("UPDATE repositories SET refused_labels = $2 WHERE id = $1")
        .bind(row.repository.id.0)
        .bind(to_json("repositories.refused_labels", &all)?);
    execute(store, statement).await
}

/// What becomes of the issues and comments that wait for a repository which is not watched any
/// more, in this order: its lines are told of anew, should it come back and they happen again. An
/// issue that GitHub was asked for without saying whether it made it is looked for then.
pub(super) const ENDED: [&str; 3] = [
    "UPDATE lines SET alerted_at_ms = NULL, next_decide_at = total + 1
     WHERE issue_number IS NULL AND id IN (
         SELECT line_id FROM deliveries WHERE repository_id = $1 AND state = 'pending' AND channel = 'issue'
             AND unanswered_at_ms IS NULL)",
    "DELETE FROM deliveries WHERE repository_id = $1 AND state = 'pending' AND channel = 'issue'
         AND unanswered_at_ms IS NULL",
    "UPDATE deliveries SET state = 'given_up', error = 'the repository is not watched any more'
     WHERE repository_id = $1 AND state = 'pending' AND channel = 'comment'",
];
