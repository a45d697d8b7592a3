//! What is not a line's: fingerprints, old messages, webhooks, and what GitHub and mail servers
//! said.

use super::{Phase, Policy, Round};
use crate::columns::{get, get_count};
use crate::{StoreError, Tx, ids};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

/// Rows that one piece looks at.
const ROWS: i64 = 256;

/// How long a webhook's delivery id is remembered: GitHub lists deliveries for redelivery for far
/// less.
const HOOKS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long it is remembered that a mail server refused an address, or where a deployment was:
/// twice as long and more than either counts.
const REFUSALS_AND_ROOTS: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long it is remembered whose an address is. It is asked again after a week, where it matters.
const ACCOUNTS: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Deletes fingerprints that were not seen for as long as tracebacks are kept and are not those of
/// one that is: whatever comes with one later is attributed anew, and comes to the same line. With
/// one that was given up goes what was counted for the line that it never got.
pub(super) async fn fingerprints_in(tx: &mut Tx, policy: &Policy, round: &mut Round) -> Result<(), StoreError> {
    let before = policy.server.boundaries(round.horizon()).tracebacks;
    let Some(last) = next_in(tx, "fingerprints", before, round).await? else {
        round.enter(Phase::Deliveries);
        return Ok(());
    };
    // First the lock: a report that comes in now makes it another row.
    let rows = sqlx::query(
        "UPDATE fingerprints SET state = state WHERE id > $1 AND id <= $2 AND state <> 'pending' AND last_seen_ms < $3
             AND NOT EXISTS (SELECT 1 FROM tracebacks t WHERE t.fingerprint_id = fingerprints.id)
             AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.fingerprint_id = fingerprints.id)
         RETURNING id",
    )
    .bind(round.cursor)
    .bind(last)
    .bind(before.as_millis())
    .fetch_all(tx.conn())
    .await?;
    let gone = rows.iter().map(|row| get(row, "id")).collect::<Result<Vec<i64>, StoreError>>()?;
    for chunk in crate::rows::chunks(&gone) {
        let these: Vec<String> = (1..=chunk.len()).map(|number| format!("${number}")).collect();
        for (table, column) in
            [("pending_occurrences", "fingerprint_id"), ("pending_facets", "fingerprint_id"), ("fingerprints", "id")]
        {
            let sql = format!("DELETE FROM {table} WHERE {column} IN ({})", these.join(", "));
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in chunk {
                query = query.bind(*id);
            }
            query.execute(tx.conn()).await?;
        }
    }
    round.cursor = last;
    Ok(())
}

/// Deletes what was said of counts, once that is older than counts by day are: a count comes once.
/// All other messages stay: that they are there is why nothing is said twice.
pub(super) async fn deliveries_in(tx: &mut Tx, policy: &Policy, round: &mut Round) -> Result<(), StoreError> {
    let before = policy.server.boundaries(round.horizon()).days;
    let Some(last) = next_in(tx, "deliveries", before, round).await? else {
        round.enter(Phase::Hooks);
        return Ok(());
    };
    sqlx::query(
        "DELETE FROM deliveries WHERE id > $1 AND id <= $2 AND state IN ('sent', 'given_up')
             AND purpose IN ('count', 'known_every') AND created_at_ms < $3",
    )
    .bind(round.cursor)
    .bind(last)
    .bind(before.as_millis())
    .execute(tx.conn())
    .await?;
    round.cursor = last;
    Ok(())
}

/// Deletes webhooks that were acted on.
pub(super) async fn hooks_in(tx: &mut Tx, round: &mut Round) -> Result<(), StoreError> {
    let before = round.horizon() - HOOKS;
    let Some(last) = next_in(tx, "hooks", before, round).await? else {
        round.enter(Phase::Rest);
        return Ok(());
    };
    sqlx::query("DELETE FROM hooks WHERE id > $1 AND id <= $2 AND processed_at_ms IS NOT NULL AND received_at_ms < $3")
        .bind(round.cursor)
        .bind(last)
        .bind(before.as_millis())
        .execute(tx.conn())
        .await?;
    round.cursor = last;
    Ok(())
}

/// Deletes what else is old: few rows, looked at as a whole.
pub(super) async fn rest_in(tx: &mut Tx, policy: &Policy, round: &mut Round) -> Result<(), StoreError> {
    let horizon = round.horizon();
    let days = policy.server.boundaries(horizon).days;
    let mut most = 0;
    for (sql, before) in [
        (
            "DELETE FROM accounts WHERE email IN (SELECT email FROM accounts WHERE asked_at_ms < $1 LIMIT $2)",
            horizon - ACCOUNTS,
        ),
        (
            "DELETE FROM refused_addresses WHERE address IN (
                 SELECT address FROM refused_addresses WHERE refused_at_ms < $1 LIMIT $2)",
            horizon - REFUSALS_AND_ROOTS,
        ),
        (
            "DELETE FROM deployment_roots WHERE (repository_id, place, prefix, folder) IN (
                 SELECT repository_id, place, prefix, folder FROM deployment_roots WHERE seen_at_ms < $1 LIMIT $2)",
            horizon - REFUSALS_AND_ROOTS,
        ),
        (
            "DELETE FROM rule_baselines WHERE (rule_id, line_id) IN (
                 SELECT b.rule_id, b.line_id FROM rules r JOIN rule_baselines b ON b.rule_id = r.id
                 WHERE r.ended_at_ms < $1 LIMIT $2)",
            days,
        ),
    ] {
        let gone = sqlx::query(sql).bind(before.as_millis()).bind(ROWS).execute(tx.conn()).await?.rows_affected();
        most = most.max(gone);
    }
    if most < ROWS.unsigned_abs() {
        round.enter(Phase::Over);
    }
    Ok(())
}

/// The last of the next rows of a table, of those that were made before: ids are in order of time.
/// `None`: there are none.
async fn next_in(
    tx: &mut Tx,
    table: &'static str,
    before: Timestamp,
    round: &Round,
) -> Result<Option<i64>, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) AS n, COALESCE(MAX(id), 0) AS last FROM (
             SELECT id FROM {table} WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3) AS next"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(round.cursor).bind(ids::first_at(before)).bind(ROWS);
    let row = query.fetch_one(tx.conn()).await?;
    Ok(if get_count(&row, "n")? == 0 { None } else { Some(get(&row, "last")?) })
}
