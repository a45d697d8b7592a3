//! Attribution: from a stored report to the line that failed, who wrote it, and the words for it.

mod analysis;
mod batch;
mod elsewhere;
mod evidence;
mod frame_fits;
mod frame_locations;
mod frame_signs;
mod line_history;
mod manifests;
mod named_places;
mod no_line;
mod package_fits;
mod ready_mirror;
mod suspects;
mod test_report;

use crate::services::fetches::{after_others, turn_after};
use crate::services::mirror_sync::{CLONE_PATIENCE, MirrorSync};
use crate::services::repositories::why_unnamed;
use crate::services::{Failure, blocking};
pub use analysis::{AnalysisInput, ReportAnalysis, analyze};
use domain::attribution::Attribution;
use domain::commit::CommitId;
use domain::culprit::Choice;
use domain::deployed_root::Root;
use domain::group::only_member;
use domain::ids::{ReportId, RepositoryId};
use domain::job::{Manner, PLAIN_FOR};
use domain::report::Report;
use domain::rule::Rules;
use domain::test_report::TEST_EXCEPTION;
use domain::timestamp::{DAY, Timestamp};
use domain::version::ran_before;
pub use evidence::{CodeReading, Evidence, KnownFacts, MirrorCommit};
pub use frame_fits::Deployment;
use jiff::SignedDuration;
use mirror::{MirrorError, Mirrors};
use std::sync::Arc;
use store::Store;
use store::attributions::{AttributionOutcome, version};
use store::lines::Resolution;
use store::reports::StoredReport;
use store::repositories::RepositoryRow;
use store::versions::stored_name;
pub use suspects::{Suspicion, choose_culprit_and_suspects};
pub use test_report::TestReports;
use tokio::time::Instant;

/// A report that names no revision can't say whether it comes from before or after a fix, nor can
/// one whose revision knows nothing of it, as a forced push took the fix's commit away. So long
/// after the resolution it is taken to come from after it: deployments take hours, not days.
pub const UNKNOWN_REVISION_DELAY: SignedDuration = DAY;

/// How long a release that leads to no commit is known by its name as one that ran before: names
/// only look as if they told deployments apart, and deployments last for days.
const OLD_RELEASE_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What the verdict says of such a report.
const PLAIN: &str = "Looking this report up in the repository ended the server, or panicked, several times, so it is \
                     known by its text alone.";

/// Until when a report's fingerprint is not looked up in its repository; `None`: it is.
fn plain_until(stored: &StoredReport, manner: Manner, now: Timestamp) -> Option<Timestamp> {
    match (manner, stored.plain_until) {
        (Manner::Lesser, _) => Some(now + PLAIN_FOR),
        (_, Some(until)) if now < until => Some(until),
        _ => None,
    }
}

/// Attributes reports.
#[derive(Clone)]
pub struct Attribute {
    /// The rows.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// Brings a mirror up to date that lacks what a report needs.
    pub mirror_sync: MirrorSync,
    /// Concludes reports that are only tests.
    pub test_reports: TestReports,
}

impl Attribute {
    /// Attributes a stored report; in a lesser manner without looking into its repository.
    ///
    /// # Errors
    /// The mirror or the database is out of reach: to be tried again.
    pub async fn attribute(&self, id: ReportId, manner: Manner, now: Timestamp) -> Result<(), Failure> {
        let Some(stored) = store::reports::by_id(&self.store, id).await? else { return Ok(()) };
        let row = store::repositories::by_id(&self.store, stored.repository).await?;
        let Some(row) = row.filter(|row| row.removed_at.is_none()) else {
            return Err(Failure::give_up("the repository is not watched any more"));
        };
        if self.is_test(&stored).await? {
            return self.test(&row, &stored, now).await;
        }
        if let Some(plain_until) = plain_until(&stored, manner, now) {
            return self.attribute_plainly(&row, &stored, plain_until, now).await;
        }
        let ready = self.ready_mirror(&row, &stored, now).await;
        let trouble = ready.map_err(|failure| after_others(failure, now + turn_after(now - stored.received_at)))?;
        // Read again: the fetch may have brought another head and other settings.
        let Some(row) = store::repositories::by_id(&self.store, stored.repository).await? else { return Ok(()) };
        let (rules, roots) = (self.rules(&row, now).await?, self.roots(&stored).await?);
        let analyzed = self.analyze_as_of_now(&row, &stored, &rules, (trouble, roots), now).await?;
        let places = places_of(&stored);
        store::deployment_roots::note(&self.store, stored.repository, &places, &analyzed.shown, now).await?;
        self.conclude(&row, stored, analyzed, None, now).await
    }

