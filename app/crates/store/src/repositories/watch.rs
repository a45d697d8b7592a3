//! Repositories that begin and cease to be watched, are renamed or suspended.

use super::NewRepository;
use super::overwritten::{empty_wal, overwrite_in};
use super::refusals::{ENDED, forget_refusal_in};
use crate::columns::{get, get_time_opt};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx, ingest_keys, jobs, writes};
use domain::ids::RepositoryId;
use domain::job::Job;
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use sqlx::any::AnyRow;

/// Watches a repository, or brings the row of one that is known (by GitHub's number, else by its
/// clone URL) up to date. Where it was not watched before (`true`), asks for its first fetch, and
/// makes it a key if it has none.
pub async fn watch(store: &Store, new: &NewRepository, now: Timestamp) -> Result<(RepositoryId, bool), StoreError> {
    let fresh_key = ingest_keys::generate()?;
    let mut tx = store.begin().await?;
    let (id, is_new) = match known_in(&mut tx, new).await? {
        Some(row) => (RepositoryId(get(&row, "id")?), get_time_opt(&row, "removed_at_ms")?.is_some()),
        None => (insert_row_in(&mut tx, new, now).await?, true),
    };
    keep_name_in(&mut tx, id, &new.full_name).await?;
    update_row_in(&mut tx, id, new).await?;
    if is_new {
        // Only then: whoever revoked the last key of a repository wants none.
        ingest_keys::insert_first_in(&mut tx, id, &fresh_key, now).await?;
        jobs::enqueue_in(&mut tx, Job::Fetch(id), now, now).await?;
    }
    // Labels, and what waited while the installation was suspended.
    writes::enqueue_in(&mut tx, id, now).await?;
    tx.commit().await?;
    Ok((id, is_new))
}

async fn known_in(tx: &mut Tx, new: &NewRepository) -> Result<Option<AnyRow>, StoreError> {
    let query = match &new.github {
        Some(on_github) => sqlx::query("SELECT id, removed_at_ms FROM repositories WHERE github_id = $1")
            .bind(on_github.id.cast_signed()),
        None => sqlx::query("SELECT id, removed_at_ms FROM repositories WHERE github_id IS NULL AND clone_url = $1")
            .bind(&new.clone_url),
    };
    Ok(query.fetch_optional(tx.conn()).await?)
}

async fn update_row_in(tx: &mut Tx, id: RepositoryId, new: &NewRepository) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE repositories SET full_name = $2, clone_url = $3, installation = $4, html_url = $5, public = $6,
             suspended_at_ms = NULL, unnamed_since_ms = NULL, removed_at_ms = NULL,
             fetch_paused_until_ms = CASE WHEN clone_url = $3 AND COALESCE(installation, 0) = COALESCE($4, 0)
                 AND removed_at_ms IS NULL AND suspended_at_ms IS NULL AND unnamed_since_ms IS NULL THEN fetch_paused_until_ms END
         WHERE id = $1",
    )
    .bind(id.0)
    .bind(new.full_name.as_str())
    .bind(&new.clone_url)
    .bind(new.github.as_ref().map(|on_github| on_github.installation.cast_signed()))
    .bind(new.github.as_ref().map(|on_github| on_github.html_url.clone()))
    .bind(i64::from(new.public))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The fact that says the highest number that a repository ever had.
pub(super) const HIGHEST: &str = "highest_repository";

/// Project numbers are small and in a row, because people read them in a DSN. None is given twice,
/// whatever was deleted: mails' links name the number, processes remember by it, and an SDK
/// somewhere goes on sending to it.
async fn next_id_in(tx: &mut Tx) -> Result<RepositoryId, StoreError> {
    let row = sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, CAST((SELECT COALESCE(MAX(id), 0) + 1 FROM repositories) AS TEXT))
         ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
         RETURNING CAST(value AS BIGINT) AS id",
    )
    .bind(HIGHEST)
    .fetch_one(tx.conn())
    .await?;
    Ok(RepositoryId(get(&row, "id")?))
}

