//! A stamp of what memories of a process go by: where it is another one than before, they are void.

use crate::columns::get;
use crate::{Store, StoreError, Tx};

/// How the fact is called that counts resolutions; what else counts is in rows of its own.
const RESOLUTIONS: &str = "resolutions";

/// What was read of rules, code, keys and resolutions: two that are equal say that nothing of it
/// changed in between, whichever process might have done so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    generations: i64,
    repositories: i64,
    keys: i64,
    resolutions: Option<String>,
}

/// The stamp now: one small query, for each process asks for it all the time.
pub async fn now(store: &Store) -> Result<Stamp, StoreError> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(rules_generation + code_generation), 0) AS BIGINT) AS generations,
             COUNT(*) + COUNT(removed_at_ms) AS repositories,
             (SELECT COUNT(*) + COUNT(revoked_at_ms) FROM ingest_keys) AS keys,
             (SELECT value FROM meta WHERE name = $1) AS resolutions
         FROM repositories",
    )
    .bind(RESOLUTIONS)
    .fetch_one(&store.pool)
    .await?;
    Ok(Stamp {
        generations: get(&row, "generations")?,
        repositories: get(&row, "repositories")?,
        keys: get(&row, "keys")?,
        resolutions: get(&row, "resolutions")?,
    })
}

/// Something was resolved, or is not any more: whoever goes by a stamp hears of it.
pub(crate) async fn record_resolution_in(tx: &mut Tx) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, '1')
         ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)",
    )
    .bind(RESOLUTIONS)
    .execute(tx.conn())
    .await?;
    Ok(())
}
