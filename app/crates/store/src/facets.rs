//! Facets of a line: the names of servers, environments, releases and exception types, each kept once.

use super::{StoreError, Tx, storable};
use domain::ids::LineId;

/// Values kept of each kind (server, release …) for one line: autoscaled servers have endless names that nobody reads.
const FACETS_PER_KIND: i64 = 200;
/// Characters kept of a facet: two of them and a key have to fit into 2,704 bytes, PostgreSQL's limit on what is indexed.
const FACET_LENGTH: usize = 256;

pub(super) async fn add_facet(
    tx: &mut Tx,
    line: LineId,
    kind: &str,
    value: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO line_facets (line_id, kind, value, last_seen_ms, first_seen_ms)
         SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($4 AS BIGINT)
         WHERE (SELECT COUNT(*) FROM line_facets WHERE line_id = $1 AND kind = $2 AND value <> $3) < $5
         ON CONFLICT (line_id, kind, value) DO UPDATE SET last_seen_ms = excluded.last_seen_ms",
    )
    .bind(line.0)
    .bind(kind)
    .bind(facet(value))
    .bind(at_ms)
    .bind(FACETS_PER_KIND)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A facet as it is stored.
pub(super) fn facet(value: &str) -> String {
    storable(value).chars().take(FACET_LENGTH).collect()
}
