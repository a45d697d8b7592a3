//! Rules that labels and people made.

use super::{Store, StoreError, Tx, from_json, get, to_json};
use domain::ids::{LineId, RepositoryId, RuleId};
use domain::rule::{MadeRule, RuleKind, RuleSource, Rules};
use domain::settings::{KnownError, Settings};
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// A rule to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRule {
    /// Where it holds.
    pub repository: RepositoryId,
    /// What it does.
    pub kind: RuleKind,
    /// What it covers.
    pub entry: KnownError,
    /// The line whose issue bears the label.
    pub line: Option<LineId>,
    /// The label that commands it.
    pub label: Option<String>,
    /// The issue that bears the label.
    pub issue: Option<u64>,
    /// Where it comes from.
    pub origin: RuleSource,
    /// Login, address or `admin`.
    pub by: String,
}

/// A line that a rule covers, and how often it had happened when the rule was made.
pub type Baseline = (LineId, u64);

const COLUMNS: &str = "id, kind, entry, line_id, label, issue_number, origin, made_by, made_at_ms, edited_by, edited_at_ms, ended_by, ended_at_ms";

/// A rule as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
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
    /// When, Unix milliseconds.
    pub made_at_ms: i64,
    /// Where it came from.
    pub origin: RuleSource,
    /// Who changed it last, and when.
    pub edited: Option<(String, i64)>,
    /// Who ended it, and when.
    pub ended: Option<(String, i64)>,
}

fn read(row: &AnyRow) -> Result<RuleRow, StoreError> {
    let kind: String = get(row, "kind")?;
    let origin: String = get(row, "origin")?;
    let when = |by: &'static str, at: &'static str| -> Result<Option<(String, i64)>, StoreError> {
        Ok(get::<Option<String>>(row, by)?.zip(get::<Option<i64>>(row, at)?))
    };
    Ok(RuleRow {
        made: MadeRule {
            id: RuleId(get(row, "id")?),
            kind: RuleKind::from_stored(&kind).ok_or_else(|| StoreError::Content {
                what: "rules.kind",
                why: format!("no rule is called {kind:?}"),
            })?,
            entry: from_json("rules.entry", &get::<String>(row, "entry")?)?,
            issue: get::<Option<i64>>(row, "issue_number")?.map(i64::cast_unsigned),
        },
        line: get::<Option<i64>>(row, "line_id")?.map(LineId),
        label: get(row, "label")?,
        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::cast_unsigned),
        by: get(row, "made_by")?,
        made_at_ms: get(row, "made_at_ms")?,
        origin: RuleSource::from_stored(&origin).ok_or_else(|| StoreError::Content {
            what: "rules.origin",
            why: format!("no rule comes from {origin:?}"),
        })?,
        edited: when("edited_by", "edited_at_ms")?,
        ended: when("ended_by", "ended_at_ms")?,
    })
}

