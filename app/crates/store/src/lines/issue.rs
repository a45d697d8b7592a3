//! What of a line's issue was acted on, and acting on it once.

use super::changes::{AsOf, resolve_in};
use crate::columns::{from_json, get, get_time, get_time_opt, indexable, to_json};
use crate::deliveries::{NewDelivery, insert_in, read_purpose};
use crate::handovers::HandoverWrite;
use crate::transaction::execute;
use crate::{Store, StoreError, Tx};
use domain::delivery::{DeliveryMode, Purpose, RESOLVED};
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
    /// Whose assignment is no news; `None`: nothing is known of any.
    pub assignees: Option<Vec<Login>>,
}

/// The reply to a command, whose row is the lock: who inserts it carries the command out.
#[derive(Clone, Copy, Debug)]
pub struct CommandReply<'a> {
    /// Whose line it is.
    pub repository: RepositoryId,
    /// Whose issue the command was given in.
    pub line: LineId,
    /// How old the issue was by which it was judged; `None`: that is not known.
    pub as_of: Option<Timestamp>,
    /// The comment.
    pub what: &'a NewDelivery,
    /// How it goes out.
    pub mode: DeliveryMode,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarriedOut {
    /// It is done, and replied to.
    Now,
    /// It was before, or is of no use any more; nothing changed.
    Before,
    /// Something newer was acted on meanwhile: it is to be judged anew.
    Overtaken,
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
    let Some(row) = row else { return Ok(ActedOn { as_of: Timestamp::UNIX_EPOCH, assignees: None }) };
    let assignees: Option<String> = get(&row, "issue_assignees")?;
    let assignees = assignees.map(|text| from_json(ASSIGNEES, &text)).transpose()?;
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

/// Resolves a line whose issue was closed at that moment, and replies to that. One that is resolved
/// already is so as of this closing from then on, if those that were replied to are earlier ones.
///
/// # Errors
/// The database is out of reach.
pub async fn resolve_once(
    store: &Store,
    reply: CommandReply<'_>,
    closed_at: Timestamp,
    as_of: AsOf<'_>,
    now: Timestamp,
) -> Result<CarriedOut, StoreError> {
    let mut tx = store.begin().await?;
    // The line comes first, as in all transactions that write to it and send something.
    let Some(line) = lock_in(&mut tx, reply.line).await? else { return Ok(CarriedOut::Before) };
    if is_overtaken(&line, reply.as_of)? {
        return Ok(CarriedOut::Overtaken);
    }
    if get_time_opt(&line, "resolved_at_ms")?.is_some() && !is_next_in(&mut tx, reply.line, closed_at).await?
        || !reply_in(&mut tx, reply, now).await?
    {
        return Ok(CarriedOut::Before);
    }
    resolve_in(&mut tx, reply.line, as_of, now).await?;
    tx.commit().await?;
    Ok(CarriedOut::Now)
}

/// Gives a line to whom its issue was assigned at that moment, remembers what that says of the
/// author's next lines, and replies. Not after it was given to somebody later.
///
/// # Errors
/// The database is out of reach.
pub async fn give_once(
    store: &Store,
    reply: CommandReply<'_>,
    to: &Login,
    at: Timestamp,
    handover: &HandoverWrite,
    now: Timestamp,
) -> Result<CarriedOut, StoreError> {
    let mut tx = store.begin().await?;
    let Some(line) = lock_in(&mut tx, reply.line).await? else { return Ok(CarriedOut::Before) };
    if is_overtaken(&line, reply.as_of)? {
        return Ok(CarriedOut::Overtaken);
    }
    let owner: Option<String> = get(&line, "owner_login")?;
    if owner.is_some_and(|owner| *to == *owner) || get_time(&line, "assigned_at_ms")? > at {
        return Ok(CarriedOut::Before);
    }
    sqlx::query("UPDATE lines SET owner_login = $2, assigned_at_ms = $3 WHERE id = $1")
        .bind(reply.line.0)
        .bind(to.as_str())
        .bind(at.as_millis())
        .execute(tx.conn())
        .await?;
    // Before the reply, which asks for a job: whoever writes to a repository's row and asks for one
    // does it in this order.
    handover.write_in(&mut tx, now).await?;
    if !reply_in(&mut tx, reply, now).await? {
        return Ok(CarriedOut::Before);
    }
    tx.commit().await?;
    Ok(CarriedOut::Now)
}

/// Locks a line, whose issue's status has to say something else, and reads what decides about a
/// command.
async fn lock_in(tx: &mut Tx, line: LineId) -> Result<Option<AnyRow>, StoreError> {
    let row = sqlx::query(
        "UPDATE lines SET status_wanted = 1 WHERE id = $1
         RETURNING issue_acted_on_ms, resolved_at_ms, owner_login, assigned_at_ms",
    )
    .bind(line.0)
    .fetch_optional(tx.conn())
    .await?;
    Ok(row)
}

fn is_overtaken(line: &AnyRow, as_of: Option<Timestamp>) -> Result<bool, StoreError> {
    let acted_on = get_time(line, "issue_acted_on_ms")?;
    Ok(as_of.is_some_and(|as_of| as_of < acted_on))
}

/// Records that the one whose a line is was assigned at that moment: what was done earlier does
/// not give it to somebody else.
///
/// # Errors
/// The database is out of reach.
pub async fn record_assigned_at(store: &Store, line: LineId, at: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE lines SET assigned_at_ms = $2 WHERE id = $1 AND assigned_at_ms < $2")
        .bind(line.0)
        .bind(at.as_millis());
    execute(store, statement).await
}

/// When a line was given to its owner; the epoch: nobody did.
///
/// # Errors
/// The database is out of reach.
pub async fn assigned_at(store: &Store, line: LineId) -> Result<Timestamp, StoreError> {
    let row =
        sqlx::query("SELECT assigned_at_ms FROM lines WHERE id = $1").bind(line.0).fetch_optional(&store.pool).await?;
    row.map_or(Ok(Timestamp::UNIX_EPOCH), |row| get_time(&row, "assigned_at_ms"))
}

/// Records that a person edited a line's issue at that moment: what is older of its text is not to
/// be written back.
///
/// # Errors
/// The database is out of reach.
pub async fn record_edited(store: &Store, line: LineId, at: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE lines SET issue_edited_ms = $2 WHERE id = $1 AND issue_edited_ms < $2")
        .bind(line.0)
        .bind(at.as_millis());
    execute(store, statement).await
}

/// How old a line's issue is at least that an answer of GitHub's has to show; the epoch: of any
/// age.
///
/// # Errors
/// The database is out of reach.
pub async fn changed_at(store: &Store, line: LineId) -> Result<Timestamp, StoreError> {
    let row = sqlx::query("SELECT issue_acted_on_ms, issue_edited_ms FROM lines WHERE id = $1")
        .bind(line.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(Timestamp::UNIX_EPOCH) };
    Ok(get_time(&row, "issue_acted_on_ms")?.max(get_time(&row, "issue_edited_ms")?))
}

async fn reply_in(tx: &mut Tx, reply: CommandReply<'_>, now: Timestamp) -> Result<bool, StoreError> {
    insert_in(tx, reply.repository, reply.line, reply.what, reply.mode, now).await
}

/// Whether a closing is later than those of a line's issue that were replied to, of which there is
/// one.
///
/// # Errors
/// The database is out of reach.
pub async fn is_next_closing(store: &Store, line: LineId, closed_at: Timestamp) -> Result<bool, StoreError> {
    is_next(&sqlx::query(CLOSINGS).bind(line.0).bind(RESOLVED).fetch_all(&store.pool).await?, closed_at)
}

async fn is_next_in(tx: &mut Tx, line: LineId, closed_at: Timestamp) -> Result<bool, StoreError> {
    is_next(&sqlx::query(CLOSINGS).bind(line.0).bind(RESOLVED).fetch_all(tx.conn()).await?, closed_at)
}

/// What was replied to closings of a line's issue.
const CLOSINGS: &str = "SELECT purpose, subject FROM deliveries WHERE line_id = $1 AND purpose = $2";

fn is_next(replies: &[AnyRow], closed_at: Timestamp) -> Result<bool, StoreError> {
    let mut latest = None;
    for row in replies {
        if let Purpose::Resolved { closed_at } = read_purpose(row)? {
            latest = latest.max(Some(closed_at));
        }
    }
    Ok(latest.is_some_and(|latest| latest < closed_at))
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
