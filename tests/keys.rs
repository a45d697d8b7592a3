//! Keys: how much one may bring, who waits for whom, and what ends with a key that is revoked.

use crate::harness::browser::Browser;
use crate::harness::fake_github::Fault;
use crate::harness::git_repo::ADA;
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::smtp::Received;
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use domain::timestamp::HOUR;
use jiff::SignedDuration;
use reqwest::Response;
use serde_json::Value;

/// Sends a failure of function `a…` as an SDK does.
async fn send(story: &Story, key: &str, n: usize) -> Response {
    let project = story.key().await.1;
    let event = failure(story, n);
    let body = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
    let path = format!("{}/api/{project}/envelope/?sentry_key={key}", story.url());
    story.http.post(path).body(body).send().await.unwrap()
}

fn failure(story: &Story, n: usize) -> Value {
    story.event_at(&story.repo.head(), "shop/a.py", &format!("x.a_{n}"), &format!("a{n}"), "web-1")
}

/// So many functions, and the App.
async fn begin(story: &mut Story, count: usize) -> String {
    story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", count))], "Add a");
    story.install().await;
    story.key().await.0
}

/// Another key of the repository.
async fn another_key(story: &Story) -> String {
    let id = story.repository().await.repository.id;
    store::ingest_keys::insert(&story.services().store, id, None, None, story.clock.now()).await.unwrap().unwrap()
}

#[test]
fn what_a_key_brings_that_was_never_seen_has_a_budget() {
    run_test(async |story| {
        story.set("KEY_BUDGET", "3");
        story.restart().await;
        let key = begin(story, 9).await;
        for n in 0..3 {
            assert_eq!(send(story, &key, n).await.status(), 200);
        }
        let refused = send(story, &key, 3).await;
        assert_eq!(refused.status(), 429);
        let header = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
        // Not for the third of a quarter of an hour until there is one more: what is known is kept
        // back for as long.
        assert_eq!(header("retry-after"), "10");
        let limits = header("x-sentry-rate-limits");
        assert!(limits.starts_with("10:error:key,86400:transaction;"), "{limits}");
        assert_eq!(header("access-control-allow-origin"), "*");
        let said = refused.text().await.unwrap();
        assert!(said.contains("too many kinds of errors that were never seen before"), "{said}");

        // What was seen before is counted: from memory, and when nothing is remembered.
        assert_eq!(send(story, &key, 0).await.status(), 200);
        story.clock.advance(SignedDuration::from_secs(30));
        assert_eq!(send(story, &key, 1).await.status(), 200);
        assert_eq!(send(story, &key, 3).await.status(), 429);
        // Another key has its own.
        let other = another_key(story).await;
        assert_eq!(send(story, &other, 3).await.status(), 200);
        assert_eq!(send(story, &key, 3).await.status(), 200, "seen before, by whichever key");
        let metrics = story.page("/metrics").await;
        assert!(metrics.contains("flawless_reports_refused_total{reason=\"budget\"} 2\n"), "{metrics}");
        story.clock.advance(5 * MINUTE);
        assert_eq!(send(story, &key, 4).await.status(), 200, "it grows again");
        assert_eq!(send(story, &key, 5).await.status(), 429);
        story.settle().await;
        let totals: Vec<u64> = story.lines().await.iter().map(|line| line.total).collect();
        assert_eq!(totals, [2, 2, 1, 2, 1], "nothing that was acknowledged is missing");
        insta::assert_snapshot!(story.transcript(), @"
        5 × mail to ada@example.com: [acme/shop] KeyError in aN (shop/a.py:N)
            You wrote this line.
        5 × acme/shop#N opened: KeyError in aN (shop/a.py) [flawless]
        5 × acme/shop#N assigned to ada
        ");
    });
}

#[test]
fn a_report_that_fills_the_disk_takes_more_of_the_budget() {
    run_test(async |story| {
        story.set("KEY_BUDGET", "3");
        story.restart().await;
        let (key, project) = (begin(story, 9).await, story.key().await.1);
        let mut large = failure(story, 0);
        // What can hardly be packed.
        let mut drawn = 1_u64;
        let mut letter = || {
            drawn = drawn.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            char::from(b'a' + u8::try_from((drawn >> 33) % 26).unwrap())
        };
        let mut words = || (0..780).map(|at| if at % 8 == 0 { ' ' } else { letter() }).collect::<String>();
        let rows: serde_json::Map<_, _> = (0..190).map(|row| (format!("row_{row}"), words().into())).collect();
        large.pointer_mut("/exception/values/0/stacktrace/frames/0").unwrap()["vars"] = rows.into();
        assert_eq!(story.send_to(story.url(), &key, project, &large).await, 200);
        assert_eq!(send(story, &key, 1).await.status(), 429, "it took what two others would have");
        assert_eq!(story.send_to(story.url(), &key, project, &large).await, 200, "seen before");
        story.clock.advance(5 * MINUTE);
        assert_eq!(send(story, &key, 1).await.status(), 200, "it grows again");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a0 (shop/a.py:2)
            You wrote this line.
        mail to ada@example.com: [acme/shop] KeyError in a1 (shop/a.py:5)
            You wrote this line.
        acme/shop#1 opened: KeyError in a0 (shop/a.py) [flawless]
        acme/shop#1 assigned to ada
        acme/shop#2 opened: KeyError in a1 (shop/a.py) [flawless]
        acme/shop#2 assigned to ada
        ");
    });
}

#[test]
fn an_honest_line_does_not_wait_behind_a_flood() {
    run_test(async |story| {
        let key = begin(story, 160).await;
        let url = story.repo.path().display().to_string();
        let (honest, project) = story.watch_plainly("plain/shop", &url).await;
        for n in 0..160 {
            assert_eq!(send(story, &key, n).await.status(), 200);
        }
        assert_eq!(story.send_to(story.url(), &honest, project, &story.event()).await, 200);
        story.settle().await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), 161);
        let at = lines.iter().position(|line| line.place.path == CART_PATH).unwrap();
        assert!(at <= 101, "it came last of 161, and was looked up as number {at}");
        story.later(15 * MINUTE).await;
        let told = story.transcript();
        assert!(told.contains("mail to ada@example.com: [plain/shop] KeyError in total"), "{told}");
    });
}

