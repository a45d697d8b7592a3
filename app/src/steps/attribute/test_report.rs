//! A test report takes the way of every report up to the point where something would be written,
//! counted or sent.

use super::ReportAnalysis;
use crate::services::Failure;
use crate::services::github_app::GitHubApp;
use crate::services::recipients::Recipients;
use domain::alert::Recipient;
use domain::attribution::Attribution;
use domain::culprit::{Choice, ChosenAs, Dropped};
use domain::decision::{Tally, Terms, decide_known, decide_unknown};
use domain::names::Login;
use domain::not_ours::NotOurs;
use domain::person::{BlamedLine, Person};
use domain::repository::GitHubAddress;
use domain::routing::{Route, recipients};
use domain::rule::{CodeAt, KnownMatch, Rules};
use domain::test_report::{IssuePlan, TestReport, Way};
use domain::timestamp::Timestamp;
use email::Mailer;
use github::{GitHub, GitHubError};
use mirror::Mirrors;
use std::sync::Arc;
use store::Store;
use store::reports::StoredReport;
use store::repositories::RepositoryRow;

/// Concludes test reports.
#[derive(Clone)]
pub struct TestReports {
    /// The rows.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// Says who would be told.
    pub recipients: Recipients,
    /// Says whether an issue could be filed.
    pub github_app: GitHubApp,
    /// Says whether a mail could be sent.
    pub mailer: Arc<Mailer>,
}

impl TestReports {
    /// Writes down what a test report would have led to.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn conclude(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        rules: &Rules,
        analyzed: ReportAnalysis,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut outcome = self.foretell(row, rules, analyzed, now).await;
        let has_frame = stored.report.raised().is_some_and(|raised| !raised.frames.is_empty());
        if !has_frame && self.mirrors.exists(row.repository.id) {
            let sentence =
                "When the report was sent there was no mirror to choose a line from. There is one now: send another.";
            outcome.verdict.push(sentence.to_owned());
        }
        outcome.mail = self.way_of_mails().await;
        tracing::info!(repository = %row.repository.full_name, "a test report arrived");
        store::test_reports::record_outcome(&self.store, stored, &outcome, now).await?;
        Ok(())
    }

    async fn way_of_mails(&self) -> Way {
        match self.mailer.check().await {
            Ok(text) => Way { open: true, text },
            Err(error) => Way { open: false, text: error.to_string() },
        }
    }

    /// What a first report of this line would lead to.
    async fn foretell(
        &self,
        row: &RepositoryRow,
        rules: &Rules,
        ReportAnalysis { choice, attribution, .. }: ReportAnalysis,
        now: Timestamp,
    ) -> TestReport {
        // A database that is out of reach fails the step when the outcome is written.
        let subject = BlamedLine::of(&attribution, now);
        let (told, failure) = self.recipients.find(row, &subject, now).await.unwrap_or_default();
        let person = &told.person;
        let known = known_error(rules, &attribution);
        let is_only_counted = known.is_none() && choice.is_only_counted();
        let is_never_told = is_only_counted || matches!(choice, Choice::Dropped(_));
        let mails = if is_never_told { Vec::new() } else { mails(row, &attribution, person, known) };
        let has_issue = !is_never_told && known.is_none() && self.github_app.has_issues(&row.repository);
        let issue = if has_issue { self.issue_plan(row, person, failure).await } else { IssuePlan::None };
        let sentences = if is_never_told { Vec::new() } else { person.sentences() };
        let verdict = [attribution.words(), sentences].concat();
        TestReport {
            no_line: attribution.no_line.first().map(|one| one.reason),
            silent: silent(row, &choice, &attribution, known),
            place: attribution.culprit.map(|_| attribution.place),
            revision: attribution.revision,
            blame: attribution.blame.filter(|_| !is_only_counted),
            verdict,
            mails,
            mail: Way::default(),
            issue,
            is_never_told,
        }
    }

    /// Asks GitHub what filing the issue would ask it, which also shows whether the App gets
    /// through.
    async fn issue_plan(&self, row: &RepositoryRow, person: &Person, failure: Option<GitHubError>) -> IssuePlan {
        let Some((github, address)) = self.github_app.github_of(&row.repository) else { return IssuePlan::File };
        if row.suspended_at.is_some() {
            let trouble = Some("the App is suspended in this account".to_owned());
            return IssuePlan::OnGitHub { login: None, trouble };
        }
        if row.unnamed_since.is_some() {
            let trouble = Some("GitHub says that the App is not installed there any more".to_owned());
            return IssuePlan::OnGitHub { login: None, trouble };
        }
        if let Some(error) = failure {
            return IssuePlan::OnGitHub { login: None, trouble: Some(error.to_string()) };
        }
        match assignee(&github, &address, row, person).await {
            Ok((login, trouble)) => IssuePlan::OnGitHub { login, trouble },
            Err(error) => IssuePlan::OnGitHub { login: None, trouble: Some(error.to_string()) },
        }
    }
}

