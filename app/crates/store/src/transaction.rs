//! Write transactions.

use crate::ids::Ids;
use crate::{Store, StoreError};
use domain::timestamp::Timestamp;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Transaction};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A write transaction. It begins with the write lock, so it never has to be tried again.
#[derive(Debug)]
pub struct Tx {
    pub(crate) inner: Transaction<'static, Any>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) _turn: OwnedSemaphorePermit,
}

impl Tx {
    pub(crate) fn conn(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The next row id.
    pub(crate) fn next_id(&self, now: Timestamp) -> i64 {
        self.ids.next(now)
    }

    /// Makes it durable. Where that fails, nothing was changed.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}

/// Runs one statement as a transaction of its own.
pub(crate) async fn execute(store: &Store, statement: Query<'_, Any, AnyArguments>) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    statement.execute(tx.conn()).await?;
    tx.commit().await
}
