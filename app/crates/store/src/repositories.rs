//! Watched repositories, their keys, and what is known of their mirrors.

use super::ingest_keys::fresh_key;
use super::{Store, StoreError, Tx, from_json, get};
use domain::ids::RepositoryId;
use domain::job::Job;
use domain::repository::{Forge, Repository};
use domain::settings::Settings;
use sqlx::any::AnyRow;

/// A repository to be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRepository {
    /// `owner/name`.
    pub full_name: String,
    /// Where to clone from.
    pub clone_url: String,
    /// The forge's side; `None` for a plain git repository.
    pub forge: Option<Forge>,
    /// Visible to the public.
    pub public: bool,
}

/// A repository's row: what the mirror, the settings and the pages need beside the repository itself.
#[derive(Clone, Debug, PartialEq)]
pub struct RepositoryRow {
    /// The repository.
    pub repository: Repository,
    /// Goes up when the head of the default branch moves.
    pub code_generation: i64,
    /// Goes up when a rule is made or ends.
    pub rules_generation: i64,
    /// When a push was last announced, Unix milliseconds; 0: never.
    pub pushed_at_ms: i64,
    /// When the last successful fetch began, Unix milliseconds; 0: never cloned.
    pub fetched_at_ms: i64,
    /// Why the last fetch failed.
    pub fetch_error: Option<String>,
    /// The settings in force.
    pub settings: Settings,
    /// What is wrong with the settings file as it is now.
    pub settings_error: Option<String>,
    /// git's id of the settings file that was read last.
    pub settings_blob: Option<String>,
    /// When its labels were made, Unix milliseconds; 0: not yet.
    pub labelled_at_ms: i64,
    /// Since when the installation is suspended.
    pub suspended_at_ms: Option<i64>,
    /// Since when it is no longer watched.
    pub removed_at_ms: Option<i64>,
    /// When it was first watched, Unix milliseconds.
    pub created_at_ms: i64,
    /// Until when nothing is sent, unless its file says otherwise; Unix milliseconds.
    pub shadow_until_ms: Option<i64>,
}

impl RepositoryRow {
    /// Whether everything is worked out and shown, and nothing sent. The repository's file has the last word.
    pub fn is_shadow(&self, now_ms: i64) -> bool {
        self.settings.shadow.unwrap_or_else(|| self.shadow_until_ms.is_some_and(|until| now_ms < until))
    }
}

const COLUMNS: &str = "id, full_name, clone_url, forge_id, installation, html_url, public, default_branch, head,
    code_generation, rules_generation, pushed_at_ms, fetched_at_ms, fetch_error, settings, settings_error, settings_blob,
    labelled_at_ms, suspended_at_ms, removed_at_ms, shadow_until_ms, created_at_ms";

fn read(row: &AnyRow) -> Result<RepositoryRow, StoreError> {
    let forge = match (get::<Option<i64>>(row, "forge_id")?, get::<Option<i64>>(row, "installation")?) {
        (Some(id), Some(installation)) => Some(Forge {
            id: id.unsigned_abs(),
            installation: installation.unsigned_abs(),
            html_url: get::<Option<String>>(row, "html_url")?.unwrap_or_default(),
        }),
        _ => None,
    };
    let settings = match get::<Option<String>>(row, "settings")? {
        Some(text) => from_json("repositories.settings", &text)?,
        None => Settings::default(),
    };
    Ok(RepositoryRow {
        repository: Repository {
            id: RepositoryId(get(row, "id")?),
            full_name: get(row, "full_name")?,
            clone_url: get(row, "clone_url")?,
            forge,
            public: get::<i64>(row, "public")? != 0,
            default_branch: get(row, "default_branch")?,
            head: get(row, "head")?,
        },
        code_generation: get(row, "code_generation")?,
        rules_generation: get(row, "rules_generation")?,
        pushed_at_ms: get(row, "pushed_at_ms")?,
        fetched_at_ms: get(row, "fetched_at_ms")?,
        fetch_error: get(row, "fetch_error")?,
        settings,
        settings_error: get(row, "settings_error")?,
        settings_blob: get(row, "settings_blob")?,
        labelled_at_ms: get(row, "labelled_at_ms")?,
        suspended_at_ms: get(row, "suspended_at_ms")?,
        removed_at_ms: get(row, "removed_at_ms")?,
        created_at_ms: get(row, "created_at_ms")?,
        shadow_until_ms: get(row, "shadow_until_ms")?,
    })
}

