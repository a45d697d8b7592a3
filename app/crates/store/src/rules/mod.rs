//! Rules that labels and people made.

mod changes;

use crate::columns::{from_json, get, get_time, get_time_opt, to_json};
use crate::{Store, StoreError};
pub use changes::{
    Ending, Insertion, end, end_of_label, insert, lift_overruled, record_label_deleted, record_lapsed, update,
};
use domain::ids::{LineId, RepositoryId, RuleId};
use domain::rule::{MadeRule, Rule, RuleKind, RuleSource, Rules};
use domain::settings::{CodePattern, Settings};
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// A rule to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRule {
    /// Where it holds.
    pub repository: RepositoryId,
    /// What it covers, and what that means.
    pub rule: Rule,
    /// The line whose issue bears the label.
    pub line: Option<LineId>,
    /// The label that commands it.
    pub label: Option<String>,
    /// The issue that bears the label.
    pub issue: Option<u64>,
    /// Where it comes from.
    pub origin: RuleSource,
    /// When the label was put on or the issue closed, by GitHub's clock.
    pub commanded_at: Option<Timestamp>,
    /// Login, address or `admin`.
    pub by: String,
}

/// A line that a rule covers, and how often it had happened when the rule was made.
pub type Baseline = (LineId, u64);

/// A rule as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// Where it holds.
    pub repository: RepositoryId,
    /// The rule.
    pub made: MadeRule,
    /// The line whose issue bears the label.
    pub line: Option<LineId>,
    /// The label that commands it.
    pub label: Option<String>,
    /// The issue that bears the label.
    pub issue: Option<u64>,
    /// Who made it.
    pub by: String,
    /// When.
    pub made_at: Timestamp,
    /// When the label was put on or the issue closed, by GitHub's clock.
    pub commanded_at: Option<Timestamp>,
    /// Where it came from.
    pub origin: RuleSource,
    /// Who changed it last, and when.
    pub edited: Option<(String, Timestamp)>,
    /// Who ended it, and when.
    pub ended: Option<(String, Timestamp)>,
    /// Its label was deleted in the repository: that it is off the issue does not end the rule.
    pub is_label_deleted: bool,
}

/// The column of what a rule covers, as errors name it.
const ENTRY: &str = "rules.entry";

const COLUMNS: &str =
    "id, repository_id, kind, entry, line_id, label, issue_number, origin, made_by, made_at_ms, commanded_at_ms,
    edited_by, edited_at_ms, ended_by, ended_at_ms, label_deleted";

fn read(row: &AnyRow) -> Result<RuleRow, StoreError> {
    let origin: String = get(row, "origin")?;
    let when = |by: &'static str, at: &'static str| -> Result<Option<(String, Timestamp)>, StoreError> {
        Ok(get::<Option<String>>(row, by)?.zip(get_time_opt(row, at)?))
    };
    Ok(RuleRow {
        repository: RepositoryId(get(row, "repository_id")?),
        made: MadeRule {
            id: RuleId(get(row, "id")?),
            rule: read_rule(row)?,
            issue: get::<Option<i64>>(row, "issue_number")?.map(i64::cast_unsigned),
        },
        line: get::<Option<i64>>(row, "line_id")?.map(LineId),
        label: get(row, "label")?,
        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::cast_unsigned),
        by: get(row, "made_by")?,
        made_at: get_time(row, "made_at_ms")?,
        commanded_at: get_time_opt(row, "commanded_at_ms")?,
        origin: RuleSource::from_stored(&origin)
            .ok_or_else(|| StoreError::content("rules.origin", format!("no rule comes from {origin:?}")))?,
        edited: when("edited_by", "edited_at_ms")?,
        ended: when("ended_by", "ended_at_ms")?,
        is_label_deleted: get::<i64>(row, "label_deleted")? == 1,
    })
}

/// The column `entry` of library code. (That of a known error is `domain::settings::KnownError`.)
#[derive(Serialize, Deserialize)]
struct LibraryCodeEntry {
    file: String,
    function: Option<String>,
    code: Option<String>,
    until: Option<String>,
}

fn read_rule(row: &AnyRow) -> Result<Rule, StoreError> {
    let (kind, entry): (String, String) = (get(row, "kind")?, get(row, "entry")?);
    match RuleKind::from_stored(&kind) {
        Some(RuleKind::KnownError) => Ok(Rule::KnownError(from_json(ENTRY, &entry)?)),
        Some(RuleKind::LibraryCode) => {
            let LibraryCodeEntry { file, function, code, until } = from_json(ENTRY, &entry)?;
            Ok(Rule::LibraryCode { pattern: CodePattern { file, function, code }, until })
        }
        None => Err(StoreError::content("rules.kind", format!("no rule is called {kind:?}"))),
    }
}

fn entry_of(rule: &Rule) -> Result<String, StoreError> {
    match rule {
        Rule::KnownError(known) => to_json(ENTRY, known),
        Rule::LibraryCode { pattern, until } => {
            let CodePattern { file, function, code } = pattern.clone();
            to_json(ENTRY, &LibraryCodeEntry { file, function, code, until: until.clone() })
        }
    }
}

/// All rules of a repository, ready to be asked.
pub async fn of_repository(
    store: &Store,
    repository: RepositoryId,
    settings: Settings,
    now: Timestamp,
) -> Result<Rules, StoreError> {
    let made = in_force(store, repository).await?.into_iter().map(|row| row.made).collect();
    Ok(Rules::new(settings, made, now))
}

/// The rules in force that labels and people made, oldest first.
pub async fn in_force(store: &Store, repository: RepositoryId) -> Result<Vec<RuleRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM rules WHERE repository_id = $1 AND ended_at_ms IS NULL ORDER BY id");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).fetch_all(&store.pool).await?;
    rows.iter().map(read).collect()
}

/// Rules of labels that ended on a page, in a terminal or by their last day, while nobody took the
/// label off since: it commands nothing.
pub async fn overruled(store: &Store, repository: RepositoryId) -> Result<Vec<RuleRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM rules WHERE repository_id = $1 AND overruled = 1 ORDER BY id");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).fetch_all(&store.pool).await?;
    rows.iter().map(read).collect()
}

/// The same of one label of a line's issue: the last one, where there is any.
pub async fn overruled_by_label(store: &Store, line: LineId, label: &str) -> Result<Option<RuleRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM rules WHERE line_id = $1 AND LOWER(label) = LOWER($2) AND overruled = 1
         ORDER BY id DESC LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(line.0).bind(label).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// Rules that ended, the latest first.
pub async fn ended(store: &Store, repository: RepositoryId, limit: i64) -> Result<Vec<RuleRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM rules WHERE repository_id = $1 AND ended_at_ms IS NOT NULL
         ORDER BY ended_at_ms DESC, id DESC LIMIT $2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).bind(limit).fetch_all(&store.pool).await?;
    rows.iter().map(read).collect()
}

/// How often the lines that rules in force cover had happened when the rule was made.
pub async fn baselines(store: &Store, repository: RepositoryId) -> Result<HashMap<(RuleId, LineId), u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT b.rule_id, b.line_id, b.total FROM rule_baselines b JOIN rules r ON r.id = b.rule_id
         WHERE r.repository_id = $1 AND r.ended_at_ms IS NULL",
    )
    .bind(repository.0)
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            let at = (RuleId(get(row, "rule_id")?), LineId(get(row, "line_id")?));
            Ok((at, get::<i64>(row, "total")?.cast_unsigned()))
        })
        .collect()
}
