//! The routes for programs over real HTTP: what clients, GitHub and Prometheus are answered.

use crate::harness::browser::Browser;
use crate::harness::story::{CART_PATH, Story, run_test};
use reqwest::{Method, Response};
use serde_json::Value;

/// What a test looks at of an answer.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The sentence of a refusal, which has the headers of every answer to a client.
    fn refusal(&self) -> String {
        self.has_client_headers();
        self.json()["detail"].as_str().unwrap().to_owned()
    }

    fn has_client_headers(&self) {
        let limits = self.header("x-sentry-rate-limits");
        assert!(limits.starts_with("86400:transaction;") && limits.ends_with(":organization"), "{limits}");
        assert_eq!(self.header("access-control-allow-origin"), "*");
        assert!(self.header("access-control-expose-headers").contains("X-Sentry-Rate-Limits"));
    }
}

async fn send(
    story: &Story,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Answer {
    let mut request = story.http.request(method, format!("{}{path}", story.url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}

async fn post(story: &Story, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    send(story, Method::POST, path, &[], body).await
}

fn envelope(header: &str, event: &Value) -> String {
    format!("{header}\n{{\"type\":\"event\"}}\n{event}\n")
}

/// Value of a series of the metrics.
async fn metric(story: &Story, series: &str) -> Option<String> {
    let headers = [("authorization", "Bearer admin-token-of-the-tests")];
    let answer = send(story, Method::GET, "/metrics", &headers, "").await;
    assert_eq!(answer.status, 200);
    let value = |line: &str| Some(line.strip_prefix(series)?.strip_prefix(' ')?.to_owned());
    answer.text.lines().find_map(value)
}

#[test]
fn each_way_to_show_a_key_is_taken() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        let id = "0123456789abcdef0123456789abcdef";
        let by_query = format!("/api/{project}/envelope/?sentry_version=7&sentry_key={key}");
        let header = r#"{"event_id":"01234567-89ab-cdef-0123-456789abcdef"}"#;
        let answer = post(story, &by_query, envelope(header, &event)).await;
        assert_eq!((answer.status, answer.json()["id"].as_str()), (200, Some(id)), "{}", answer.text);
        answer.has_client_headers();
        let dsn = format!(r#"{{"dsn":"https://{key}@flawless.test/{project}"}}"#);
        for path in ["/tunnel".to_owned(), format!("/api/{project}/envelope/"), format!("/api/{project}/envelope")] {
            let answer = post(story, &path, envelope(&dsn, &event)).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            assert_eq!(answer.json()["id"].as_str().unwrap().len(), 32);
        }
        let sentry = format!("Sentry sentry_key={key}, sentry_version=7");
        for name in ["x-sentry-auth", "authorization"] {
            let path = format!("/api/{project}/store/");
            let answer = send(story, Method::POST, &path, &[(name, &sentry)], event.to_string()).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        }
        story.settle().await;
        assert_eq!(story.lines().await[0].total, 6);
        story.assert_usual_alert();
        assert_eq!(metric(story, "flawless_reports_accepted_total").await.as_deref(), Some("6"));
        assert_eq!(metric(story, "flawless_reports_repeated_total").await.as_deref(), Some("5"));
    });
}

#[test]
fn each_refusal_says_why_and_is_counted() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        let good = format!("/api/{project}/envelope/?sentry_key={key}");
        let other = format!("/api/{project}/envelope/?sentry_key={}", "0".repeat(32));
        let body = envelope("{}", &event);
        let cases = [
            (other, body.clone(), 403, "not one of this project's keys"),
            (format!("/api/{project}/envelope/"), body.clone(), 403, "names no key"),
            (format!("/api/99/envelope/?sentry_key={key}"), body.clone(), 404, "no such project"),
            (format!("/api/shop/envelope/?sentry_key={key}"), body.clone(), 404, "no such project"),
            (format!("/api/%ff/envelope/?sentry_key={key}"), body.clone(), 404, "no such project"),
            (format!("/api/{}0/envelope/?sentry_key={key}", i64::MAX), body, 404, "no such project"),
            (good.clone(), "not an envelope".to_owned(), 400, "envelope"),
            (good.clone(), "{}\n{\"type\":\"event\",\"length\":99}\n{}".to_owned(), 400, "item 1"),
            (good.clone(), "x".repeat(8 * 1024 * 1024 + 1), 413, "8388608 bytes"),
            ("/tunnel".to_owned(), envelope("{}", &event), 403, "names no key"),
        ];
        for (path, body, status, says) in cases {
            let answer = post(story, &path, body).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            let detail = answer.refusal();
            assert!(detail.contains(says), "{path}: {detail}");
        }
        let packed = send(story, Method::POST, &good, &[("content-encoding", "lzma")], "x").await;
        assert_eq!((packed.status, packed.refusal().contains("lzma")), (415, true));
        let got = send(story, Method::GET, &good, &[], "").await;
        assert_eq!((got.status, got.header("allow")), (405, "POST, OPTIONS"));
        got.refusal();
        let tunnel = send(story, Method::GET, "/tunnel", &[], "").await;
        assert_eq!((tunnel.status, tunnel.header("allow")), (405, "POST, OPTIONS"));
        let nowhere = send(story, Method::GET, "/api/shop/store/", &[], "").await;
        assert_eq!(nowhere.status, 404, "no project comes before the method: {}", nowhere.text);
        let elsewhere = post(story, "/api/1/minidump/", "").await;
        assert_eq!(elsewhere.status, 404);
        assert!(elsewhere.json()["detail"].is_string(), "a program reads this");
        assert!(story.lines().await.is_empty());
        for (reason, count) in
            [("key", 3), ("project", 5), ("malformed", 2), ("too_large", 1), ("encoding", 1), ("method", 2)]
        {
            let series = format!("flawless_reports_refused_total{{reason=\"{reason}\"}}");
            assert_eq!(metric(story, &series).await, Some(count.to_string()), "{reason}");
        }
    });
}