    /// Writes down what came of one report.
    async fn conclude(
        &self,
        row: &RepositoryRow,
        stored: StoredReport,
        analyzed: ReportAnalysis,
        plain_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        // What the analysis speaks of.
        let stored = as_analyzed(stored, &analyzed);
        let name = (stored.repository, analyzed.attribution.identity.key());
        let resolutions = store::lines::resolutions_by_identity(&self.store, std::slice::from_ref(&name)).await?;
        let outcome = self.outcome(row, &stored, analyzed, resolutions.get(&name)).await?;
        let outcome = AttributionOutcome { plain_until, ..outcome };
        store::attributions::record(&self.store, &[(&stored, &outcome)], now).await?;
        Ok(())
    }

    /// Attributes a report whose look-up in the repository ended the server: by its text alone. It
    /// is an alert of less, but somebody hears of the exception.
    async fn attribute_plainly(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        plain_until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let trouble = Some(PLAIN.to_owned());
        let rules = self.rules(row, now).await?;
        let analyzed = analyze_blocking(None, row, stored, &rules, (trouble.as_deref(), &[])).await?;
        self.conclude(row, stored.clone(), analyzed, Some(plain_until), now).await
    }

    /// Works out what a test report would have led to. What keeps it from that is part of the
    /// answer: somebody waits for it.
    async fn test(&self, row: &RepositoryRow, stored: &StoredReport, now: Timestamp) -> Result<(), Failure> {
        let trouble = match self.ready_mirror(row, stored, now).await {
            Ok(trouble) => trouble,
            // Nothing of it is fetched.
            Err(Failure::Again { .. }) if row.unnamed_since.is_some() => why_unnamed(row).map(|why| format!("{why}.")),
            Err(failure) => Some(format!("The repository could not be mirrored: {failure}.")),
        };
        // Read again: the fetch may have brought another head and other settings.
        let Some(row) = store::repositories::by_id(&self.store, stored.repository).await? else { return Ok(()) };
        let (rules, roots) = (self.rules(&row, now).await?, self.roots(stored).await?);
        let analyzed = self.analyze(&row, stored, &rules, (trouble.as_deref(), &roots), Patience::None).await?;
        self.test_reports.conclude(&row, stored, &rules, analyzed, now).await
    }

    /// Whether it is the test report that a person asked for on our page. Others of its type are
    /// real ones.
    async fn is_test(&self, stored: &StoredReport) -> Result<bool, Failure> {
        if stored.report.raised().is_none_or(|raised| raised.kind != TEST_EXCEPTION) {
            return Ok(false);
        }
        Ok(store::test_reports::exists(&self.store, stored.repository, &stored.report.event_id).await?)
    }

    async fn rules(&self, row: &RepositoryRow, now: Timestamp) -> Result<Arc<Rules>, Failure> {
        Ok(Arc::new(store::rules::of_repository(&self.store, row.repository.id, row.settings.clone(), now).await?))
    }

    /// What is remembered of where the report's server or release was deployed.
    async fn roots(&self, stored: &StoredReport) -> Result<Vec<Root>, Failure> {
        let (id, places) = (stored.repository, places_of(stored));
        Ok(store::deployment_roots::of_places(&self.store, id, &places, stored.received_at).await?)
    }

