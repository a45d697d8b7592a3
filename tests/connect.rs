//! Connecting an application: the page with its snippets, the test report that bothers nobody, and
//! keys that can be revoked.

use crate::harness::browser::{Browser, between, seen};
use crate::harness::story::{REPO, Story, run_test};
use jiff::SignedDuration;

const PAGE: &str = "/acme/shop/connect";

/// Presses a button of the page; answers where it leads.
async fn press(browser: &Browser, button: &str, fields: &[(&str, &str)]) -> String {
    let csrf = browser.get(PAGE).await.hidden("csrf");
    let all: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
    let page = browser.post(&format!("{PAGE}/{button}"), &all).await;
    assert_eq!(page.status, 303, "{}", page.text);
    page.location
}

/// A section of the page by its id, as a reader sees it.
fn section(page: &str, id: &str) -> String {
    seen(between(page, &format!("id=\"{id}\""), "</section>"))
}

/// What the database has of reports, lines and messages: rows by table.
async fn rows(story: &Story) -> (usize, Vec<(i64, u64)>) {
    let counts = store::deliveries::count_pending_and_given_up(&story.services().store).await.unwrap();
    let lines = story.lines().await.into_iter().map(|line| (line.id.0, line.total)).collect();
    (usize::try_from(counts.0 + counts.1).unwrap(), lines)
}

async fn post(story: &Story, path: &str, auth: Option<&str>, body: &str) -> (u16, String) {
    let mut request = story.http.post(format!("{}{path}", story.url())).body(body.to_owned());
    if let Some(key) = auth {
        request =
            request.header("X-Sentry-Auth", format!("Sentry sentry_key={key}, sentry_client=sentry.python/2.75.0"));
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[test]
fn the_page_has_the_dsn_in_a_snippet_for_each_language() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let dsn = format!("https://{key}@flawless.test/{project}");
        assert_eq!(Browser::new(story).get(PAGE).await.location, "/login?next=%2Facme%2Fshop%2Fconnect");
        let browser = Browser::signed_in(story).await;
        let page = browser.open(PAGE).await;
        for language in ["python", "node", "browser", "ruby", "go", "java", "php", "rust", "cron"] {
            let from = page.split_once(&format!("class=\"snippet\" id=\"{language}\"")).expect(language).1;
            let snippet = from.split_once("</details>").unwrap().0;
            assert!(snippet.contains(&dsn), "{language}: {snippet}");
            assert!(snippet.to_lowercase().contains("release"), "{language} does not say the release");
            assert!(language == "cron" || snippet.contains("<h3>Test</h3>"), "{language}");
        }
        let curl = page.split_once("id=\"curl\"").unwrap().1;
        assert!(curl.contains(&format!("Bearer {key}")) && curl.contains(&format!("/api/{project}/traceback")));
        assert!(section(&page, "arrivals").contains("No report came yet."));
        // The ways that lead here.
        for path in ["/acme/shop", "/installed", "/"] {
            assert!(browser.open(path).await.contains("href=\"/acme/shop/connect\""), "{path}");
        }
        assert!(!browser.open("/acme/shop").await.contains("sentry_sdk"), "the snippets stand in one place");
    });
}

