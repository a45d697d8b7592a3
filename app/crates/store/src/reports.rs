//! Reports that wait to be attributed.

use crate::columns::{get, get_time};
use crate::pack::unpack;
use crate::{Store, StoreError, Tx};
use domain::ids::{FingerprintId, ReportId, RepositoryId};
use domain::report::Report;
use domain::timestamp::Timestamp;

/// A stored report that waits to be attributed.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReport {
    /// Its number.
    pub id: ReportId,
    /// Whose it is.
    pub repository: RepositoryId,
    /// Its fingerprint.
    pub fingerprint: FingerprintId,
    /// When it came in.
    pub received_at: Timestamp,
    /// The report.
    pub report: Report,
}

/// A stored report; `None` once it was attributed.
pub async fn by_id(store: &Store, id: ReportId) -> Result<Option<StoredReport>, StoreError> {
    let row = sqlx::query("SELECT repository_id, fingerprint_id, received_at_ms, body FROM reports WHERE id = $1")
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredReport {
        id,
        repository: RepositoryId(get(&row, "repository_id")?),
        fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
        received_at: get_time(&row, "received_at_ms")?,
        report: unpack("reports.body", &get::<Vec<u8>>(&row, "body")?)?,
    }))
}

/// Deletes a report that was attributed.
pub(crate) async fn delete_in(tx: &mut Tx, id: ReportId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM reports WHERE id = $1").bind(id.0).execute(tx.conn()).await?;
    Ok(())
}
