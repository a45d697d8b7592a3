//! What a batch counts of fingerprints that wait for their line: occurrences by hour, and a bounded
//! number of names.

use super::Arrival;
use crate::columns::signed;
use crate::rows::{chunks, values};
use crate::{StoreError, Tx, lines};
use domain::ids::FingerprintId;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// What one transaction adds to fingerprints that have no line yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Occurrences and the last of them, by fingerprint and hour.
    hours: BTreeMap<(FingerprintId, Timestamp), (u64, Timestamp)>,
    /// When each name was seen, the last time. As stored: two that are cut to the same name would
    /// be one row twice.
    facets: BTreeMap<(FingerprintId, &'static str, String), Timestamp>,
}

impl Pending {
    /// Counts an arrival.
    pub(super) fn add(&mut self, fingerprint: FingerprintId, arrival: &Arrival) {
        let (count, last) = self.hours.entry((fingerprint, arrival.at.hour())).or_default();
        *count = count.saturating_add(arrival.count);
        *last = arrival.at.max(*last);
        for (kind, value) in [("server", &arrival.facets.server), ("environment", &arrival.facets.environment)] {
            if !value.is_empty() {
                let seen = self.facets.entry((fingerprint, kind, lines::facet(value))).or_default();
                *seen = arrival.at.max(*seen);
            }
        }
    }

    /// Writes what was counted, in few statements however many fingerprints and names there are.
    pub(super) async fn insert_in(&self, tx: &mut Tx) -> Result<(), StoreError> {
        self.insert_hours_in(tx).await?;
        self.insert_facets_in(tx).await
    }

    async fn insert_hours_in(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let rows: Vec<_> = self.hours.iter().collect();
        for chunk in chunks(&rows) {
            let sql = format!(
                "INSERT INTO pending_occurrences (fingerprint_id, hour_ms, occurrences, last_seen_ms) VALUES {}
                 ON CONFLICT (fingerprint_id, hour_ms) DO UPDATE SET
                     occurrences = pending_occurrences.occurrences + excluded.occurrences,
                     last_seen_ms = excluded.last_seen_ms",
                values(chunk.len(), 4)
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for ((fingerprint, hour), (count, last)) in chunk {
                query = query.bind(fingerprint.0).bind(hour.as_millis()).bind(signed(*count)).bind(last.as_millis());
            }
            query.execute(tx.conn()).await?;
        }
        Ok(())
    }

    /// A fingerprint waits for as long as its clone takes, and every repeat may bring another name:
    /// as many are kept as a line would keep, and no more than the rows of one statement beyond,
    /// which does not see what it writes itself. Whose name is not kept is counted all the same.
    async fn insert_facets_in(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let rows: Vec<_> = self.facets.iter().collect();
        for chunk in chunks(&rows) {
            let sql = format!(
                "WITH fresh (fingerprint_id, kind, value, seen_ms) AS (VALUES {})
                 INSERT INTO pending_facets (fingerprint_id, kind, value, first_seen_ms, last_seen_ms)
                 SELECT fresh.fingerprint_id, fresh.kind, fresh.value, fresh.seen_ms, fresh.seen_ms FROM fresh
                 WHERE (SELECT COUNT(*) FROM pending_facets p WHERE p.fingerprint_id = fresh.fingerprint_id
                     AND p.kind = fresh.kind AND p.value <> fresh.value) < {}
                 ON CONFLICT (fingerprint_id, kind, value) DO UPDATE SET last_seen_ms = excluded.last_seen_ms",
                values(chunk.len(), 4),
                lines::FACETS_PER_KIND
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for ((fingerprint, kind, value), seen) in chunk {
                query = query.bind(fingerprint.0).bind(*kind).bind(value).bind(seen.as_millis());
            }
            query.execute(tx.conn()).await?;
        }
        Ok(())
    }
}
