//! Deleting so that nothing of it can be read out of SQLite's file afterwards.

use crate::dialect::Dialect;
use crate::{Store, StoreError, Tx};

/// Whether what the transaction deletes is overwritten with zeros, also in pages that become free.
/// It is asked for where a repository's reports go, and no further: to write every page that is
/// freed would make each report slower. What a page held that was split before is no part of it,
/// nor is what was deleted in the ordinary way: that takes a VACUUM. PostgreSQL rewrites what is
/// dead when it vacuums, which it does by itself.
pub(super) async fn overwrite_in(tx: &mut Tx, dialect: Dialect, is_on: bool) -> Result<(), StoreError> {
    if dialect == Dialect::Sqlite {
        let sql = if is_on { "PRAGMA secure_delete = ON" } else { "PRAGMA secure_delete = OFF" };
        sqlx::query(sql).execute(tx.conn()).await?;
    }
    Ok(())
}

/// Moves what was written lately into SQLite's file, and empties the one beside it, where pages
/// stand as they were before. A reader who is in the way for too long keeps it from that: then it
/// happens as soon as the file beside is full.
pub(super) async fn empty_wal(store: &Store) -> Result<(), StoreError> {
    if store.dialect() == Dialect::Sqlite {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&store.pool).await?;
    }
    Ok(())
}
