//! What a decision writes: what is sent, and what is known of the line from then on.

use crate::columns::signed;
use crate::deliveries::NewDelivery;
use crate::{Store, StoreError, Tx, deliveries, jobs, lines, storms, writes};
use domain::delivery::DeliveryMode;
use domain::ids::{LineId, RepositoryId};
use domain::timestamp::Timestamp;

/// What a decision changes of a line, beside what is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineUpdate {
    /// The total that was decided on.
    pub total: u64,
    /// The total at which to decide again.
    pub next_at: Option<u64>,
    /// A known-error rule covers it.
    pub known: bool,
    /// The line's alert was decided.
    pub alerted: bool,
    /// A mail of the known error was decided.
    pub known_mailed: bool,
    /// Until when it is decided about without the mirror, where reading that ended the process.
    pub plain_until: Option<Timestamp>,
    /// The line is back: its resolution ends.
    pub regressed: bool,
    /// The line that it was before somebody edited it, and that line's issue, which is its own from
    /// now on.
    pub carried_from: Option<(LineId, u64)>,
}

/// Writes a decision: what is to be sent with the jobs to send it, and what is known of the line
/// from now on. `false`: nothing was written, because the issue that it was to carry on changed
/// meanwhile, or the storm that it was to join ended.
pub async fn record(
    store: &Store,
    repository: RepositoryId,
    line: LineId,
    decided: &LineUpdate,
    send: &[NewDelivery],
    mode: DeliveryMode,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin_lazily().await?;
    // First, so that the storm does not end from here on.
    if let DeliveryMode::Storm(storm) = mode
        && !storms::add_line_in(&mut tx, storm, line, now).await?
    {
        return Ok(false);
    }
    if let Some((old, issue)) = decided.carried_from
        && !lines::carry_issue_in(&mut tx, old, issue, line).await?
    {
        return Ok(false);
    }
    set_decided_in(&mut tx, line, decided, now).await?;
    if decided.regressed {
        lines::record_regression_told_in(&mut tx, line).await?;
    }
    if has_passed_in(&mut tx, line).await? {
        jobs::enqueue_decision_in(&mut tx, &store.costs, (line, repository), now).await?;
    }
    for delivery in send {
        deliveries::insert_in(&mut tx, repository, line, delivery, mode, now).await?;
    }
    if let DeliveryMode::Storm(storm) = mode {
        storms::set_mails_due_in(&mut tx, storm, now).await?;
        writes::enqueue_in(&mut tx, repository, now).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// What is known of the line from now on. Its alert and the mail of its known error are decided
/// once.
async fn set_decided_in(tx: &mut Tx, line: LineId, decided: &LineUpdate, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE lines SET decided_total = $2, next_decide_at = $3,
             status_wanted = CASE WHEN known <> $4 THEN 1 ELSE status_wanted END, known = $4,
             alerted_at_ms = CASE WHEN $5 = 1 THEN COALESCE(alerted_at_ms, $7) ELSE alerted_at_ms END,
             known_mailed_at_ms = CASE WHEN $6 = 1 THEN COALESCE(known_mailed_at_ms, $7) ELSE known_mailed_at_ms END,
             plain_until_ms = COALESCE($8, plain_until_ms)
         WHERE id = $1",
    )
    .bind(line.0)
    .bind(signed(decided.total))
    .bind(decided.next_at.map(signed))
    .bind(i64::from(decided.known))
    .bind(i64::from(decided.alerted))
    .bind(i64::from(decided.known_mailed))
    .bind(now.as_millis())
    .bind(decided.plain_until.map(Timestamp::as_millis))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether counts that arrived since the total was read have passed the next threshold already.
async fn has_passed_in(tx: &mut Tx, line: LineId) -> Result<bool, StoreError> {
    let passed = sqlx::query(
        "UPDATE lines SET next_decide_at = NULL WHERE id = $1 AND next_decide_at IS NOT NULL AND total >= next_decide_at",
    )
    .bind(line.0)
    .execute(tx.conn())
    .await?;
    Ok(passed.rows_affected() > 0)
}
