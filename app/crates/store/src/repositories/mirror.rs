//! What is known of a repository's mirror, settings and labels, as they are fetched and made.

use crate::columns::to_json;
use crate::{Store, StoreError, jobs};
use domain::ids::RepositoryId;
use domain::job::Job;
use domain::settings::Settings;

/// What a fetch found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fetched {
    /// Name of the default branch.
    pub branch: Option<String>,
    /// Its head.
    pub head: Option<String>,
    /// The settings file, when it is another than the one read before: its id, and the settings or what is wrong.
    pub settings: Option<(Option<String>, Result<Settings, String>)>,
}

/// Notes that a push was announced; the next use of the mirror fetches.
pub async fn record_push(store: &Store, id: RepositoryId, at_ms: i64, now_ms: i64) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query("UPDATE repositories SET pushed_at_ms = $2 WHERE id = $1 AND pushed_at_ms < $2")
        .bind(id.0)
        .bind(at_ms)
        .execute(tx.conn())
        .await?;
    jobs::enqueue_in(&mut tx, Job::Fetch(id), now_ms, now_ms).await?;
    tx.commit().await
}

/// Notes what a fetch that began at `began_ms` found. A head or settings other than before void what fingerprints say.
pub async fn record_fetched(store: &Store, id: RepositoryId, began_ms: i64, found: &Fetched) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(
        "UPDATE repositories SET fetched_at_ms = $2, fetch_error = NULL,
             code_generation = code_generation + CASE WHEN COALESCE(head, '') = COALESCE($4, '') THEN 0 ELSE 1 END,
             default_branch = $3, head = $4
         WHERE id = $1 AND fetched_at_ms <= $2",
    )
    .bind(id.0)
    .bind(began_ms)
    .bind(found.branch.as_deref())
    .bind(found.head.as_deref())
    .execute(tx.conn())
    .await?;
    match &found.settings {
        Some((blob, Ok(settings))) => {
            sqlx::query(
                "UPDATE repositories SET settings = $2, settings_blob = $3, settings_error = NULL,
                     rules_generation = rules_generation + 1 WHERE id = $1",
            )
            .bind(id.0)
            .bind(to_json("repositories.settings", settings)?)
            .bind(blob.as_deref())
            .execute(tx.conn())
            .await?;
        }
        Some((blob, Err(error))) => {
            sqlx::query("UPDATE repositories SET settings_blob = $2, settings_error = $3 WHERE id = $1")
                .bind(id.0)
                .bind(blob.as_deref())
                .bind(error)
                .execute(tx.conn())
                .await?;
        }
        None => {}
    }
    tx.commit().await
}

/// Notes why a fetch failed.
pub async fn record_fetch_failed(store: &Store, id: RepositoryId, why: &str) -> Result<(), StoreError> {
    set_text(store, "UPDATE repositories SET fetch_error = $2 WHERE id = $1", id, why).await
}

/// Notes that the repository has its labels.
pub async fn record_labelled(store: &Store, id: RepositoryId, now_ms: i64) -> Result<(), StoreError> {
    set_text(
        store,
        "UPDATE repositories SET labelled_at_ms = CAST($2 AS BIGINT) WHERE id = $1",
        id,
        &now_ms.to_string(),
    )
    .await
}

/// Leaves a repository's labels alone until then.
pub async fn set_labels_due(store: &Store, id: RepositoryId, due_ms: i64) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query("UPDATE repositories SET labels_due_at_ms = $2 WHERE id = $1")
        .bind(id.0)
        .bind(due_ms)
        .execute(tx.conn())
        .await?;
    tx.commit().await
}

async fn set_text(store: &Store, sql: &'static str, id: RepositoryId, value: &str) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(sql).bind(id.0).bind(value).execute(tx.conn()).await?;
    tx.commit().await
}
