//! Reports that wait to be attributed.

use crate::columns::{get, get_count, get_time, get_time_opt};
use crate::pack::unpack;
use crate::rows::{chunks, placeholders};
use crate::{Store, StoreError, Tx};
use domain::ids::{FingerprintId, ReportId, RepositoryId};
use domain::report::Report;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::HashMap;

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

const COLUMNS: &str =
    "r.id, r.repository_id, r.fingerprint_id, r.received_at_ms, r.body, f.plain_until_ms, k.folder FROM reports r
     JOIN fingerprints f ON f.id = r.fingerprint_id LEFT JOIN ingest_keys k ON k.id = r.key_id";

fn read(row: &AnyRow) -> Result<StoredReport, StoreError> {
    Ok(StoredReport {
        id: ReportId(get(row, "id")?),
        repository: RepositoryId(get(row, "repository_id")?),
        fingerprint: FingerprintId(get(row, "fingerprint_id")?),
        received_at: get_time(row, "received_at_ms")?,
        plain_until: get_time_opt(row, "plain_until_ms")?,
        folder: get(row, "folder")?,
        report: unpack("reports.body", &get::<Vec<u8>>(row, "body")?)?,
    })
}

/// A stored report; `None` once it was attributed.
pub async fn by_id(store: &Store, id: ReportId) -> Result<Option<StoredReport>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE r.id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.0).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// Bytes of reports, packed, that are read at once, but one in any case: unpacked they are some ten
/// times as many, and each worker may hold as many.
const READ_AT_ONCE: u64 = 1024 * 1024;

/// Stored reports that were read together.
#[derive(Debug, Default)]
pub struct ReadReports {
    /// Each, or why it can't be read.
    pub read: Vec<(ReportId, Result<StoredReport, StoreError>)>,
    /// Those for which there was no room.
    pub left: Vec<ReportId>,
}

/// Stored reports in this order, without those that were attributed already.
pub async fn by_ids(store: &Store, ids: &[ReportId]) -> Result<ReadReports, StoreError> {
    let (mut fitting, mut found) = (Vec::new(), ReadReports::default());
    let mut bytes: u64 = 0;
    let sizes = "r.id, CAST(LENGTH(r.body) AS BIGINT) AS bytes FROM reports r";
    let sizes: HashMap<ReportId, u64> = rows_of(store, sizes, ids, |row| get_count(row, "bytes")).await?;
    for id in ids {
        let Some(size) = sizes.get(id) else { continue };
        bytes = bytes.saturating_add(*size);
        let fits = fitting.is_empty() || bytes <= READ_AT_ONCE;
        if fits { fitting.push(*id) } else { found.left.push(*id) }
    }
    let mut reports = rows_of(store, COLUMNS, &fitting, |row| Ok(read(row))).await?;
    found.read = fitting.into_iter().filter_map(|id| Some((id, reports.remove(&id)?))).collect();
    Ok(found)
}

async fn rows_of<T>(
    store: &Store,
    columns: &'static str,
    ids: &[ReportId],
    read: impl Fn(&AnyRow) -> Result<T, StoreError>,
) -> Result<HashMap<ReportId, T>, StoreError> {
    let mut found = HashMap::new();
    for ids in chunks(ids) {
        let sql = format!("SELECT {columns} WHERE r.id IN ({})", placeholders(ids.len()));
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
        for row in query.fetch_all(&store.pool).await? {
            found.insert(ReportId(get(&row, "id")?), read(&row)?);
        }
    }
    Ok(found)
}

/// How many fingerprints are not looked up in their repositories, because that ended the process.
pub async fn count_plain(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS plain FROM fingerprints WHERE plain_until_ms > $1")
        .bind(now.as_millis())
        .fetch_one(&store.pool)
        .await?;
    get_count(&row, "plain")
}

/// Deletes reports that were attributed.
pub(crate) async fn delete_all_in(tx: &mut Tx, ids: &[ReportId]) -> Result<(), StoreError> {
    for ids in chunks(ids) {
        let sql = format!("DELETE FROM reports WHERE id IN ({})", placeholders(ids.len()));
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
        query.execute(tx.conn()).await?;
    }
    Ok(())
}
