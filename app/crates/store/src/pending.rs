//! What was counted of fingerprints while they waited for their lines: taken from there, to be
//! moved or dropped.

use crate::columns::{get, get_count, get_time};
use crate::rows::{chunks, placeholders};
use crate::{StoreError, Tx};
use domain::ids::FingerprintId;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// What was counted of fingerprints.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) hours: Vec<PendingHour>,
    pub(crate) facets: Vec<PendingFacet>,
}

/// Occurrences of a fingerprint in an hour, named by its beginning.
#[derive(Debug)]
pub(crate) struct PendingHour {
    pub(crate) fingerprint: FingerprintId,
    pub(crate) hour: Timestamp,
    pub(crate) count: u64,
    pub(crate) last_at: Timestamp,
}

/// A name of a server or an environment, as stored.
#[derive(Debug)]
pub(crate) struct PendingFacet {
    pub(crate) fingerprint: FingerprintId,
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// Takes away what was counted of these fingerprints, in a number of statements that does not grow
/// with it: reports that come in wait for this transaction.
pub(crate) async fn take_in(tx: &mut Tx, fingerprints: &[FingerprintId]) -> Result<Taken, StoreError> {
    let mut taken = Taken::default();
    for ids in chunks(fingerprints) {
        let hours = "pending_occurrences WHERE fingerprint_id IN ";
        for row in deleted_in(tx, hours, "hour_ms, occurrences, last_seen_ms", ids).await? {
            taken.hours.push(PendingHour {
                fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
                hour: get_time(&row, "hour_ms")?,
                count: get_count(&row, "occurrences")?,
                last_at: get_time(&row, "last_seen_ms")?,
            });
        }
        let facets = "pending_facets WHERE fingerprint_id IN ";
        for row in deleted_in(tx, facets, "kind, value, first_seen_ms, last_seen_ms", ids).await? {
            taken.facets.push(PendingFacet {
                fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
                kind: get(&row, "kind")?,
                value: get(&row, "value")?,
                first: get_time(&row, "first_seen_ms")?,
                last: get_time(&row, "last_seen_ms")?,
            });
        }
    }
    Ok(taken)
}

async fn deleted_in(
    tx: &mut Tx,
    of: &'static str,
    columns: &'static str,
    ids: &[FingerprintId],
) -> Result<Vec<AnyRow>, StoreError> {
    let sql = format!("DELETE FROM {of} ({}) RETURNING fingerprint_id, {columns}", placeholders(ids.len()));
    let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
    Ok(query.fetch_all(tx.conn()).await?)
}