#[test]
fn what_is_no_error_is_accepted_and_dropped() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let path = format!("/api/{project}/envelope/?sentry_key={key}");
        let session = "{}\n{\"type\":\"session\"}\n{\"sid\":\"x\"}\n{\"type\":\"of-tomorrow\"}\n{}\n";
        let answer = post(story, &path, session).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
        answer.has_client_headers();
        let info = serde_json::json!({"message": "started", "level": "info"});
        assert_eq!(post(story, &path, envelope("{}", &info)).await.status, 200);
        story.settle().await;
        assert!(story.lines().await.is_empty());
        assert_eq!(metric(story, "flawless_items_ignored_total").await.as_deref(), Some("2"));
        assert_eq!(metric(story, "flawless_reports_accepted_total").await.as_deref(), Some("0"));
    });
}

#[test]
fn a_browser_may_ask_first() {
    run_test(async |story| {
        // No project, no key: a preflight has neither.
        let answer = send(story, Method::OPTIONS, "/api/1/envelope/", &[("origin", "https://shop.example")], "").await;
        assert_eq!(answer.status, 204);
        answer.has_client_headers();
        assert!(answer.header("access-control-allow-methods").contains("POST"));
        assert!(answer.header("access-control-allow-headers").contains("Authorization"));
        assert_eq!(metric(story, "flawless_reports_refused_total{reason=\"method\"}").await.as_deref(), Some("0"));
    });
}

#[test]
fn a_printed_traceback_finds_its_line() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let path = format!("/api/{project}/traceback");
        let release = story.repo.head();
        let text = format!(
            "some log\nTraceback (most recent call last):\n  File \"/srv/app/{CART_PATH}\", line 9, in total\n    amount += PRICES[sku]\nKeyError: 'quince'\n"
        );
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
        let told = format!("{path}?release={release}&environment=batch&server_name=cron-1&count=3");
        let answer = send(story, Method::POST, &told, &headers, text.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["id"].as_str().unwrap().len(), 32);
        let by_name = format!("{path}?release={release}&key={key}");
        assert_eq!(post(story, &by_name, text.clone()).await.status, 200);
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.place.path.as_str(), line.place.line, line.total), (CART_PATH, 9, 4));
        assert_eq!(store::lines::counts(&story.services().store, &line).await.unwrap().servers, ["cron-1"]);
        story.assert_usual_alert();

        let unread = send(story, Method::POST, &path, &headers, "it broke").await;
        assert_eq!(unread.status, 400);
        let detail = unread.refusal();
        for language in ["Python", "Node", "Ruby", "Java", "Go", "Rust"] {
            assert!(detail.contains(language), "{language}: {detail}");
        }
        let bad = send(story, Method::POST, &format!("{path}?count=many"), &headers, text.clone()).await;
        assert_eq!((bad.status, bad.refusal().contains("count")), (400, true));
        assert_eq!(post(story, &path, text).await.status, 403);
    });
}

#[test]
fn a_count_that_no_client_means_harms_nobody() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["contexts"] = serde_json::json!({"flawless": {"count": u64::MAX}});
        let (key, project) = story.key().await;
        for _ in 0..3 {
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        }
        story.settle().await;
        assert_eq!(story.lines().await[0].total, 3_000_000);
        story.assert_usual_alert();
    });
}

#[test]
fn webhooks_are_believed_by_their_signature_only() {
    run_test(async |story| {
        story.install().await;
        let path = "/api/github/webhooks";
        let named = [("x-github-event", "ping"), ("x-github-delivery", "1")];
        let unsigned = send(story, Method::POST, path, &named, "{}").await;
        assert_eq!(unsigned.status, 401, "{}", unsigned.text);
        let wrong = format!("sha256={}", "0".repeat(64));
        let headers = [named[0], named[1], ("x-hub-signature-256", wrong.as_str())];
        // Not JSON either, which nobody finds out before the signature is right.
        assert_eq!(send(story, Method::POST, path, &headers, "not JSON").await.status, 401);
        assert_eq!(metric(story, "flawless_webhooks_total{result=\"refused\"}").await.as_deref(), Some("2"));
        assert_eq!(metric(story, "flawless_webhooks_total{result=\"stored\"}").await.as_deref(), Some("1"));
        assert_eq!(send(story, Method::GET, path, &[], "").await.status, 405);
    });
}

