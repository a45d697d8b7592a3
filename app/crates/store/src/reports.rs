//! Reports that wait to be attributed.

use crate::columns::{get, get_count, get_time, get_time_opt};
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
    /// Until when its fingerprint is not to be looked up in the mirror, because that ended the
    /// process.
    pub plain_until: Option<Timestamp>,
    /// The folder of the repository that the key by which it came is for.
    pub folder: Option<String>,
    /// The report.
    pub report: Report,
}

/// A stored report; `None` once it was attributed.
pub async fn by_id(store: &Store, id: ReportId) -> Result<Option<StoredReport>, StoreError> {
    let row = sqlx::query(
        "SELECT r.repository_id, r.fingerprint_id, r.received_at_ms, r.body, f.plain_until_ms, k.folder
         FROM reports r JOIN fingerprints f ON f.id = r.fingerprint_id
             LEFT JOIN ingest_keys k ON k.id = r.key_id WHERE r.id = $1",
    )
    .bind(id.0)
    .fetch_optional(&store.pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredReport {
        id,
        repository: RepositoryId(get(&row, "repository_id")?),
        fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
        received_at: get_time(&row, "received_at_ms")?,
        plain_until: get_time_opt(&row, "plain_until_ms")?,
        folder: get(&row, "folder")?,
        report: unpack("reports.body", &get::<Vec<u8>>(&row, "body")?)?,
    }))
}

/// How many fingerprints are not looked up in their repositories, because that ended the process.
pub async fn count_plain(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS plain FROM fingerprints WHERE plain_until_ms > $1")
        .bind(now.as_millis())
        .fetch_one(&store.pool)
        .await?;
    get_count(&row, "plain")
}

/// Deletes a report that was attributed.
pub(crate) async fn delete_in(tx: &mut Tx, id: ReportId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM reports WHERE id = $1").bind(id.0).execute(tx.conn()).await?;
    Ok(())
}
