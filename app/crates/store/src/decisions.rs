//! What a decision writes: what is sent, and what is known of the line from then on.

use crate::columns::{get, signed, to_json};
use crate::deliveries::{Insertion, NewDelivery};
use crate::jobs::AskedDecision;
use crate::rows::{chunks, values};
use crate::{Store, StoreError, Tx, deliveries, jobs, lines, storms, writes};
use domain::delivery::DeliveryMode;
use domain::ids::{LineId, RepositoryId, StormId};
use domain::job::Job;
use domain::names::Login;
use domain::person::{ChosenRecipient, Step};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashSet};

/// How far the mails of whoever is to wait let others go first: as far as a thousand reports of one
/// key put its next one back (`TURN` of `store::intake`), and so until a burst is decided about.
const MAILS_AFTER: SignedDuration = SignedDuration::from_secs(50);

/// A decision about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The line.
    pub line: LineId,
    /// Whose it is.
    pub repository: RepositoryId,
    /// What is known of the line from now on.
    pub decided: LineUpdate,
    /// What is sent.
    pub send: Vec<NewDelivery>,
    /// How it is sent.
    pub mode: DeliveryMode,
}

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
    /// Who is told of it, where that was looked for.
    pub told: Option<ChosenRecipient>,
    /// Its author's account, where that became known.
    pub author_login: Option<Login>,
}

/// Writes decisions: what is to be sent with the jobs to send it, and what is known of the lines
/// from now on; and ends the jobs to decide. All in one transaction, each line once. `false`:
/// nothing was written of that one, because the issue that it was to carry on changed meanwhile, or
/// the storm that it was to join ended.
///
/// # Errors
/// The database is out of reach, or one of them can't be written: then nothing of any was.
pub async fn record(store: &Store, decisions: &[Decision], now: Timestamp) -> Result<Vec<bool>, StoreError> {
    let mut tx = store.begin_lazily().await?;
    let carried = decisions.iter().filter_map(|decision| Some(decision.decided.carried_from?.0));
    let ids: Vec<LineId> = decisions.iter().map(|decision| decision.line).chain(carried).collect();
    lines::lock_all_in(&mut tx, &ids).await?;
    // First, so that no storm ends from here on.
    let open = join_storms_in(&mut tx, decisions, now).await?;
    let mut written = Vec::new();
    for decision in decisions {
        let has_storm = !matches!(decision.mode, DeliveryMode::Storm(storm) if !open.contains(&storm));
        let has_issue = match decision.decided.carried_from {
            Some((old, issue)) if has_storm => lines::carry_issue_in(&mut tx, old, issue, decision.line).await?,
            _ => true,
        };
        written.push(has_storm && has_issue);
    }
    let kept: Vec<&Decision> =
        decisions.iter().zip(&written).filter(|(_, is_written)| **is_written).map(|(decision, _)| decision).collect();
    let passed = set_decided_in(&mut tx, &kept, now).await?;
    for decision in kept.iter().filter(|decision| decision.decided.regressed) {
        lines::record_regression_told_in(&mut tx, decision.line).await?;
    }
    decide_again_in(&mut tx, store, &kept, &passed, now).await?;
    let insertions: Vec<Insertion<'_>> = kept.iter().flat_map(|decision| insertions_of(decision, store, now)).collect();
    deliveries::insert_all_in(&mut tx, &insertions, now).await?;
    for (storm, repository) in storms_of(&kept) {
        storms::set_mails_due_in(&mut tx, storm, now).await?;
        writes::enqueue_in(&mut tx, repository, now).await?;
    }
    let done: Vec<Job> = kept.iter().map(|decision| Job::Decide(decision.line)).collect();
    jobs::end_in(&mut tx, store, &done).await?;
    tx.commit().await?;
    Ok(written)
}

fn insertions_of<'a>(
    decision: &'a Decision,
    store: &Store,
    now: Timestamp,
) -> impl Iterator<Item = Insertion<'a>> + use<'a> {
    let Decision { line, repository, mode, .. } = *decision;
    let turn = store.turn_after(Job::Decide(line), now);
    // Of whoever is to wait, what is still undecided goes first: a cause that breaks many lines is
    // told of as one.
    let turn = if turn > now { turn + MAILS_AFTER } else { turn };
    decision.send.iter().map(move |what| Insertion { repository, line, what, mode, turn })
}

fn storms_of(decisions: &[&Decision]) -> BTreeMap<StormId, RepositoryId> {
    let of_one = |decision: &&Decision| match decision.mode {
        DeliveryMode::Storm(storm) => Some((storm, decision.repository)),
        DeliveryMode::Singly | DeliveryMode::Shadow => None,
    };
    decisions.iter().filter_map(of_one).collect()
}

