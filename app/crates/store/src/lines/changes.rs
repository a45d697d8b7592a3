//! What changes of a line after it was found: its issue, its owner, who is told, whether it is
//! known or resolved.

use crate::columns::{signed, to_json};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx, fingerprints, jobs, stamp};
use domain::commit::CommitId;
use domain::ids::LineId;
use domain::job::Job;
use domain::names::Login;
use domain::person::{ChosenRecipient, Step};
use domain::timestamp::Timestamp;

/// Records the login of a line's author.
pub async fn set_author_login(store: &Store, line: LineId, login: &Login) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE lines SET author_login = $2 WHERE id = $1").bind(line.0).bind(login.as_str());
    execute(store, statement).await
}

/// Records who is told of a line.
pub async fn set_told(store: &Store, line: LineId, told: &ChosenRecipient) -> Result<(), StoreError> {
    let text = to_json("lines.told", told)?;
    let statement = sqlx::query("UPDATE lines SET told = $2, handover_id = $3, told_nobody = $4 WHERE id = $1")
        .bind(line.0)
        .bind(text)
        .bind(told.handover.map(|id| id.0))
        .bind(i64::from(told.person.step == Step::Nobody));
    execute(store, statement).await
}

/// Gives a line to somebody, as a person commanded; `None` gives it back to its author.
pub async fn set_owner(store: &Store, line: LineId, login: Option<&Login>) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE lines SET owner_login = $2, status_wanted = 1 WHERE id = $1")
        .bind(line.0)
        .bind(login.map(Login::as_str));
    execute(store, statement).await
}

/// Marks whether a known-error rule covers a line.
pub async fn set_known(store: &Store, line: LineId, known: bool) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE lines SET known = $2, status_wanted = 1 WHERE id = $1 AND known <> $2")
        .bind(line.0)
        .bind(i64::from(known));
    execute(store, statement).await
}

/// Has it decided about a line again when it happens again.
pub async fn decide_at_next(store: &Store, line: LineId) -> Result<(), StoreError> {
    execute(store, sqlx::query("UPDATE lines SET next_decide_at = total + 1 WHERE id = $1").bind(line.0)).await
}

/// Records the issue of a line.
pub async fn set_issue(store: &Store, line: LineId, issue: Option<u64>) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    // What a new issue says is that it is open, and nobody's: more is added where there is more to
    // say.
    sqlx::query(
        "UPDATE lines SET issue_number = $2, issue_missed_at_ms = NULL,
             issue_acted_on_ms = CASE WHEN issue_number = $2 THEN issue_acted_on_ms ELSE 0 END,
             issue_assignees = CASE WHEN issue_number = $2 THEN issue_assignees ELSE NULL END,
             issue_edited_ms = CASE WHEN issue_number = $2 THEN issue_edited_ms ELSE 0 END,
             status_total = total, status_at_ms = last_seen_ms, status_off = 0, status_wanted = CASE WHEN known = 1 OR owner_login IS NOT NULL OR regressions > 0 THEN 1 ELSE 0 END
         WHERE id = $1",
    )
    .bind(line.0)
    .bind(issue.map(signed))
    .execute(tx.conn())
    .await?;
    tx.commit().await
}

/// Records that another one of a line's issues is the line's from now on: nothing of what was acted
/// on was done there. `false`: the line's issue is another one by now.
pub async fn move_issue(store: &Store, line: LineId, from: u64, to: u64) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let moved = sqlx::query(
        "UPDATE lines SET issue_number = $3, issue_missed_at_ms = NULL, issue_acted_on_ms = 0, issue_assignees = NULL,
             issue_edited_ms = 0, status_off = 0, status_wanted = 1, status_due_at_ms = 0
         WHERE id = $1 AND issue_number = $2",
    )
    .bind(line.0)
    .bind(signed(from))
    .bind(signed(to))
    .execute(tx.conn())
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(moved > 0)
}

/// Records when GitHub said for the first time that a line's issue is not there; `None`: it is.
pub async fn set_issue_missed(store: &Store, line: LineId, at: Option<Timestamp>) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE lines SET issue_missed_at_ms = $2 WHERE id = $1")
        .bind(line.0)
        .bind(at.map(Timestamp::as_millis));
    execute(store, statement).await
}

/// Records that a line's issue is not there any more: deleted, or in another repository. The next
/// report files anew; whoever had a mail gets no second one.
pub async fn record_issue_gone(store: &Store, line: LineId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query("DELETE FROM deliveries WHERE line_id = $1 AND channel IN ('issue', 'comment')")
        .bind(line.0)
        .execute(tx.conn())
        .await?;
    sqlx::query(
        "UPDATE lines SET issue_number = NULL, issue_missed_at_ms = NULL, alerted_at_ms = NULL, next_decide_at = total + 1, resolved_at_ms = NULL,
             resolved_commit = NULL, regressed_at_ms = NULL WHERE id = $1",
    )
    .bind(line.0)
    .execute(tx.conn())
    .await?;
    tx.commit().await
}

