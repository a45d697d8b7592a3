//! Handovers: whose lines in a file are somebody else's, and how often that was used.

mod changes;

use crate::columns::{get, get_count, get_time, get_time_opt, indexable};
use crate::{Store, StoreError};
pub use changes::{HandoverWrite, end};
use domain::handover::{Handover, Part, Successor};
use domain::ids::{HandoverId, LineId, RepositoryId};
use domain::names::Login;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
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
    /// Who ended it and when.
    pub ended: Option<(String, Timestamp)>,
    /// Lines of which it decided who is told.
    pub used: u64,
}

const COLUMNS: &str =
    "h.id, h.path, h.author_name, h.author_email, h.to_login, h.to_email, h.by_author, h.made_by, h.made_at_ms,
    h.line_id, h.ended_by, h.ended_at_ms, (SELECT COUNT(*) FROM lines l WHERE l.handover_id = h.id) AS used";

fn read(row: &AnyRow) -> Result<HandoverRow, StoreError> {
    let ended = get::<Option<String>>(row, "ended_by")?.zip(get_time_opt(row, "ended_at_ms")?);
    Ok(HandoverRow {
        made: Handover {
            id: HandoverId(get(row, "id")?),
            part: Part { path: get(row, "path")?, name: get(row, "author_name")?, email: get(row, "author_email")? },
            to: Successor {
                login: get::<Option<String>>(row, "to_login")?.map(Login::from),
                email: get(row, "to_email")?,
            },
            by_author: get::<i64>(row, "by_author")? != 0,
            by: get(row, "made_by")?,
            made_at: get_time(row, "made_at_ms")?,
            line: LineId(get(row, "line_id")?),
        },
        ended,
        used: get_count(row, "used")?,
    })
}

/// The handover in force for an author's lines of a file, if it was made by then.
pub async fn in_force(
    store: &Store,
    repository: RepositoryId,
    part: &Part,
    by_at: Timestamp,
) -> Result<Option<Handover>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM handovers h WHERE h.repository_id = $1 AND h.path = $2 AND h.author_email = $3
             AND h.ended_at_ms IS NULL AND h.made_at_ms <= $4"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(repository.0)
        .bind(indexable(&part.path))
        .bind(indexable(&part.email))
        .bind(by_at.as_millis())
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(|row| Ok(read(row)?.made)).transpose()
}

/// Handovers of a repository: those in force first, then the latest; `limit` at most.
pub async fn of_repository(
    store: &Store,
    repository: RepositoryId,
    limit: i64,
) -> Result<Vec<HandoverRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM handovers h WHERE h.repository_id = $1
         ORDER BY CASE WHEN h.ended_at_ms IS NULL THEN 0 ELSE 1 END, h.made_at_ms DESC, h.id DESC LIMIT $2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).bind(limit).fetch_all(&store.pool).await?;
    rows.iter().map(read).collect()
}
