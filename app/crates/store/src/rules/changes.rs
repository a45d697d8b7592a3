//! Rules that are made, changed and ended.

use super::{Baseline, COLUMNS, NewRule, RuleRow, entry_of, read};
use crate::columns::{get, get_count};
use crate::deliveries::{NewDelivery, insert_in};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx};
use domain::delivery::DeliveryMode;
use domain::ids::{LineId, RepositoryId, RuleId};
use domain::rule::{MOST_MADE, Rule, RuleSource};
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;

/// What came of a rule that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// It is in force from now on.
    Made(RuleId),
    /// This one was in force already.
    InForce(RuleId),
    /// There are [`MOST_MADE`] already. Not where a label commands it.
    TooMany,
}

/// Makes a rule, unless one of the same kind and coverage is in force, or one that the same label
/// of the same issue made (which somebody may have changed since). `covered`: the lines that it
/// covers.
pub async fn insert(
    store: &Store,
    new: &NewRule,
    covered: &[Baseline],
    now: Timestamp,
) -> Result<Insertion, StoreError> {
    let mut tx = store.begin().await?;
    // The write comes first: it takes the lock that keeps two equal commands apart.
    raise_generation_in(&mut tx, new.repository).await?;
    let entry = entry_of(&new.rule)?;
    if let Some(known) = in_force_in(&mut tx, new, &entry).await? {
        if new.label.is_some() && put_on_again_in(&mut tx, known).await? {
            tx.commit().await?;
        }
        return Ok(Insertion::InForce(known));
    }
    if new.origin != RuleSource::Label && is_full_in(&mut tx, new.repository).await? {
        return Ok(Insertion::TooMany);
    }
    let id = insert_row_in(&mut tx, new, &entry, now).await?;
    insert_baselines_in(&mut tx, id, covered).await?;
    tx.commit().await?;
    Ok(Insertion::Made(id))
}

/// Whether a repository has as many rules as people may make.
async fn is_full_in(tx: &mut Tx, repository: RepositoryId) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS made FROM rules WHERE repository_id = $1 AND origin <> $2 AND ended_at_ms IS NULL",
    )
    .bind(repository.0)
    .bind(RuleSource::Label.as_str())
    .fetch_one(tx.conn())
    .await?;
    Ok(get_count(&row, "made")? >= MOST_MADE as u64)
}

async fn in_force_in(tx: &mut Tx, new: &NewRule, entry: &str) -> Result<Option<RuleId>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM rules WHERE repository_id = $1 AND kind = $2 AND (entry = $3 OR $4 <> '')
             AND COALESCE(label, '') = $4 AND COALESCE(line_id, 0) = $5 AND ended_at_ms IS NULL",
    )
    .bind(new.repository.0)
    .bind(new.rule.kind().as_str())
    .bind(entry)
    .bind(new.label.as_deref().unwrap_or(""))
    .bind(new.line.map_or(0, |line| line.0))
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| Ok(RuleId(get(&row, "id")?))).transpose()
}

/// A label that was deleted in the repository is on its issue again; `false`: it was not deleted.
async fn put_on_again_in(tx: &mut Tx, rule: RuleId) -> Result<bool, StoreError> {
    let sql = "UPDATE rules SET label_deleted = 0 WHERE id = $1 AND label_deleted = 1";
    Ok(sqlx::query(sql).bind(rule.0).execute(tx.conn()).await?.rows_affected() > 0)
}

/// Remembers that the label of a line's rule was deleted in the repository, and asks what is to
/// follow; `false` where that is known.
///
/// # Errors
/// The database is out of reach.
pub async fn record_label_deleted(
    store: &Store,
    rule: &RuleRow,
    line: LineId,
    question: &NewDelivery,
    mode: DeliveryMode,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let sql = "UPDATE rules SET label_deleted = 1 WHERE id = $1 AND label_deleted = 0 AND ended_at_ms IS NULL";
    let is_news = sqlx::query(sql).bind(rule.made.id.0).execute(tx.conn()).await?.rows_affected() > 0;
    if is_news {
        insert_in(&mut tx, rule.repository, line, question, mode, now).await?;
    }
    tx.commit().await?;
    Ok(is_news)
}