#[test]
fn a_test_report_shows_line_author_and_whom_it_would_have_told_and_leaves_nothing() {
    run_test(async |story| {
        story.install().await;
        let before = rows(story).await;
        let browser = Browser::signed_in(story).await;
        assert_eq!(press(&browser, "test", &[]).await, "/acme/shop/connect#test");
        let waiting = browser.open(PAGE).await;
        // To the same address a browser would not go.
        let look = format!("content=\"2; url=/acme/shop/connect?look={}#test\"", story.clock.now().as_millis());
        assert!(waiting.contains("http-equiv=\"refresh\"") && waiting.contains(&look), "{waiting}");
        assert!(section(&waiting, "test").contains("Its line is being looked for"));
        story.settle().await;
        let page = browser.open(PAGE).await;
        assert!(!page.contains("http-equiv"), "nothing is awaited any more");
        let told = section(&page, "test");
        for words in [
            "Blamed shop/cart.py:3",
            "PRICES = {'apple': 120}",
            "Written by Ada Lovelace <ada@example.com> in",
            "The report comes from commit",
            "Mail would go to ada@example.com You wrote this line.",
            "takes mail from flawless@flawless.test",
            "Issue An issue on GitHub, assigned to ada.",
            "Nothing was sent, filed or counted.",
        ] {
            assert!(told.contains(words), "{words:?} in {told}");
        }
        assert_eq!(rows(story).await, before, "no line, no delivery");
        story.assert_silent("it is a test");
        let week = browser.open("/get_weekly_error_report?repo=acme%2Fshop").await;
        assert!(!week.contains("FlawlessTestReport") && week.contains("No errors in this week"));
        assert!(section(&page, "arrivals").contains("No report came yet."), "it is no report of an application");
        // Twice is as good as once, and a real report afterwards is told as ever.
        story.clock.advance(SignedDuration::from_secs(10));
        press(&browser, "test", &[]).await;
        story.settle().await;
        assert!(section(&browser.open(PAGE).await, "test").contains("Blamed shop/cart.py:3"));
        assert_eq!(rows(story).await, before);
        story.fails(1).await;
        story.assert_usual_alert();
    });
}

#[test]
fn two_test_reports_under_way_bother_nobody() {
    run_test(async |story| {
        story.install().await;
        let browser = Browser::signed_in(story).await;
        press(&browser, "test", &[]).await;
        story.clock.advance(SignedDuration::from_mins(1));
        press(&browser, "test", &[]).await;
        story.settle().await;
        assert!(section(&browser.open(PAGE).await, "test").contains("Blamed shop/cart.py:3"));
        story.assert_silent("no line, no alert");
        assert!(story.lines().await.is_empty());
    });
}

#[test]
fn a_test_report_obeys_the_settings() {
    run_test(async |story| {
        let settings = "report_only_after_minimum_date: 2026-06-01\nemail: { default_contact: oncall@example.com }\n\
                        watchers: [{ email: lead@example.com, path: shop/ }]\nissues: { assign: false }\n";
        story.commit(
            "Grace Hopper <grace@example.com>",
            "2026-02-01T10:00:00Z",
            &[(".github/flawless.yml", settings)],
            "Settings",
        );
        story.install().await;
        let browser = Browser::signed_in(story).await;
        press(&browser, "test", &[]).await;
        story.settle().await;
        let told = section(&browser.open(PAGE).await, "test");
        for words in [
            "Nobody would be told at once: the line was last changed before report_only_after_minimum_date.",
            "ada@example.com You wrote this line. lead@example.com You watch shop/.",
            "assigned to nobody. the settings say issues: { assign: false }",
        ] {
            assert!(told.contains(words), "{words:?} in {told}");
        }
    });
}

#[test]
fn without_a_mirror_the_test_report_says_why() {
    run_test(async |story| {
        story.github.install("acme", &[REPO]);
        // The server has no such repository as long as it is not served.
        story.git.host.accept_only(&["another token"]);
        story.settle().await;
        let browser = Browser::signed_in(story).await;
        press(&browser, "test", &[]).await;
        story.settle().await;
        let told = section(&browser.open(PAGE).await, "test");
        for words in ["No line was blamed", "The repository could not be mirrored:", "would go to nobody"] {
            assert!(told.contains(words), "{words:?} in {told}");
        }
        assert!(story.lines().await.is_empty());
        story.git.host.accept_any();
        story.later(SignedDuration::from_hours(1)).await;
        press(&browser, "test", &[]).await;
        story.settle().await;
        assert!(section(&browser.open(PAGE).await, "test").contains("Blamed shop/cart.py:3"));
    });
}