/// To whom the issue would be assigned, or why to nobody.
async fn assignee(
    github: &GitHub,
    address: &GitHubAddress,
    row: &RepositoryRow,
    person: &Person,
) -> Result<(Option<Login>, Option<String>), GitHubError> {
    let Some(who) = &person.who else { return Ok((None, None)) };
    let Some(login) = who.login.clone() else {
        return Ok((None, Some(format!("GitHub knows no account of {}", who.name()))));
    };
    if !row.settings.issues.assign {
        return Ok((None, Some("the settings say issues: { assign: false }".to_owned())));
    }
    if github.is_assignable(address, &login).await? {
        return Ok((Some(login), None));
    }
    let why = format!("GitHub does not let issues of this repository be assigned to {login}");
    Ok((None, Some(why)))
}

/// The known error that covers the culprit's line.
fn known_error<'a>(rules: &'a Rules, attribution: &Attribution) -> Option<&'a KnownMatch> {
    let place = attribution.culprit.map(|_| &attribution.place)?;
    let (path, function, code) = (place.path.as_str(), place.function.as_str(), place.code.as_str());
    rules.known_error(CodeAt { path, inside: true, function, code })
}

/// Whom mails would go to, and why.
fn mails(
    row: &RepositoryRow,
    attribution: &Attribution,
    person: &Person,
    known: Option<&KnownMatch>,
) -> Vec<Recipient> {
    let through: Vec<String> = attribution.located.values().map(|located| located.path.clone()).collect();
    let why = person.why_you();
    recipients(&Route {
        settings: &row.settings,
        path: attribution.culprit.map_or("", |_| &attribution.place.path),
        passed_through: &through,
        author: person.who.as_ref().map(|who| &who.author),
        why: attribution.blame.as_ref().map(|_| why.as_str()),
        reassigned: false,
        known: known.map(|known| &known.entry),
        // Shown is who of the repository would be told.
        operator: None,
    })
}

/// Why nobody would be told, if so.
fn silent(
    row: &RepositoryRow,
    choice: &Choice,
    attribution: &Attribution,
    known: Option<&KnownMatch>,
) -> Option<String> {
    let why = match choice {
        Choice::Dropped(Dropped::IgnoredException) => {
            Some("the settings drop exceptions of this type (ignored_exceptions)")
        }
        Choice::Dropped(Dropped::ThirdParty) => {
            Some("the settings drop reports that pass through this code (third_party_whitelist)")
        }
        Choice::Dropped(Dropped::Member) => Some("another exception of its group is told of the same line"),
        Choice::Culprit { chosen_as: ChosenAs::OnlyLibraryCode, .. } if known.is_none() => {
            let kind = attribution.not_ours.as_ref().map_or_else(|| "library code".to_owned(), NotOurs::words);
            return Some(format!("it is {kind}, and no line of the repository calls it"));
        }
        Choice::Culprit { .. } | Choice::Nobody { .. } => {
            let written_at = attribution.blame.as_ref().map(|blame| blame.written_at());
            let tally = Tally { total: 1, written_at, ..Tally::default() };
            match known {
                Some(known) => decide_known(&tally, &known.entry).silent,
                None => decide_unknown(&tally, &Terms::of(&row.settings)).silent,
            }
        }
    };
    why.map(str::to_owned)
}