/// Has lines join their storms; those that are still open.
async fn join_storms_in(tx: &mut Tx, decisions: &[Decision], now: Timestamp) -> Result<HashSet<StormId>, StoreError> {
    let mut joining: BTreeMap<StormId, Vec<LineId>> = BTreeMap::new();
    for decision in decisions {
        if let DeliveryMode::Storm(storm) = decision.mode {
            joining.entry(storm).or_default().push(decision.line);
        }
    }
    let mut open = HashSet::new();
    for (storm, lines) in joining {
        if storms::add_lines_in(tx, storm, &lines, now).await? {
            open.insert(storm);
        }
    }
    Ok(open)
}

/// What is known of the lines from now on. The alert of each and the mail of its known error are
/// decided once. Those whose counts have passed the next threshold already, by what arrived since
/// their totals were read.
async fn set_decided_in(tx: &mut Tx, decisions: &[&Decision], now: Timestamp) -> Result<HashSet<LineId>, StoreError> {
    let mut passed = HashSet::new();
    for chunk in chunks(decisions) {
        let sql = format!(
            "WITH fresh (line, decided, next, is_known, is_alerted, is_mailed, plain, who, handover, nobody, login, at)
                 AS (VALUES {})
             UPDATE lines SET decided_total = fresh.decided, next_decide_at = fresh.next,
                 status_wanted = CASE WHEN lines.known <> fresh.is_known THEN 1 ELSE lines.status_wanted END,
                 known = fresh.is_known,
                 alerted_at_ms = CASE WHEN fresh.is_alerted = 1 THEN COALESCE(lines.alerted_at_ms, fresh.at)
                     ELSE lines.alerted_at_ms END,
                 known_mailed_at_ms = CASE WHEN fresh.is_mailed = 1 THEN COALESCE(lines.known_mailed_at_ms, fresh.at)
                     ELSE lines.known_mailed_at_ms END,
                 plain_until_ms = COALESCE(fresh.plain, lines.plain_until_ms),
                 told = COALESCE(fresh.who, lines.told),
                 handover_id = CASE WHEN fresh.who IS NULL THEN lines.handover_id ELSE fresh.handover END,
                 told_nobody = CASE WHEN fresh.who IS NULL THEN lines.told_nobody ELSE fresh.nobody END,
                 author_login = COALESCE(fresh.login, lines.author_login)
             FROM fresh WHERE lines.id = fresh.line
             RETURNING lines.id AS line, lines.total AS total, lines.next_decide_at AS next",
            values(chunk.len(), 12)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for Decision { line, decided, .. } in chunk {
            let told = decided.told.as_ref();
            query = query
                .bind(line.0)
                .bind(signed(decided.total))
                .bind(decided.next_at.map(signed))
                .bind(i64::from(decided.known))
                .bind(i64::from(decided.alerted))
                .bind(i64::from(decided.known_mailed))
                .bind(decided.plain_until.map(Timestamp::as_millis))
                .bind(told.map(|told| to_json("lines.told", told)).transpose()?)
                .bind(told.and_then(|told| told.handover).map(|id| id.0))
                .bind(i64::from(told.is_some_and(|told| told.person.step == Step::Nobody)))
                .bind(decided.author_login.as_ref().map(|login| login.as_str().to_owned()))
                .bind(now.as_millis());
        }
        for row in query.fetch_all(tx.conn()).await? {
            let (total, next): (i64, Option<i64>) = (get(&row, "total")?, get(&row, "next")?);
            if next.is_some_and(|next| total >= next) {
                passed.insert(LineId(get(&row, "line")?));
            }
        }
    }
    Ok(passed)
}

/// Asks for another decision about those that have passed their next threshold.
async fn decide_again_in(
    tx: &mut Tx,
    store: &Store,
    decisions: &[&Decision],
    passed: &HashSet<LineId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let again: Vec<AskedDecision> = decisions
        .iter()
        .filter(|decision| passed.contains(&decision.line))
        .map(|decision| AskedDecision {
            line: decision.line,
            repository: decision.repository,
            turn: store.turn_after(Job::Decide(decision.line), now),
        })
        .collect();
    for AskedDecision { line, .. } in &again {
        sqlx::query("UPDATE lines SET next_decide_at = NULL WHERE id = $1").bind(line.0).execute(tx.conn()).await?;
    }
    jobs::enqueue_decisions_in(tx, &store.costs, &again, now).await
}
