//! Lines that are looked for: by id, issue, place or path, of a repository or a storm.

use super::{COLUMNS, read};
use crate::columns::{from_json, get, get_commit_opt, get_count, get_time, get_time_opt, indexable, signed};
use crate::lines::Line;
use crate::rows::{chunks, placeholders, values};
use crate::{Store, StoreError, deliveries};
use domain::alert::Place;
use domain::commit::CommitId;
use domain::delivery::Purpose;
use domain::ids::{LineId, RepositoryId, StormId};
use domain::person::ChosenRecipient;
use domain::storm::StormLine;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// One line.
pub async fn by_id(store: &Store, id: LineId) -> Result<Option<Line>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM lines WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.0).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// Lines; those that are not there (any more) are missing.
pub async fn by_ids(store: &Store, ids: &[LineId]) -> Result<HashMap<LineId, Line>, StoreError> {
    let mut found = HashMap::new();
    for ids in chunks(ids) {
        let sql = format!("SELECT {COLUMNS} FROM lines WHERE id IN ({})", placeholders(ids.len()));
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
        for row in query.fetch_all(&store.pool).await? {
            let line = read(&row)?;
            found.insert(line.id, line);
        }
    }
    Ok(found)
}

/// The line whose issue this is.
pub async fn by_issue(store: &Store, repository: RepositoryId, issue: u64) -> Result<Option<Line>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND issue_number = $2");
    let row =
        sqlx::query(AssertSqlSafe(sql)).bind(repository.0).bind(signed(issue)).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// The line of a repository at this place, as the pages name it: the one seen last.
pub async fn by_place(
    store: &Store,
    repository: RepositoryId,
    path: &str,
    function: &str,
    code: Option<&str>,
    number: Option<u32>,
) -> Result<Option<Line>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND path = $2 AND function_name = $3
             AND ($4 = '' OR code = $4) ORDER BY CASE WHEN line_number = $5 THEN 0 ELSE 1 END, last_seen_ms DESC LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(repository.0)
        .bind(indexable(path))
        .bind(function)
        .bind(code.unwrap_or(""))
        .bind(number.map_or(0, i64::from))
        .fetch_optional(&store.pool)
        .await?;
    row.as_ref().map(read).transpose()
}

/// All lines of a file.
pub async fn of_path(store: &Store, repository: RepositoryId, path: &str) -> Result<Vec<Line>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND path = $2");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(repository.0)
        .bind(indexable(path.trim_start_matches("./")))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(read).collect()
}

/// The lines of a repository, open or not, the one seen last first; `limit` at most.
pub async fn of_repository(store: &Store, repository: RepositoryId, limit: i64) -> Result<Vec<Line>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM lines WHERE repository_id = $1 ORDER BY last_seen_ms DESC, id DESC LIMIT $2");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(repository.0).bind(limit).fetch_all(&store.pool).await?;
    rows.iter().map(read).collect()
}

