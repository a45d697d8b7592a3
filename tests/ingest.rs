//! Reports over HTTP: every recorded client is answered as a Sentry server would, and bad requests
//! are told what is wrong.

use crate::harness::git_repo::ADA;
use crate::harness::story::{CART_PATH, Story, run_test};
use crate::recordings::recordings;
use jiff::SignedDuration;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _, Row as _};
use store::repositories::NewRepository;
use tokio::task::JoinSet;
use wire::{sentry, sentry_event};

/// The key in every recording's DSN.
const RECORDED_KEY: &str = "b9c0ffee00000000000000000000cafe";
/// What no answer may tell a client to stop sending.
const WANTED: &str = "error";

/// A plain repository, watched without GitHub: its number and key.
async fn plain_project(story: &Story) -> (i64, String) {
    let new = NewRepository {
        full_name: "plain/shop".into(),
        clone_url: story.repo.path().display().to_string(),
        github: None,
        public: false,
    };
    let id = story.services().repositories().watch(&new, story.clock.now()).await.unwrap();
    (id.0, store::ingest_keys::in_force(&story.services().store, id).await.unwrap().remove(0))
}

fn check_headers(answer: &Response) {
    let limits = answer.headers()["x-sentry-rate-limits"].to_str().unwrap();
    let parts: Vec<&str> = limits.split(':').collect();
    assert_eq!(parts.len(), 3, "the Rust SDK ignores limits of two parts: {limits}");
    assert!(parts[1].split(';').all(|category| category != WANTED && !category.is_empty()), "{limits}");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}

#[test]
fn every_recorded_client_is_answered_and_every_error_is_counted() {
    run_test(async |story| {
        let no_storm = [(".github/flawless.yml", "storm: { lines: 0 }\n")];
        story.commit("Ada Lovelace <ada@example.com>", "2026-01-05T11:00:00Z", &no_storm, "Tell of each");
        let (project, key) = plain_project(story).await;
        story.settle().await;
        let mut errors = 0;
        for recording in recordings() {
            let place = recording.path.replace(RECORDED_KEY, &key);
            let rest = place.splitn(4, '/').nth(3).unwrap();
            let mut request = story.http.post(format!("{}/api/{project}/{rest}", story.url()));
            for (name, value) in &recording.headers {
                if !["host", "content-length", "transfer-encoding", "connection"]
                    .contains(&name.to_lowercase().as_str())
                {
                    request = request.header(name, value.replace(RECORDED_KEY, &key));
                }
            }
            let answer = request.body(recording.body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{}", recording.name);
            check_headers(&answer);
            let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            let plain = recording.plain();
            let event = if recording.is_store() { Some(&plain[..]) } else { sentry::envelope(&plain).unwrap().event };
            match recording.index["event"]["event_id"].as_str() {
                Some(id) => assert_eq!(body["id"], id, "{}", recording.name),
                None => assert_eq!(body, json!({}), "{}", recording.name),
            }
            let mut scratch = String::new();
            if event.is_some_and(|event| sentry_event::parse(event, &mut scratch).unwrap().is_error()) {
                errors += 1;
            }
        }
        story.settle().await;
        // Some name commits that the repository has not: they wait for a fetch, not all for one.
        for _ in 0..3 {
            story.later(SignedDuration::from_secs(31)).await;
        }
        let lines = story.lines().await;
        assert_eq!(lines.iter().map(|line| line.total).sum::<u64>(), errors);
        assert!(errors > 35, "{errors} of the recordings are errors");
    });
}

#[test]
fn a_client_with_a_tunnel_is_known_by_its_envelope() {
    run_test(async |story| {
        let (project, key) = plain_project(story).await;
        let body = format!("{{\"dsn\":\"https://{key}@flawless.test/{project}\"}}\n{{\"type\":\"session\"}}\n{{}}\n");
        let answer =
            story.http.post(format!("{}/api/{project}/envelope/", story.url())).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    });
}

#[test]
fn browsers_may_ask_first() {
    run_test(async |story| {
        let url = format!("{}/api/1/envelope/", story.url());
        let answer =
            story.http.request(reqwest::Method::OPTIONS, url).header("Origin", "https://x").send().await.unwrap();
        assert_eq!(answer.status(), 204);
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    });
}

#[test]
fn bad_requests_are_told_what_is_wrong() {
    run_test(async |story| {
        let (project, key) = plain_project(story).await;
        let base = story.url().to_owned();
        let post = |path: &str| story.http.post(format!("{base}{path}"));
        let said = async |request: RequestBuilder, status: u16, word: &str| {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{word}");
            check_headers(&answer);
            let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            let detail = body["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(word), "{status} said {detail:?}");
        };
        let envelope = format!("/api/{project}/envelope/?sentry_key={key}");
        let wrong = "0".repeat(32);
        said(post(&format!("/api/{project}/envelope/?sentry_key={wrong}")).body("{}"), 403, "key").await;
        said(post(&format!("/api/{project}/envelope/")).body("{}"), 403, "key").await;
        said(post(&format!("/api/999/envelope/?sentry_key={key}")).body("{}"), 404, "project").await;
        said(post(&format!("/api/shop/envelope/?sentry_key={key}")).body("{}"), 404, "project").await;
        said(post(&envelope).body("hello"), 400, "header").await;
        said(post(&envelope).body("{}\n{\"type\":\"event\"}\n[1]"), 400, "event").await;
        said(post(&envelope).header("Content-Encoding", "gzip").body("hello"), 400, "gzip").await;
        said(post(&envelope).header("Content-Encoding", "rot13").body("hello"), 415, "rot13").await;
        said(post(&envelope).body(vec![b'x'; 9 << 20]), 413, "larger").await;
        said(post(&format!("/api/{project}/traceback")).bearer_auth(&key).body("hello"), 400, "traceback").await;
        let answer = story.http.get(format!("{base}{envelope}")).send().await.unwrap();
        assert_eq!(answer.status(), 405);
    });
}

#[test]
fn a_printed_traceback_is_a_report() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let text = format!(
            "Mon 11:25 cron[7]: nightly job\nTraceback (most recent call last):\n  File \"/srv/app/{CART_PATH}\", line 9, in total\n    amount += PRICES[sku]\nKeyError: 'quince'\n"
        );
        let url = format!(
            "{}/api/{project}/traceback?release={}&environment=cron&server_name=batch-1",
            story.url(),
            story.repo.head()
        );
        let answer = story.http.post(url).bearer_auth(&key).body(text).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.place.path.as_str(), line.place.line, line.place.function.as_str()), (CART_PATH, 9, "total"));
        let counts = store::lines::counts(&story.services().store, &line).await.unwrap();
        assert_eq!((counts.servers, counts.environments), (vec!["batch-1".to_owned()], vec!["cron".to_owned()]));
        story.assert_usual_alert();
    });
}

