//! What of a line's issue was acted on, and acting on it once.

use super::changes::resolve_in;
use crate::columns::{from_json, get, get_time, indexable, to_json};
use crate::deliveries::{NewDelivery, insert_in, read_purpose};
use crate::{Store, StoreError, Tx};
use domain::commit::CommitId;
use domain::delivery::{DeliveryMode, Purpose, REASSIGNED};
use domain::event::IssueAction;
use domain::ids::{LineId, RepositoryId};
use domain::names::Login;
use domain::timestamp::Timestamp;
use sqlx::any::AnyRow;

/// How errors name the column of assignees.
const ASSIGNEES: &str = "lines.issue_assignees";

/// What of a line's issue was acted on so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActedOn {
    /// How old the issue was, by GitHub's clock; the epoch: nothing was acted on.
    pub as_of: Timestamp,
    /// Whose assignment is no news.
    pub assignees: Vec<Login>,
}

/// The reply to a command, whose row is the lock: who inserts it carries the command out.
#[derive(Clone, Copy, Debug)]
pub struct CommandReply<'a> {
    /// Whose line it is.
    pub repository: RepositoryId,
    /// Whose issue the command was given in.
    pub line: LineId,
    /// The comment.
    pub what: &'a NewDelivery,
    /// How it goes out.
    pub mode: DeliveryMode,
}

/// What of a line's issue was acted on.
///
/// # Errors
/// The database is out of reach.
pub async fn acted_on(store: &Store, line: LineId) -> Result<ActedOn, StoreError> {
    let row = sqlx::query("SELECT issue_acted_on_ms, issue_assignees FROM lines WHERE id = $1")
        .bind(line.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(ActedOn { as_of: Timestamp::UNIX_EPOCH, assignees: Vec::new() }) };
    let assignees: Option<String> = get(&row, "issue_assignees")?;
    let assignees = assignees.map(|text| from_json(ASSIGNEES, &text)).transpose()?.unwrap_or_default();
    Ok(ActedOn { as_of: get_time(&row, "issue_acted_on_ms")?, assignees })
}

/// Records that what was done to a line's issue is acted on, as of when the issue was like that.
/// `false`: something newer was acted on meanwhile, and nothing is recorded.
///
/// # Errors
/// The database is out of reach.
pub async fn record_acted_on(
    store: &Store,
    line: LineId,
    as_of: Option<Timestamp>,
    action: &IssueAction,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let recorded = sqlx::query(
        "UPDATE lines SET issue_acted_on_ms = CASE WHEN $2 > 0 THEN CAST($2 AS BIGINT) ELSE issue_acted_on_ms END
         WHERE id = $1 AND (issue_acted_on_ms <= $2 OR $2 = 0)",
    )
    .bind(line.0)
    .bind(as_of.map_or(0, Timestamp::as_millis))
    .execute(tx.conn())
    .await?
    .rows_affected();
    if recorded == 0 {
        return Ok(false);
    }
    change_assignees_in(&mut tx, line, action).await?;
    tx.commit().await?;
    Ok(true)
}

/// Records an assignment that is no command, as one of ours.
///
/// # Errors
/// The database is out of reach.
pub async fn record_assignment(store: &Store, line: LineId, action: &IssueAction) -> Result<(), StoreError> {
    match action {
        IssueAction::Assigned(_) | IssueAction::Unassigned(_) => {
            record_acted_on(store, line, None, action).await.map(drop)
        }
        _ => Ok(()),
    }
}

/// Records who has a line's issue, after all that is news of it was taken for a command.
///
/// # Errors
/// The database is out of reach.
pub async fn record_assignees(store: &Store, line: LineId, assignees: &[Login]) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    write_assignees_in(&mut tx, line, assignees).await?;
    tx.commit().await
}

/// Adds whom an action assigns to those whose assignment is no news, or takes them out. The row is
/// locked by a write of this transaction.
async fn change_assignees_in(tx: &mut Tx, line: LineId, action: &IssueAction) -> Result<(), StoreError> {
    let (account, is_assigned) = match action {
        IssueAction::Assigned(to) => (to, true),
        IssueAction::Unassigned(from) => (from, false),
        _ => return Ok(()),
    };
    let row = sqlx::query("SELECT issue_assignees FROM lines WHERE id = $1").bind(line.0).fetch_one(tx.conn()).await?;
    let text: Option<String> = get(&row, "issue_assignees")?;
    let mut assignees: Vec<Login> = text.map(|text| from_json(ASSIGNEES, &text)).transpose()?.unwrap_or_default();
    assignees.retain(|login| *login != account.login);
    if is_assigned {
        assignees.push(account.login.clone());
    }
    write_assignees_in(tx, line, &assignees).await
}

