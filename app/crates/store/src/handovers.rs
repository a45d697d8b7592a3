//! Handovers: whose lines in a file are somebody else's, how often that was used, and what was accepted.

use super::{Store, StoreError, Tx, get, get_count};
use domain::handover::{Handover, Part, Successor};
use domain::ids::{HandoverId, LineId, RepositoryId};
use sqlx::any::AnyRow;

/// A handover that is to be remembered.
#[derive(Clone, Debug)]
pub struct NewHandover {
    /// Of which repository.
    pub repository: RepositoryId,
    /// What is handed on.
    pub part: Part,
    /// To whom.
    pub to: Successor,
    /// The author themselves says so.
    pub by_author: bool,
    /// Login or name of who says so.
    pub by: String,
    /// The line of which it is said.
    pub line: LineId,
}

/// A handover with what became of it.
#[derive(Clone, Debug)]
pub struct HandoverRow {
    /// The handover.
    pub made: Handover,
    /// Who ended it and when, Unix milliseconds.
    pub ended: Option<(String, i64)>,
    /// Lines of which it decided who is told.
    pub used: u64,
}

const COLUMNS: &str =
    "h.id, h.path, h.author_name, h.author_email, h.to_login, h.to_email, h.by_author, h.made_by, h.made_at_ms,
    h.line_id, h.ended_by, h.ended_at_ms, (SELECT COUNT(*) FROM lines l WHERE l.handover_id = h.id) AS used";

fn read(row: &AnyRow) -> Result<HandoverRow, StoreError> {
    let ended = get::<Option<String>>(row, "ended_by")?.zip(get::<Option<i64>>(row, "ended_at_ms")?);
    Ok(HandoverRow {
        made: Handover {
            id: HandoverId(get(row, "id")?),
            part: Part { path: get(row, "path")?, name: get(row, "author_name")?, email: get(row, "author_email")? },
            to: Successor { login: get(row, "to_login")?, email: get(row, "to_email")? },
            by_author: get::<i64>(row, "by_author")? != 0,
            by: get(row, "made_by")?,
            made_at_ms: get(row, "made_at_ms")?,
            line: LineId(get(row, "line_id")?),
        },
        ended,
        used: get_count(row, "used")?,
    })
}

/// Writes a handover; one that is ended at once is no rule, only what was said of its line.
async fn insert(
    tx: &mut Tx,
    id: HandoverId,
    new: &NewHandover,
    ended: Option<i64>,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO handovers (id, repository_id, path, author_email, author_name, to_login, to_email, by_author, made_by,
             made_at_ms, line_id, ended_at_ms, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id.0)
    .bind(new.repository.0)
    .bind(&new.part.path)
    .bind(&new.part.email)
    .bind(&new.part.name)
    .bind(new.to.login.as_deref())
    .bind(new.to.email.as_deref())
    .bind(i64::from(new.by_author))
    .bind(&new.by)
    .bind(now_ms)
    .bind(new.line.0)
    .bind(ended)
    .bind(ended.map(|_| new.by.as_str()))
    .execute(tx.conn())
    .await?;
    Ok(())
}

