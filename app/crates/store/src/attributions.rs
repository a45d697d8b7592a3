//! What attribution works out: the line of a fingerprint, what was counted while it was not known,
//! and the job to decide.

use crate::columns::{get, indexable, signed};
use crate::pack::{pack, unpack};
use crate::reports::StoredReport;
use crate::{Store, StoreError, Tx, fingerprints, jobs, lines, pending, reports, tracebacks, versions};
use domain::attribution::Attribution;
use domain::ids::{FingerprintId, LineId, ReportId};
use domain::timestamp::Timestamp;

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

/// The attribution of a fingerprint; `None` where it has none (yet).
pub async fn of_fingerprint(store: &Store, fingerprint: FingerprintId) -> Result<Option<Attribution>, StoreError> {
    let row = sqlx::query("SELECT attribution FROM fingerprints WHERE id = $1")
        .bind(fingerprint.0)
        .fetch_optional(&store.pool)
        .await?;
    let bytes = match &row {
        Some(row) => get::<Option<Vec<u8>>>(row, "attribution")?,
        None => None,
    };
    bytes.map(|bytes| unpack("fingerprints.attribution", &bytes)).transpose()
}

/// Writes what attribution worked out, and the job that follows, in one transaction.
pub async fn record(
    store: &Store,
    stored: &StoredReport,
    outcome: &AttributionOutcome,
    now: Timestamp,
) -> Result<Option<LineId>, StoreError> {
    let packed = outcome.attribution.as_ref().map(|found| pack("fingerprints.attribution", found)).transpose()?;
    let body = pack("tracebacks.body", &stored.report)?;
    let mut tx = store.begin_lazily().await?;
    fingerprints::lock_in(&mut tx, stored.fingerprint).await?;
    let line = match &outcome.attribution {
        Some(found) => Some(upsert_line_in(&mut tx, stored, found, now).await?),
        None => None,
    };
    set_outcome_in(&mut tx, stored.fingerprint, outcome, line, packed).await?;
    if let Some(line) = line {
        pending::move_in(&mut tx, stored.fingerprint, line).await?;
        tracebacks::upsert_in(&mut tx, line, stored.fingerprint, stored.received_at, &body).await?;
        add_facets_in(&mut tx, line, stored).await?;
        if let Some((name, _)) = outcome.attribution.as_ref().and_then(|found| version(stored, found)) {
            versions::record_in(&mut tx, stored.repository, name, stored.received_at).await?;
        }
        if outcome.regressed {
            record_regression_in(&mut tx, line, stored, outcome).await?;
        }
        jobs::enqueue_decision_in(&mut tx, &store.costs, (line, stored.repository), now).await?;
    } else {
        pending::delete_in(&mut tx, stored.fingerprint).await?;
    }
    reports::delete_in(&mut tx, stored.id).await?;
    tx.commit().await?;
    Ok(line)
}

/// The version that a report came from, and whether it is a revision.
pub fn version<'a>(stored: &'a StoredReport, found: &'a Attribution) -> Option<(&'a str, bool)> {
    match found.revision.as_ref().filter(|_| found.pinned) {
        Some(revision) => Some((revision.as_str(), true)),
        None => stored.report.release.as_deref().filter(|name| !name.is_empty()).map(|name| (name, false)),
    }
}

/// What the fingerprint came to: its line, or that its reports are not counted.
async fn set_outcome_in(
    tx: &mut Tx,
    fingerprint: FingerprintId,
    outcome: &AttributionOutcome,
    line: Option<LineId>,
    packed: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE fingerprints SET state = $2, line_id = $3, pinned = $4, code_generation = $5, rules_generation = $6,
             recheck_at_ms = $7, attribution = $8, plain_until_ms = $9 WHERE id = $1",
    )
    .bind(fingerprint.0)
    .bind(if line.is_some() { "line" } else { "dropped" })
    .bind(line.map(|line| line.0))
    .bind(i64::from(outcome.attribution.as_ref().is_some_and(|found| found.pinned)))
    .bind(outcome.code_generation)
    .bind(outcome.rules_generation)
    .bind(outcome.recheck_at.map(Timestamp::as_millis))
    .bind(packed)
    .bind(outcome.plain_until.map(Timestamp::as_millis))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The release and the exception type of a report.