#[test]
fn a_client_cannot_make_its_report_a_test() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["exception"]["values"][0]["type"] = "FlawlessTestReport".into();
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] FlawlessTestReport in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: FlawlessTestReport in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn buttons_need_the_form_of_the_page() {
    run_test(async |story| {
        story.install().await;
        let (key, _) = story.key().await;
        let browser = Browser::signed_in(story).await;
        for button in ["test", "key", "revoke"] {
            let path = format!("{PAGE}/{button}");
            let forged = browser.post(&path, &[("csrf", "forged"), ("key", &key)]).await;
            assert_eq!(forged.status, 403, "{button}");
            let page = Browser::new(story).post(&path, &[("csrf", "")]).await;
            assert_eq!((page.status, page.location.as_str()), (303, "/login?next=%2Facme%2Fshop%2Fconnect"));
        }
        assert_eq!(story.key().await.0, key, "nothing was revoked");
        assert_eq!(
            store::ingest_keys::of_repository(&story.services().store, domain::ids::RepositoryId(story.key().await.1))
                .await
                .unwrap()
                .len(),
            1
        );
    });
}

#[test]
fn a_revoked_key_is_refused_by_its_name_and_the_others_work() {
    run_test(async |story| {
        story.install().await;
        let (first, project) = story.key().await;
        let event = story.event();
        assert_eq!(story.send_to(story.url(), &first, project, &event).await, 200);
        story.settle().await;
        story.assert_usual_alert();
        let browser = Browser::signed_in(story).await;
        assert_eq!(press(&browser, "key", &[("label", "  web <1> ")]).await, "/acme/shop/connect?done=made#keys");
        let id = domain::ids::RepositoryId(project);
        let keys = store::ingest_keys::of_repository(&story.services().store, id).await.unwrap();
        assert_eq!(keys.len(), 2);
        let second = keys.iter().find(|row| row.label.as_deref() == Some("web <1>")).unwrap().key.clone();
        assert_eq!(story.send_to(story.url(), &second, project, &event).await, 200);
        let shown = section(&browser.open(PAGE).await, "keys");
        assert!(shown.contains("web <1>") && !shown.contains("not yet"), "{shown}");
        let page = browser.open("/acme/shop/connect?done=made").await;
        assert!(page.contains("The key was made.") && page.contains("Revoke this key"));

        press(&browser, "revoke", &[("key", &first)]).await;
        let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let (status, said) = post(story, &format!("/api/{project}/envelope/"), Some(&first), &envelope).await;
        assert!(
            status == 403 && said.contains("the key was revoked on 20"),
            "at once, in this process: {status} {said}"
        );
        assert_eq!(story.send_to(story.url(), &second, project, &event).await, 200);
        let page = browser.open(PAGE).await;
        let shown = section(&page, "keys");
        assert!(shown.contains("revoked 20") && shown.contains(&first), "{shown}");
        assert!(!page.contains(&format!("dsn=\"https://{first}@")), "snippets name a key in force");
        assert!(section(&page, "arrivals").contains("the key was revoked on"), "somebody still uses it");
        let other = press(&browser, "revoke", &[("key", &second)]).await;
        assert_eq!(other, "/acme/shop/connect?done=revoked&reports=0&occurrences=0&lines=0#keys");
        let page = browser.open(PAGE).await;
        assert!(page.contains("Every key is revoked") && !page.contains("Send a test report"), "{page}");
        // GitHub telling of the repository again makes no key behind the admin's back.
        story.later(SignedDuration::from_hours(1)).await;
        assert!(store::ingest_keys::in_force(&story.services().store, id).await.unwrap().is_empty());
        story.settle().await;
    });
}

