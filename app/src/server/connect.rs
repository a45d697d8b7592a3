//! The page on which an application is connected: DSN and snippets, a test report, what arrived, and the keys.

use super::Server;
use super::arrivals::{FINGERPRINTS, Seen};
use super::auth::Session;
use super::extract::InQuery;
use super::pages::{answer, author, mirror, place};
use super::respond::Refused;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::attribution::short;
use domain::test_report::{IssuePlan, TestReport};
use render::views::{Again, Arrival, Connect, Dsn, KeyView, RefusalView, TestReportView};
use render::{thousands, when};
use serde::Deserialize;
use std::sync::Arc;
use store::fingerprints::FingerprintState;
use store::ingest_keys::KeyRow;
use store::repositories::RepositoryRow;
use store::test_reports::TestReportRow;

/// Seconds after which the page looks again for what it waits for: a report takes one or two.
const LOOK_AGAIN_S: u32 = 2;
/// How long the page looks for the outcome of a test report by itself. A first clone may take longer: then it is up to
/// the reader to look.
const TEST_WAIT_MS: i64 = 120_000;
/// How long the page waits for a report by itself: somebody starts an application meanwhile.
const WATCH_MS: i64 = 5 * 60_000;

/// What the page's address may say.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Unix milliseconds since which the reader waits for a report.
    #[serde(default)]
    watch: Option<String>,
    /// What has just been done.
    #[serde(default)]
    done: Option<String>,
}

/// `GET /{owner}/{repo}/connect`.
pub(super) async fn connect(
    State(server): State<Arc<Server>>,
    Path((owner, name)): Path<(String, String)>,
    InQuery(asked): InQuery<Asked>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let result = async {
        let session = server.must_be_signed_in(&headers, &server.path_of(&uri)).await?;
        let row = server.repository_for(&session, &format!("{owner}/{name}"), Right::Write).await?;
        show(&server, &session, &row, &asked).await
    };
    answer(&server, &headers, result.await).await
}

async fn show(server: &Server, session: &Session, row: &RepositoryRow, asked: &Asked) -> Result<Response, Refused> {
    let store = &server.services.store;
    let (id, now_ms) = (row.repository.id, server.clock.now_ms());
    let here = server.connect_url(row);
    let keys = store::ingest_keys::of_repository(store, id).await?;
    let in_force = keys.iter().filter(|key| key.revoked_at_ms.is_none()).count();
    let latest = store::test_reports::latest(store, id).await?;
    let seen = server.arrivals.of(id);
    let since_ms = asked.watch.as_deref().and_then(|text| text.parse::<i64>().ok()).filter(|since| *since <= now_ms);
    let arrivals = arrivals(server, row, &seen, since_ms).await?;
    let refusals = refusals(&seen, since_ms);
    let something_came = arrivals.iter().any(|arrival| arrival.fresh) || refusals.iter().any(|refusal| refusal.fresh);
    let watching = since_ms.is_some_and(|since| now_ms - since < WATCH_MS) && !something_came;
    let test_runs =
        latest.as_ref().is_some_and(|latest| latest.settled.is_none() && now_ms - latest.sent_at_ms < TEST_WAIT_MS);
    let again = if test_runs {
        Some(format!("{here}#test"))
    } else {
        since_ms.filter(|_| watching).map(|since| format!("{here}?watch={since}#arrivals"))
    };
    let view = Connect {
        name: row.repository.full_name.clone(),
        repository_url: format!("{}/{}", server.root(), row.repository.full_name),
        csrf: server.csrf(session),
        dsn: keys.iter().find(|key| key.revoked_at_ms.is_none()).map(|key| Dsn {
            text: server.services.linker.dsn(&key.key, id),
            key: key.key.clone(),
            label: key.label.clone(),
            traceback_url: format!("{}/api/{id}/traceback", server.services.linker.base()),
        }),
        mirror: mirror(server, row),
        test: latest.map(|latest| test_report(row, latest, now_ms)),
        arrivals,
        refusals,
        without_error: seen.without_error.map(|(count, at_ms)| (thousands(count), when(at_ms))),
        again: again.map(|url| Again { seconds: LOOK_AGAIN_S, url }),
        watching,
        watch_url: format!("{here}?watch={now_ms}#arrivals"),
        keys: keys.into_iter().map(|key| key_view(server, key, in_force)).collect(),
        notice: asked.done.as_deref().and_then(notice).map(str::to_owned),
        here,
    };
    server.show(Some(session), StatusCode::OK, &view)
}

/// What has just been done, by the word that the form's answer leads back with.
fn notice(done: &str) -> Option<&'static str> {
    match done {
        "made" => Some("The key was made. It stands below, with its DSN."),
        "revoked" => Some("The key was revoked. Reports with it are refused from now on."),
        _ => None,
    }
}

impl Server {
    /// The page that connects an application to a repository.
    pub(super) fn connect_url(&self, row: &RepositoryRow) -> String {
        format!("{}/{}/connect", self.root(), row.repository.full_name)
    }
}

fn key_view(server: &Server, key: KeyRow, in_force: usize) -> KeyView {
    KeyView {
        dsn: server.services.linker.dsn(&key.key, key.repository),
        key: key.key,
        label: key.label,
        made: when(key.created_at_ms),
        used: key.last_used_at_ms.map(when),
        last: key.revoked_at_ms.is_none() && in_force == 1,
        revoked: key.revoked_at_ms.map(when),
    }
}

