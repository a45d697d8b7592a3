//! Keys of DSNs: several for a repository, each with a name, each revocable.

mod limits;
mod refusals;
mod revoke;

use crate::columns::{get, get_time, get_time_opt};
use crate::transaction::execute;
use crate::{Store, StoreError, Tx};
use domain::fingerprint::FolderMark;
use domain::ids::{IngestKeyId, RepositoryId};
use domain::key_limits::KeyLimits;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use limits::limits_of;
pub use limits::{limits_of_key, set_limits};
pub use refusals::{Over, Refused, RefusedRow, of_repository_since, record_refusals};
pub use revoke::{Dropped, drop_queued, of_revoked_keys, revoke};

/// A key's last use is recorded only if the recorded one is older: it is for people, and a write
/// for each report is not.
pub const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// Keys in force that a repository may have: more than any list of services that a person can still
/// read.
pub const MOST_KEYS: usize = 50;

/// Characters kept of a key's name: it has to fit into a column of a page.
pub const LONGEST_LABEL: usize = 60;

/// What a report that is let in needs to know of its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngestAuth {
    /// The repository.
    pub id: RepositoryId,
    /// The key.
    pub key: IngestKeyId,
    /// Of the folder that the key is for, where it is for one.
    pub folder: Option<FolderMark>,
    /// How much the key may bring.
    pub limits: KeyLimits,
    /// See [`crate::repositories::RepositoryRow::code_generation`].
    pub code_generation: i64,
    /// See [`crate::repositories::RepositoryRow::rules_generation`].
    pub rules_generation: i64,
}

/// Who it is that shows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The key is one of the project's, in force.
    Admitted {
        /// What the report goes by.
        auth: IngestAuth,
        /// When the key was last used, as recorded.
        last_used_at: Option<Timestamp>,
    },
    /// The key was one of the project's until then.
    Revoked(Timestamp),
    /// There is such a project, but the key is not one of its keys.
    WrongKey,
    /// There is no such project.
    NoProject,
}

/// A key of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// By which other rows name it.
    pub id: IngestKeyId,
    /// 32 hexadecimal digits.
    pub key: String,
    /// Whose it is.
    pub repository: RepositoryId,
    /// What a person calls it.
    pub label: Option<String>,
    /// The folder of the repository in which the files of its reports are looked for first.
    pub folder: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to within [`USE_NOTED_EVERY`].
    pub last_used_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
    /// How much it may bring.
    pub limits: KeyLimits,
}

/// Who it is that names this project and shows this key.
pub async fn caller(store: &Store, project: RepositoryId, key: &str) -> Result<Caller, StoreError> {
    let row = sqlx::query(
        "SELECT r.code_generation, r.rules_generation, k.id AS key_id, k.folder, k.revoked_at_ms,
             k.last_used_at_ms, k.rate, k.budget
         FROM repositories r LEFT JOIN ingest_keys k ON k.repository_id = r.id AND k.ingest_key = $2
         WHERE r.id = $1 AND r.removed_at_ms IS NULL",
    )
    .bind(project.0)
    .bind(key)
    .fetch_optional(&store.pool)
    .await?;
    let Some(row) = row else { return Ok(Caller::NoProject) };
    let Some(key_id) = get::<Option<i64>>(&row, "key_id")? else { return Ok(Caller::WrongKey) };
    if let Some(at) = get_time_opt(&row, "revoked_at_ms")? {
        return Ok(Caller::Revoked(at));
    }
    let auth = IngestAuth {
        id: project,
        key: IngestKeyId(key_id),
        folder: get::<Option<String>>(&row, "folder")?.as_deref().map(FolderMark::of),
        limits: limits_of(&row)?,
        code_generation: get(&row, "code_generation")?,
        rules_generation: get(&row, "rules_generation")?,
    };
    Ok(Caller::Admitted { auth, last_used_at: get_time_opt(&row, "last_used_at_ms")? })
}

/// Records that a key was used.
pub async fn record_use(store: &Store, key: &str, now: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE ingest_keys SET last_used_at_ms = $2 WHERE ingest_key = $1")
        .bind(key)
        .bind(now.as_millis());
    execute(store, statement).await
}

/// The keys in force of a repository, oldest first.
pub async fn in_force(store: &Store, id: RepositoryId) -> Result<Vec<String>, StoreError> {
    let rows = of_repository(store, id).await?;
    Ok(rows.into_iter().filter(|row| row.revoked_at.is_none()).map(|row| row.key).collect())
}

/// All keys of a repository, those in force first, each oldest first.
pub async fn of_repository(store: &Store, id: RepositoryId) -> Result<Vec<KeyRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, ingest_key, label, folder, created_at_ms, last_used_at_ms, revoked_at_ms, rate, budget
         FROM ingest_keys
         WHERE repository_id = $1
         ORDER BY CASE WHEN revoked_at_ms IS NULL THEN 0 ELSE 1 END, created_at_ms, ingest_key",
    )
    .bind(id.0)
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(KeyRow {
                id: IngestKeyId(get(row, "id")?),
                key: get(row, "ingest_key")?,
                repository: id,
                label: get(row, "label")?,
                folder: get(row, "folder")?,
                created_at: get_time(row, "created_at_ms")?,
                last_used_at: get_time_opt(row, "last_used_at_ms")?,
                revoked_at: get_time_opt(row, "revoked_at_ms")?,
                limits: limits_of(row)?,
            })
        })
        .collect()
}

/// Makes a repository another key, for all of it or for a folder. `None`: it has [`MOST_KEYS`] in
/// force already.
pub async fn insert(
    store: &Store,
    id: RepositoryId,
    label: Option<&str>,
    folder: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let key = generate()?;
    let label = label.map(|text| text.trim().chars().take(LONGEST_LABEL).collect::<String>());
    let mut tx = store.begin().await?;
    let made = sqlx::query(
        "INSERT INTO ingest_keys (ingest_key, repository_id, created_at_ms, label, id, folder)
         SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($6 AS BIGINT),
             CAST($7 AS TEXT) WHERE (
             SELECT COUNT(*) FROM ingest_keys WHERE repository_id = $2 AND revoked_at_ms IS NULL) < $5",
    )
    .bind(&key)
    .bind(id.0)
    .bind(now.as_millis())
    .bind(label.filter(|text| !text.is_empty()))
    .bind(i64::try_from(MOST_KEYS).unwrap_or(i64::MAX))
    .bind(tx.next_id(now))
    .bind(folder)
    .execute(tx.conn())
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok((made > 0).then_some(key))
}

/// Gives a repository its first key; one that has a key in force gets none.
pub(crate) async fn insert_first_in(
    tx: &mut Tx,
    id: RepositoryId,
    key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ingest_keys (ingest_key, repository_id, created_at_ms, id)
         SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) WHERE NOT EXISTS (
             SELECT 1 FROM ingest_keys WHERE repository_id = $2 AND revoked_at_ms IS NULL)",
    )
    .bind(key)
    .bind(id.0)
    .bind(now.as_millis())
    .bind(tx.next_id(now))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A new ingest key: 32 hexadecimal digits, as SDKs insist.
pub(crate) fn generate() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::content("a new key", error))?;
    Ok(hex::encode(bytes))
}
