//! Handovers that are made, taken back and ended.

use super::{COLUMNS, NewHandover, read};
use crate::columns::indexable;
use crate::{Store, StoreError, Tx};
use domain::handover::{Handover, Part, Successor};
use domain::ids::{HandoverId, LineId, RepositoryId};
use domain::names::Login;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;

/// What somebody who said whose a line is says of its author's next lines.
#[derive(Clone, Debug)]
pub enum HandoverWrite {
    /// They are handed on.
    HandedOn(NewHandover),
    /// They are the author's again.
    GivenBack {
        /// Where.
        repository: RepositoryId,
        /// Which.
        part: Part,
        /// Because of this line.
        line: LineId,
        /// Who says so.
        by: String,
    },
    /// Nothing.
    Nothing,
}

impl HandoverWrite {
    pub(crate) async fn write_in(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::HandedOn(new) => insert_in(tx, new, now).await,
            Self::GivenBack { repository, part, line, by } => give_back_in(tx, *repository, part, *line, by, now).await,
            Self::Nothing => Ok(()),
        }
    }

    /// Writes it by itself.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn write(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        self.write_in(&mut tx, now).await?;
        tx.commit().await
    }
}

/// Remembers a handover in place of the one in force; one that was said of this line already
/// stays.
async fn insert_in(tx: &mut Tx, new: &NewHandover, now: Timestamp) -> Result<(), StoreError> {
    // The write comes first: on either database the repository's row keeps two equal commands
    // apart.
    sqlx::query("UPDATE repositories SET rules_generation = rules_generation WHERE id = $1")
        .bind(new.repository.0)
        .execute(tx.conn())
        .await?;
    let known = in_force_in(tx, new).await?;
    let is_rule = known.as_ref().is_some_and(|known| known.to.is(&new.to));
    if is_rule && is_said_in(tx, new).await? {
        return Ok(());
    }
    if let Some(known) = known.filter(|_| !is_rule) {
        sqlx::query("UPDATE handovers SET ended_at_ms = $2, ended_by = $3 WHERE id = $1")
            .bind(known.id.0)
            .bind(now.as_millis())
            .bind(&new.by)
            .execute(tx.conn())
            .await?;
    }
    // What is the rule already is recorded as said of this line, too, without becoming a rule
    // beside it.
    let ended = is_rule.then_some(now);
    let id = HandoverId(tx.next_id(now));
    insert_row_in(tx, id, new, ended, now).await
}

/// The handover in force of the same lines.
async fn in_force_in(tx: &mut Tx, new: &NewHandover) -> Result<Option<Handover>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM handovers h WHERE h.repository_id = $1 AND h.path = $2 AND h.author_email = $3
             AND h.ended_at_ms IS NULL"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(new.repository.0)
        .bind(indexable(&new.part.path))
        .bind(indexable(&new.part.email))
        .fetch_optional(tx.conn())
        .await?;
    row.as_ref().map(|row| Ok(read(row)?.made)).transpose()
}

/// Whether the same lines were handed on because of this line before.
async fn is_said_in(tx: &mut Tx, new: &NewHandover) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT id FROM handovers WHERE line_id = $1 AND path = $2 AND author_email = $3 LIMIT 1")
        .bind(new.line.0)
        .bind(indexable(&new.part.path))
        .bind(indexable(&new.part.email))
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.is_some())
}

/// The author has their lines of a file back, as somebody said of a line: ends the handover in
/// force. What was said of that line before counts no more; if nothing was, it was the handover
/// that told the wrong person.
async fn give_back_in(
    tx: &mut Tx,
    repository: RepositoryId,
    part: &Part,
    line: LineId,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = sqlx::query(
        "UPDATE handovers SET ended_at_ms = $4, ended_by = $5
         WHERE repository_id = $1 AND path = $2 AND author_email = $3 AND ended_at_ms IS NULL",
    )
    .bind(repository.0)
    .bind(indexable(&part.path))
    .bind(indexable(&part.email))
    .bind(now.as_millis())
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
        insert_row_in(tx, HandoverId(tx.next_id(now)), &new, Some(now), now).await?;
    }
    Ok(())
}

/// Ends a handover; `false` where it was not in force.
pub async fn end(
    store: &Store,
    repository: RepositoryId,
    id: HandoverId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let ended = sqlx::query(
        "UPDATE handovers SET ended_at_ms = $3, ended_by = $4 WHERE id = $1 AND repository_id = $2 AND ended_at_ms IS NULL",
    )
    .bind(id.0)
    .bind(repository.0)
    .bind(now.as_millis())
    .bind(by)
    .execute(tx.conn())
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(ended > 0)
}

/// Writes a handover; one that is ended at once is no rule, only what was said of its line.
async fn insert_row_in(
    tx: &mut Tx,
    id: HandoverId,
    new: &NewHandover,
    ended: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO handovers (id, repository_id, path, author_email, author_name, to_login, to_email, by_author, made_by,
             made_at_ms, line_id, ended_at_ms, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id.0)
    .bind(new.repository.0)
    .bind(indexable(&new.part.path))
    .bind(indexable(&new.part.email))
    .bind(&new.part.name)
    .bind(new.to.login.as_ref().map(Login::as_str))
    .bind(new.to.email.as_deref())
    .bind(i64::from(new.by_author))
    .bind(&new.by)
    .bind(now.as_millis())
    .bind(new.line.0)
    .bind(ended.map(Timestamp::as_millis))
    .bind(ended.map(|_| new.by.as_str()))
    .execute(tx.conn())
    .await?;
    Ok(())
}