impl Store {
    /// Watches a repository, or brings the row of one that is known (by the forge's number, else by its clone URL) up to
    /// date. Where it was not watched before (`true`), asks for its first fetch, and makes it a key if it has none.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn watch(&self, new: &NewRepository, now_ms: i64) -> Result<(RepositoryId, bool), StoreError> {
        let fresh_key = fresh_key()?;
        let mut tx = self.begin().await?;
        let known = match &new.forge {
            Some(forge) => {
                sqlx::query("SELECT id, removed_at_ms FROM repositories WHERE forge_id = $1")
                    .bind(forge.id.cast_signed())
                    .fetch_optional(tx.conn())
                    .await?
            }
            None => {
                sqlx::query("SELECT id, removed_at_ms FROM repositories WHERE forge_id IS NULL AND clone_url = $1")
                    .bind(&new.clone_url)
                    .fetch_optional(tx.conn())
                    .await?
            }
        };
        let (id, is_new) = match known {
            Some(row) => (RepositoryId(get(&row, "id")?), get::<Option<i64>>(&row, "removed_at_ms")?.is_some()),
            None => (self.insert_repository(&mut tx, new, now_ms).await?, true),
        };
        keep_name(&mut tx, id, &new.full_name).await?;
        sqlx::query(
            "UPDATE repositories SET full_name = $2, clone_url = $3, installation = $4, html_url = $5, public = $6,
                 suspended_at_ms = NULL, removed_at_ms = NULL WHERE id = $1",
        )
        .bind(id.0)
        .bind(&new.full_name)
        .bind(&new.clone_url)
        .bind(new.forge.as_ref().map(|forge| forge.installation.cast_signed()))
        .bind(new.forge.as_ref().map(|forge| forge.html_url.clone()))
        .bind(i64::from(new.public))
        .execute(tx.conn())
        .await?;
        if is_new {
            // Only then: whoever revoked the last key of a repository wants none.
            sqlx::query(
                "INSERT INTO ingest_keys (ingest_key, repository_id, created_at_ms)
                 SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT) WHERE NOT EXISTS (
                     SELECT 1 FROM ingest_keys WHERE repository_id = $2 AND revoked_at_ms IS NULL)",
            )
            .bind(fresh_key)
            .bind(id.0)
            .bind(now_ms)
            .execute(tx.conn())
            .await?;
            self.ask(&mut tx, Job::Fetch(id), now_ms, now_ms).await?;
        }
        // Labels, and what waited while the installation was suspended.
        self.ask_for_write(&mut tx, id, now_ms).await?;
        tx.commit().await?;
        Ok((id, is_new))
    }

    /// Project numbers are small and in a row, because people read them in a DSN.
    async fn insert_repository(
        &self,
        tx: &mut Tx,
        new: &NewRepository,
        now_ms: i64,
    ) -> Result<RepositoryId, StoreError> {
        let row = sqlx::query(
            "INSERT INTO repositories (id, full_name, clone_url, forge_id, installation, html_url, public, code_generation,
                 rules_generation, pushed_at_ms, fetched_at_ms, labelled_at_ms, created_at_ms)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM repositories), $1, $2, $3, $4, $5, $6, 0, 0, 0, 0, 0, $7)
             RETURNING id",
        )
        .bind(&new.full_name)
        .bind(&new.clone_url)
        .bind(new.forge.as_ref().map(|forge| forge.id.cast_signed()))
        .bind(new.forge.as_ref().map(|forge| forge.installation.cast_signed()))
        .bind(new.forge.as_ref().map(|forge| forge.html_url.clone()))
        .bind(i64::from(new.public))
        .bind(now_ms)
        .fetch_one(tx.conn())
        .await?;
        Ok(RepositoryId(get(&row, "id")?))
    }

    /// One repository.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn repository(&self, id: RepositoryId) -> Result<Option<RepositoryRow>, StoreError> {
        self.repository_where("id = $1", id.0).await
    }

    /// The repository with the forge's number.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn repository_of_forge(&self, forge_id: u64) -> Result<Option<RepositoryRow>, StoreError> {
        self.repository_where("forge_id = $1", forge_id.cast_signed()).await
    }

    async fn repository_where(&self, condition: &'static str, value: i64) -> Result<Option<RepositoryRow>, StoreError> {
        // Both parts are constants of this file.
        let sql = format!("SELECT {COLUMNS} FROM repositories WHERE {condition}");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// The watched repository of this name, without regard to case.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn repository_named(&self, full_name: &str) -> Result<Option<RepositoryRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM repositories WHERE LOWER(full_name) = LOWER($1) AND removed_at_ms IS NULL ORDER BY id LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(full_name).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// The watched repository that had this name, and none has it now.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn repository_formerly(&self, full_name: &str) -> Result<Option<RepositoryRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM repositories WHERE removed_at_ms IS NULL
                 AND id = (SELECT repository_id FROM former_names WHERE full_name = $1)"
        );
        let name = full_name.to_lowercase();
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// All watched repositories, by name.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn repositories(&self) -> Result<Vec<RepositoryRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM repositories WHERE removed_at_ms IS NULL ORDER BY LOWER(full_name), id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// Takes over what a webhook says of a repository.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn repository_changed(
        &self,
        id: RepositoryId,
        full_name: &str,
        html_url: &str,
        clone_url: &str,
        public: Option<bool>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        keep_name(&mut tx, id, full_name).await?;
        sqlx::query(
            "UPDATE repositories SET full_name = $2, html_url = $3, clone_url = $4, public = COALESCE($5, public) WHERE id = $1",
        )
        .bind(id.0)
        .bind(full_name)
        .bind(html_url)
        .bind(clone_url)
        .bind(public.map(i64::from))
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Stops watching a repository; its counts stay.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn unwatch(&self, id: RepositoryId, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE repositories SET removed_at_ms = $2, fetched_at_ms = 0 WHERE id = $1")
            .bind(id.0)
            .bind(now_ms)
            .execute(tx.conn())
            .await?;
        // Tracebacks hold local variables, which are not ours to keep once the repository is gone.
        for sql in [
            "DELETE FROM tracebacks WHERE line_id IN (SELECT id FROM lines WHERE repository_id = $1)",
            "DELETE FROM reports WHERE repository_id = $1",
            "DELETE FROM pending_occurrences WHERE fingerprint_id IN (SELECT id FROM fingerprints WHERE repository_id = $1)",
            "DELETE FROM fingerprints WHERE repository_id = $1",
        ] {
            sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
        }
        tx.commit().await
    }

    /// Marks all repositories of an installation as suspended.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn suspend(&self, installation: u64, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE repositories SET suspended_at_ms = $2 WHERE installation = $1")
            .bind(installation.cast_signed())
            .bind(now_ms)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }
}

/// Keeps the name that a repository has until now, if it gets another one.
async fn keep_name(tx: &mut Tx, id: RepositoryId, next: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO former_names (full_name, repository_id)
         SELECT LOWER(full_name), id FROM repositories WHERE id = $1 AND LOWER(full_name) <> LOWER($2)
         ON CONFLICT (full_name) DO UPDATE SET repository_id = excluded.repository_id",
    )
    .bind(id.0)
    .bind(next)
    .execute(tx.conn())
    .await?;
    Ok(())
}
