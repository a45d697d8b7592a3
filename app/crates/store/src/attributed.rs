//! What attribution writes: the line, what was counted while it was not known, and the job to decide.

use super::facets::add_facet;
use super::intake::{add_hours, add_totals, put_traceback};
use super::pack::{pack, unpack};
use super::{Store, StoreError, Tx, get, signed, storable};
use domain::attribution::Attribution;
use domain::ids::{FingerprintId, LineId, ReportId, RepositoryId};
use domain::job::Job;
use domain::report::Report;

/// A stored report that waits to be attributed.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReport {
    /// Its number.
    pub id: ReportId,
    /// Whose it is.
    pub repository: RepositoryId,
    /// Its fingerprint.
    pub fingerprint: FingerprintId,
    /// When it came in, Unix milliseconds.
    pub received_at_ms: i64,
    /// The report.
    pub report: Report,
}

/// A line that was resolved, as far as attribution has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When it was resolved, Unix milliseconds.
    pub at_ms: i64,
    /// At which commit; `None`: any further report brings it back.
    pub commit: Option<String>,
}

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
    /// Attribute again from then on, Unix milliseconds.
    pub recheck_at_ms: Option<i64>,
}

impl Store {
    /// A stored report; `None` once it was attributed.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn report(&self, id: ReportId) -> Result<Option<StoredReport>, StoreError> {
        let row = sqlx::query("SELECT repository_id, fingerprint_id, received_at_ms, body FROM reports WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(StoredReport {
            id,
            repository: RepositoryId(get(&row, "repository_id")?),
            fingerprint: FingerprintId(get(&row, "fingerprint_id")?),
            received_at_ms: get(&row, "received_at_ms")?,
            report: unpack("reports.body", &get::<Vec<u8>>(&row, "body")?)?,
        }))
    }

    /// The resolution of the line with this identity, where it has one.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn resolution(&self, repository: RepositoryId, key: &str) -> Result<Option<Resolution>, StoreError> {
        let row = sqlx::query(
            "SELECT resolved_at_ms, resolved_commit FROM lines
             WHERE repository_id = $1 AND identity = $2 AND resolved_at_ms IS NOT NULL",
        )
        .bind(repository.0)
        .bind(key)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Resolution { at_ms: get(&row, "resolved_at_ms")?, commit: get(&row, "resolved_commit")? }))
    }

    /// Writes what attribution worked out, and the job that follows, in one transaction.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn attributed(
        &self,
        stored: &StoredReport,
        outcome: &AttributionOutcome,
        now_ms: i64,
    ) -> Result<Option<LineId>, StoreError> {
        let packed = outcome.attribution.as_ref().map(|found| pack("fingerprints.attribution", found)).transpose()?;
        let body = pack("tracebacks.body", &stored.report)?;
        let mut tx = self.begin().await?;
        // The fingerprint's row is locked first, as the hot path does: nothing is held for it while its count is moved.
        sqlx::query("UPDATE fingerprints SET last_seen_ms = last_seen_ms WHERE id = $1")
            .bind(stored.fingerprint.0)
            .execute(tx.conn())
            .await?;
        let line = match &outcome.attribution {
            Some(found) => Some(self.upsert_line(&mut tx, stored, found, now_ms).await?),
            None => None,
        };
        sqlx::query(
            "UPDATE fingerprints SET state = $2, line_id = $3, pinned = $4, code_generation = $5, rules_generation = $6,
                 recheck_at_ms = $7, attribution = $8 WHERE id = $1",
        )
        .bind(stored.fingerprint.0)
        .bind(if line.is_some() { "line" } else { "dropped" })
        .bind(line.map(|line| line.0))
        .bind(i64::from(outcome.attribution.as_ref().is_some_and(|found| found.pinned)))
        .bind(outcome.code_generation)
        .bind(outcome.rules_generation)
        .bind(outcome.recheck_at_ms)
        .bind(packed)
        .execute(tx.conn())
        .await?;
        if let Some(line) = line {
            move_held(&mut tx, stored.fingerprint, line).await?;
            put_traceback(&mut tx, line, stored.fingerprint, stored.received_at_ms, &body).await?;
            let report = &stored.report;
            let exception = report.raised().map(|raised| raised.full_name());
            for (kind, value) in [("release", report.release.as_deref()), ("exception", exception.as_deref())] {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    add_facet(&mut tx, line, kind, value, stored.received_at_ms).await?;
                }
            }
            if outcome.regressed {
                sqlx::query(
                    "UPDATE lines SET regressed_at_ms = $2, regressed_revision = $3, regressed_release = $4
                     WHERE id = $1 AND resolved_at_ms IS NOT NULL AND regressed_at_ms IS NULL",
                )
                .bind(line.0)
                .bind(stored.received_at_ms)
                .bind(outcome.attribution.as_ref().and_then(|found| found.revision.clone()))
                .bind(report.release.as_deref().map(storable))
                .execute(tx.conn())
                .await?;
            }
            self.ask(&mut tx, Job::Decide(line), now_ms, now_ms).await?;
        } else {
            sqlx::query("DELETE FROM pending_occurrences WHERE fingerprint_id = $1")
                .bind(stored.fingerprint.0)
                .execute(tx.conn())
                .await?;
        }
        sqlx::query("DELETE FROM reports WHERE id = $1").bind(stored.id.0).execute(tx.conn()).await?;
        tx.commit().await?;
        Ok(line)
    }

    /// Lets go of a report that can't be attributed. The next report of its fingerprint is attributed anew, and its line gets what
    /// was counted meanwhile: a fingerprint that waited for ever would never be told of.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn attribution_given_up(&self, id: ReportId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for sql in [
            "UPDATE fingerprints SET state = 'stale'
             WHERE state = 'pending' AND id = (SELECT fingerprint_id FROM reports WHERE id = $1)",
            "DELETE FROM reports WHERE id = $1",
        ] {
            sqlx::query(sql).bind(id.0).execute(tx.conn()).await?;
        }
        tx.commit().await
    }

    async fn upsert_line(
        &self,
        tx: &mut Tx,
        stored: &StoredReport,
        found: &Attribution,
        now_ms: i64,
    ) -> Result<LineId, StoreError> {
        let blame = found.blame.as_ref();
        let row = sqlx::query(
            "INSERT INTO lines (id, repository_id, identity, path, function_name, line_number, code, exception, headline,
                 commit_id, written_at_ms, author_name, author_email, total, decided_total, error_threshold, first_seen_ms,
                 last_seen_ms, known, regressions)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $14, $15, $15, 0, 0)
             ON CONFLICT (repository_id, identity) DO UPDATE SET
                 path = excluded.path, function_name = excluded.function_name, line_number = excluded.line_number,
                 code = excluded.code, exception = excluded.exception, headline = excluded.headline,
                 error_threshold = excluded.error_threshold
             RETURNING id",
        )
        .bind(self.ids.next(now_ms))
        .bind(stored.repository.0)
        .bind(found.identity.key())
        .bind(storable(&found.place.path))
        .bind(storable(&found.place.function))
        .bind(i64::from(found.place.line))
        .bind(storable(&found.place.code))
        .bind(stored.report.raised().map_or_else(|| "message".to_owned(), |raised| storable(&raised.full_name())))
        .bind(storable(&stored.report.headline()))
        .bind(blame.map(|blame| blame.commit.clone()))
        .bind(blame.map(|blame| blame.author_time_ms))
        .bind(blame.map(|blame| blame.author.name.clone()))
        .bind(blame.map(|blame| blame.author.email.clone()))
        .bind(stored.report.error_threshold.map(signed))
        .bind(stored.received_at_ms)
        .fetch_one(tx.conn())
        .await?;
        Ok(LineId(get(&row, "id")?))
    }

    /// What a fingerprint came to, by its number: the state and the attribution behind it.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn attribution(&self, fingerprint: FingerprintId) -> Result<Option<Attribution>, StoreError> {
        let row = sqlx::query("SELECT attribution FROM fingerprints WHERE id = $1")
            .bind(fingerprint.0)
            .fetch_optional(&self.pool)
            .await?;
        let bytes = match &row {
            Some(row) => get::<Option<Vec<u8>>>(row, "attribution")?,
            None => None,
        };
        bytes.map(|bytes| unpack("fingerprints.attribution", &bytes)).transpose()
    }

    /// Voids what is known of a line's fingerprints: each is attributed anew at its next report.
    pub(super) async fn void_fingerprints(&self, tx: &mut Tx, line: LineId) -> Result<(), StoreError> {
        sqlx::query("UPDATE fingerprints SET state = 'stale' WHERE line_id = $1 AND state = 'line'")
            .bind(line.0)
            .execute(tx.conn())
            .await?;
        Ok(())
    }
}

/// Moves what was counted while the line was not known.
async fn move_held(tx: &mut Tx, fingerprint: FingerprintId, line: LineId) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT hour_ms, server, environment, occurrences, last_seen_ms FROM pending_occurrences WHERE fingerprint_id = $1 ORDER BY hour_ms",
    )
    .bind(fingerprint.0)
    .fetch_all(tx.conn())
    .await?;
    let (mut total, mut last) = (0_i64, 0_i64);
    for row in &rows {
        let count: i64 = get(row, "occurrences")?;
        let seen: i64 = get(row, "last_seen_ms")?;
        total += count;
        last = last.max(seen);
        add_hours(tx, &[[line.0, get(row, "hour_ms")?, count]]).await?;
        for (kind, column) in [("server", "server"), ("environment", "environment")] {
            let value: String = get(row, column)?;
            if !value.is_empty() {
                add_facet(tx, line, kind, &value, seen).await?;
            }
        }
    }
    if total > 0 {
        // The job to decide is asked for in any case, so what the count reached need not be asked here.
        add_totals(tx, &[[line.0, total, last]]).await?;
    }
    sqlx::query("DELETE FROM pending_occurrences WHERE fingerprint_id = $1")
        .bind(fingerprint.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}
