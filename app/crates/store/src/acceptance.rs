//! How alerts were accepted: which were given to somebody else.

use crate::columns::{get, get_count};
use crate::{Store, StoreError};
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;

/// How the alerts of a repository were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Its name, `owner/name`.
    pub repository: RepositoryName,
    /// Alerts that count.
    pub alerts: u64,
    /// Those that were given to somebody else.
    pub refused: u64,
}

/// How alerts were taken, by repository: those that were sent by any channel before `before`, and
/// younger ones that were answered by a handover, a label or closing the issue. Refused is what was
/// handed on and not given back.
pub async fn by_repository(store: &Store, before: Timestamp) -> Result<Vec<Acceptance>, StoreError> {
    let rows = sqlx::query(
        "SELECT MAX(r.full_name) AS full_name, COUNT(*) AS alerts, CAST(SUM(a.refused) AS BIGINT) AS refused
         FROM (SELECT l.repository_id, l.alerted_at_ms, l.resolved_at_ms, l.known,
                   CASE WHEN EXISTS (SELECT 1 FROM handovers h WHERE h.line_id = l.id AND h.given_back = 0)
                       THEN 1 ELSE 0 END AS refused
               FROM lines l
               WHERE l.alerted_at_ms IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries d WHERE d.line_id = l.id
                   AND d.purpose = 'alert' AND d.state = 'sent')) a
         JOIN repositories r ON r.id = a.repository_id
         WHERE a.refused = 1 OR a.alerted_at_ms < $1 OR a.resolved_at_ms IS NOT NULL OR a.known = 1
         GROUP BY LOWER(r.full_name) ORDER BY LOWER(r.full_name)",
    )
    .bind(before.as_millis())
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Acceptance {
                repository: RepositoryName::new(get::<String>(row, "full_name")?),
                alerts: get_count(row, "alerts")?,
                refused: get_count(row, "refused")?,
            })
        })
        .collect()
}
