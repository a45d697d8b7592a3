//! How large the database is, and giving what it does not need any more back to the disk.

use crate::columns::get;
use crate::{Dialect, Store, StoreError};
use sqlx::AssertSqlSafe;

/// Pages that one step moves and gives back: some milliseconds of work.
const STEP: i64 = 256;
/// Free pages that stay in the file, to be used again: a MiB.
const SPARE: i64 = 256;

/// How large the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes of all.
    pub bytes: u64,
    /// Of them, those that SQLite's file has free; PostgreSQL does not say.
    pub free: Option<u64>,
    /// Whether what is free is given back: not of a SQLite file that was made by an older version
    /// and was too large to be written anew.
    pub shrinks: bool,
}

/// How large the database is.
pub async fn size(store: &Store) -> Result<Size, StoreError> {
    if store.dialect() == Dialect::Postgres {
        let bytes = number(store, "SELECT pg_database_size(current_database()) AS n").await?;
        return Ok(Size { bytes: bytes.unsigned_abs(), free: None, shrinks: true });
    }
    let page = number(store, "SELECT page_size AS n FROM pragma_page_size()").await?;
    let pages = number(store, "SELECT page_count AS n FROM pragma_page_count()").await?;
    let free = free_pages(store).await?;
    let kind = number(store, "SELECT auto_vacuum AS n FROM pragma_auto_vacuum()").await?;
    Ok(Size {
        bytes: (pages * page).unsigned_abs(),
        free: Some((free * page).unsigned_abs()),
        shrinks: kind == INCREMENTAL,
    })
}

/// What `PRAGMA auto_vacuum` says of a file that can be made smaller step by step.
pub(crate) const INCREMENTAL: i64 = 2;

async fn free_pages(store: &Store) -> Result<i64, StoreError> {
    number(store, "SELECT freelist_count AS n FROM pragma_freelist_count()").await
}

async fn number(store: &Store, sql: &'static str) -> Result<i64, StoreError> {
    get(&sqlx::query(sql).fetch_one(&store.pool).await?, "n")
}

/// Makes SQLite's file smaller by some of its free pages, in a transaction of its own. `false`:
/// there is nothing to do. PostgreSQL does so by itself.
pub async fn shrink(store: &Store) -> Result<bool, StoreError> {
    if store.dialect() == Dialect::Postgres {
        return Ok(false);
    }
    let free = free_pages(store).await?;
    if free <= SPARE {
        return Ok(false);
    }
    let step = STEP.min(free - SPARE);
    let mut tx = store.begin_lazily().await?;
    sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA incremental_vacuum({step})"))).execute(tx.conn()).await?;
    tx.commit().await?;
    // A file that can't be made smaller stays as it is.
    Ok(free_pages(store).await? < free)
}
