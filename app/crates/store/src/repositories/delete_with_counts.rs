//! Deleting all that is known of a repository, counts and all, when somebody asks for it.

use super::overwritten::{empty_wal, overwrite_in};
use super::watch::REPORTS;
use crate::meta::issues_looked;
use crate::{Store, StoreError};
use domain::ids::RepositoryId;

/// All but the reports, in an order in which nothing refers to what is gone.
const THE_REST: [&str; 21] = [
    "DELETE FROM test_reports WHERE repository_id = $1",
    "DELETE FROM jobs WHERE kind = 'deliver' AND subject IN (SELECT id FROM deliveries WHERE repository_id = $1)",
    "DELETE FROM jobs WHERE kind = 'decide' AND subject IN (SELECT id FROM lines WHERE repository_id = $1)",
    "DELETE FROM jobs WHERE kind = 'storm' AND subject IN (SELECT id FROM storms WHERE repository_id = $1)",
    "DELETE FROM jobs WHERE kind = 'fetch' AND subject = $1",
    "DELETE FROM doubts WHERE repository_id = $1",
    "DELETE FROM doubles WHERE repository_id = $1",
    "DELETE FROM deliveries WHERE repository_id = $1",
    "DELETE FROM storms WHERE repository_id = $1",
    "DELETE FROM rule_baselines WHERE rule_id IN (SELECT id FROM rules WHERE repository_id = $1)",
    "DELETE FROM rules WHERE repository_id = $1",
    "DELETE FROM line_hours WHERE line_id IN (SELECT id FROM lines WHERE repository_id = $1)",
    "DELETE FROM line_facets WHERE line_id IN (SELECT id FROM lines WHERE repository_id = $1)",
    "DELETE FROM lines WHERE repository_id = $1",
    "DELETE FROM versions WHERE repository_id = $1",
    "DELETE FROM handovers WHERE repository_id = $1",
    "DELETE FROM look_ups WHERE repository_id = $1",
    "DELETE FROM key_refusals WHERE key_id IN (SELECT id FROM ingest_keys WHERE repository_id = $1)",
    "DELETE FROM ingest_keys WHERE repository_id = $1",
    "DELETE FROM former_names WHERE repository_id = $1",
    "DELETE FROM repositories WHERE id = $1",
];

/// Deletes everything of a repository, also out of free pages of SQLite's file. Its number is not
/// used again; its keys are refused.
pub async fn delete(store: &Store, id: RepositoryId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    overwrite_in(&mut tx, store.dialect(), true).await?;
    for sql in REPORTS.iter().chain(&THE_REST) {
        sqlx::query(*sql).bind(id.0).execute(tx.conn()).await?;
    }
    sqlx::query("DELETE FROM meta WHERE name = $1").bind(issues_looked(id)).execute(tx.conn()).await?;
    overwrite_in(&mut tx, store.dialect(), false).await?;
    tx.commit().await?;
    empty_wal(store).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::BUSY_TIMEOUT;
    use crate::repositories::{NewRepository, unwatch, watch};
    use domain::timestamp::Timestamp;
    use sqlx::{Connection as _, Row as _};
    use std::path::Path;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    /// Reports, as number and bytes: one with pages of its own, and all of them on one page beside.
    const REPORTS: [(i64, usize); 3] = [(1, 200), (2, 17_000), (3, 1_000)];

    /// How often the reports' bodies can be read in the files of a database.
    fn readable(folder: &Path) -> [usize; 2] {
        ["test.db", "test.db-wal"].map(|name| {
            let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
            bytes.windows(12).filter(|bytes| *bytes == b"variable-of-").count()
        })
    }

    async fn shop(store: &Store) -> RepositoryId {
        let new = NewRepository { full_name: "acme/shop".into(), clone_url: "/b".into(), github: None, public: false };
        let (id, _) = watch(store, &new, NOW).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for (number, length) in REPORTS {
            sqlx::query(
                "INSERT INTO fingerprints (id, repository_id, fingerprint, state, pinned, code_generation,
                     rules_generation, last_seen_ms) VALUES ($1, $2, $3, 'pending', 0, 0, 0, 0)",
            )
            .bind(number)
            .bind(id.0)
            .bind(number.to_string())
            .execute(tx.conn())
            .await
            .unwrap();
            sqlx::query(
                "INSERT INTO reports (id, repository_id, fingerprint_id, received_at_ms, body) VALUES ($1, $2, $1, 0, $3)",
            )
            .bind(number)
            .bind(id.0)
            .bind("variable-of-acme ".repeat(length / 17).into_bytes())
            .execute(tx.conn())
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        id
    }

    #[tokio::test]
    async fn what_was_deleted_is_not_read_out_of_the_file_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let id = shop(&store).await;
        assert!(readable(folder.path()).iter().sum::<usize>() > 1_000);
        unwatch(&store, id, None, NOW).await.unwrap();
        assert_eq!(readable(folder.path()), [0, 0], "while the file is in use");
        delete(&store, id).await.unwrap();
        assert_eq!(readable(folder.path()), [0, 0]);
        store.close().await;
        assert_eq!(readable(folder.path()), [0, 0]);
    }

    #[tokio::test]
    async fn who_reads_meanwhile_keeps_nothing_from_being_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let store = Store::open(&url).await.unwrap();
        let id = shop(&store).await;
        let mut reader = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT COUNT(*) FROM reports").execute(&mut reader).await.unwrap();
        unwatch(&store, id, None, NOW).await.unwrap();
        assert!(readable(folder.path()).iter().sum::<usize>() > 1_000, "the reader still sees it");
        sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
        delete(&store, id).await.unwrap();
        assert_eq!(readable(folder.path()), [0, 0]);
        for _ in 0..crate::connections::POOL_SIZE {
            let wait: i64 = sqlx::query("PRAGMA busy_timeout").fetch_one(&store.pool).await.unwrap().get(0);
            assert_eq!(format!("PRAGMA busy_timeout = {wait}"), BUSY_TIMEOUT);
        }
    }

    #[tokio::test]
    async fn the_number_of_a_deleted_repository_is_not_given_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        for number in 1..4 {
            let id = shop(&store).await;
            assert_eq!(id, RepositoryId(number));
            delete(&store, id).await.unwrap();
        }
    }
}
