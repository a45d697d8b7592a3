//! A write that means nothing: whether the database can be written, not only whether it answers.

use crate::{Store, StoreError};
use domain::timestamp::Timestamp;

/// The name of the row in `meta`.
const NAME: &str = "trial";
/// Bytes that are written: more than the reports of a moment need, so that it is not they who find
/// out that a disk is full.
const SIZE: usize = 64 << 10;

/// Writes a row of some size in the place of the one before, in a transaction that is made durable.
pub async fn write(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    // Another text than the last one: SQLite writes no page that stays as it is.
    let digits = format!("{:016x}", tx.next_id(now));
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(NAME)
    .bind(digits.repeat(SIZE / digits.len()))
    .execute(tx.conn())
    .await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Trouble;
    use sqlx::Row as _;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[tokio::test]
    async fn a_file_that_may_not_grow_is_told_and_so_is_that_it_may_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        // What is free within the file is no room on the disk.
        sqlx::raw_sql("VACUUM").execute(&store.pool).await.unwrap();
        let pages: i64 = sqlx::query("PRAGMA page_count").fetch_one(&store.pool).await.unwrap().get(0);
        // Of the one connection that there is by now, and that the next statement is run on.
        let limit = format!("PRAGMA max_page_count = {pages}");
        sqlx::query(sqlx::AssertSqlSafe(limit)).execute(&store.pool).await.unwrap();
        assert!(store.ping().await.is_ok(), "it answers all the same");
        assert_eq!(write(&store, NOW).await.unwrap_err().trouble(), Some(Trouble::Full));
        // That connection was closed.
        write(&store, NOW).await.unwrap();
        write(&store, NOW).await.unwrap();
        let rows = sqlx::query("SELECT COUNT(*) FROM meta WHERE name = 'trial'").fetch_one(&store.pool).await;
        assert_eq!(rows.unwrap().get::<i64, _>(0), 1, "one row, however often it is tried");
    }

    #[tokio::test]
    async fn a_database_for_reading_only_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        sqlx::raw_sql("PRAGMA query_only = ON").execute(&store.pool).await.unwrap();
        assert!(store.ping().await.is_ok(), "it answers all the same");
        assert_eq!(write(&store, NOW).await.unwrap_err().trouble(), Some(Trouble::ReadOnly));
    }
}
