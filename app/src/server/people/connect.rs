//! The page on which an application is connected: DSN and snippets, a test report, what arrived,
//! and the keys.

use super::connect_arrivals::{arrivals, refusals};
use super::connect_keys::{key_view, limits_shown};
use crate::server::ingest::Ingest;
use crate::server::mirror_view::mirror_view;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::repository::{RepositoryWith, Write};
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::services::blocking;
use crate::services::ingest_keys::dropped_words;
use axum::extract::State;
use domain::blame::Blame;
use domain::ids::RepositoryId;
use domain::links::Linker;
use domain::test_report::{IssuePlan, TestReport};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::Mirrors;
use render::views::{Again, Connect, Dsn, TestReportView};
use render::{thousands, when};
use serde::Deserialize;
use std::sync::Arc;
use store::Store;
use store::ingest_keys::{Dropped, KeyRow};
use store::repositories::RepositoryRow;
use store::test_reports::TestReportRow;

/// Seconds after which the page looks again for what it waits for: a report takes one or two.
const LOOK_AGAIN_S: u32 = 2;
/// How long the page looks for the outcome of a test report by itself. A first clone may take
/// longer: then it is up to the reader to look.
const TEST_WAIT: SignedDuration = SignedDuration::from_mins(2);
/// How long the page waits for a report by itself: somebody starts an application meanwhile.
const WATCH: SignedDuration = SignedDuration::from_mins(5);

/// What the page's address may say.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ConnectQuery {
    /// The moment since which the reader waits for a report.
    #[serde(default)]
    watch: Option<String>,
    /// What has just been done.
    #[serde(default)]
    done: Option<String>,
    /// What was dropped with a key that was revoked.
    #[serde(default)]
    reports: u64,
    #[serde(default)]
    occurrences: u64,
    #[serde(default)]
    lines: u64,
}

impl ConnectQuery {
    /// Since when the reader waits, where that was not in the future.
    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        self.watch
            .as_deref()
            .and_then(|text| text.parse().ok())
            .map(Timestamp::from_millis)
            .filter(|since| *since <= now)
    }
}

/// `GET /{owner}/{repo}/connect`.
pub(super) async fn connect(
    State(store): State<Store>,
    State(mirrors): State<Mirrors>,
    State(ingest): State<Arc<Ingest>>,
    State(urls): State<Urls>,
    Now(now): Now,
    RepositoryWith { session, row, .. }: RepositoryWith<Write>,
    Query(query): Query<ConnectQuery>,
) -> Result<Page<Connect>, PageError> {
    let (id, here) = (row.repository.id, urls.connect(&row));
    let keys = store::ingest_keys::of_repository(&store, id).await?;
    let in_force = keys.iter().filter(|key| key.revoked_at.is_none()).count();
    let shown = limits_shown(&store, &ingest, id, now).await?;
    let latest = store::test_reports::latest(&store, id).await?;
    let (seen, since) = (ingest.arrivals.of(id), query.since(now));
    let arrivals = arrivals(&row, &seen, since, &store, &urls).await?;
    let refusals = refusals(&seen, since);
    let something_came = arrivals.iter().any(|arrival| arrival.fresh) || refusals.iter().any(|refusal| refusal.fresh);
    let watched = since.filter(|since| now - *since < WATCH && !something_came);
    let view = Connect {
        name: row.repository.full_name.to_string(),
        repository_url: urls.repository(&row),
        csrf: session.csrf.clone(),
        dsn: keys.iter().find(|key| key.revoked_at.is_none()).map(|key| dsn(urls.linker(), key)),
        mirror: mirror_view(&mirrors, &row),
        again: again(latest.as_ref(), watched, now, &here),
        test: latest.map(|latest| test_report(&row, latest, urls.linker(), now)),
        arrivals,
        refusals,
        without_error: seen.without_error.map(|(count, at)| (thousands(count), when(at))),
        watching: watched.is_some(),
        watch_url: format!("{here}?watch={}#arrivals", now.as_millis()),
        keys: keys.into_iter().map(|key| key_view(urls.linker(), key, in_force, &shown)).collect(),
        folders: folders(&mirrors, id).await,
        notice: notice(&query),
        here,
    };
    Ok(Page(Some(session), view))
}

/// The folders that a key can be for, where there are several applications: the whole repository
/// needs none. What can't be read offers nothing.
async fn folders(mirrors: &Mirrors, id: RepositoryId) -> Vec<String> {
    let mirrors = mirrors.clone();
    let found = blocking(move || mirrors.package_folders(id)).await.unwrap_or_default();
    if found.len() > 1 { found.into_iter().filter(|folder| !folder.is_empty()).collect() } else { Vec::new() }
}