async fn insert_row_in(tx: &mut Tx, new: &NewRule, entry: &str, now: Timestamp) -> Result<RuleId, StoreError> {
    let id = RuleId(tx.next_id(now));
    sqlx::query(
        "INSERT INTO rules (id, repository_id, kind, entry, line_id, label, issue_number, made_by, made_at_ms, origin,
             commanded_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id.0)
    .bind(new.repository.0)
    .bind(new.rule.kind().as_str())
    .bind(entry)
    .bind(new.line.map(|line| line.0))
    .bind(new.label.as_deref())
    .bind(new.issue.map(u64::cast_signed))
    .bind(&new.by)
    .bind(now.as_millis())
    .bind(new.origin.as_str())
    .bind(new.commanded_at.map(Timestamp::as_millis))
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Changes what a rule covers and when it is told; `false` where it is not in force. What it
/// silenced so far stays its own.
pub async fn update(
    store: &Store,
    repository: RepositoryId,
    rule: RuleId,
    becomes: &Rule,
    covered: &[Baseline],
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let changed = sqlx::query(
        "UPDATE rules SET kind = $3, entry = $4, edited_by = $5, edited_at_ms = $6
         WHERE id = $1 AND repository_id = $2 AND ended_at_ms IS NULL",
    )
    .bind(rule.0)
    .bind(repository.0)
    .bind(becomes.kind().as_str())
    .bind(entry_of(becomes)?)
    .bind(by)
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?
    .rows_affected();
    if changed > 0 {
        insert_baselines_in(&mut tx, rule, covered).await?;
        raise_generation_in(&mut tx, repository).await?;
    }
    tx.commit().await?;
    Ok(changed > 0)
}

/// Ends one rule; `false` where it was not in force. That of a label is overruled: the label stays.
pub async fn end(
    store: &Store,
    repository: RepositoryId,
    rule: RuleId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let ended = sqlx::query(
        "UPDATE rules SET ended_at_ms = $3, ended_by = $4, overruled = CASE WHEN label IS NULL THEN 0 ELSE 1 END
         WHERE id = $1 AND repository_id = $2 AND ended_at_ms IS NULL",
    )
    .bind(rule.0)
    .bind(repository.0)
    .bind(now.as_millis())
    .bind(by)
    .execute(tx.conn())
    .await?
    .rows_affected();
    if ended > 0 {
        raise_generation_in(&mut tx, repository).await?;
    }
    tx.commit().await?;
    Ok(ended > 0)
}

/// What ends rules that labels on a line's issue made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending<'a> {
    /// This label was taken off: what it would command next is a new command.
    TakenOff(&'a str),
    /// The issue was opened again at that moment, by GitHub's clock: what was commanded later
    /// stays. Labels that are obeyed at once stay on, and command nothing from then on; those that
    /// wait for a closing command anew at the next one.
    Reopened(Timestamp),
    /// The same, of which nobody knows when: what is obeyed at once may have been commanded since.
    FoundOpen,
}

impl<'a> Ending<'a> {
    /// Which rules of a line it ends, by the label `$2` and the moment `$3`.
    fn condition(self) -> &'static str {
        match self {
            Self::TakenOff(_) => "LOWER(label) = LOWER($2) AND $3 = $3",
            Self::Reopened(_) => "label IS NOT NULL AND $2 = $2 AND (commanded_at_ms IS NULL OR commanded_at_ms <= $3)",
            Self::FoundOpen => "label IS NOT NULL AND $2 = $2 AND $3 = $3 AND kind = 'known_error'",
        }
    }

    fn label(self) -> &'a str {
        match self {
            Self::TakenOff(label) => label,
            Self::Reopened(_) | Self::FoundOpen => "",
        }
    }

    fn moment(self) -> i64 {
        match self {
            Self::Reopened(at) => at.as_millis(),
            Self::TakenOff(_) | Self::FoundOpen => 0,
        }
    }
}