async fn write_assignees_in(tx: &mut Tx, line: LineId, assignees: &[Login]) -> Result<(), StoreError> {
    sqlx::query("UPDATE lines SET issue_assignees = $2 WHERE id = $1")
        .bind(line.0)
        .bind(to_json(ASSIGNEES, &assignees)?)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Resolves a line whose issue was closed, and replies to that. `false`: this closing was replied
/// to, or the line is resolved already; nothing changes.
///
/// # Errors
/// The database is out of reach.
pub async fn resolve_once(
    store: &Store,
    reply: CommandReply<'_>,
    commit: Option<&CommitId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    // The line comes first, as in all transactions that write to it and send something.
    let open = sqlx::query("UPDATE lines SET status_wanted = 1 WHERE id = $1 AND resolved_at_ms IS NULL")
        .bind(reply.line.0)
        .execute(tx.conn())
        .await?
        .rows_affected();
    if open == 0 || !reply_in(&mut tx, reply, now).await? {
        return Ok(false);
    }
    resolve_in(&mut tx, reply.line, commit, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// Gives a line to whom its issue was assigned at that moment, and replies to that. `false`: that
/// assignment was replied to, a later one was, or the line is theirs already; nothing changes.
///
/// # Errors
/// The database is out of reach.
pub async fn give_once(
    store: &Store,
    reply: CommandReply<'_>,
    to: &Login,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let given = sqlx::query(
        "UPDATE lines SET owner_login = $2, status_wanted = 1
         WHERE id = $1 AND (owner_login IS NULL OR LOWER(owner_login) <> LOWER($2))",
    )
    .bind(reply.line.0)
    .bind(to.as_str())
    .execute(tx.conn())
    .await?
    .rows_affected();
    let is_earlier = |latest: Timestamp| latest > at;
    if given == 0
        || latest_assignment_in(&mut tx, reply.line).await?.is_some_and(is_earlier)
        || !reply_in(&mut tx, reply, now).await?
    {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

async fn reply_in(tx: &mut Tx, reply: CommandReply<'_>, now: Timestamp) -> Result<bool, StoreError> {
    insert_in(tx, reply.repository, reply.line, reply.what, reply.mode, now).await
}

/// When the line's issue was assigned last, of what was replied to; `None`: nothing was.
///
/// # Errors
/// The database is out of reach.
pub async fn latest_assignment(store: &Store, line: LineId) -> Result<Option<Timestamp>, StoreError> {
    latest_of(&sqlx::query(ASSIGNMENTS).bind(line.0).bind(REASSIGNED).fetch_all(&store.pool).await?)
}

async fn latest_assignment_in(tx: &mut Tx, line: LineId) -> Result<Option<Timestamp>, StoreError> {
    latest_of(&sqlx::query(ASSIGNMENTS).bind(line.0).bind(REASSIGNED).fetch_all(tx.conn()).await?)
}

/// What was replied to assignments of a line's issue.
const ASSIGNMENTS: &str = "SELECT purpose, subject FROM deliveries WHERE line_id = $1 AND purpose = $2";

fn latest_of(replies: &[AnyRow]) -> Result<Option<Timestamp>, StoreError> {
    let mut latest = None;
    for row in replies {
        if let Purpose::Reassigned { at, .. } = read_purpose(row)? {
            latest = latest.max(Some(at));
        }
    }
    Ok(latest)
}

/// Whether a line's issue was replied to for this.
///
/// # Errors
/// The database is out of reach.
pub async fn is_replied_to(store: &Store, line: LineId, purpose: &Purpose) -> Result<bool, StoreError> {
    let (kind, subject) = purpose.parts();
    let row = sqlx::query(
        "SELECT id FROM deliveries WHERE line_id = $1 AND channel = 'comment' AND purpose = $2 AND subject = $3 LIMIT 1",
    )
    .bind(line.0)
    .bind(kind)
    .bind(indexable(&subject))
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.is_some())
}
