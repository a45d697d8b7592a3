//! What attribution works out: the line of a fingerprint, what was counted while it was not known,
//! and the job to decide.

mod written;

use crate::columns::get;
use crate::pack::unpack;
use crate::reports::StoredReport;
use crate::rows::{chunks, placeholders};
use crate::{Store, StoreError, fingerprints, jobs, pending, reports};
use domain::attribution::Attribution;
use domain::ids::{FingerprintId, LineId, ReportId};
use domain::job::Job;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;
use written::Entry;

/// What attribution worked out.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributionOutcome {
    /// Generations of code and rules that it was worked out under.
    pub code_generation: i64,
    /// See [`Self::code_generation`].
    pub rules_generation: i64,
    /// The line, or `None` where reports with this fingerprint are not to be counted.
    pub attribution: Option<Attribution>,
    /// The line had been resolved, and this report shows that it is back.
    pub regressed: bool,
    /// Attribute again from then on.
    pub recheck_at: Option<Timestamp>,
    /// Looking it up in the mirror ended the process: not to be done before then.
    pub plain_until: Option<Timestamp>,
}

/// The attributions of fingerprints; those that have none (yet) are missing.
pub async fn of_fingerprints(
    store: &Store,
    fingerprints: &[FingerprintId],
) -> Result<HashMap<FingerprintId, Attribution>, StoreError> {
    let mut found = HashMap::new();
    for ids in chunks(fingerprints) {
        let sql = format!("SELECT id, attribution FROM fingerprints WHERE id IN ({})", placeholders(ids.len()));
        let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.0));
        for row in query.fetch_all(&store.pool).await? {
            if let Some(bytes) = get::<Option<Vec<u8>>>(&row, "attribution")? {
                found.insert(FingerprintId(get(&row, "id")?), unpack("fingerprints.attribution", &bytes)?);
            }
        }
    }
    Ok(found)
}

/// Writes what attribution worked out of reports, with the job that follows from each, and ends
/// those of the reports, in one transaction. The line of each; `None` where it is not counted.
///
/// # Errors
/// The database is out of reach, or one of them can't be written: then nothing of any was.
pub async fn record(
    store: &Store,
    attributed: &[(&StoredReport, &AttributionOutcome)],
    now: Timestamp,
) -> Result<Vec<Option<LineId>>, StoreError> {
    let entries: Vec<Entry<'_>> =
        attributed.iter().map(|one| Entry::new(*one, store.ids.next(now))).collect::<Result<_, _>>()?;
    let mut tx = store.begin_lazily().await?;
    let reports: Vec<&StoredReport> = attributed.iter().map(|(stored, _)| *stored).collect();
    let ids: Vec<FingerprintId> = reports.iter().map(|stored| stored.fingerprint).collect();
    fingerprints::lock_all_in(&mut tx, &ids).await?;
    let mut found = vec![None; entries.len()];
    for round in written::rounds(&entries) {
        for (index, line) in written::write_in(&mut tx, store, &entries, &round, now).await? {
            found[index] = Some(line);
        }
    }
    let dropped: Vec<FingerprintId> =
        attributed.iter().filter(|(_, outcome)| outcome.attribution.is_none()).map(|(it, _)| it.fingerprint).collect();
    pending::take_in(&mut tx, &dropped).await?;
    let ids: Vec<ReportId> = reports.iter().map(|stored| stored.id).collect();
    reports::delete_all_in(&mut tx, &ids).await?;
    let done: Vec<Job> = ids.into_iter().map(Job::Attribute).collect();
    jobs::end_in(&mut tx, store, &done).await?;
    tx.commit().await?;
    Ok(found)
}

/// The version that a report came from, and whether it is a revision.
pub fn version<'a>(stored: &'a StoredReport, found: &'a Attribution) -> Option<(&'a str, bool)> {
    match found.revision.as_ref().filter(|_| found.pinned) {
        Some(revision) => Some((revision.as_str(), true)),
        None => stored.report.release.as_deref().filter(|name| !name.is_empty()).map(|name| (name, false)),
    }
}

/// Lets go of a report that can't be attributed. The next report of its fingerprint is attributed
/// anew, and its line gets what was counted meanwhile: a fingerprint that waited for ever would
/// never be told of.
pub async fn record_given_up(store: &Store, id: ReportId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    for sql in [
        "UPDATE fingerprints SET state = 'stale'
         WHERE state = 'pending' AND id = (SELECT fingerprint_id FROM reports WHERE id = $1)",
        "DELETE FROM reports WHERE id = $1",
    ] {
        sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
    }
    tx.commit().await
}
