//! Rules that labels and people made.

use super::{Store, StoreError, Tx, from_json, get, to_json};
use crate::domain::ids::{LineId, RepositoryId, RuleId};
use crate::domain::rule::{MadeRule, RuleKind, Rules};
use crate::domain::settings::{KnownError, Settings};
use sqlx::any::AnyRow;

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
    /// Login, address or `admin`.
    pub by: String,
}

/// A rule as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// The rule.
    pub made: MadeRule,
    /// The label that commands it; `None`: made on the page or in a terminal.
    pub label: Option<String>,
    /// The issue that bears the label.
    pub issue: Option<u64>,
    /// Who made it.
    pub by: String,
    /// When, Unix milliseconds.
    pub made_at_ms: i64,
}

fn read(row: &AnyRow) -> Result<RuleRow, StoreError> {
    let kind: String = get(row, "kind")?;
    Ok(RuleRow {
        made: MadeRule {
            id: RuleId(get(row, "id")?),
            kind: RuleKind::from_stored(&kind).ok_or_else(|| StoreError::Content {
                what: "rules.kind",
                why: format!("no rule is called {kind:?}"),
            })?,
            entry: from_json("rules.entry", &get::<String>(row, "entry")?)?,
        },
        label: get(row, "label")?,
        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::cast_unsigned),
        by: get(row, "made_by")?,
        made_at_ms: get(row, "made_at_ms")?,
    })
}

impl Store {
    /// The rules in force that labels and people made, oldest first.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn made_rules(&self, repository: RepositoryId) -> Result<Vec<RuleRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, kind, entry, label, issue_number, made_by, made_at_ms FROM rules
             WHERE repository_id = $1 AND ended_at_ms IS NULL ORDER BY id",
        )
        .bind(repository.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(read).collect()
    }

    /// All rules of a repository, ready to be asked.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn rules(&self, repository: RepositoryId, settings: Settings) -> Result<Rules, StoreError> {
        let made = self.made_rules(repository).await?.into_iter().map(|row| row.made).collect();
        Ok(Rules::new(settings, made))
    }

    /// Makes a rule, unless one of the same kind, label and coverage is in force. `None`: it was in force already.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn make_rule(&self, new: &NewRule, now_ms: i64) -> Result<Option<RuleId>, StoreError> {
        let mut tx = self.begin().await?;
        // The write comes first: it takes the lock that keeps two equal commands apart.
        self.rules_changed(&mut tx, new.repository).await?;
        let entry = to_json("rules.entry", &new.entry)?;
        let known = sqlx::query(
            "SELECT id FROM rules WHERE repository_id = $1 AND kind = $2 AND entry = $3 AND COALESCE(label, '') = $4
                 AND COALESCE(line_id, 0) = $5 AND ended_at_ms IS NULL",
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
            "INSERT INTO rules (id, repository_id, kind, entry, line_id, label, issue_number, made_by, made_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(Some(id))
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
        let rows = sqlx::query(
            "UPDATE rules SET ended_at_ms = $4, ended_by = $5
             WHERE line_id = $1 AND label IS NOT NULL AND (LOWER(label) = LOWER($2) OR $3 = 1) AND ended_at_ms IS NULL
             RETURNING id, kind, entry, label, issue_number, made_by, made_at_ms",
        )
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

    /// What digests say was worked out under other rules: each is attributed anew at its next report.
    async fn rules_changed(&self, tx: &mut Tx, repository: RepositoryId) -> Result<(), StoreError> {
        sqlx::query("UPDATE repositories SET rules_generation = rules_generation + 1 WHERE id = $1")
            .bind(repository.0)
            .execute(tx.conn())
            .await?;
        Ok(())
    }
}