/// Resolves a line that any further report brings back.
///
/// # Errors
/// The database is out of reach.
pub async fn resolve_for_now(store: &Store, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    resolve_in(&mut tx, line, AsOf { commit: None, person_at: None }, now).await?;
    tx.commit().await
}

/// As of what a line is resolved.
#[derive(Clone, Copy, Debug)]
pub struct AsOf<'a> {
    /// A commit: reports of what does not contain it are no news; `None`: any further report is.
    pub commit: Option<&'a CommitId>,
    /// When a person closed the issue: reports of what ran by then are no news either.
    pub person_at: Option<Timestamp>,
}

/// Its fingerprints are attributed anew, because what was a repeat may now be a regression.
pub(super) async fn resolve_in(tx: &mut Tx, line: LineId, as_of: AsOf<'_>, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE lines SET resolved_at_ms = $2, resolved_commit = $3, person_closed_ms = $4, regressed_at_ms = NULL,
             next_decide_at = NULL, status_wanted = 1 WHERE id = $1",
    )
    .bind(line.0)
    .bind(now.as_millis())
    .bind(as_of.commit.map(CommitId::as_str))
    .bind(as_of.person_at.map(Timestamp::as_millis))
    .execute(tx.conn())
    .await?;
    fingerprints::make_stale_in(tx, line).await?;
    stamp::record_resolution_in(tx).await
}

/// Takes a resolution back.
pub async fn unresolve(store: &Store, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    unresolve_in(&mut tx, line).await?;
    jobs::enqueue_in(&mut tx, Job::Decide(line), now, now).await?;
    tx.commit().await
}

/// Takes a resolution back, and what was seen of a regression.
pub(crate) async fn unresolve_in(tx: &mut Tx, line: LineId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE lines SET resolved_at_ms = NULL, resolved_commit = NULL, regressed_at_ms = NULL, regressed_revision = NULL,
             regressed_release = NULL, status_wanted = 1 WHERE id = $1",
    )
    .bind(line.0)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A resolved line that came back is told of: its resolution ends, and it came back once more.
pub(crate) async fn record_regression_told_in(tx: &mut Tx, line: LineId) -> Result<(), StoreError> {
    unresolve_in(tx, line).await?;
    sqlx::query("UPDATE lines SET regressions = regressions + 1 WHERE id = $1").bind(line.0).execute(tx.conn()).await?;
    Ok(())
}

/// Gives the issue of an old line to the line that it became, with its owner and the labels that
/// command there. `false`: the issue is not the old line's any more, or it was closed.
pub(crate) async fn carry_issue_in(tx: &mut Tx, old: LineId, issue: u64, new: LineId) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "UPDATE lines SET issue_number = NULL WHERE id = $1 AND issue_number = $2 AND resolved_at_ms IS NULL AND known = 0",
    )
    .bind(old.0)
    .bind(signed(issue))
    .execute(tx.conn())
    .await?
    .rows_affected();
    if taken == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE lines SET issue_number = $3, status_wanted = 1,
             owner_login = (SELECT o.owner_login FROM lines o WHERE o.id = $1),
             issue_acted_on_ms = (SELECT o.issue_acted_on_ms FROM lines o WHERE o.id = $1),
             issue_assignees = (SELECT o.issue_assignees FROM lines o WHERE o.id = $1),
             issue_edited_ms = (SELECT o.issue_edited_ms FROM lines o WHERE o.id = $1),
             assigned_at_ms = (SELECT o.assigned_at_ms FROM lines o WHERE o.id = $1),
             regressions = (SELECT o.regressions FROM lines o WHERE o.id = $1) WHERE id = $2",
    )
    .bind(old.0)
    .bind(new.0)
    .bind(signed(issue))
    .execute(tx.conn())
    .await?;
    sqlx::query("UPDATE rules SET line_id = $2 WHERE line_id = $1 AND (ended_at_ms IS NULL OR overruled = 1)")
        .bind(old.0)
        .bind(new.0)
        .execute(tx.conn())
        .await?;
    // What was said there stays so: the same words are no news of the new line either. What GitHub
    // did not answer may be there, or will be.
    sqlx::query(
        "UPDATE deliveries SET line_id = $2
         WHERE line_id = $1 AND channel = 'comment' AND (state = 'sent' OR unanswered_at_ms IS NOT NULL)
             AND purpose IN ('resolved', 'reassigned', 'refused_label', 'rule_made', 'rule_ended', 'new_exception')
             AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.line_id = $2 AND n.channel = 'comment'
                 AND n.purpose = deliveries.purpose AND n.subject = deliveries.subject)",
    )
    .bind(old.0)
    .bind(new.0)
    .execute(tx.conn())
    .await?;
    // Its issue has gone: what was still to be said or done there of the old line has no place any
    // more.
    sqlx::query(
        "UPDATE deliveries SET state = 'given_up', error = 'its issue goes on with the line as it was edited'
         WHERE line_id = $1 AND channel IN ('comment', 'issue') AND state = 'pending'",
    )
    .bind(old.0)
    .execute(tx.conn())
    .await?;
    Ok(true)
}
