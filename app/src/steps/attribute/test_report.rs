//! A test report takes the way of every report up to the point where something would be written, counted or sent.

use super::examine::{Case, Examined, examine};
use super::ready_mirror;
use crate::steps::{Failure, Services, blocking};
use domain::culprit::{Choice, Dropped};
use domain::decision::{Tally, decide_known, decide_unknown};
use domain::person::{Person, Subject};
use domain::routing::{Route, recipients};
use domain::rule::{CodeAt, Rules};
use domain::test_report::{IssuePlan, TestReport, Way};
use github::GitHubError;
use std::sync::Arc;
use store::reports::StoredReport;
use store::repositories::RepositoryRow;

/// Works out what a test report would have led to. What keeps it from that is part of the answer: somebody waits for it.
pub(super) async fn conclude(
    services: &Services,
    row: &RepositoryRow,
    stored: &StoredReport,
    now_ms: i64,
) -> Result<(), Failure> {
    let trouble = match ready_mirror(services, row, stored, now_ms).await {
        Ok(trouble) => trouble,
        Err(failure) => Some(format!("The repository could not be mirrored: {failure}.")),
    };
    let id = stored.repository;
    // Read again: the fetch may have brought another head and other settings.
    let Some(row) = store::repositories::by_id(&services.store, id).await? else { return Ok(()) };
    let rules = Arc::new(store::rules::of_repository(&services.store, id, row.settings.clone(), now_ms).await?);
    let look = async |trouble: Option<String>, with_mirror: bool| {
        let (mirrors, repository, report) = (services.mirrors.clone(), row.repository.clone(), stored.report.clone());
        let rules = Arc::clone(&rules);
        let event_ms = stored.received_at_ms;
        blocking(move || {
            examine(Case {
                mirrors: with_mirror.then_some(&mirrors),
                repository: &repository,
                report: &report,
                rules: &rules,
                event_ms,
                trouble: trouble.as_deref(),
            })
        })
        .await
    };
    let examined = match look(trouble, true).await {
        Err(failure) => {
            look(Some(format!("The mirror of the repository could not be read: {failure}.")), false).await?
        }
        found => found?,
    };
    let mut outcome = foretell(services, &row, &rules, examined, now_ms).await;
    let has_frame = stored.report.raised().is_some_and(|raised| !raised.frames.is_empty());
    if !has_frame && services.mirrors.exists(id) {
        outcome.verdict.push(
            "When the report was sent there was no mirror to choose a line from. There is one now: send another."
                .to_owned(),
        );
    }
    outcome.mail = match services.mailer.check().await {
        Ok(text) => Way { open: true, text },
        Err(error) => Way { open: false, text: error.to_string() },
    };
    tracing::info!(repository = %row.repository.full_name, "a test report arrived");
    store::test_reports::record_outcome(&services.store, stored, &outcome, now_ms).await?;
    Ok(())
}

/// What a first report of this line would lead to.
async fn foretell(
    services: &Services,
    row: &RepositoryRow,
    rules: &Rules,
    examined: Examined,
    now_ms: i64,
) -> TestReport {
    let Examined { choice, attribution } = examined;
    // A database that is out of reach fails the step when the outcome is written.
    let (told, failure) =
        services.look_for_person(row, &Subject::of(&attribution, now_ms), now_ms).await.unwrap_or_default();
    let person = &told.person;
    let blame = attribution.blame.clone();
    let is_dropped = matches!(choice, Choice::Dropped(_));
    let place = attribution.culprit.map(|_| attribution.place.clone());
    let path = place.as_ref().map_or("", |place| place.path.as_str());
    let known = place.as_ref().and_then(|place| {
        rules.known_error(CodeAt { path, inside: true, function: &place.function, code: &place.code })
    });
    let tally = Tally { total: 1, written_ms: blame.as_ref().map(|blame| blame.author_time_ms), ..Tally::default() };
    let decision = match known {
        Some(known) => decide_known(&tally, &known.entry),
        None => decide_unknown(&tally, &Services::terms(row)),
    };
    let silent = match choice {
        Choice::Dropped(Dropped::IgnoredException) => {
            Some("the settings drop exceptions of this type (ignored_exceptions)".to_owned())
        }
        Choice::Dropped(Dropped::ThirdParty) => {
            Some("the settings drop reports that pass through this code (third_party_whitelist)".to_owned())
        }
        _ => decision.silent.map(str::to_owned),
    };
    let through: Vec<String> = attribution.located.values().map(|located| located.path.clone()).collect();
    let why = person.why_you();
    let route = Route {
        settings: &row.settings,
        path,
        passed_through: &through,
        author: person.who.as_ref().map(|who| &who.author),
        why: blame.as_ref().map(|_| why.as_str()),
        reassigned: false,
        known: known.map(|known| &known.entry),
    };
    let mails = if is_dropped { Vec::new() } else { recipients(&route) };
    let has_issue = !is_dropped && known.is_none() && services.has_issues(row);
    let issue = if has_issue { issue_plan(services, row, person, failure).await } else { IssuePlan::None };
    TestReport {
        place,
        revision: attribution.revision,
        blame,
        verdict: [attribution.verdict, if is_dropped { Vec::new() } else { person.sentences() }].concat(),
        mails,
        mail: Way::default(),
        issue,
        silent,
    }
}

/// Asks GitHub what filing the issue would ask it, which also shows whether the App gets through.
async fn issue_plan(
    services: &Services,
    row: &RepositoryRow,
    person: &Person,
    failure: Option<GitHubError>,
) -> IssuePlan {
    let (Some(github), Some(forge)) = (services.app.github(), &row.repository.forge) else { return IssuePlan::File };
    if row.suspended_at_ms.is_some() {
        let trouble = Some("the App is suspended in this account".to_owned());
        return IssuePlan::Forge { login: None, trouble };
    }
    if let Some(error) = failure {
        return IssuePlan::Forge { login: None, trouble: Some(error.to_string()) };
    }
    let Some(who) = &person.who else { return IssuePlan::Forge { login: None, trouble: None } };
    let name = row.repository.full_name.as_str();
    let ask = async {
        let Some(login) = who.login.clone() else {
            return Ok((None, Some(format!("GitHub knows no account of {}", who.name()))));
        };
        if !row.settings.issues.assign {
            return Ok((None, Some("the settings say issues: { assign: false }".to_owned())));
        }
        let can = github.is_assignable(forge.installation, name, &login).await?;
        let why = (!can).then(|| format!("GitHub does not let issues of this repository be assigned to {login}"));
        Ok::<_, Failure>((can.then_some(login), why))
    };
    match ask.await {
        Ok((login, trouble)) => IssuePlan::Forge { login, trouble },
        Err(failure) => IssuePlan::Forge { login: None, trouble: Some(failure.to_string()) },
    }
}