    /// Looks a report up as rules and mirror are now. Where that takes long, what else waits of its
    /// repository lets others go first.
    async fn analyze_as_of_now(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        rules: &Arc<Rules>,
        (trouble, roots): (Option<String>, Vec<Root>),
        now: Timestamp,
    ) -> Result<ReportAnalysis, Failure> {
        let begun_at = Instant::now();
        let known = (trouble.as_deref(), roots.as_slice());
        let mut analyzed = self.analyze(row, stored, rules, known, Patience::Left).await;
        if analyzed.is_err() && now - stored.received_at >= CLONE_PATIENCE {
            // It waited for something else, or a clock leapt, and what is damaged was damaged just
            // now.
            if self.mirrors.is_suspected(row.repository.id)
                && let Err(failure) = self.mirror_sync.bring_up_to_date(row, now).await
            {
                tracing::warn!(repository = %row.repository.full_name, %failure, "the mirror could not be mended");
            }
            analyzed = self.analyze(row, stored, rules, known, Patience::Over).await;
        }
        store::jobs::let_others_go_first(&self.store, row.repository.id, begun_at.elapsed(), now).await?;
        analyzed
    }

    /// Looks a report up in the mirror, and without it where that can't be read and nobody is to
    /// wait for it.
    async fn analyze(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        rules: &Arc<Rules>,
        known: (Option<&str>, &[Root]),
        patience: Patience,
    ) -> Result<ReportAnalysis, Failure> {
        let failure = match analyze_blocking(Some(self.mirrors.clone()), row, stored, rules, known).await {
            Err(failure) if patience != Patience::Left => failure,
            other => return other,
        };
        if patience == Patience::Over {
            tracing::error!(repository = %row.repository.full_name, %failure, "the mirror can't be read");
        }
        let trouble = format!("The mirror of the repository could not be read: {failure}.");
        analyze_blocking(None, row, stored, rules, (Some(&trouble), &[])).await
    }

    /// What is written down of a report that was analyzed.
    async fn outcome(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        analyzed: ReportAnalysis,
        resolution: Option<&Resolution>,
    ) -> Result<AttributionOutcome, Failure> {
        let outcome = AttributionOutcome {
            code_generation: row.code_generation,
            rules_generation: row.rules_generation,
            attribution: None,
            regressed: false,
            recheck_at: None,
            plain_until: None,
        };
        let ReportAnalysis { choice, attribution, .. } = analyzed;
        if let Choice::Dropped(why) = &choice {
            tracing::debug!(repository = %row.repository.full_name, ?why, "a report is not counted");
            return Ok(outcome);
        }
        let (regressed, recheck_at) = match resolution {
            Some(resolution) => self.regression(row, stored, &attribution, resolution).await?,
            None => (false, None),
        };
        log(row, &attribution);
        Ok(AttributionOutcome { attribution: Some(attribution), regressed, recheck_at, ..outcome })
    }

    /// Whether a report shows that a resolved line is back; else, until when its fingerprint need
    /// not be looked at again.
    async fn regression(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        attribution: &Attribution,
        resolution: &Resolution,
    ) -> Result<(bool, Option<Timestamp>), Failure> {
        let id = row.repository.id;
        if let (Some(at), Some((version, is_revision))) = (resolution.person_at, version(stored, attribution)) {
            // Whoever closed the issue may have the fix, and not deployed it yet.
            let (name, seen) = (stored_name(version), store::versions::of_repository(&self.store, id).await?);
            let until = at + OLD_RELEASE_FOR;
            if ran_before(&seen, &name, is_revision, at) && (is_revision || stored.received_at < until) {
                return Ok((false, (!is_revision).then_some(until)));
            }
        }
        let after = resolution.at + UNKNOWN_REVISION_DELAY;
        let Some(resolved) = resolution.commit.clone() else {
            let is_back = resolution.person_at.is_none() || stored.received_at >= after;
            return Ok((is_back, (!is_back).then_some(after)));
        };
        if let (Some(revision), true) = (attribution.revision.clone(), attribution.pinned) {
            let (mirrors, at) = (self.mirrors.clone(), resolution.at);
            let relation = blocking(move || relation(&mirrors, id, (&resolved, at), &revision)).await?;
            if let Some(is_back) = relation {
                return Ok((is_back, None));
            }
        }
        Ok(if stored.received_at >= after { (true, None) } else { (false, Some(after)) })
    }
}

