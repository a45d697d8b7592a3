//! Folding the journal: what it says is added to lines and hours, exactly once, for a row goes in
//! the transaction that adds what it said.

use super::{Counted, append_in, is_empty};
use crate::columns::get;
use crate::jobs::Costs;
use crate::{Store, StoreError, Tx, jobs, lines};
use domain::ids::LineId;
use domain::timestamp::Timestamp;
use std::collections::HashSet;

/// Rows that are folded at once. Sixteen connections write about as many in half a second; those of
/// some hundred connections that name a line each have some 10 MB.
const ROWS: i64 = 512;

/// Lines that one transaction adds to: some milliseconds, for which reports that come in wait on
/// SQLite. What it does not get to is put back as one row.
const LINES: usize = 256;

/// What folding came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Lines that were added to; one that was added to twice counts twice.
    pub lines: usize,
    /// A count reached the one that was waited for, so a job asks for a decision.
    pub asked: bool,
    /// Entries that could not be read, as of a damaged disk: they are lost, and nothing waits for
    /// them.
    pub unreadable: usize,
}

/// How far folding has come, from one piece to the next. Lines go in their order, once around: in a
/// server under load there is always something left of those that were added to first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    /// The line that was added to last.
    cursor: Option<LineId>,
    /// There were more rows than were looked at: what they say of lines before that one is left.
    more: bool,
}

/// Folds all that was in the journal when this was called, in transactions of a few milliseconds.
pub async fn fold(store: &Store, now: Timestamp) -> Result<Folded, StoreError> {
    let mut folded = Folded::default();
    let mut round = Round::default();
    // Looked at without a turn to write, of which there may be none while the disk is full: most of
    // the time nothing waits.
    while !is_empty(store).await? {
        // What is lost of it is still in the journal.
        let mut tx = store.begin_lazily().await?;
        let is_over = piece_in(&mut tx, &store.costs, &mut round, &mut folded, now).await?;
        tx.commit().await?;
        if is_over {
            break;
        }
    }
    Ok(folded)
}

/// Takes rows out, adds what they say of some lines, and puts back what is left; whether all is
/// folded that was there when the round began.
pub(super) async fn piece_in(
    tx: &mut Tx,
    costs: &Costs,
    round: &mut Round,
    folded: &mut Folded,
    now: Timestamp,
) -> Result<bool, StoreError> {
    lock_in(tx, now).await?;
    let rows = sqlx::query("DELETE FROM journal WHERE id IN (SELECT id FROM journal LIMIT $1) RETURNING counted")
        .bind(ROWS)
        .fetch_all(tx.conn())
        .await?;
    round.more |= i64::try_from(rows.len()).unwrap_or(i64::MAX) >= ROWS;
    let mut counted = Counted::default();
    for row in &rows {
        folded.unreadable += counted.read(&get::<String>(row, "counted")?);
    }
    let piece = counted.take_after(round.cursor, LINES);
    folded.lines += add_in(tx, costs, &piece, folded).await?;
    append_in(tx, &counted, now).await?;
    round.cursor = piece.last_line().filter(|reached| counted.last_line().is_some_and(|last| last > *reached));
    let is_over = round.cursor.is_none() && !round.more;
    if round.cursor.is_none() {
        round.more = false;
    }
    Ok(is_over)
}

/// One process folds at a time, until its transaction ends: two that add to the same lines in
/// another order would wait for each other.
async fn lock_in(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ('folded_ms', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(now.as_millis().to_string())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds to lines and hours, and asks for a decision where a count reached the one that was waited
/// for; how many lines there were. One that was deleted meanwhile is not counted.
async fn add_in(tx: &mut Tx, costs: &Costs, counted: &Counted, folded: &mut Folded) -> Result<usize, StoreError> {
    let mut totals: Vec<lines::Addition> = Vec::new();
    for (line, _, happened) in counted.iter() {
        match totals.last_mut().filter(|last| last.line == line) {
            Some(last) => {
                last.count = last.count.saturating_add(happened.count);
                last.last_at = last.last_at.max(happened.last_at);
            }
            None => totals.push(lines::Addition { line, count: happened.count, last_at: happened.last_at }),
        }
    }
    let added = lines::add_totals_in(tx, &totals).await?;
    for (due, repository, at) in &added.due {
        jobs::enqueue_decision_in(tx, costs, (*due, *repository), *at).await?;
        folded.asked = true;
    }
    let there: HashSet<LineId> = added.there.into_iter().collect();
    let hours: Vec<(LineId, Timestamp, u64)> = counted
        .iter()
        .filter(|(line, ..)| there.contains(line))
        .map(|(line, hour, happened)| (line, hour, happened.count))
        .collect();
    lines::add_hours_in(tx, &hours).await?;
    Ok(there.len())
}
