//! One alert per line: the stories of the main job.

use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};

const ALERT: [&str; 2] =
    ["acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]", "acme/shop#1 assigned to ada"];

/// Looks at the first alert, which most stories begin with.
async fn first_alert(story: &mut Story) {
    story.install().await;
    let event = story.event();
    story.report(&event).await;
    assert_eq!(story.changes(), ALERT);
    let mails = story.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["ada@example.com"]);
}

#[test]
fn an_exception_is_told_to_the_author_of_its_line_once() {
    run_test(async |story| {
        first_alert(story).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.place.path.as_str(), line.place.line, line.total), (CART_PATH, 9, 1));
        assert_eq!(line.author_login.as_deref(), Some("ada"));
        let issue = story.github.issue(REPO, 1);
        assert!(issue.body.starts_with("<!-- flawless:"), "{}", issue.body);
        assert_eq!(issue.assignees, ["ada"]);
    });
}

#[test]
fn the_same_error_a_thousand_times_from_three_servers_is_one_mail_and_one_issue() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let head = story.repo.head();
        for n in 0..1000 {
            let event = story_event(story, &head, n);
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
            if n == 700 {
                // Most arrive before anybody knows which line it is, some after.
                story.settle().await;
            }
        }
        story.settle().await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].total, 1000);
        let counts = store::lines::counts(&story.services().store, &lines[0]).await.unwrap();
        let mut servers = counts.servers;
        servers.sort();
        assert_eq!(servers, ["web-0", "web-1", "web-2"]);
        assert_eq!(story.mails().len(), 1);
        let changes = story.changes();
        assert_eq!(&changes[..2], &ALERT);
        assert_eq!(changes.len(), 3, "{changes:#?}");
        assert!(changes[2].starts_with("acme/shop#1 commented"), "{changes:#?}");
    });
}

fn story_event(story: &Story, head: &str, n: usize) -> serde_json::Value {
    story.event_at(head, CART_PATH, "PRICES[sku]", "total", &format!("web-{}", n % 3))
}

#[test]
fn a_line_that_moves_keeps_its_alert() {
    run_test(async |story| {
        first_alert(story).await;
        let above = CART.replace("def total", "CURRENCY = 'EUR'\n\n\ndef total");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &above)], "Name the currency");
        story.push().await;
        let event = story.event();
        story.report(&event).await;
        story.rename(GRACE, "2026-02-02T10:00:00Z", CART_PATH, "shop/basket.py");
        story.push().await;
        let renamed = story.event_at(&story.repo.head(), "shop/basket.py", "PRICES[sku]", "total", "web-1");
        story.report(&renamed).await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert_eq!((lines[0].total, lines[0].place.path.as_str(), lines[0].place.line), (3, "shop/basket.py", 12));
    });
}

#[test]
fn a_line_that_changes_is_another_line_with_another_author() {
    run_test(async |story| {
        first_alert(story).await;
        let changed = CART.replace("amount += PRICES[sku]", "amount += PRICES[sku] * 2");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &changed)], "Double everything");
        story.push().await;
        let event = story.event();
        story.report(&event).await;
        assert_eq!(story.lines().await.len(), 2);
        assert_eq!(story.mails()[0].to, ["grace@example.com"]);
        // The issue goes on with the line as it is now.
        let changes = story.changes();
        assert_eq!(changes.len(), 2);
        assert!(changes[0].starts_with("acme/shop#1 commented"));
        assert_eq!(changes[1], "acme/shop#1 assigned to grace");
    });
}

#[test]
fn a_pushed_commit_is_blamed_without_a_restart() {
    run_test(async |story| {
        story.install().await;
        let fresh = "def refund(order):\n    return order['paid']\n";
        story.commit(LINUS, "2026-03-01T10:00:00Z", &[("shop/refund.py", fresh)], "Refund");
        story.push().await;
        let event = story.event_at(&story.repo.head(), "shop/refund.py", "order['paid']", "refund", "web-1");
        story.report(&event).await;
        assert_eq!(story.mails()[0].to, ["linus@example.com"]);
        assert_eq!(story.changes().len(), 2);
    });
}

#[test]
fn a_commit_whose_push_was_never_announced_is_fetched_when_a_report_names_it() {
    run_test(async |story| {
        story.install().await;
        let fresh = "def refund(order):\n    return order['paid']\n";
        story.commit(LINUS, "2026-03-01T10:00:00Z", &[("shop/refund.py", fresh)], "Refund");
        story.later(60_000).await;
        let event = story.event_at(&story.repo.head(), "shop/refund.py", "order['paid']", "refund", "web-1");
        story.report(&event).await;
        assert_eq!(story.mails()[0].to, ["linus@example.com"]);
        assert_eq!(story.changes().len(), 2);
    });
}

#[test]
fn a_report_of_a_commit_that_is_not_here_yet_waits_for_the_next_fetch() {
    run_test(async |story| {
        story.install().await;
        let fresh = "def refund(order):\n    return order['paid']\n";
        story.commit(LINUS, "2026-03-01T10:00:00Z", &[("shop/refund.py", fresh)], "Refund");
        // The repository was fetched a moment ago: told now, it would be nobody's.
        let event = story.event_at(&story.repo.head(), "shop/refund.py", "order['paid']", "refund", "web-1");
        story.report(&event).await;
        assert!(story.mails().is_empty() && story.changes().is_empty());
        story.later(31_000).await;
        assert_eq!(story.mails()[0].to, ["linus@example.com"]);
        assert_eq!(story.changes().len(), 2);

        // A commit that never comes is looked for once, and told without.
        let mut event = story.event();
        event["release"] = "0123456789abcdef0123456789abcdef01234567".into();
        story.report(&event).await;
        story.later(31_000).await;
        assert_eq!(story.mails()[0].to, ["ada@example.com"]);
        assert_eq!(story.changes().len(), 2);
    });
}

#[test]
fn an_older_release_is_blamed_as_of_that_release() {
    run_test(async |story| {
        let old = story.repo.head();
        let changed = CART.replace("amount += PRICES[sku]", "amount += PRICES[sku] * 2");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &changed)], "Double everything");
        story.install().await;
        let event = story.event_at(&old, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        assert_eq!(story.mails()[0].to, ["ada@example.com"]);
        assert_eq!(story.changes(), ALERT);
        let found = story.lines().await.remove(0);
        assert_eq!(found.place.code, "amount += PRICES[sku]");
    });
}

#[test]
fn a_restart_forgets_nothing() {
    run_test(async |story| {
        first_alert(story).await;
        story.restart().await;
        let event = story.event();
        story.report(&event).await;
        story.report(&event).await;
        let lines = story.lines().await;
        assert_eq!((lines.len(), lines[0].total), (1, 3));
    });
}

#[test]
fn what_cannot_be_blamed_goes_to_the_default_contact_once() {
    run_test(async |story| {
        let settings = "email: { default_contact: oncall@example.com }\n";
        story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", settings)], "Configure");
        story.install().await;
        let mut event = story.event();
        let frames = event.pointer_mut("/exception/values/0/stacktrace/frames").unwrap().as_array_mut().unwrap();
        frames.pop();
        story.report(&event).await;
        story.report(&event).await;
        let mails = story.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, ["oncall@example.com"]);
        assert_eq!(story.changes().len(), 1, "an issue that is assigned to nobody");
        assert_eq!(story.lines().await[0].total, 2);
    });
}
