//! A stamp of what memories of a process go by: where it is another one than before, they are void.

use crate::columns::get;
use crate::{Store, StoreError, Tx};

/// How the fact is called that counts resolutions; what else counts is in rows of its own.
const RESOLUTIONS: &str = "resolutions";

/// What was read of rules, code, keys, their limits and resolutions: two that are equal say that
/// nothing of it changed in between, whichever process might have done so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    generations: i64,
    repositories: i64,
    keys: i64,
    limits: i64,
    resolutions: Option<String>,
}

/// The stamp now: one small query, for each process asks for it all the time.
pub async fn now(store: &Store) -> Result<Stamp, StoreError> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(rules_generation + code_generation), 0) AS BIGINT) AS generations,
             COUNT(*) + COUNT(removed_at_ms) AS repositories,
             (SELECT COUNT(*) + COUNT(revoked_at_ms) FROM ingest_keys) AS keys,
             (SELECT CAST(COALESCE(SUM(COALESCE(rate, -1) * 3 + COALESCE(budget, -1)), 0) AS BIGINT)
              FROM ingest_keys) AS limits,
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
        limits: get(&row, "limits")?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest_keys::{of_repository, set_limits};
    use crate::repositories::{NewRepository, watch};
    use domain::key_limits::KeyLimits;
    use domain::timestamp::Timestamp;

    #[tokio::test]
    async fn a_keys_limits_are_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let new = NewRepository { full_name: "acme/shop".into(), clone_url: "/b".into(), github: None, public: false };
        let (id, _) = watch(&store, &new, Timestamp::UNIX_EPOCH).await.unwrap();
        let key = of_repository(&store, id).await.unwrap().remove(0).key;
        let mut before = now(&store).await.unwrap();
        for (rate, budget) in [(Some(0), None), (Some(5), None), (Some(5), Some(0)), (Some(4), Some(1)), (None, None)] {
            set_limits(&store, &key, KeyLimits { rate, budget }).await.unwrap();
            let after = now(&store).await.unwrap();
            assert_ne!(after, before, "{rate:?} {budget:?}");
            assert_eq!(now(&store).await.unwrap(), after);
            before = after;
        }
    }
}
