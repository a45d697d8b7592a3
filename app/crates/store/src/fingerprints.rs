//! Fingerprints, and what each came to.

use crate::columns::get;
use crate::rows::{chunks, placeholders};
use crate::{Dialect, Store, StoreError, Tx};
use domain::ids::{FingerprintId, LineId, RepositoryId};
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;

/// What a fingerprint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerprintState {
    /// It waits to be attributed.
    Pending,
    /// Reports with this fingerprint are about this line.
    Line(LineId),
    /// Reports with this fingerprint are not counted.
    Dropped,
    /// It has to be attributed anew.
    Stale,
}

impl FingerprintState {
    /// From what is stored.
    pub(crate) fn from_stored(state: &str, line: Option<LineId>) -> Self {
        match (state, line) {
            ("line", Some(line)) => Self::Line(line),
            ("dropped", _) => Self::Dropped,
            ("pending", _) => Self::Pending,
            _ => Self::Stale,
        }
    }
}

/// What is known of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFingerprint {
    /// Its row.
    pub id: FingerprintId,
    /// Its line, or what else it came to.
    pub state: FingerprintState,
    /// Whether pushes do not concern it.
    pub pinned: bool,
    /// See [`crate::intake::Arrival::code_generation`].
    pub code_generation: i64,
    /// See [`crate::intake::Arrival::code_generation`].
    pub rules_generation: i64,
    /// Attribute again from then on.
    pub recheck_at: Option<Timestamp>,
}

impl KnownFingerprint {
    /// Whether what is known still holds for a report that comes in now.
    pub fn holds(&self, code_generation: i64, rules_generation: i64, now: Timestamp) -> bool {
        match self.state {
            FingerprintState::Stale => false,
            // Attribution will look at the code and the rules as they are when it runs.
            FingerprintState::Pending => true,
            FingerprintState::Line(_) | FingerprintState::Dropped => {
                self.rules_generation == rules_generation
                    && (self.pinned || self.code_generation == code_generation)
                    && self.recheck_at.is_none_or(|at| now < at)
            }
        }
    }
}

/// What a fingerprint came to; `None`: it was never seen.
pub async fn state_of(
    store: &Store,
    id: RepositoryId,
    fingerprint: &str,
) -> Result<Option<FingerprintState>, StoreError> {
    let row = sqlx::query("SELECT state, line_id FROM fingerprints WHERE repository_id = $1 AND fingerprint = $2")
        .bind(id.0)
        .bind(fingerprint)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(FingerprintState::from_stored(
        &get::<String>(&row, "state")?,
        get::<Option<i64>>(&row, "line_id")?.map(LineId),
    )))
}

/// Voids what is known of a line's fingerprints: each is attributed anew at its next report.
pub(crate) async fn make_stale_in(tx: &mut Tx, line: LineId) -> Result<(), StoreError> {
    sqlx::query("UPDATE fingerprints SET state = 'stale' WHERE line_id = $1 AND state = 'line'")
        .bind(line.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Locks fingerprints' rows, as the hot path does first, and in its order: nothing is added to what
/// is pending of them until the end of the transaction.
pub(crate) async fn lock_all_in(tx: &mut Tx, fingerprints: &[FingerprintId]) -> Result<(), StoreError> {
    // On SQLite a write transaction is alone.
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    for ids in chunks(fingerprints) {
        let sql = format!(
            "SELECT id FROM fingerprints WHERE id IN ({}) ORDER BY repository_id, fingerprint FOR NO KEY UPDATE",
            placeholders(ids.len())
        );
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
        query.fetch_all(tx.conn()).await?;
    }
    Ok(())
}