/// Ends the rules that labels on a line's issue made, and replies to each, in one transaction.
/// Returns what ended. What was overruled before is over as well, unless its label is obeyed at
/// once, and still on.
///
/// # Errors
/// Those of the reply; the database is out of reach.
pub async fn end_of_label<E: From<StoreError>>(
    store: &Store,
    line: LineId,
    ending: Ending<'_>,
    by: &str,
    reply: impl Fn(&RuleRow) -> Result<(NewDelivery, DeliveryMode), E>,
    now: Timestamp,
) -> Result<Vec<RuleRow>, E> {
    let mut tx = store.begin().await?;
    let rows = end_of_label_in(&mut tx, line, ending, by, now).await?;
    for row in &rows {
        raise_generation_in(&mut tx, row.repository).await?;
    }
    for row in &rows {
        let (what, mode) = reply(row)?;
        insert_in(&mut tx, row.repository, line, &what, mode, now).await?;
    }
    tx.commit().await?;
    Ok(rows)
}

async fn end_of_label_in(
    tx: &mut Tx,
    line: LineId,
    ending: Ending<'_>,
    by: &str,
    now: Timestamp,
) -> Result<Vec<RuleRow>, StoreError> {
    let condition = ending.condition();
    // Obeyed at once, it would be made again by the next look at what labels are on.
    let stays = match ending {
        Ending::TakenOff(_) => 0,
        Ending::Reopened(_) | Ending::FoundOpen => 1,
    };
    let sql = format!(
        "UPDATE rules SET overruled = 0
         WHERE line_id = $1 AND {condition} AND overruled = 1 AND (kind = 'known_error' OR $4 = 0)"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(line.0)
        .bind(ending.label())
        .bind(ending.moment())
        .bind(stays)
        .execute(tx.conn())
        .await?;
    let sql = format!(
        "UPDATE rules SET ended_at_ms = $5, ended_by = $6, overruled = CASE WHEN kind = 'known_error' THEN 0 ELSE $4 END
         WHERE line_id = $1 AND {condition} AND ended_at_ms IS NULL RETURNING {COLUMNS}"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(line.0)
        .bind(ending.label())
        .bind(ending.moment())
        .bind(stays)
        .bind(now.as_millis())
        .bind(by)
        .fetch_all(tx.conn())
        .await?;
    rows.iter().map(read).collect()
}

/// A label that was overruled was put on anew: it commands again.
///
/// # Errors
/// The database is out of reach.
pub async fn lift_overruled(store: &Store, line: LineId, label: &str) -> Result<(), StoreError> {
    let statement =
        sqlx::query("UPDATE rules SET overruled = 0 WHERE line_id = $1 AND LOWER(label) = LOWER($2) AND overruled = 1")
            .bind(line.0)
            .bind(label);
    execute(store, statement).await
}

/// Records that rules changed which are not in this table: those of the repository's file, whose
/// last day is over.
pub async fn record_lapsed(store: &Store, repository: RepositoryId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    raise_generation_in(&mut tx, repository).await?;
    tx.commit().await
}

/// What fingerprints say was worked out under other rules: each is attributed anew at its next
/// report.
async fn raise_generation_in(tx: &mut Tx, repository: RepositoryId) -> Result<(), StoreError> {
    sqlx::query("UPDATE repositories SET rules_generation = rules_generation + 1 WHERE id = $1")
        .bind(repository.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Records how often the covered lines had happened, where that is not recorded yet.
async fn insert_baselines_in(tx: &mut Tx, rule: RuleId, covered: &[Baseline]) -> Result<(), StoreError> {
    for (line, total) in covered {
        sqlx::query(
            "INSERT INTO rule_baselines (rule_id, line_id, total) VALUES ($1, $2, $3) ON CONFLICT (rule_id, line_id) DO NOTHING",
        )
        .bind(rule.0)
        .bind(line.0)
        .bind(total.cast_signed())
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}
