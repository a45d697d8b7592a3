//! The journal: what was counted of lines that are known, one appended row a batch of reports,
//! until it is folded into lines and hours.
//!
//! A batch touches as many lines as it has reports. To add to each of them in place writes several
//! pages for every report; to append what is to be added writes one page for all of them, and that
//! is what a client waits for ([0030](../../../../../docs/decisions/0030-counts-by-a-journal.md)).

mod fold;
mod record;

use crate::columns::{get, get_count};
use crate::transaction::execute_at_once;
use crate::{Store, StoreError, Tx};
use domain::timestamp::Timestamp;
pub use fold::{Folded, fold};
pub(crate) use record::Counted;
use sqlx::any::{Any, AnyArguments};
use sqlx::query::Query;

/// Appends, in a transaction of its own that is one exchange with the database: what most batches
/// of reports wait for.
///
/// # Errors
/// Those of the database, with whether nothing was appended for sure.
pub(crate) async fn append(store: &Store, counted: &Counted, now: Timestamp) -> Result<(), (StoreError, bool)> {
    if counted.is_empty() {
        return Ok(());
    }
    execute_at_once(store, insertion(store.ids.next(now), counted)).await
}

/// Appends within a transaction.
pub(crate) async fn append_in(tx: &mut Tx, counted: &Counted, now: Timestamp) -> Result<(), StoreError> {
    if counted.is_empty() {
        return Ok(());
    }
    insertion(tx.next_id(now), counted).execute(tx.conn()).await?;
    Ok(())
}

fn insertion(id: i64, counted: &Counted) -> Query<'static, Any, AnyArguments> {
    sqlx::query("INSERT INTO journal (id, counted) VALUES ($1, $2)").bind(id).bind(counted.text())
}

/// How many rows wait to be folded, each of one batch of reports.
pub async fn count_waiting(store: &Store) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS waiting FROM journal").fetch_one(&store.pool).await?;
    get_count(&row, "waiting")
}

/// Whether there is anything to fold.
async fn is_empty(store: &Store) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT id FROM journal LIMIT 1").fetch_optional(&store.pool).await?;
    row.as_ref().map(|row| get::<i64>(row, "id")).transpose().map(|id| id.is_none())
}

#[cfg(test)]
mod tests;