#[test]
fn a_webhook_where_there_is_no_app_says_so() {
    run_test(async |story| {
        for name in ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"] {
            story.unset(name);
        }
        story.restart().await;
        let answer = post(story, "/api/github/webhooks", "{}").await;
        assert_eq!(answer.status, 503);
        assert!(answer.text.contains("no GitHub App here") && answer.text.contains("APP_ID"), "{}", answer.text);
    });
}

#[test]
fn machines_are_told_how_the_server_is() {
    run_test(async |story| {
        for path in ["/healthz", "/readyz"] {
            let answer = send(story, Method::GET, path, &[], "").await;
            assert_eq!((answer.status, answer.text.as_str()), (200, "ok"), "{path}");
        }
        let stranger = send(story, Method::GET, "/check_health", &[], "").await;
        assert_eq!((stranger.status, stranger.json()["up"].as_bool()), (200, Some(true)));
        assert_eq!(stranger.json()["configuration"], Value::Null);
        assert!(stranger.json()["checks"]["Mirrors"].is_null(), "{}", stranger.text);
        let token = [("authorization", "Bearer admin-token-of-the-tests")];
        let admin = send(story, Method::GET, "/check_health", &token, "").await;
        assert!(admin.json()["configuration"].is_object() && admin.json()["checks"]["Mirrors"].is_object());
        assert!(!admin.text.contains("admin-token-of-the-tests"), "a secret: {}", admin.text);
        assert!(!admin.text.contains("PRIVATE KEY"), "a secret: {}", admin.text);
        let page = send(story, Method::GET, "/check_health", &[("accept", "text/html,*/*")], "").await;
        assert!(page.header("content-type").starts_with("text/html"));
        let closed = send(story, Method::GET, "/metrics", &[], "").await;
        assert_eq!((closed.status, closed.header("www-authenticate").starts_with("Bearer")), (401, true));
        assert_eq!(metric(story, "flawless_database_up").await.as_deref(), Some("1"));
        assert_eq!(metric(story, "flawless_jobs").await.as_deref(), Some("0"));
    });
}

#[test]
fn below_a_path_everything_is_below_it() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        story.set("PUBLIC_URL", "https://flawless.test/errors/v2");
        story.restart().await;
        let event = story.event();
        let path = format!("/errors/v2/api/{project}/envelope/?sentry_key={key}");
        assert_eq!(post(story, &path, envelope("{}", &event)).await.status, 200);
        let token = [("authorization", "Bearer admin-token-of-the-tests")];
        for path in ["/errors/v2", "/errors/v2/", "/errors/v2/acme/shop", "/errors/v2/get_weekly_error_report"] {
            let page = send(story, Method::GET, path, &token, "").await;
            assert_eq!(page.status, 200, "{path}");
            assert!(page.text.contains("href=\"/errors/v2/static/style.css"), "{path}");
        }
        let shop = send(story, Method::GET, "/errors/v2/acme/shop", &token, "").await;
        assert!(shop.text.contains(&format!("https://{key}@flawless.test/errors/v2/{project}")));
        for path in ["/healthz", "/readyz", "/errors/v2/healthz", "/errors/v2/static/style.css"] {
            assert_eq!(send(story, Method::GET, path, &[], "").await.status, 200, "{path}");
        }
        let outside = send(story, Method::GET, "/acme/shop", &token, "").await;
        assert_eq!((outside.status, outside.text.contains("no page at this address")), (404, true));
        // The fake GitHub delivers to the root.
        story.set("PUBLIC_URL", "https://flawless.test");
        story.restart().await;
        story.settle().await;
        assert_eq!(story.lines().await.len(), 1);
        story.assert_usual_alert();
    });
}

#[test]
fn a_few_cookies_of_a_session_are_looked_up_and_no_more() {
    run_test(async |story| {
        let browser = Browser::new(story);
        let page = browser.post("/login", &[("token", "admin-token-of-the-tests")]).await;
        let cookie = page.set_cookie.split(';').next().unwrap();
        assert!(cookie.starts_with("flawless_session="), "{cookie}");
        let others = |count: usize| "flawless_session=x; ".repeat(count);
        for (before, is_signed_in) in [(0, true), (3, true), (4, false), (1_200, false)] {
            let cookies = format!("{}{cookie}", others(before));
            let answer = send(story, Method::GET, "/sessions", &[("cookie", cookies.as_str())], "").await;
            let says_who = answer.text.contains("/sessions/end");
            assert_eq!((answer.status, says_who), (200, is_signed_in), "{before} others before it");
        }
    });
}
