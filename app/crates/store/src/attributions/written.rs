//! How attributions are written: several reports at once, in statements whose number does not grow
//! with theirs.

use super::{AttributionOutcome, version};
use crate::columns::{get, indexable, signed};
use crate::jobs::AskedDecision;
use crate::lines::{self, Addition, SeenFacet};
use crate::pack::pack;
use crate::reports::StoredReport;
use crate::rows::{chunks, values};
use crate::{Dialect, Store, StoreError, Tx, jobs, pending, tracebacks, versions};
use domain::attribution::Attribution;
use domain::ids::{FingerprintId, LineId, RepositoryId};
use domain::job::Job;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A report with what was worked out of it, packed before the transaction begins.
pub(super) struct Entry<'a> {
    stored: &'a StoredReport,
    outcome: &'a AttributionOutcome,
    attribution: Option<Vec<u8>>,
    body: Vec<u8>,
    /// By what its line is found again; empty where it is not counted.
    identity: String,
    /// Its line's number, should it be new: in the order in which reports came.
    new_id: i64,
}

impl<'a> Entry<'a> {
    pub(super) fn new(
        (stored, outcome): (&'a StoredReport, &'a AttributionOutcome),
        new_id: i64,
    ) -> Result<Self, StoreError> {
        let found = outcome.attribution.as_ref();
        Ok(Self {
            stored,
            outcome,
            attribution: found.map(|found| pack("fingerprints.attribution", found)).transpose()?,
            body: pack("tracebacks.body", &stored.report)?,
            identity: found.map(|found| found.identity.key()).unwrap_or_default(),
            new_id,
        })
    }

    fn name(&self) -> (RepositoryId, &str) {
        (self.stored.repository, &self.identity)
    }
}

/// Entries, by index, so that within a round each line is met once: one statement can't change a
/// row twice. In the order in which all who write several lines do it.
pub(super) fn rounds(entries: &[Entry<'_>]) -> Vec<Vec<usize>> {
    let mut times: HashMap<(RepositoryId, &str), usize> = HashMap::new();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let time = match entry.outcome.attribution {
            Some(_) => times.entry(entry.name()).or_default(),
            None => &mut 0,
        };
        if rounds.len() <= *time {
            rounds.push(Vec::new());
        }
        rounds[*time].push(index);
        *time += 1;
    }
    for round in &mut rounds {
        round.sort_by_key(|index| entries[*index].name());
    }
    rounds
}

