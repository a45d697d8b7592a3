//! Fingerprints for people: the latest ones, and what each came to.

use super::intake::State;
use super::pack::unpack;
use super::{Store, StoreError, get};
use domain::ids::{LineId, RepositoryId};
use domain::report::Report;

/// The latest report of a line that was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its fingerprint, hexadecimal.
    pub fingerprint: String,
    /// When it came in, Unix milliseconds.
    pub received_at_ms: i64,
    /// The report.
    pub report: Report,
}

impl Store {
    /// The latest kept reports of a repository, the newest first: one for each of the lines that failed last.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn latest_reports(&self, id: RepositoryId, limit: usize) -> Result<Vec<Kept>, StoreError> {
        let rows = sqlx::query(
            "SELECT d.fingerprint, t.received_at_ms, t.body FROM tracebacks t JOIN fingerprints d ON d.id = t.fingerprint_id
             WHERE t.line_id IN (SELECT id FROM lines WHERE repository_id = $1 ORDER BY last_seen_ms DESC LIMIT $2)
             ORDER BY t.received_at_ms DESC LIMIT $2",
        )
        .bind(id.0)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Kept {
                    fingerprint: get(row, "fingerprint")?,
                    received_at_ms: get(row, "received_at_ms")?,
                    report: unpack("tracebacks.body", &get::<Vec<u8>>(row, "body")?)?,
                })
            })
            .collect()
    }

    /// What a fingerprint came to; `None`: it was never seen.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn fingerprint(&self, id: RepositoryId, fingerprint: &str) -> Result<Option<State>, StoreError> {
        let row = sqlx::query("SELECT state, line_id FROM fingerprints WHERE repository_id = $1 AND fingerprint = $2")
            .bind(id.0)
            .bind(fingerprint)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(State::from_stored(&get::<String>(&row, "state")?, get::<Option<i64>>(&row, "line_id")?.map(LineId))))
    }
}
