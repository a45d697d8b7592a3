//! What is known of a repository's mirror, settings and labels, as they are fetched and made.

use super::FetchPause;
use crate::columns::to_json;
use crate::transaction::execute;
use crate::{Store, StoreError, Tx, jobs};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::job::Job;
use domain::settings::Settings;
use domain::timestamp::Timestamp;

/// What a fetch found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fetched {
    /// Name of the default branch.
    pub branch: Option<String>,
    /// Its head.
    pub head: Option<CommitId>,
    /// The settings file, when it is another than the one read before: its id, and the settings or
    /// what is wrong.
    pub settings: Option<(Option<String>, Result<Settings, String>)>,
}

/// Records that a push was announced; the next use of the mirror fetches, whatever the last fetch
/// was refused for. The stamp only grows, also where the clock was set back since the last push.
pub async fn record_push(store: &Store, id: RepositoryId, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query(
        "UPDATE repositories SET fetch_paused_until_ms = NULL,
             pushed_at_ms = CASE WHEN pushed_at_ms < $2 THEN $2 ELSE pushed_at_ms + 1 END WHERE id = $1",
    )
    .bind(id.0)
    .bind(at.as_millis())
    .execute(tx.conn())
    .await?;
    jobs::enqueue_in(&mut tx, Job::Fetch(id), now, now).await?;
    tx.commit().await
}

/// Records what a fetch that began at `began_at` found, unless one that began later was recorded
/// already. A head or settings other than before void what fingerprints say.
pub async fn record_fetched(
    store: &Store,
    id: RepositoryId,
    began_at: Timestamp,
    found: &Fetched,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let latest = sqlx::query(
        "UPDATE repositories SET fetched_at_ms = $2, fetch_error = NULL, fetch_paused_until_ms = NULL,
             code_generation = code_generation + CASE WHEN COALESCE(head, '') = COALESCE($4, '') THEN 0 ELSE 1 END,
             default_branch = $3, head = $4
         WHERE id = $1 AND fetched_at_ms <= $2",
    )
    .bind(id.0)
    .bind(began_at.as_millis())
    .bind(found.branch.as_deref())
    .bind(found.head.as_ref().map(CommitId::as_str))
    .execute(tx.conn())
    .await?;
    if let Some((blob, settings)) = &found.settings
        && latest.rows_affected() > 0
    {
        set_settings_in(&mut tx, id, blob.as_deref(), settings.as_ref()).await?;
    }
    tx.commit().await
}

/// The settings of a file, or what is wrong with it: then those before stay in force.
async fn set_settings_in(
    tx: &mut Tx,
    id: RepositoryId,
    blob: Option<&str>,
    settings: Result<&Settings, &String>,
) -> Result<(), StoreError> {
    let (sql, text) = match settings {
        Ok(settings) => (
            "UPDATE repositories SET settings_blob = $2, settings = $3, settings_error = NULL, refused_labels = NULL,
                 rules_generation = rules_generation + 1 WHERE id = $1",
            to_json("repositories.settings", settings)?,
        ),
        Err(error) => ("UPDATE repositories SET settings_blob = $2, settings_error = $3 WHERE id = $1", error.clone()),
    };
    sqlx::query(sql).bind(id.0).bind(blob).bind(text).execute(tx.conn()).await?;
    Ok(())
}

/// Records why a fetch failed, and how long none is due where it was refused for good.
pub async fn record_fetch_failed(
    store: &Store,
    id: RepositoryId,
    why: &str,
    pause: Option<FetchPause>,
) -> Result<(), StoreError> {
    let sql = "UPDATE repositories SET fetch_error = $2, fetch_paused_until_ms = $3, unmirrorable = $4 WHERE id = $1";
    let (until, unmirrorable) = pause.map(|pause| (pause.until.as_millis(), i64::from(pause.unmirrorable))).unzip();
    execute(store, sqlx::query(sql).bind(id.0).bind(why).bind(until).bind(unmirrorable.unwrap_or(0))).await
}

/// Records that the repository has its labels.
pub async fn record_labelled(store: &Store, id: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
    let statement =
        sqlx::query("UPDATE repositories SET labelled_at_ms = $2 WHERE id = $1").bind(id.0).bind(now.as_millis());
    execute(store, statement).await
}