/// Writes a round; the lines of those that are counted.
pub(super) async fn write_in(
    tx: &mut Tx,
    store: &Store,
    entries: &[Entry<'_>],
    round: &[usize],
    now: Timestamp,
) -> Result<Vec<(usize, LineId)>, StoreError> {
    let counted: Vec<&Entry<'_>> =
        round.iter().map(|index| &entries[*index]).filter(|entry| entry.outcome.attribution.is_some()).collect();
    lock_lines_in(tx, &counted).await?;
    let by_name = upsert_lines_in(tx, &counted).await?;
    let line_of = |entry: &Entry<'_>| by_name.get(&(entry.stored.repository, entry.identity.clone())).copied();
    let all: Vec<(&Entry<'_>, Option<LineId>)> =
        round.iter().map(|index| &entries[*index]).map(|entry| (entry, line_of(entry))).collect();
    set_outcomes_in(tx, &all).await?;
    let with_lines: Vec<(&Entry<'_>, LineId)> =
        all.iter().filter_map(|(entry, line)| line.map(|line| (*entry, line))).collect();
    move_pending_in(tx, &with_lines).await?;
    let bodies: Vec<tracebacks::Kept<'_>> = with_lines
        .iter()
        .map(|(entry, line)| tracebacks::Kept {
            line: *line,
            fingerprint: entry.stored.fingerprint,
            at: entry.stored.received_at,
            body: &entry.body,
        })
        .collect();
    tracebacks::upsert_all_in(tx, &bodies).await?;
    record_versions_in(tx, &with_lines).await?;
    for (entry, line) in with_lines.iter().filter(|(entry, _)| entry.outcome.regressed) {
        record_regression_in(tx, *line, entry.stored, entry.outcome).await?;
    }
    let asked: Vec<AskedDecision> = with_lines
        .iter()
        .map(|(entry, line)| AskedDecision {
            line: *line,
            repository: entry.stored.repository,
            turn: store.turn_after(Job::Attribute(entry.stored.id), now),
        })
        .collect();
    jobs::enqueue_decisions_in(tx, &store.costs, &asked, now).await?;
    Ok(round.iter().filter_map(|index| Some((*index, line_of(&entries[*index])?))).collect())
}

/// On PostgreSQL, locks those of the lines that are there in the order of their numbers, as all do
/// who write several: two that lock them crosswise would wait for each other.
async fn lock_lines_in(tx: &mut Tx, entries: &[&Entry<'_>]) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    for chunk in chunks(entries) {
        let sql = format!(
            "SELECT id FROM lines WHERE (repository_id, identity) IN (VALUES {}) ORDER BY id FOR NO KEY UPDATE",
            values(chunk.len(), 2)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for entry in chunk {
            query = query.bind(entry.stored.repository.0).bind(&entry.identity);
        }
        query.fetch_all(tx.conn()).await?;
    }
    Ok(())
}

/// The lines of attributions, which later reports find again by their identities.
async fn upsert_lines_in(
    tx: &mut Tx,
    entries: &[&Entry<'_>],
) -> Result<HashMap<(RepositoryId, String), LineId>, StoreError> {
    let mut found = HashMap::new();
    for chunk in chunks(entries) {
        let sql = format!(
            "INSERT INTO lines (id, repository_id, identity, path, function_name, line_number, code, exception, headline,
                 commit_id, written_at_ms, author_name, author_email, total, decided_total, error_threshold,
                 threshold_by_settings, first_seen_ms, last_seen_ms, known, regressions, is_stray, not_ours)
             VALUES {}
             ON CONFLICT (repository_id, identity) DO UPDATE SET
                 path = excluded.path, function_name = excluded.function_name, line_number = excluded.line_number,
                 code = excluded.code, exception = excluded.exception, headline = excluded.headline,
                 error_threshold = CASE WHEN lines.error_threshold <= excluded.error_threshold THEN lines.error_threshold
                     ELSE COALESCE(excluded.error_threshold, lines.error_threshold) END,
                 threshold_by_settings = CASE WHEN lines.threshold_by_settings = 1 THEN 1
                     ELSE excluded.threshold_by_settings END,
                 not_ours = excluded.not_ours,
                 is_stray = CASE WHEN lines.is_stray = 1 THEN 1 ELSE excluded.is_stray END
             RETURNING id, repository_id, identity",
            new_lines(chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for entry in chunk {
            let Some(attribution) = &entry.outcome.attribution else { continue };
            let (stored, blame) = (entry.stored, attribution.blame.as_ref());
            query = query
                .bind(entry.new_id)
                .bind(stored.repository.0)
                .bind(&entry.identity)
                .bind(indexable(&attribution.place.path))
                .bind(&attribution.place.function)
                .bind(i64::from(attribution.place.line))
                .bind(&attribution.place.code)
                .bind(stored.report.exception_name().unwrap_or_else(|| "message".to_owned()))
                .bind(stored.report.headline())
                .bind(blame.map(|blame| blame.commit.as_str().to_owned()))
                .bind(blame.map(|blame| blame.written_at().as_millis()))
                .bind(blame.map(|blame| blame.author.name.as_str()))
                .bind(blame.map(|blame| blame.author.email.as_str()))
                .bind(stored.report.error_threshold.map(signed))
                .bind(i64::from(stored.report.error_threshold.is_none()))
                .bind(stored.received_at.as_millis())
                .bind(i64::from(attribution.is_stray))
                .bind(i64::from(attribution.not_ours.is_some()));
        }
        for row in query.fetch_all(tx.conn()).await? {
            let name = (RepositoryId(get(&row, "repository_id")?), get(&row, "identity")?);
            found.insert(name, LineId(get(&row, "id")?));
        }
    }
    Ok(found)
}

/// Rows of lines that nothing was counted of yet, of 18 values each.
fn new_lines(rows: usize) -> String {
    let row = |row: usize| {
        let at = |number: usize| format!("${}", row * 18 + number);
        let first: Vec<String> = (1..=13).map(at).collect();
        let [threshold, by_settings, seen, is_stray, not_ours] = [14, 15, 16, 17, 18].map(at);
        format!(
            "({}, 0, 0, {threshold}, {by_settings}, {seen}, {seen}, 0, 0, {is_stray}, {not_ours})",
            first.join(", ")
        )
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// What fingerprints came to: their lines, or that their reports are not counted.
async fn set_outcomes_in(tx: &mut Tx, entries: &[(&Entry<'_>, Option<LineId>)]) -> Result<(), StoreError> {
    for chunk in chunks(entries) {
        let sql = format!(
            "WITH fresh (id, state, line, pinned, code, rules, recheck, attribution, plain) AS (VALUES {})
             UPDATE fingerprints SET state = fresh.state, line_id = fresh.line, pinned = fresh.pinned,
                 code_generation = fresh.code, rules_generation = fresh.rules, recheck_at_ms = fresh.recheck,
                 attribution = fresh.attribution, plain_until_ms = fresh.plain
             FROM fresh WHERE fingerprints.id = fresh.id",
            values(chunk.len(), 9)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (entry, line) in chunk {
            let outcome = entry.outcome;
            query = query
                .bind(entry.stored.fingerprint.0)
                .bind(if line.is_some() { "line" } else { "dropped" })
                .bind(line.map(|line| line.0))
                .bind(i64::from(outcome.attribution.as_ref().is_some_and(|found| found.pinned)))
                .bind(outcome.code_generation)
                .bind(outcome.rules_generation)
                .bind(outcome.recheck_at.map(Timestamp::as_millis))
                .bind(entry.attribution.clone())
                .bind(outcome.plain_until.map(Timestamp::as_millis));
        }
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

/// Moves what was counted of fingerprints while their lines were not known, and notes the release
/// and exception type of each report.
async fn move_pending_in(tx: &mut Tx, entries: &[(&Entry<'_>, LineId)]) -> Result<(), StoreError> {
    let lines_of: HashMap<FingerprintId, LineId> =
        entries.iter().map(|(entry, line)| (entry.stored.fingerprint, *line)).collect();
    let ids: Vec<FingerprintId> = entries.iter().map(|(entry, _)| entry.stored.fingerprint).collect();
    let taken = pending::take_in(tx, &ids).await?;
    let mut totals: BTreeMap<LineId, Addition> = BTreeMap::new();
    let mut hours: BTreeMap<(LineId, Timestamp), u64> = BTreeMap::new();
    for hour in &taken.hours {
        let Some(&line) = lines_of.get(&hour.fingerprint) else { continue };
        let total = totals.entry(line).or_insert(Addition { line, count: 0, last_at: hour.last_at });
        total.count = total.count.saturating_add(hour.count);
        total.last_at = total.last_at.max(hour.last_at);
        let of_hour = hours.entry((line, hour.hour)).or_default();
        *of_hour = of_hour.saturating_add(hour.count);
    }
    let hours: Vec<_> = hours.into_iter().map(|((line, hour), count)| (line, hour, count)).collect();
    lines::add_hours_in(tx, &hours).await?;
    // The job to decide is asked for in any case, so what the count reached need not be asked here.
    lines::add_totals_in(tx, &totals.into_values().collect::<Vec<_>>()).await?;
    let of_pending = taken.facets.iter().filter_map(|facet| {
        let line = *lines_of.get(&facet.fingerprint)?;
        Some(SeenFacet { line, kind: &facet.kind, value: facet.value.clone(), first: facet.first, last: facet.last })
    });
    let named = entries.iter().flat_map(|(entry, line)| facets_of(entry.stored, *line));
    lines::add_facets_in(tx, of_pending.chain(named)).await
}

/// The release and the exception type of a report.
fn facets_of(stored: &StoredReport, line: LineId) -> Vec<SeenFacet<'static>> {
    let (report, at) = (&stored.report, stored.received_at);
    let named = [("release", report.release.clone()), ("exception", report.exception_name())];
    let named = named.into_iter().filter_map(|(kind, value)| Some((kind, value.filter(|value| !value.is_empty())?)));
    named.map(|(kind, value)| SeenFacet { line, kind, value: lines::facet(&value), first: at, last: at }).collect()
}

/// The versions that reports came from, each once.
async fn record_versions_in(tx: &mut Tx, entries: &[(&Entry<'_>, LineId)]) -> Result<(), StoreError> {
    let mut seen: BTreeMap<(RepositoryId, &str), Timestamp> = BTreeMap::new();
    for (entry, _) in entries {
        let found: Option<&Attribution> = entry.outcome.attribution.as_ref();
        if let Some((name, _)) = found.and_then(|found| version(entry.stored, found)) {
            let at = seen.entry((entry.stored.repository, name)).or_insert(entry.stored.received_at);
            *at = entry.stored.received_at.min(*at);
        }
    }
    let mut written = HashSet::new();
    for ((repository, name), at) in seen {
        // Two that are cut to one name are one row.
        if written.insert((repository, versions::stored_name(name))) {
            versions::record_in(tx, repository, name, at).await?;
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