async fn add_facets_in(tx: &mut Tx, line: LineId, stored: &StoredReport) -> Result<(), StoreError> {
    let report = &stored.report;
    let exception = report.exception_name();
    for (kind, value) in [("release", report.release.as_deref()), ("exception", exception.as_deref())] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines::add_facet_in(tx, line, kind, value, stored.received_at).await?;
        }
    }
    Ok(())
}

/// A resolved line is back, as this report shows; the first to show it is kept.
async fn record_regression_in(
    tx: &mut Tx,
    line: LineId,
    stored: &StoredReport,
    outcome: &AttributionOutcome,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE lines SET regressed_at_ms = $2, regressed_revision = $3, regressed_release = $4
         WHERE id = $1 AND resolved_at_ms IS NOT NULL AND regressed_at_ms IS NULL",
    )
    .bind(line.0)
    .bind(stored.received_at.as_millis())
    .bind(outcome.attribution.as_ref().and_then(|found| found.revision.clone()).map(String::from))
    .bind(stored.report.release.as_deref())
    .execute(tx.conn())
    .await?;
    Ok(())
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

/// The line of an attribution, which a later report finds again by its identity.
async fn upsert_line_in(
    tx: &mut Tx,
    stored: &StoredReport,
    found: &Attribution,
    now: Timestamp,
) -> Result<LineId, StoreError> {
    let blame = found.blame.as_ref();
    let row = sqlx::query(
        "INSERT INTO lines (id, repository_id, identity, path, function_name, line_number, code, exception, headline,
             commit_id, written_at_ms, author_name, author_email, total, decided_total, error_threshold,
             threshold_by_settings, first_seen_ms, last_seen_ms, known, regressions, is_stray, not_ours)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $14, $15, $16, $16, 0, 0, $17, $18)
         ON CONFLICT (repository_id, identity) DO UPDATE SET
             path = excluded.path, function_name = excluded.function_name, line_number = excluded.line_number,
             code = excluded.code, exception = excluded.exception, headline = excluded.headline,
             error_threshold = CASE WHEN lines.error_threshold <= excluded.error_threshold THEN lines.error_threshold
                 ELSE COALESCE(excluded.error_threshold, lines.error_threshold) END,
             threshold_by_settings = CASE WHEN lines.threshold_by_settings = 1 THEN 1
                 ELSE excluded.threshold_by_settings END,
             not_ours = excluded.not_ours,
             is_stray = CASE WHEN lines.is_stray = 1 THEN 1 ELSE excluded.is_stray END
         RETURNING id",
    )
    .bind(tx.next_id(now))
    .bind(stored.repository.0)
    .bind(found.identity.key())
    .bind(indexable(&found.place.path))
    .bind(&found.place.function)
    .bind(i64::from(found.place.line))
    .bind(&found.place.code)
    .bind(stored.report.exception_name().unwrap_or_else(|| "message".to_owned()))
    .bind(stored.report.headline())
    .bind(blame.map(|blame| blame.commit.as_str().to_owned()))
    .bind(blame.map(|blame| blame.written_at().as_millis()))
    .bind(blame.map(|blame| blame.author.name.as_str()))
    .bind(blame.map(|blame| blame.author.email.as_str()))
    .bind(stored.report.error_threshold.map(signed))
    .bind(i64::from(stored.report.error_threshold.is_none()))
    .bind(stored.received_at.as_millis())
    .bind(i64::from(found.is_stray))
    .bind(i64::from(found.not_ours.is_some()))
    .fetch_one(tx.conn())
    .await?;
    Ok(LineId(get(&row, "id")?))
}