/// Leaves a repository's labels alone until then.
pub async fn set_labels_due(store: &Store, id: RepositoryId, due_at: Timestamp) -> Result<(), StoreError> {
    let statement =
        sqlx::query("UPDATE repositories SET labels_due_at_ms = $2 WHERE id = $1").bind(id.0).bind(due_at.as_millis());
    execute(store, statement).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repositories::{NewRepository, by_id, set_suspended, set_unnamed, unwatch, watch};
    use domain::repository::GitHubRepository;

    fn found(head: &str, threshold: u64) -> Fetched {
        let settings = Settings { report_error_threshold: threshold, ..Settings::default() };
        Fetched {
            head: Some(CommitId::new(head)),
            settings: Some((Some(head.to_owned()), Ok(settings))),
            ..Fetched::default()
        }
    }

    #[tokio::test]
    async fn a_late_older_fetch_changes_neither_head_nor_settings() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let new = NewRepository { full_name: "a/b".into(), clone_url: "/b".into(), github: None, public: false };
        let (id, _) = watch(&store, &new, Timestamp::from_seconds(1)).await.unwrap();
        record_fetched(&store, id, Timestamp::from_seconds(3), &found("newer", 3)).await.unwrap();
        record_fetched(&store, id, Timestamp::from_seconds(2), &found("older", 2)).await.unwrap();
        let row = by_id(&store, id).await.unwrap().unwrap();
        assert_eq!(
            (row.repository.head.as_ref().map(CommitId::as_str), row.fetched_at),
            (Some("newer"), Timestamp::from_seconds(3))
        );
        assert_eq!((row.settings.report_error_threshold, row.settings_blob.as_deref()), (3, Some("newer")));
    }

    /// A repository of GitHub's, as its installation names it.
    fn of_installation(installation: u64, clone_url: &str) -> NewRepository {
        let on_github = GitHubRepository { id: 7, installation, html_url: "https://github.com/a/b".into() };
        let (full_name, clone_url) = ("a/b".into(), clone_url.into());
        NewRepository { full_name, clone_url, github: Some(on_github), public: false }
    }

    #[tokio::test]
    async fn a_pause_of_fetches_ends_with_what_it_came_from() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let now = Timestamp::from_seconds(10);
        let pause = FetchPause { until: Timestamp::from_seconds(100), unmirrorable: true };
        let known = of_installation(1, "/b");
        let (id, _) = watch(&store, &known, now).await.unwrap();
        let refuse = async || record_fetch_failed(&store, id, "it is shallow", Some(pause)).await.unwrap();
        let row = async || by_id(&store, id).await.unwrap().unwrap();
        refuse().await;
        assert_eq!(row().await.fetch_pause, Some(pause));
        assert_eq!(row().await.why_unmirrorable(now), Some("it is shallow"));
        assert_eq!(row().await.why_unmirrorable(pause.until), None, "it is over");
        watch(&store, &known, now).await.unwrap();
        watch(&store, &NewRepository { full_name: "a/c".into(), ..of_installation(1, "/b") }, now).await.unwrap();
        assert_eq!(row().await.fetch_pause, Some(pause), "nothing that it came from has changed");

        watch(&store, &of_installation(1, "/c"), now).await.unwrap();
        assert_eq!(row().await.fetch_pause, None, "another address");
        refuse().await;
        watch(&store, &of_installation(2, "/c"), now).await.unwrap();
        assert_eq!(row().await.fetch_pause, None, "another installation");
        refuse().await;
        set_suspended(&store, 2, now).await.unwrap();
        watch(&store, &of_installation(2, "/c"), now).await.unwrap();
        assert_eq!(row().await.fetch_pause, None, "suspended meanwhile");
        refuse().await;
        set_unnamed(&store, id, now).await.unwrap();
        watch(&store, &of_installation(2, "/c"), now).await.unwrap();
        assert_eq!(row().await.fetch_pause, None, "not installed meanwhile");
        refuse().await;
        unwatch(&store, id, None, now).await.unwrap();
        watch(&store, &of_installation(2, "/c"), now).await.unwrap();
        assert_eq!(row().await.fetch_pause, None, "removed meanwhile");
        refuse().await;
        record_push(&store, id, now, now).await.unwrap();
        assert_eq!(row().await.fetch_pause, None, "a push was announced");
    }
}