impl Store {
    /// The handover in force for an author's lines of a file, if it was made by then.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn handover_of(
        &self,
        repository: RepositoryId,
        part: &Part,
        by_ms: i64,
    ) -> Result<Option<Handover>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM handovers h WHERE h.repository_id = $1 AND h.path = $2 AND h.author_email = $3
                 AND h.ended_at_ms IS NULL AND h.made_at_ms <= $4"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository.0)
            .bind(&part.path)
            .bind(&part.email)
            .bind(by_ms)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(|row| Ok(read(row)?.made)).transpose()
    }

    /// Remembers a handover in place of the one in force; `None` where that was said of this line already.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn hand_over(&self, new: &NewHandover, now_ms: i64) -> Result<Option<HandoverId>, StoreError> {
        let mut tx = self.begin().await?;
        // The write comes first: on either database the repository's row keeps two equal commands apart.
        sqlx::query("UPDATE repositories SET rules_generation = rules_generation WHERE id = $1")
            .bind(new.repository.0)
            .execute(tx.conn())
            .await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM handovers h WHERE h.repository_id = $1 AND h.path = $2 AND h.author_email = $3
                 AND h.ended_at_ms IS NULL"
        );
        let known = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(new.repository.0)
            .bind(&new.part.path)
            .bind(&new.part.email)
            .fetch_optional(tx.conn())
            .await?;
        let known = known.as_ref().map(read).transpose()?.map(|row| row.made);
        let is_rule = known.as_ref().is_some_and(|known| known.to.is(&new.to));
        if is_rule {
            let said =
                sqlx::query("SELECT id FROM handovers WHERE line_id = $1 AND path = $2 AND author_email = $3 LIMIT 1")
                    .bind(new.line.0)
                    .bind(&new.part.path)
                    .bind(&new.part.email)
                    .fetch_optional(tx.conn())
                    .await?;
            if said.is_some() {
                return Ok(None);
            }
        } else if let Some(known) = known {
            sqlx::query("UPDATE handovers SET ended_at_ms = $2, ended_by = $3 WHERE id = $1")
                .bind(known.id.0)
                .bind(now_ms)
                .bind(&new.by)
                .execute(tx.conn())
                .await?;
        }
        // What is the rule already is noted as said of this line, too, without becoming a rule beside it.
        let ended = is_rule.then_some(now_ms);
        let id = HandoverId(self.ids.next(now_ms));
        insert(&mut tx, id, new, ended, now_ms).await?;
        tx.commit().await?;
        Ok(Some(id))
    }

    /// The author has their lines of a file back, as somebody said of a line: ends the handover in force; `false` where there was
    /// none. What was said of that line before counts no more; if nothing was, it was the handover that told the wrong person.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn give_back(
        &self,
        repository: RepositoryId,
        part: &Part,
        (line, by): (LineId, &str),
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let ended = sqlx::query(
            "UPDATE handovers SET ended_at_ms = $4, ended_by = $5
             WHERE repository_id = $1 AND path = $2 AND author_email = $3 AND ended_at_ms IS NULL",
        )
        .bind(repository.0)
        .bind(&part.path)
        .bind(&part.email)
        .bind(now_ms)
        .bind(by)
        .execute(tx.conn())
        .await?
        .rows_affected();
        let said = sqlx::query("UPDATE handovers SET given_back = 1 WHERE line_id = $1")
            .bind(line.0)
            .execute(tx.conn())
            .await?
            .rows_affected();
        if ended > 0 && said == 0 {
            let to = Successor { login: None, email: Some(part.email.clone()) };
            let new = NewHandover { repository, part: part.clone(), to, by_author: false, by: by.to_owned(), line };
            insert(&mut tx, HandoverId(self.ids.next(now_ms)), &new, Some(now_ms), now_ms).await?;
        }
        tx.commit().await?;
        Ok(ended > 0)
    }

    /// Ends a handover; `false` where it was not in force.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end_handover(
        &self,
        repository: RepositoryId,
        id: HandoverId,
        by: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let ended = sqlx::query(
            "UPDATE handovers SET ended_at_ms = $3, ended_by = $4 WHERE id = $1 AND repository_id = $2 AND ended_at_ms IS NULL",
        )
        .bind(id.0)
        .bind(repository.0)
        .bind(now_ms)
        .bind(by)
        .execute(tx.conn())
        .await?
        .rows_affected();
        tx.commit().await?;
        Ok(ended > 0)
    }

    /// Handovers of a repository: those in force first, then the latest; `limit` at most.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn handovers(&self, repository: RepositoryId, limit: i64) -> Result<Vec<HandoverRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM handovers h WHERE h.repository_id = $1
             ORDER BY CASE WHEN h.ended_at_ms IS NULL THEN 0 ELSE 1 END, h.made_at_ms DESC, h.id DESC LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(repository.0).bind(limit).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }
}

/// How the alerts of a repository were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Its name, `owner/name`.
    pub repository: String,
    /// Alerts that count.
    pub alerts: u64,
    /// Those that were given to somebody else.
    pub refused: u64,
}

impl Store {
    /// How alerts were taken, by repository: those that a mail or an issue was sent for before `before_ms`, and younger ones that
    /// were answered by a handover, a label or closing the issue. Refused is what was handed on and not given back.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn acceptance(&self, before_ms: i64) -> Result<Vec<Acceptance>, StoreError> {
        let rows = sqlx::query(
            "SELECT r.full_name AS full_name, COUNT(*) AS alerts, CAST(SUM(a.refused) AS BIGINT) AS refused
             FROM (SELECT l.repository_id, l.alerted_at_ms, l.resolved_at_ms, l.known,
                       CASE WHEN EXISTS (SELECT 1 FROM handovers h WHERE h.line_id = l.id AND h.given_back = 0)
                           THEN 1 ELSE 0 END AS refused
                   FROM lines l
                   WHERE l.alerted_at_ms IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries d WHERE d.line_id = l.id
                       AND d.channel IN ('mail', 'issue') AND d.purpose = 'alert' AND d.state = 'sent')) a
             JOIN repositories r ON r.id = a.repository_id
             WHERE a.refused = 1 OR a.alerted_at_ms < $1 OR a.resolved_at_ms IS NOT NULL OR a.known = 1
             GROUP BY r.full_name ORDER BY r.full_name",
        )
        .bind(before_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Acceptance {
                    repository: get(row, "full_name")?,
                    alerts: get_count(row, "alerts")?,
                    refused: get_count(row, "refused")?,
                })
            })
            .collect()
    }
}
