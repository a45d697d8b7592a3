//! Fingerprints of arrivals: looked up under the write lock; what is new or void gets its report
//! and its job.

use super::{Admitted, Arrival, WriterMemory};
use crate::columns::{get, get_time_opt};
use crate::fingerprints::{FingerprintState, KnownFingerprint};
use crate::{StoreError, Tx, jobs};
use domain::ids::{FingerprintId, LineId, ReportId};
use domain::job::Job;
use domain::timestamp::Timestamp;

/// Looks a fingerprint up under the write lock; one never seen before, or void, gets its report and
/// its job.
pub(super) async fn look_up_or_insert_in(
    tx: &mut Tx,
    arrival: &Arrival,
    memory: &mut WriterMemory,
) -> Result<Admitted, StoreError> {
    let fresh = FingerprintId(tx.next_id(arrival.at));
    let row = sqlx::query(
        "INSERT INTO fingerprints (id, repository_id, fingerprint, state, pinned, code_generation, rules_generation, last_seen_ms, key_id)
         VALUES ($1, $2, $3, 'pending', 0, 0, 0, $4, $5)
         ON CONFLICT (repository_id, fingerprint) DO UPDATE SET last_seen_ms = excluded.last_seen_ms,
             key_id = CASE WHEN fingerprints.key_id = excluded.key_id THEN fingerprints.key_id END
         RETURNING id, state, line_id, pinned, code_generation, rules_generation, recheck_at_ms",
    )
    .bind(fresh.0)
    .bind(arrival.repository.0)
    .bind(arrival.fingerprint.to_hex())
    .bind(arrival.at.as_millis())
    .bind(arrival.key.0)
    .fetch_one(tx.conn())
    .await?;
    let state: String = get(&row, "state")?;
    let mut found = KnownFingerprint {
        id: FingerprintId(get(&row, "id")?),
        state: FingerprintState::from_stored(&state, get::<Option<i64>>(&row, "line_id")?.map(LineId)),
        pinned: get::<i64>(&row, "pinned")? != 0,
        code_generation: get(&row, "code_generation")?,
        rules_generation: get(&row, "rules_generation")?,
        recheck_at: get_time_opt(&row, "recheck_at_ms")?,
    };
    let void = !found.holds(arrival.code_generation, arrival.rules_generation, arrival.at);
    if found.id == fresh || void {
        match arrival.body.as_deref() {
            Some(body) => {
                if void {
                    set_state_in(tx, &mut found, FingerprintState::Pending).await?;
                }
                let turn = memory.next_turn(arrival.key, arrival.repository, arrival.at);
                insert_report_in(tx, &mut found, arrival, body, turn).await?;
            }
            // The caller believed it pending; this answer tells it better, and the next report
            // comes whole.
            None if found.id != fresh => {}
            // Its row was deleted meanwhile: without this it would wait for a report that nobody
            // has.
            None => set_state_in(tx, &mut found, FingerprintState::Stale).await?,
        }
    }
    Ok(Admitted { known: found, is_new: found.id == fresh })
}

/// The report that a fingerprint is attributed by, and the job to do so.
async fn insert_report_in(
    tx: &mut Tx,
    found: &mut KnownFingerprint,
    arrival: &Arrival,
    body: &[u8],
    turn: Timestamp,
) -> Result<(), StoreError> {
    let report = ReportId(tx.next_id(arrival.at));
    sqlx::query(
        "INSERT INTO reports (id, repository_id, fingerprint_id, received_at_ms, body, key_id)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(report.0)
    .bind(arrival.repository.0)
    .bind(found.id.0)
    .bind(arrival.at.as_millis())
    .bind(body)
    .bind(arrival.key.0)
    .execute(tx.conn())
    .await?;
    found.state = FingerprintState::Pending;
    jobs::enqueue_in_turn_in(tx, Job::Attribute(report), turn, arrival.at).await
}

/// Pending or stale.
async fn set_state_in(tx: &mut Tx, found: &mut KnownFingerprint, state: FingerprintState) -> Result<(), StoreError> {
    let sql = match state {
        FingerprintState::Pending => "UPDATE fingerprints SET state = 'pending' WHERE id = $1",
        _ => "UPDATE fingerprints SET state = 'stale' WHERE id = $1",
    };
    sqlx::query(sql).bind(found.id.0).execute(tx.conn()).await?;
    found.state = state;
    Ok(())
}
