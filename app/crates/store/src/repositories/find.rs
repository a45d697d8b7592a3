//! Repositories that are looked for: by id, by GitHub's number, by name.

use super::watch::HIGHEST;
use super::{RepositoryRow, columns, read};
use crate::columns::get;
use crate::{Store, StoreError, Tx};
use domain::ids::RepositoryId;
use domain::names::RepositoryName;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// One repository.
pub async fn by_id(store: &Store, id: RepositoryId) -> Result<Option<RepositoryRow>, StoreError> {
    find(store, "id = $1", id.0).await
}

/// The repository with GitHub's number.
pub async fn by_github_id(store: &Store, github_id: u64) -> Result<Option<RepositoryRow>, StoreError> {
    find(store, "github_id = $1", github_id.cast_signed()).await
}

async fn find(store: &Store, condition: &'static str, value: i64) -> Result<Option<RepositoryRow>, StoreError> {
    // Both parts are constants of this file.
    let sql = format!("SELECT {} FROM repositories WHERE {condition}", columns());
    let row = sqlx::query(AssertSqlSafe(sql)).bind(value).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// The watched repository of this name, without regard to case.
pub async fn by_name(store: &Store, full_name: &RepositoryName) -> Result<Option<RepositoryRow>, StoreError> {
    let sql = format!(
        "SELECT {} FROM repositories WHERE LOWER(full_name) = LOWER($1) AND removed_at_ms IS NULL ORDER BY id LIMIT 1",
        columns()
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(full_name.as_str()).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// The watched repository that had this name, and none has it now.
pub async fn by_former_name(store: &Store, full_name: &RepositoryName) -> Result<Option<RepositoryRow>, StoreError> {
    let sql = format!(
        "SELECT {} FROM repositories WHERE removed_at_ms IS NULL
             AND id = (SELECT repository_id FROM former_names WHERE full_name = LOWER($1))",
        columns()
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(full_name.as_str()).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// The repository of this name that is not watched any more, the latest.
pub async fn removed_by_name(store: &Store, full_name: &RepositoryName) -> Result<Option<RepositoryId>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM repositories WHERE LOWER(full_name) = LOWER($1) AND removed_at_ms IS NOT NULL
         ORDER BY removed_at_ms DESC LIMIT 1",
    )
    .bind(full_name.as_str())
    .fetch_optional(&store.pool)
    .await?;
    row.as_ref().map(|row| Ok(RepositoryId(get(row, "id")?))).transpose()
}

/// All watched repositories, by name.
pub async fn list(store: &Store) -> Result<Vec<RepositoryRow>, StoreError> {
    let sql =
        format!("SELECT {} FROM repositories WHERE removed_at_ms IS NULL ORDER BY LOWER(full_name), id", columns());
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&store.pool).await?;
    rows.iter().map(read).collect()
}

/// The numbers of all repositories that have a row, each with whether it is watched, and the
/// highest number that one ever had: lower ones without a row were deleted.
pub async fn numbers(store: &Store) -> Result<(HashMap<RepositoryId, bool>, RepositoryId), StoreError> {
    let sql = "SELECT id, CASE WHEN removed_at_ms IS NULL THEN 1 ELSE 0 END AS watched FROM repositories";
    let rows = sqlx::query(sql).fetch_all(&store.pool).await?;
    let read = |row| Ok((RepositoryId(get(row, "id")?), get::<i32>(row, "watched")? == 1));
    let known = rows.iter().map(read).collect::<Result<_, StoreError>>()?;
    let sql = "SELECT CAST(value AS BIGINT) AS id FROM meta WHERE name = $1";
    let highest = sqlx::query(sql).bind(HIGHEST).fetch_optional(&store.pool).await?;
    let highest = highest.map(|row| get(&row, "id")).transpose()?.unwrap_or_default();
    Ok((known, RepositoryId(highest)))
}

/// The installation whose queue a repository's issues go through; `None`: it is not on GitHub.
pub(crate) async fn installation_in(tx: &mut Tx, repository: RepositoryId) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query("SELECT installation FROM repositories WHERE id = $1")
        .bind(repository.0)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.as_ref().map(|row| get::<Option<i64>>(row, "installation")).transpose()?.flatten().map(i64::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repositories::{NewRepository, watch};
    use domain::timestamp::Timestamp;

    #[tokio::test]
    async fn a_name_that_a_repository_has_or_had_is_found_however_it_is_spelt() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        for name in ["Ärzte/Shop", "Acme/Shop"] {
            let new = NewRepository { full_name: name.into(), clone_url: "/b".into(), github: None, public: false };
            watch(&store, &new, Timestamp::from_seconds(1)).await.unwrap();
        }
        for name in ["Acme/Shop", "acme/sHOP"] {
            assert!(by_name(&store, &name.into()).await.unwrap().is_some(), "{name}");
        }
        for name in ["Ärzte/Shop", "Ärzte/sHOP"] {
            assert!(by_former_name(&store, &name.into()).await.unwrap().is_some(), "{name}");
        }
    }
}
