//! How much a key may bring, as clients see it: the rate of its requests, what is refused beyond
//! and shown of it, limits of one key, and reports that are sent again.

use crate::harness::browser::{Browser, between, seen};
use crate::harness::git_repo::ADA;
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::story::{Story, run_test};
use jiff::SignedDuration;
use reqwest::Response;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PAGE: &str = "/acme/shop/connect";
/// A report by an id of its own, as SDKs number them.
const ID: &str = "0123456789abcdef0123456789abcdef";

/// The App, and several functions that fail.
async fn begin(story: &mut Story, settings: &[(&str, &str)]) -> (String, i64) {
    for (name, value) in settings {
        story.set(name, value);
    }
    story.restart().await;
    story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 9))], "Add a");
    story.install().await;
    story.key().await
}

/// The failure of function `a…`, of this id; `None`: of none.
fn failure(story: &Story, n: usize, id: Option<&str>) -> Value {
    let mut event = story.event_at(&story.repo.head(), "shop/a.py", &format!("x.a_{n}"), &format!("a{n}"), "web-1");
    if let Some(id) = id {
        event["event_id"] = json!(id);
    }
    event
}

async fn send(story: &Story, key: &str, event: &Value) -> Response {
    let body = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
    let path = format!("{}/api/{}/envelope/?sentry_key={key}", story.url(), story.key().await.1);
    story.http.post(path).body(body).send().await.unwrap()
}

/// Sends a report that is taken; what it is answered.
async fn answered(story: &Story, key: &str, event: &Value) -> Value {
    let answer = send(story, key, event).await;
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

async fn another_key(story: &Story) -> String {
    let id = story.repository().await.repository.id;
    store::ingest_keys::insert(&story.services().store, id, None, None, story.clock.now()).await.unwrap().unwrap()
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// What the page shows of the keys.
async fn keys_shown(browser: &Browser) -> String {
    seen(between(&browser.open(PAGE).await, "id=\"keys\"", "</section>"))
}

/// Sends the form of a key's limits; what it is answered.
async fn set_limits(browser: &Browser, key: &str, rate: &str, budget: &str) -> (u16, String) {
    let csrf = browser.get(PAGE).await.hidden("csrf");
    let fields = [("csrf", csrf.as_str()), ("key", key), ("rate", rate), ("budget", budget)];
    let page = browser.post(&format!("{PAGE}/limits"), &fields).await;
    (page.status, page.seen())
}

#[test]
fn a_key_sends_so_many_requests_a_minute_and_beyond_is_told_to_pause() {
    run_test(async |story| {
        let (key, project) = begin(story, &[("KEY_RATE", "4")]).await;
        for _ in 0..4 {
            assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 200);
        }
        let body = format!("{{\"dsn\":\"https://{key}@flawless.test/{project}\"}}\n{{\"type\":\"event\"}}\n{{}}\n");
        let ways = [
            (format!("/api/{project}/envelope/?sentry_key={key}"), body.as_str()),
            (format!("/api/{project}/envelope/"), body.as_str()),
            ("/tunnel".to_owned(), body.as_str()),
            (format!("/api/{project}/store/?sentry_key={key}"), "{}"),
            (format!("/api/{project}/traceback?key={key}"), "ZeroDivisionError: division by zero"),
        ];
        for (path, body) in ways {
            let url = format!("{}{path}", story.url());
            let refused = story.http.post(url).header("Origin", "https://shop.example").body(body.to_owned());
            let refused = refused.send().await.unwrap();
            assert_eq!(refused.status(), 429, "{path}");
            // One more in a quarter of a minute.
            assert_eq!(header(&refused, "retry-after"), "16", "{path}");
            let limits = header(&refused, "x-sentry-rate-limits");
            assert!(limits.starts_with("16:error:key,86400:transaction;"), "{path}: {limits}");
            assert_eq!(header(&refused, "access-control-allow-origin"), "*", "{path}");
            assert_eq!(header(&refused, "access-control-expose-headers"), "X-Sentry-Rate-Limits, Retry-After");
            let said = refused.text().await.unwrap();
            for words in ["more than the 4 requests a minute that it may send", "Retry-After", "Connect an application"]
            {
                assert!(said.contains(words), "{path}: {said}");
            }
        }
        let other = another_key(story).await;
        assert_eq!(send(story, &other, &failure(story, 0, None)).await.status(), 200, "another key has its own");
        story.clock.advance(SignedDuration::from_secs(16));
        assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 200);
        assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 429);
        story.clock.advance(MINUTE);
        for _ in 0..4 {
            assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 200);
        }
        let metrics = story.page("/metrics").await;
        assert!(metrics.contains("flawless_reports_refused_total{reason=\"rate\"} 6\n"), "{metrics}");
        story.settle().await;
        assert_eq!(story.lines().await[0].total, 10, "what was acknowledged, and nothing else");
        story.transcript();
    });
}