#[test]
fn what_was_refused_is_shown_with_its_reason() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let at = format!("/api/{project}/envelope/");
        for _ in 0..3 {
            assert_eq!(post(story, &at, Some(&"0".repeat(32)), "{}").await.0, 403);
        }
        assert_eq!(post(story, &at, None, "{}\n").await.0, 403);
        assert_eq!(post(story, &at, Some(&key), "garbage").await.0, 400);
        assert_eq!(post(story, &at, Some(&key), &"x".repeat(9 << 20)).await.0, 413);
        assert_eq!(post(story, &at, Some(&key), "{}\n{\"type\":\"session\"}\n{}\n").await.0, 200);
        assert_eq!(post(story, "/api/4711/envelope/", Some(&key), "{}").await.0, 404);
        let shown = section(&Browser::signed_in(story).await.open(PAGE).await, "arrivals");
        for words in [
            "the key is not one of this project's keys sentry.python/2.75.0 3 ",
            "the request names no key",
            "the envelope's header is not a JSON object",
            "8388608 bytes",
            "1 requests had no error in them",
        ] {
            assert!(shown.contains(words), "{words:?} in {shown}");
        }
    });
}

#[test]
fn a_real_report_is_seen_arriving() {
    run_test(async |story| {
        story.install().await;
        let browser = Browser::signed_in(story).await;
        let page = browser.open(PAGE).await;
        let watch =
            page.split_once("href=\"/acme/shop/connect?watch=").unwrap().1.split_once('#').unwrap().0.to_owned();
        let watching = format!("{PAGE}?watch={watch}");
        let page = browser.open(&watching).await;
        assert!(page.contains(&format!("content=\"2; url={watching}&amp;look=")), "{page}");
        story.clock.advance(SignedDuration::from_secs(3));
        story.fails(1).await;
        let page = browser.open(&watching).await;
        assert!(!page.contains("http-equiv"), "it came: {page}");
        let shown = section(&page, "arrivals");
        let head = story.repo.head();
        for words in ["KeyError just arrived shop/cart.py:9 Ada Lovelace", "sentry.python/2.75.0", &head[..7]] {
            assert!(shown.contains(words), "{words:?} in {shown}");
        }
        // Left out by the settings is an answer, too.
        story.restart().await;
        let browser = Browser::signed_in(story).await;
        let shown = section(&browser.open(PAGE).await, "arrivals");
        assert!(shown.contains("KeyError shop/cart.py:9"), "from the database, after a restart: {shown}");
        let waited = story.clock.now().as_millis();
        story.clock.advance(SignedDuration::from_secs(301));
        let page = browser.open(&format!("{PAGE}?watch={waited}")).await;
        assert!(!page.contains("http-equiv"), "the wait is bounded");
        story.assert_usual_alert();
    });
}

#[test]
fn a_report_that_the_settings_drop_says_so() {
    run_test(async |story| {
        story.commit(
            "Grace Hopper <grace@example.com>",
            "2026-02-01T10:00:00Z",
            &[(".github/flawless.yml", "ignored_exceptions: [KeyError]\n")],
            "Settings",
        );
        story.install().await;
        story.fails(1).await;
        let shown = section(&Browser::signed_in(story).await.open(PAGE).await, "arrivals");
        assert!(shown.contains("KeyError Not counted: ignored_exceptions"), "{shown}");
    });
}

#[test]
fn keys_are_made_listed_and_revoked_in_the_terminal() {
    run_test(async |story| {
        story.install().await;
        let (first, project) = story.key().await;
        let made = story.command(&["repository", "key", "add", "acme/shop", "--label", "worker"]);
        let dsn = made.trim().strip_prefix("DSN: ").expect("a DSN").to_owned();
        assert!(dsn.ends_with(&format!("@flawless.test/{project}")), "{made}");
        let key = dsn.strip_prefix("https://").unwrap().split('@').next().unwrap();
        let event = story.event();
        assert_eq!(story.send_to(story.url(), key, project, &event).await, 200);
        story.settle().await;
        story.assert_usual_alert();
        let revoked = story.command(&["repository", "key", "revoke", &dsn]);
        assert!(revoked.contains("Revoked."), "{revoked}");
        let listed = story.command(&["repository", "keys", "acme/shop"]);
        assert!(listed.contains(&first) && listed.contains("\"worker\"") && listed.contains("revoked 20"), "{listed}");
        // As the running server does within a second.
        story.services().epoch().turn();
        assert_eq!(story.send_to(story.url(), key, project, &event).await, 403);
        story.settle().await;
    });
}