/// What the page looks for by itself: the outcome of a test report, or a report since that moment.
/// Each look has an address of its own: to one that differs by nothing, or by its `#` alone, a
/// browser scrolls without asking the server.
fn again(latest: Option<&TestReportRow>, watched_at: Option<Timestamp>, now: Timestamp, here: &str) -> Option<Again> {
    let test_runs = latest.is_some_and(|latest| latest.settled.is_none() && now - latest.sent_at < TEST_WAIT);
    let look = now.as_millis();
    let url = if test_runs {
        format!("{here}?look={look}#test")
    } else {
        let since = watched_at?;
        format!("{here}?watch={}&look={look}#arrivals", since.as_millis())
    };
    Some(Again { seconds: LOOK_AGAIN_S, url })
}

fn dsn(linker: &Linker, key: &KeyRow) -> Dsn {
    Dsn {
        text: linker.dsn(&key.key, key.repository),
        key: key.key.clone(),
        label: key.label.clone(),
        traceback_url: format!("{}/api/{}/traceback", linker.base(), key.repository),
    }
}

/// What has just been done, by the words that the form's answer leads back with.
fn notice(query: &ConnectQuery) -> Option<String> {
    match query.done.as_deref()? {
        "made" => Some("The key was made. It stands below, with its DSN.".to_owned()),
        "limited" => {
            Some("The key's limits were set. They hold from now on, on other servers within a second.".to_owned())
        }
        "revoked" => {
            let &ConnectQuery { reports, occurrences, lines, .. } = query;
            let dropped = dropped_words(&Dropped { reports, occurrences, lines });
            Some(format!("The key was revoked. Reports with it are refused from now on. {dropped}"))
        }
        _ => None,
    }
}

fn test_report(row: &RepositoryRow, latest: TestReportRow, linker: &Linker, now: Timestamp) -> TestReportView {
    let (settled, outcome) = latest.settled.unzip();
    let state = match &outcome {
        Some(_) => "arrived",
        None if now - latest.sent_at < TEST_WAIT => "waiting",
        None => "slow",
    };
    let outcome = outcome.unwrap_or_default();
    let line_url = outcome.place.as_ref().zip(outcome.revision.as_ref());
    TestReportView {
        sent: when(latest.sent_at),
        state,
        settled: settled.map(when),
        line_url: line_url.and_then(|(place, commit)| row.repository.line_url(commit, &place.path, place.line)),
        place: outcome.place.as_ref().map(|place| format!("{}:{}", place.path, place.line)),
        code: outcome.place.as_ref().map(|place| place.code.clone()).unwrap_or_default(),
        author: outcome.blame.as_ref().map(authored),
        mails: outcome.mails.iter().map(|told| (told.email.clone().unwrap_or_default(), told.why.clone())).collect(),
        mail_open: outcome.mail.open,
        mail_text: outcome.mail.text.clone(),
        issue: issue_sentence(&outcome),
        issue_trouble: issue_trouble(&outcome),
        silent: outcome.silent,
        is_never_told: outcome.is_never_told,
        why_url: outcome.no_line.map(|reason| linker.why_no_line(reason)),
        verdict: outcome.verdict,
    }
}

/// `Ada <ada@example.com> in 1a2b3c4 (2026-11-22)`.
fn authored(blame: &Blame) -> String {
    let day = when(blame.written_at());
    let day = day.split(' ').next().unwrap_or_default();
    format!("{} <{}> in {} ({day})", blame.author.name, blame.author.email, blame.commit.short())
}

fn issue_trouble(outcome: &TestReport) -> Option<String> {
    match &outcome.issue {
        IssuePlan::OnGitHub { trouble, .. } => trouble.clone(),
        IssuePlan::None | IssuePlan::File => None,
    }
}

fn issue_sentence(outcome: &TestReport) -> String {
    match &outcome.issue {
        IssuePlan::None => "None: it has none, or the settings want none here.".to_owned(),
        IssuePlan::File => "A file in the outbox directory, because no GitHub App is configured.".to_owned(),
        IssuePlan::OnGitHub { login: Some(login), .. } => format!("An issue on GitHub, assigned to {login}."),
        IssuePlan::OnGitHub { login: None, .. } => "An issue on GitHub, assigned to nobody.".to_owned(),
    }
}
