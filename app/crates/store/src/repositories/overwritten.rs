//! Deleting so that nothing of it can be read out of SQLite's file afterwards.

use crate::dialect::{BUSY_TIMEOUT, Dialect};
use crate::{Store, StoreError, Tx};
use sqlx::AssertSqlSafe;

/// For how long readers are waited for, in milliseconds: many times what one of ours takes.
const READERS_WITHIN_MS: u32 = 500;

/// Whether what the transaction deletes is overwritten with zeros, also in pages that become free.
/// It is asked for where a repository's reports go, or old tracebacks, and no further: to write
/// every page that is freed would make each report slower. What a page held that was split before
/// is no part of it, nor is what was deleted in the ordinary way: that takes a VACUUM. PostgreSQL
/// rewrites what is dead when it vacuums, which it does by itself.
pub(crate) async fn overwrite_in(tx: &mut Tx, dialect: Dialect, is_on: bool) -> Result<(), StoreError> {
    if dialect == Dialect::Sqlite {
        let sql = if is_on { "PRAGMA secure_delete = ON" } else { "PRAGMA secure_delete = OFF" };
        sqlx::query(sql).execute(tx.conn()).await?;
    }
    Ok(())
}

/// Moves what was written lately into SQLite's file, and empties the one beside it, where pages
/// stand as they were before. Whoever writes waits meanwhile, so readers are waited for only
/// shortly.
///
/// What was deleted is deleted whatever comes of this: where readers are in the way, or the disk
/// is, the file beside is written anew from its beginning as soon as it is full.
pub(super) async fn empty_wal(store: &Store) {
    if store.dialect() == Dialect::Sqlite {
        let Ok(mut lent) = store.pool.lend().await else { return };
        let sql = format!("PRAGMA busy_timeout = {READERS_WITHIN_MS}; PRAGMA wal_checkpoint(TRUNCATE)");
        let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(lent.connection()).await;
        // Whoever writes by it next waits as long as all others, or has another one.
        match sqlx::raw_sql(BUSY_TIMEOUT).execute(lent.connection()).await {
            Ok(_) => lent.give_back(),
            Err(_) => lent.close().await,
        }
    }
}