#[test]
fn a_failure_without_a_traceback_goes_to_the_default_contact() {
    run_test(async |story| {
        let settings = "email: { default_contact: oncall@example.com }\n";
        story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", settings)], "Configure");
        story.install().await;
        let (key, project) = story.key().await;
        let url = format!("{}/api/{project}/traceback?failed=exit+status+3&server_name=batch-1", story.url());
        for time in ["08:15", "09:15"] {
            let text = format!("nightly.py --all\n{time} connecting\n{time} no such table\n");
            let answer = story.http.post(&url).bearer_auth(&key).body(text).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            story.settle().await;
        }
        let told = story.transcript();
        assert!(told.starts_with("mail to oncall@example.com: [acme/shop] CommandFailed (nightly.py --all)"), "{told}");
        assert_eq!(told.matches("mail to").count(), 1, "{told}");
        let lines = story.lines().await;
        assert_eq!((lines.len(), lines[0].total), (1, 2), "what it wrote makes no other failure of it");
        assert_eq!(lines[0].place.path, "nightly.py --all");
    });
}

/// What a table holds.
async fn rows(story: &Story, table_and_condition: &str) -> i64 {
    let mut database = AnyConnection::connect(&story.config().database_url).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS held FROM {table_and_condition}"));
    let held = sqlx::query(sql).fetch_one(&mut database).await.unwrap().get("held");
    database.close().await.unwrap();
    held
}

/// Sends the usual failure as an exception of a type, once from each of these servers, each with an
/// environment of its own.
async fn send_from_everywhere(story: &Story, kind: &str, servers: std::ops::Range<usize>) {
    let (key, project) = story.key().await;
    let url = format!("{}/api/{project}/store/", story.url());
    let mut event = story.event();
    event["exception"]["values"][0]["type"] = kind.into();
    let mut requests = JoinSet::new();
    for n in servers {
        event["server_name"] = format!("web-{n}").into();
        event["environment"] = format!("branch-{n}").into();
        let request = story.http.post(&url).header("X-Sentry-Auth", format!("Sentry sentry_key={key}"));
        requests.spawn(request.body(event.to_string()).send());
        if requests.len() >= 50 {
            assert_eq!(requests.join_next().await.unwrap().unwrap().unwrap().status(), 200);
        }
    }
    for answer in requests.join_all().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
}

#[test]
fn what_waits_for_its_line_keeps_few_names_and_every_count() {
    run_test(async |story| {
        story.install().await;
        // Nobody attributes yet, as while the repository is being cloned.
        send_from_everywhere(story, "KeyError", 0..1_500).await;
        story.clock.advance(SignedDuration::from_hours(1));
        send_from_everywhere(story, "KeyError", 0..20).await;
        assert_eq!(rows(story, "pending_occurrences").await, 2, "one for each hour");
        for kind in ["server", "environment"] {
            let held = rows(story, &format!("pending_facets WHERE kind = '{kind}'")).await;
            assert!((200..264).contains(&held), "{held} of kind {kind}");
        }
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!(line.total, 1_520);
        let (_, days) = store::lines::counts_and_days(&story.services().store, &line).await.unwrap();
        assert_eq!(days.iter().sum::<u64>(), 1_520, "the hours add up to the total");
        assert_eq!(rows(story, "line_hours").await, 2);
        for kind in ["server", "environment"] {
            assert_eq!(rows(story, &format!("line_facets WHERE kind = '{kind}'")).await, 200);
        }
        assert_eq!(rows(story, "pending_occurrences").await + rows(story, "pending_facets").await, 0);
        story.assert_usual_alert();
    });
}

#[test]
fn what_waited_joins_the_names_that_its_line_has() {
    run_test(async |story| {
        story.install().await;
        send_from_everywhere(story, "KeyError", 0..150).await;
        story.settle().await;
        story.transcript();
        // Another exception at the same line waits by itself.
        send_from_everywhere(story, "ValueError", 100..260).await;
        story.settle().await;
        assert_eq!(story.lines().await[0].total, 310);
        // By now its line is known, and nothing waits.
        send_from_everywhere(story, "ValueError", 260..300).await;
        assert_eq!(story.lines().await[0].total, 350);
        for kind in ["server", "environment"] {
            assert_eq!(rows(story, &format!("line_facets WHERE kind = '{kind}'")).await, 200);
        }
        story.transcript();
    });
}