#[test]
fn a_storm_by_one_key_hides_no_line_of_another() {
    run_test(async |story| {
        let key = begin(story, 161).await;
        for n in 0..160 {
            assert_eq!(send(story, &key, n).await.status(), 200);
        }
        let other = another_key(story).await;
        assert_eq!(send(story, &other, 160).await.status(), 200);
        story.settle().await;
        story.later(2 * MINUTE).await;
        let is_storm = |mail: &Received| mail.header("Subject").unwrap().contains("Storm: ");
        let mail = story.mails().into_iter().find(is_storm).unwrap().text();
        assert!(mail.contains("more, listed in the week's report") && mail.contains("in a160"), "{mail}");
        let storm = story.github.issues(REPO).into_iter().find(|issue| issue.title.contains("Storm")).unwrap();
        assert!(storm.body.contains("more") && storm.body.contains("a160"), "{}", storm.body);
        story.later(HOUR).await;
        story.changes();
    });
}

#[test]
fn a_revoked_key_takes_with_it_what_came_by_it_alone() {
    run_test(async |story| {
        let key = begin(story, 9).await;
        let other = another_key(story).await;
        for n in 0..4 {
            assert_eq!(send(story, &key, n).await.status(), 200);
        }
        // The same fails for another application, too.
        assert_eq!(send(story, &other, 3).await.status(), 200);
        let browser = Browser::signed_in(story).await;
        let page = browser.open("/acme/shop/connect").await;
        let csrf = page.split_once("name=\"csrf\" value=\"").unwrap().1.split_once('"').unwrap().0;
        let revoked = browser.post("/acme/shop/connect/revoke", &[("csrf", csrf), ("key", &key)]).await;
        let shown = browser.open(&revoked.location).await;
        let dropped = "Dropped, because it came by this key alone: 3 reports that waited (3 occurrences), and what was \
                       to be told of 0 lines.";
        assert!(shown.contains(dropped), "{shown}");
        story.settle().await;
        assert_eq!(story.lines().await.len(), 1, "what the other key reported goes on");
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a3 (shop/a.py:11)
            You wrote this line.
        acme/shop#1 opened: KeyError in a3 (shop/a.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        // What was dropped is new where it comes by another key.
        assert_eq!(send(story, &other, 0).await.status(), 200);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a0 (shop/a.py:2)
            You wrote this line.
        acme/shop#2 opened: KeyError in a0 (shop/a.py) [flawless]
        acme/shop#2 assigned to ada
        ");
    });
}

#[test]
fn alerts_that_wait_are_dropped_with_the_only_key_that_brought_them() {
    run_test(async |story| {
        let key = begin(story, 9).await;
        let other = another_key(story).await;
        // GitHub asks to be left alone, so issues wait; the first may have been filed.
        story.github.fail_next("issues/create", Fault::slow_down(120));
        for n in 0..4 {
            assert_eq!(send(story, &key, n).await.status(), 200);
        }
        assert_eq!(send(story, &other, 3).await.status(), 200);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        4 × mail to ada@example.com: [acme/shop] KeyError in aN (shop/a.py:N)
            You wrote this line.
        ");
        let said = story.command(&["repository", "key", "revoke", &key]);
        assert!(said.contains("0 reports that waited, and what was to be told of 2 lines."), "{said}");
        story.later(3 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in a0 (shop/a.py) [flawless]
        acme/shop#1 assigned to ada
        acme/shop#2 opened: KeyError in a3 (shop/a.py) [flawless]
        acme/shop#2 assigned to ada
        ");
        // Told of when it happens again, by a key in force. Who had the mail gets no second one.
        assert_eq!(send(story, &other, 1).await.status(), 200);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#3 opened: KeyError in a1 (shop/a.py) [flawless]
        acme/shop#3 assigned to ada
        ");
        assert_eq!(story.github.issues(REPO).len(), 3);
    });
}

#[test]
fn what_a_revoked_key_still_gets_in_is_counted_and_not_told() {
    run_test(async |story| {
        let key = begin(story, 9).await;
        // Another process has not heard of it: the key is revoked between a report and its
        // attribution.
        assert_eq!(send(story, &key, 0).await.status(), 200);
        let id = story.key().await;
        store::ingest_keys::revoke(&story.services().store, &key, story.clock.now()).await.unwrap();
        story.settle().await;
        assert_eq!(story.lines().await.len(), 1);
        story.assert_silent("nobody is told");
        let other = another_key(story).await;
        assert_eq!(story.send_to(story.url(), &other, id.1, &failure(story, 0)).await, 200);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a0 (shop/a.py:2)
            You wrote this line.
        acme/shop#1 opened: KeyError in a0 (shop/a.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}