/// The lines of a storm as its issue and mails list them: in the order in which they were found,
/// those of each key in turn. A key is public in a browser, and whoever makes errors up with it
/// must not have those of other keys left out of what is listed.
pub async fn of_storm(store: &Store, id: StormId) -> Result<Vec<(LineId, StormLine)>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, path, function_name, line_number, code, exception, headline, author_name, author_login, owner_login, told, total,
             issue_number, last_seen_ms FROM (
             SELECT *, ROW_NUMBER() OVER (PARTITION BY brought_by ORDER BY id) AS turn FROM (
                 SELECT l.*, (SELECT CASE WHEN COUNT(f.key_id) = COUNT(*) AND MIN(f.key_id) = MAX(f.key_id)
                     THEN MIN(f.key_id) ELSE 0 END FROM fingerprints f WHERE f.line_id = l.id) AS brought_by
                 FROM lines l WHERE l.storm_id = $1) AS of_keys) AS in_turn
         ORDER BY turn, id",
    )
    .bind(id.0)
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            let told: Option<ChosenRecipient> =
                get::<Option<String>>(row, "told")?.map(|text| from_json("lines.told", &text)).transpose()?;
            let told = told.map(|told| told.person.name().to_owned());
            let whose: [Option<String>; 4] =
                [get(row, "owner_login")?, told, get(row, "author_name")?, get(row, "author_login")?];
            Ok((
                LineId(get(row, "id")?),
                StormLine {
                    place: Place {
                        path: get(row, "path")?,
                        function: get(row, "function_name")?,
                        line: u32::try_from(get::<i64>(row, "line_number")?).unwrap_or(0),
                        code: get(row, "code")?,
                    },
                    exception: get(row, "exception")?,
                    headline: get(row, "headline")?,
                    author: whose.into_iter().flatten().find(|name| !name.is_empty()),
                    total: get_count(row, "total")?,
                    issue: get::<Option<i64>>(row, "issue_number")?.map(i64::unsigned_abs),
                    last_seen_at: get_time(row, "last_seen_ms")?,
                },
            ))
        })
        .collect()
}

/// Other lines of the same function that raise the same exception and have an open issue, the
/// latest seen first.
pub async fn alike_with_issue(store: &Store, line: &Line, most: usize) -> Result<Vec<Line>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lines WHERE repository_id = $1 AND path = $2 AND function_name = $3 AND exception = $4
             AND id <> $5 AND issue_number IS NOT NULL AND resolved_at_ms IS NULL AND known = 0
         ORDER BY last_seen_ms DESC, id DESC LIMIT $6"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(line.repository.0)
        .bind(indexable(&line.place.path))
        .bind(&line.place.function)
        .bind(&line.exception)
        .bind(line.id.0)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&store.pool)
        .await?;
    rows.iter().map(read).collect()
}

/// The line that a line was before somebody edited it, where it took over that one's issue.
pub async fn predecessor(store: &Store, line: LineId) -> Result<Option<LineId>, StoreError> {
    let row = sqlx::query(
        "SELECT purpose, subject FROM deliveries
         WHERE line_id = $1 AND channel = 'comment' AND purpose = 'carried_over' LIMIT 1",
    )
    .bind(line.0)
    .fetch_optional(&store.pool)
    .await?;
    let purpose = row.as_ref().map(deliveries::read_purpose).transpose()?;
    Ok(purpose.and_then(|purpose| if let Purpose::CarriedOver(old) = purpose { Some(old) } else { None }))
}

/// A line that was resolved, as far as attribution has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When it was resolved.
    pub at: Timestamp,
    /// At which commit; `None`: any further report brings it back.
    pub commit: Option<CommitId>,
    /// When a person closed the issue: the fix may not be deployed by then. What a commit closed
    /// has its fix where it contains that commit.
    pub person_at: Option<Timestamp>,
}

/// The resolutions of the lines with these identities, of those that have one.
pub async fn resolutions_by_identity(
    store: &Store,
    identities: &[(RepositoryId, String)],
) -> Result<HashMap<(RepositoryId, String), Resolution>, StoreError> {
    let mut found = HashMap::new();
    for chunk in chunks(identities) {
        let sql = format!(
            "SELECT repository_id, identity, resolved_at_ms, resolved_commit, person_closed_ms FROM lines
             WHERE (repository_id, identity) IN (VALUES {}) AND resolved_at_ms IS NOT NULL",
            values(chunk.len(), 2)
        );
        let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, (repository, identity)| {
            query.bind(repository.0).bind(identity)
        });
        for row in query.fetch_all(&store.pool).await? {
            let resolution = Resolution {
                at: get_time(&row, "resolved_at_ms")?,
                commit: get_commit_opt(&row, "resolved_commit")?,
                person_at: get_time_opt(&row, "person_closed_ms")?,
            };
            found.insert((RepositoryId(get(&row, "repository_id")?), get(&row, "identity")?), resolution);
        }
    }
    Ok(found)
}