#[test]
fn a_key_over_its_rate_is_refused_before_its_body_is_read() {
    run_test(async |story| {
        let (key, project) = begin(story, &[("KEY_RATE", "1")]).await;
        assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 200);
        let mut stream = TcpStream::connect(story.url().trim_start_matches("http://")).await.unwrap();
        let head = format!(
            "POST /api/{project}/envelope/?sentry_key={key} HTTP/1.1\r\nhost: x\r\ncontent-length: 8000000\r\n\r\n{{}}\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer[..read.unwrap()]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        drop(stream);
        story.settle().await;
        story.transcript();
    });
}

#[test]
fn what_is_refused_is_counted_for_the_page_and_said_once_a_minute_in_the_log() {
    run_test(async |story| {
        let (key, _) = begin(story, &[("KEY_RATE", "3"), ("KEY_BUDGET", "2")]).await;
        let browser = Browser::signed_in(story).await;
        let shown = keys_shown(&browser).await;
        let words = "May bring 3 requests a minute, 2 new kinds of errors at once, as the server's configuration says.";
        assert!(shown.contains(words) && !shown.contains("Refused"), "{shown}");
        for n in 0..3 {
            send(story, &key, &failure(story, n, None)).await;
        }
        for _ in 0..20 {
            assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 429);
        }
        let shown = keys_shown(&browser).await;
        for words in [
            "Refused: 1 request in the last 24 hours, because it brought more kinds of errors that were never seen \
             before than it may: at ",
            "Refused: 20 requests in the last 24 hours, because it sent more requests a minute than it may: at ",
        ] {
            assert!(shown.contains(words), "{words:?} in {shown}");
        }
        assert_eq!(story.logged().matches("a key sends more than it may").count(), 1, "{}", story.logged());
        story.clock.advance(MINUTE + SignedDuration::from_secs(1));
        for _ in 0..6 {
            send(story, &key, &failure(story, 0, None)).await;
        }
        assert_eq!(story.logged().matches("a key sends more than it may").count(), 2, "{}", story.logged());
        let shown = keys_shown(&browser).await;
        assert!(shown.contains("Refused: 23 requests in the last 24 hours") && shown.contains("since "), "{shown}");
        assert_eq!(keys_shown(&browser).await, shown, "a look counts nothing");
        story.restart().await;
        let browser = Browser::signed_in(story).await;
        assert!(keys_shown(&browser).await.contains("Refused: 23 requests"), "it is in the database");
        story.later(SignedDuration::from_hours(26)).await;
        let browser = Browser::signed_in(story).await;
        assert!(!keys_shown(&browser).await.contains("Refused"), "a day later nobody has to know");
        story.transcript();
    });
}

#[test]
fn what_is_refused_is_written_without_anybody_looking() {
    run_test(async |story| {
        let (key, _) = begin(story, &[("KEY_RATE", "1")]).await;
        for _ in 0..3 {
            send(story, &key, &failure(story, 0, None)).await;
        }
        let id = story.repository().await.repository.id;
        let mut written = Vec::new();
        for _ in 0..200 {
            written = store::ingest_keys::of_repository_since(&story.services().store, id, story.clock.now() - MINUTE)
                .await
                .unwrap();
            if !written.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(written.iter().map(|row| row.refused.count).collect::<Vec<_>>(), [2]);
        story.settle().await;
        story.transcript();
    });
}

#[test]
fn a_key_has_limits_of_its_own_by_page_and_terminal() {
    run_test(async |story| {
        let (key, _) = begin(story, &[("KEY_RATE", "2"), ("KEY_BUDGET", "1")]).await;
        let other = another_key(story).await;
        let browser = Browser::signed_in(story).await;
        let (status, said) = set_limits(&browser, &key, "many", "").await;
        assert_eq!(status, 400);
        assert!(said.contains("No limit was changed: \"many\" is not a number of requests a minute"), "{said}");
        let (status, said) = set_limits(&browser, &key, "7", "100001").await;
        assert!(status == 400 && said.contains("from 1 to 100000, 0 for no limit"), "{said}");
        assert_eq!(set_limits(&browser, "ab12", "7", "7").await.0, 400, "a key of somebody else");
        // In force at once.
        for n in 0..2 {
            send(story, &key, &failure(story, n, None)).await;
        }
        assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 429);
        assert_eq!(set_limits(&browser, &key, "5", " 1,000 ").await.0, 303);
        let page = seen(&browser.open(&format!("{PAGE}?done=limited")).await);
        assert!(page.contains("The key's limits were set."), "{page}");
        let shown = keys_shown(&browser).await;
        assert!(shown.contains("May bring 5 requests a minute, 1,000 new kinds of errors at once."), "{shown}");
        assert_eq!(send(story, &key, &failure(story, 1, None)).await.status(), 200);
        // By the terminal, which is another process: within a second. What is left out stays.
        let said = story.command(&["repository", "key", "limit", &other, "--rate", "0"]);
        let words = "It may bring any number of requests a minute, 1 new kind of error at once.";
        assert!(said.contains(words), "{said}");
        story.services().epoch().turn();
        for _ in 0..20 {
            assert_eq!(send(story, &other, &failure(story, 0, None)).await.status(), 200);
        }
        let said = story.command(&["repository", "keys", "acme/shop"]);
        assert!(said.contains("may bring any number of requests a minute"), "{said}");
        let said = story.command(&["repository", "key", "limit", &other, "--rate", "default"]);
        assert!(said.contains("2 requests a minute, 1 new kind of error at once, as the server's"), "{said}");
        story.services().epoch().turn();
        assert_eq!(send(story, &other, &failure(story, 0, None)).await.status(), 200);
        assert_eq!(send(story, &other, &failure(story, 0, None)).await.status(), 200);
        assert_eq!(send(story, &other, &failure(story, 0, None)).await.status(), 429);
        story.settle().await;
        story.transcript();
    });
}