impl Store {
    /// The rules in force that labels and people made, oldest first.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn made_rules(&self, repository: RepositoryId) -> Result<Vec<RuleRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM rules WHERE repository_id = $1 AND ended_at_ms IS NULL ORDER BY id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(repository.0).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// Rules that ended, the latest first.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn ended_rules(&self, repository: RepositoryId, limit: i64) -> Result<Vec<RuleRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM rules WHERE repository_id = $1 AND ended_at_ms IS NOT NULL
             ORDER BY ended_at_ms DESC, id DESC LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(repository.0).bind(limit).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// How often the lines that rules in force cover had happened when the rule was made.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn baselines(&self, repository: RepositoryId) -> Result<HashMap<(RuleId, LineId), u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.rule_id, b.line_id, b.total FROM rule_baselines b JOIN rules r ON r.id = b.rule_id
             WHERE r.repository_id = $1 AND r.ended_at_ms IS NULL",
        )
        .bind(repository.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let at = (RuleId(get(row, "rule_id")?), LineId(get(row, "line_id")?));
                Ok((at, get::<i64>(row, "total")?.cast_unsigned()))
            })
            .collect()
    }

    /// All rules of a repository, ready to be asked.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn rules(&self, repository: RepositoryId, settings: Settings, now_ms: i64) -> Result<Rules, StoreError> {
        let made = self.made_rules(repository).await?.into_iter().map(|row| row.made).collect();
        Ok(Rules::new(settings, made, now_ms))
    }

    /// Makes a rule, unless one of the same kind and coverage is in force, or one that the same label of the same issue
    /// made (which somebody may have changed since). `None`: it was in force already. `covered`: the lines that it covers.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn make_rule(
        &self,
        new: &NewRule,
        covered: &[Baseline],
        now_ms: i64,
    ) -> Result<Option<RuleId>, StoreError> {
        let mut tx = self.begin().await?;
        // The write comes first: it takes the lock that keeps two equal commands apart.
        self.rules_changed(&mut tx, new.repository).await?;
        let entry = to_json("rules.entry", &new.entry)?;
        let known = sqlx::query(
            "SELECT id FROM rules WHERE repository_id = $1 AND kind = $2 AND (entry = $3 OR $4 <> '')
                 AND COALESCE(label, '') = $4 AND COALESCE(line_id, 0) = $5 AND ended_at_ms IS NULL",
        )
        .bind(new.repository.0)
        .bind(new.kind.as_str())
        .bind(&entry)
        .bind(new.label.as_deref().unwrap_or(""))
        .bind(new.line.map_or(0, |line| line.0))
        .fetch_optional(tx.conn())
        .await?;
        if known.is_some() {
            return Ok(None);
        }
        let id = RuleId(self.ids.next(now_ms));
        sqlx::query(
            "INSERT INTO rules (id, repository_id, kind, entry, line_id, label, issue_number, made_by, made_at_ms, origin)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(id.0)
        .bind(new.repository.0)
        .bind(new.kind.as_str())
        .bind(&entry)
        .bind(new.line.map(|line| line.0))
        .bind(new.label.as_deref())
        .bind(new.issue.map(u64::cast_signed))
        .bind(&new.by)
        .bind(now_ms)
        .bind(new.origin.as_str())
        .execute(tx.conn())
        .await?;
        note(&mut tx, id, covered).await?;
        tx.commit().await?;
        Ok(Some(id))
    }

    /// Changes what a rule covers and when it is told; `false` where it is not in force. What it silenced so far stays its own.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn change_rule(
        &self,
        repository: RepositoryId,
        rule: RuleId,
        entry: &KnownError,
        covered: &[Baseline],
        (by, now_ms): (&str, i64),
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE rules SET entry = $3, edited_by = $4, edited_at_ms = $5
             WHERE id = $1 AND repository_id = $2 AND ended_at_ms IS NULL",
        )
        .bind(rule.0)
        .bind(repository.0)
        .bind(to_json("rules.entry", entry)?)
        .bind(by)
        .bind(now_ms)
        .execute(tx.conn())
        .await?
        .rows_affected();
        if changed > 0 {
            note(&mut tx, rule, covered).await?;
            self.rules_changed(&mut tx, repository).await?;
        }
        tx.commit().await?;
        Ok(changed > 0)
    }

    /// Ends the rules that labels on a line's issue made: that label's, or all with `None`. Returns what ended.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn end_label_rules(
        &self,
        repository: RepositoryId,
        line: LineId,
        label: Option<&str>,
        by: &str,
        now_ms: i64,
    ) -> Result<Vec<RuleRow>, StoreError> {
        let mut tx = self.begin().await?;
        let sql = format!(
            "UPDATE rules SET ended_at_ms = $4, ended_by = $5
             WHERE line_id = $1 AND label IS NOT NULL AND (LOWER(label) = LOWER($2) OR $3 = 1) AND ended_at_ms IS NULL
             RETURNING {COLUMNS}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(line.0)
            .bind(label.unwrap_or(""))
            .bind(i64::from(label.is_none()))
            .bind(now_ms)
            .bind(by)
            .fetch_all(tx.conn())
            .await?;
        if !rows.is_empty() {
            self.rules_changed(&mut tx, repository).await?;
        }
        tx.commit().await?;
        rows.iter().map(read).collect()
    }

    /// Ends one rule; `false` where it was not in force.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end_rule(
        &self,
        repository: RepositoryId,
        rule: RuleId,
        by: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let ended = sqlx::query(
            "UPDATE rules SET ended_at_ms = $3, ended_by = $4 WHERE id = $1 AND repository_id = $2 AND ended_at_ms IS NULL",
        )
        .bind(rule.0)
        .bind(repository.0)
        .bind(now_ms)
        .bind(by)
        .execute(tx.conn())
        .await?
        .rows_affected();
        if ended > 0 {
            self.rules_changed(&mut tx, repository).await?;
        }
        tx.commit().await?;
        Ok(ended > 0)
    }

    /// Notes that rules changed which are not in this table: those of the repository's file, whose last day is over.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn rules_lapsed(&self, repository: RepositoryId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.rules_changed(&mut tx, repository).await?;
        tx.commit().await
    }

    /// What fingerprints say was worked out under other rules: each is attributed anew at its next report.
    async fn rules_changed(&self, tx: &mut Tx, repository: RepositoryId) -> Result<(), StoreError> {
        sqlx::query("UPDATE repositories SET rules_generation = rules_generation + 1 WHERE id = $1")
            .bind(repository.0)
            .execute(tx.conn())
            .await?;
        Ok(())
    }
}

/// Notes how often the covered lines had happened, where that is not noted yet.
async fn note(tx: &mut Tx, rule: RuleId, covered: &[Baseline]) -> Result<(), StoreError> {
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