/// Whether a revision shows that what was resolved at a commit is back; `None`: it says nothing, as
/// the default branch has lost that commit, by a forced push, and no revision to come contains it.
fn relation(
    mirrors: &Mirrors,
    id: RepositoryId,
    (resolved, at): (&CommitId, Timestamp),
    revision: &CommitId,
) -> Result<Option<bool>, MirrorError> {
    if mirrors.contains(id, resolved, revision)? {
        return Ok(Some(true));
    }
    let Some(head) = mirrors.head(id)? else { return Ok(None) };
    if mirrors.contains(id, resolved, &head.commit)? || mirrors.contains(id, revision, resolved)? {
        return Ok(Some(false));
    }
    // Where the commit itself is gone, nobody can say what it contained; but what was made before
    // the line was resolved is an old deployment, for however long it runs.
    let is_gone = mirrors.commit(id, resolved)?.is_none();
    if is_gone && mirrors.committed_at(id, revision)?.is_some_and(|made_at| made_at < at) {
        return Ok(Some(false));
    }
    Ok(None)
}

/// Whether a report waits for a mirror that can't be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// It waits.
    Left,
    /// It waited for so long that waiting will not help: somebody has to hear of the exception.
    Over,
    /// Nobody would wait for it.
    None,
}

/// [`analysis::analyze`], on a thread that may block.
async fn analyze_blocking(
    mirrors: Option<Mirrors>,
    row: &RepositoryRow,
    stored: &StoredReport,
    rules: &Arc<Rules>,
    (trouble, remembered): (Option<&str>, &[Root]),
) -> Result<ReportAnalysis, Failure> {
    let (trouble, remembered) = (trouble.map(str::to_owned), remembered.to_vec());
    let (repository, report, rules) = (row.repository.clone(), stored.report.clone(), Arc::clone(rules));
    let (event_at, folder) = (stored.received_at, stored.folder.clone());
    blocking(move || {
        analyze(AnalysisInput {
            mirrors: mirrors.as_ref(),
            repository: &repository,
            report: &report,
            rules: &rules,
            deployment: Deployment { repository: None, folder: folder.as_deref(), remembered: &remembered },
            event_at,
            trouble: trouble.as_deref(),
        })
    })
    .await
}

/// The report as it was analyzed: of a group only the member that it is about.
fn as_analyzed(stored: StoredReport, analyzed: &ReportAnalysis) -> StoredReport {
    let report = Report { member: analyzed.member.clone(), ..stored.report };
    StoredReport { report: only_member(&report), ..stored }
}

/// By which names what a report shows of its deployment is remembered, the surer first.
fn places_of(stored: &StoredReport) -> Vec<String> {
    let named = |what: &str, name: &Option<String>| Some(format!("{what} {}", name.as_deref()?));
    let report = &stored.report;
    [named("server", &report.server_name), named("release", &report.release)].into_iter().flatten().collect()
}

fn log(row: &RepositoryRow, attribution: &Attribution) {
    tracing::info!(
        repository = %row.repository.full_name,
        path = %attribution.place.path,
        line = attribution.place.line,
        author = attribution.blame.as_ref().map(|blame| blame.author.email.as_str()),
        "attributed a report"
    );
}