#[test]
fn a_test_report_is_sent_whatever_its_key_has_used_up() {
    run_test(async |story| {
        let (key, _) = begin(story, &[("KEY_RATE", "1")]).await;
        send(story, &key, &failure(story, 0, None)).await;
        assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 429);
        let browser = Browser::signed_in(story).await;
        let csrf = browser.get(PAGE).await.hidden("csrf");
        assert_eq!(browser.post(&format!("{PAGE}/test"), &[("csrf", &csrf)]).await.status, 303);
        story.settle().await;
        assert!(browser.open(PAGE).await.contains("Blamed"));
        story.transcript();
    });
}

#[test]
fn a_report_that_is_sent_again_counts_once() {
    run_test(async |story| {
        let (key, _) = begin(story, &[]).await;
        let event = failure(story, 0, Some(ID));
        for _ in 0..3 {
            assert_eq!(answered(story, &key, &event).await, json!({ "id": ID }), "as if it were the first");
        }
        // The same id, as other clients write it; also where it stands beside the event.
        let written = "01234567-89AB-CDEF-0123-456789ABCDEF";
        assert_eq!(answered(story, &key, &failure(story, 0, Some(written))).await, json!({ "id": ID }));
        let body = format!("{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"event\"}}\n{}\n", failure(story, 0, None));
        let path = format!("{}/api/{}/envelope/?sentry_key={key}", story.url(), story.key().await.1);
        assert_eq!(story.http.post(path).body(body).send().await.unwrap().status(), 200);
        // Another id, no id, the id that says nothing, and another key's.
        let mut counted = 1;
        for id in [Some("f".repeat(32)), None, None, Some("0".repeat(32)), Some("0".repeat(32))] {
            answered(story, &key, &failure(story, 0, id.as_deref())).await;
            counted += 1;
        }
        let other = another_key(story).await;
        answered(story, &other, &event).await;
        answered(story, &other, &event).await;
        counted += 1;
        story.settle().await;
        assert_eq!(story.lines().await[0].total, counted);
        let metrics = story.page("/metrics").await;
        assert!(metrics.contains("flawless_reports_resent_total 5\n"), "{metrics}");
        assert!(metrics.contains(&format!("flawless_reports_accepted_total {counted}\n")), "{metrics}");
        // It is known for a day, and to this process.
        story.clock.advance(SignedDuration::from_hours(23));
        answered(story, &key, &event).await;
        story.settle().await;
        assert_eq!(story.lines().await[0].total, counted);
        story.restart().await;
        assert_eq!(send(story, &key, &event).await.status(), 200);
        story.settle().await;
        assert_eq!(story.lines().await[0].total, counted + 1, "a restart forgets");
        story.transcript();
    });
}

#[test]
fn a_report_that_was_refused_is_counted_when_it_is_sent_again() {
    run_test(async |story| {
        let (key, _) = begin(story, &[("KEY_RATE", "2"), ("KEY_BUDGET", "1")]).await;
        assert_eq!(send(story, &key, &failure(story, 0, None)).await.status(), 200);
        let event = failure(story, 1, Some(ID));
        assert_eq!(send(story, &key, &event).await.status(), 429, "its budget is used up");
        assert_eq!(send(story, &key, &event).await.status(), 429, "and its rate");
        story.clock.advance(SignedDuration::from_mins(15));
        assert_eq!(send(story, &key, &event).await.status(), 200);
        assert_eq!(send(story, &key, &event).await.status(), 200);
        story.settle().await;
        let mut totals: Vec<u64> = story.lines().await.iter().map(|line| line.total).collect();
        totals.sort_unstable();
        assert_eq!(totals, [1, 1]);
        story.transcript();
    });
}

#[test]
fn two_of_the_same_at_the_same_moment_are_never_lost() {
    run_test(async |story| {
        let (key, _) = begin(story, &[]).await;
        let event = failure(story, 0, Some(ID));
        let (one, other) = tokio::join!(send(story, &key, &event), send(story, &key, &event));
        assert_eq!((one.status().as_u16(), other.status().as_u16()), (200, 200));
        story.settle().await;
        let total = story.lines().await[0].total;
        assert!((1..=2).contains(&total), "{total}");
        assert_eq!(send(story, &key, &event).await.status(), 200);
        story.settle().await;
        assert_eq!(story.lines().await[0].total, total);
        story.transcript();
    });
}