fn test_report(row: &RepositoryRow, latest: TestReportRow, now_ms: i64) -> TestReportView {
    let (settled, outcome) = latest.settled.unzip();
    let state = match &outcome {
        Some(_) => "arrived",
        None if now_ms - latest.sent_at_ms < TEST_WAIT_MS => "waiting",
        None => "slow",
    };
    let outcome = outcome.unwrap_or_default();
    let line_url = outcome.place.as_ref().zip(outcome.revision.as_deref());
    TestReportView {
        sent: when(latest.sent_at_ms),
        state,
        settled: settled.map(when),
        line_url: line_url.and_then(|(place, commit)| row.repository.line_url(commit, &place.path, place.line)),
        place: outcome.place.as_ref().map(|place| format!("{}:{}", place.path, place.line)),
        code: outcome.place.as_ref().map(|place| place.code.clone()).unwrap_or_default(),
        author: outcome.blame.as_ref().map(|blame| {
            let day = when(blame.author_time_ms);
            let day = day.split(' ').next().unwrap_or_default();
            format!("{} <{}> in {} ({day})", blame.author.name, blame.author.email, short(&blame.commit))
        }),
        mails: outcome.mails.iter().map(|told| (told.email.clone().unwrap_or_default(), told.why.clone())).collect(),
        mail_open: outcome.mail.open,
        mail_text: outcome.mail.text.clone(),
        issue: issue_sentence(&outcome),
        issue_trouble: match &outcome.issue {
            IssuePlan::Forge { trouble, .. } => trouble.clone(),
            IssuePlan::None | IssuePlan::File => None,
        },
        silent: outcome.silent,
        verdict: outcome.verdict,
    }
}

fn issue_sentence(outcome: &TestReport) -> String {
    match &outcome.issue {
        IssuePlan::None => "None: it has none, or the settings want none here.".to_owned(),
        IssuePlan::File => "A file in the outbox directory, because no GitHub App is configured.".to_owned(),
        IssuePlan::Forge { login: Some(login), .. } => format!("An issue on GitHub, assigned to {login}."),
        IssuePlan::Forge { login: None, .. } => "An issue on GitHub, assigned to nobody.".to_owned(),
    }
}

/// What came since the start of the server, filled up with what the database keeps from before.
async fn arrivals(
    server: &Server,
    row: &RepositoryRow,
    seen: &Seen,
    since_ms: Option<i64>,
) -> Result<Vec<Arrival>, Refused> {
    let id = row.repository.id;
    let mut found: Vec<(String, i64, Arrival)> = seen
        .taken
        .iter()
        .map(|taken| {
            let arrival = Arrival {
                when: when(taken.at_ms),
                fresh: since_ms.is_some_and(|since| taken.at_ms >= since),
                exception: taken.exception.clone(),
                client: taken.client.clone(),
                release: taken.release.as_deref().map(release),
                count: Some(thousands(taken.count)),
                outcome: String::new(),
                author: None,
                url: None,
            };
            (taken.fingerprint.to_hex(), taken.at_ms, arrival)
        })
        .collect();
    for kept in store::tracebacks::latest_of_repository(&server.services.store, id, FINGERPRINTS).await? {
        if found.iter().any(|(fingerprint, ..)| *fingerprint == kept.fingerprint) {
            continue;
        }
        let report = kept.report;
        let arrival = Arrival {
            when: when(kept.received_at_ms),
            fresh: since_ms.is_some_and(|since| kept.received_at_ms >= since),
            exception: report.raised().map_or_else(|| "message".to_owned(), |raised| raised.full_name()),
            client: report.sdk,
            release: report.revision.or(report.release).as_deref().map(release),
            count: None,
            outcome: String::new(),
            author: None,
            url: None,
        };
        found.push((kept.fingerprint, kept.received_at_ms, arrival));
    }
    found.sort_by_key(|(_, at_ms, _)| std::cmp::Reverse(*at_ms));
    found.truncate(FINGERPRINTS);
    let mut arrivals = Vec::with_capacity(found.len());
    for (fingerprint, _, mut arrival) in found {
        let state = store::fingerprints::state_of(&server.services.store, id, &fingerprint).await?;
        match state {
            Some(FingerprintState::Line(line)) => {
                if let Some(line) = store::lines::by_id(&server.services.store, line).await? {
                    arrival.outcome = place(&line);
                    arrival.author = line.commit.is_some().then(|| author(&line));
                    arrival.url = Some(server.traceback_of(row, &line));
                }
            }
            Some(FingerprintState::Dropped) => {
                "Not counted: ignored_exceptions or third_party_whitelist of the settings leaves it out."
                    .clone_into(&mut arrival.outcome);
            }
            Some(FingerprintState::Pending) => {
                "Accepted. Its line is being looked for.".clone_into(&mut arrival.outcome)
            }
            Some(FingerprintState::Stale) | None => {
                "Accepted. Its line is looked for at the next report like it.".clone_into(&mut arrival.outcome);
            }
        }
        arrivals.push(arrival);
    }
    Ok(arrivals)
}

/// A release for people: of a whole commit its first digits.
fn release(name: &str) -> String {
    let is_commit = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { short(name) } else { name }.to_owned()
}

fn refusals(seen: &Seen, since_ms: Option<i64>) -> Vec<RefusalView> {
    seen.refused
        .iter()
        .map(|refused| RefusalView {
            when: when(refused.at_ms),
            fresh: since_ms.is_some_and(|since| refused.at_ms >= since),
            count: thousands(refused.count),
            why: refused.why.clone(),
            client: refused.client.clone(),
        })
        .collect()
}