async fn insert_row_in(tx: &mut Tx, new: &NewRepository, now: Timestamp) -> Result<RepositoryId, StoreError> {
    let id = next_id_in(tx).await?;
    sqlx::query(
        "INSERT INTO repositories (id, full_name, clone_url, github_id, installation, html_url, public, code_generation,
             rules_generation, pushed_at_ms, fetched_at_ms, labelled_at_ms, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, $8)",
    )
    .bind(id.0)
    .bind(new.full_name.as_str())
    .bind(&new.clone_url)
    .bind(new.github.as_ref().map(|on_github| on_github.id.cast_signed()))
    .bind(new.github.as_ref().map(|on_github| on_github.installation.cast_signed()))
    .bind(new.github.as_ref().map(|on_github| on_github.html_url.clone()))
    .bind(i64::from(new.public))
    .bind(now.as_millis())
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Notes that everybody can see a repository.
pub async fn set_public(store: &Store, id: RepositoryId) -> Result<(), StoreError> {
    execute(store, sqlx::query("UPDATE repositories SET public = 1 WHERE id = $1").bind(id.0)).await
}

/// Notes that GitHub does not name a repository any more, from now on.
pub async fn set_unnamed(store: &Store, id: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE repositories SET unnamed_since_ms = COALESCE(unnamed_since_ms, $2) WHERE id = $1";
    execute(store, sqlx::query(sql).bind(id.0).bind(now.as_millis())).await
}

/// Keeps the name that a repository has until now, if it gets another one.
async fn keep_name_in(tx: &mut Tx, id: RepositoryId, next: &RepositoryName) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO former_names (full_name, repository_id)
         SELECT LOWER(full_name), id FROM repositories WHERE id = $1 AND LOWER(full_name) <> LOWER($2)
         ON CONFLICT (full_name) DO UPDATE SET repository_id = excluded.repository_id",
    )
    .bind(id.0)
    .bind(next.as_str())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What deletes the reports of a repository, and all that was made of them but lines and counts:
/// they hold local variables, which are not ours to keep once the repository is gone.
pub(super) const REPORTS: [&str; 6] = [
    "DELETE FROM tracebacks WHERE line_id IN (SELECT id FROM lines WHERE repository_id = $1)",
    "DELETE FROM reports WHERE repository_id = $1",
    "DELETE FROM pending_occurrences WHERE fingerprint_id IN (SELECT id FROM fingerprints WHERE repository_id = $1)",
    "DELETE FROM pending_facets WHERE fingerprint_id IN (SELECT id FROM fingerprints WHERE repository_id = $1)",
    "DELETE FROM fingerprints WHERE repository_id = $1",
    "DELETE FROM deployment_roots WHERE repository_id = $1",
];

/// Stops watching a repository; its counts stay, and nothing waits to be written there any more.
/// With `unnamed_since`, only where GitHub has not named it since then: `false` otherwise, and
/// nothing is done.
pub async fn unwatch(
    store: &Store,
    id: RepositoryId,
    unnamed_since: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let ended = sqlx::query(
        "UPDATE repositories SET removed_at_ms = $2, unnamed_since_ms = NULL, fetched_at_ms = 0
         WHERE id = $1 AND (CAST($3 AS BIGINT) IS NULL OR unnamed_since_ms = CAST($3 AS BIGINT))",
    )
    .bind(id.0)
    .bind(now.as_millis())
    .bind(unnamed_since.map(Timestamp::as_millis))
    .execute(tx.conn())
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    forget_refusal_in(&mut tx, id).await?;
    for sql in ENDED {
        sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
    }
    overwrite_in(&mut tx, store.dialect(), true).await?;
    for sql in REPORTS {
        sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
    }
    overwrite_in(&mut tx, store.dialect(), false).await?;
    tx.commit().await?;
    empty_wal(store).await;
    Ok(true)
}

/// Marks all repositories of an installation as suspended.
pub async fn set_suspended(store: &Store, installation: u64, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE repositories SET suspended_at_ms = $2 WHERE installation = $1")
        .bind(installation.cast_signed())
        .bind(now.as_millis());
    execute(store, statement).await
}
