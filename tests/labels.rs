//! Labels as commands: what people answer with.

use crate::harness::git_repo::GRACE;
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};

async fn alerted(story: &mut Story) {
    story.install().await;
    let event = story.event();
    story.report(&event).await;
    assert_eq!(story.changes().len(), 2);
    assert_eq!(story.mails().len(), 1);
}

async fn report_again(story: &mut Story) {
    let event = story.event();
    story.report(&event).await;
}

#[test]
fn installing_makes_the_labels() {
    run_test(async |story| {
        story.install().await;
        let mut labels: Vec<String> = story.github.labels(REPO).into_iter().map(|label| label.name).collect();
        labels.retain(|name| name == "flawless" || name.starts_with("known-error") || name == "library-code");
        labels.sort();
        assert_eq!(labels, ["flawless", "known-error", "known-error: file", "known-error: function", "library-code"]);
    });
}

#[test]
fn known_error_and_close_whitelists_the_line() {
    run_test(async |story| {
        alerted(story).await;
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.settle().await;
        assert!(story.changes().is_empty(), "an open issue's label waits");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        let changes = story.changes();
        assert_eq!(changes.len(), 1, "{changes:#?}");
        assert!(changes[0].starts_with("acme/shop#1 commented"));
        report_again(story).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.total, line.known), (2, true));
    });
}

#[test]
fn a_label_on_a_closed_issue_whitelists_at_once_and_the_same_webhook_twice_does_nothing_more() {
    run_test(async |story| {
        alerted(story).await;
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 1, "resolved");
        story.github.add_label(REPO, 1, "known-error: file", "owner");
        let url = format!("{}/api/github/webhooks", story.url());
        let sent = story.github.deliver(&url).await;
        assert_eq!(story.github.redeliver(&url, &sent[0].id).await, 200);
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        let row = store::repositories::by_name(&story.services().store, REPO).await.unwrap().unwrap();
        let rules = store::rules::in_force(&story.services().store, row.repository.id).await.unwrap();
        assert_eq!(rules.len(), 1);
        let entry = &rules[0].made.entry;
        assert_eq!((entry.file.as_str(), &entry.function, &entry.code), (CART_PATH, &None, &None));
        report_again(story).await;
        assert!(story.lines().await[0].known);
    });
}

#[test]
fn a_label_taken_off_makes_an_alert_possible_again() {
    run_test(async |story| {
        alerted(story).await;
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        report_again(story).await;
        assert_eq!(story.changes().len(), 1);
        story.github.remove_label(REPO, 1, "known-error", "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 1, "a comment says that the rule ended");
        report_again(story).await;
        let changes = story.changes();
        assert_eq!(changes[0], "acme/shop#1 reopened");
        assert!(changes[1].starts_with("acme/shop#1 commented"));
        assert_eq!(story.mails().len(), 1);
        assert!(!story.lines().await[0].known);
    });
}

#[test]
fn reopening_ends_the_rule() {
    run_test(async |story| {
        alerted(story).await;
        story.github.add_label(REPO, 1, "known-error: function", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        story.github.reopen_issue(REPO, 1, "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 1, "a comment says that the rule ended");
        report_again(story).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.known, line.resolved_at_ms, line.total), (false, None, 2));
    });
}

#[test]
fn library_code_moves_the_blame_to_the_caller() {
    run_test(async |story| {
        let caller = "from shop.cart import total\n\n\ndef checkout(request):\n    return total(request['items'])\n";
        story.commit(GRACE, "2026-01-20T10:00:00Z", &[("shop/checkout.py", caller)], "Check out");
        story.install().await;
        let mut event = story.event();
        let head = story.repo.head();
        let outer = story.event_at(&head, "shop/checkout.py", "return total", "checkout", "web-1");
        let frame = outer.pointer("/exception/values/0/stacktrace/frames/1").unwrap().clone();
        event.pointer_mut("/exception/values/0/stacktrace/frames").unwrap().as_array_mut().unwrap().insert(1, frame);
        story.report(&event).await;
        assert_eq!(story.mails()[0].to, ["ada@example.com"]);
        assert_eq!(story.changes().len(), 2);
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        assert_eq!(story.changes().len(), 1, "confirmed");
        story.report(&event).await;
        assert_eq!(story.mails()[0].to, ["grace@example.com"]);
        assert_eq!(
            story.changes(),
            ["acme/shop#2 opened: KeyError in checkout (shop/checkout.py) [flawless]", "acme/shop#2 assigned to grace"]
        );
    });
}

#[test]
fn closing_without_a_label_resolves_until_a_newer_revision_fails() {
    run_test(async |story| {
        alerted(story).await;
        let old = story.repo.head();
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README", "hello\n")], "Say hello");
        story.push().await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert_eq!(story.changes().len(), 1, "a comment says as of which commit");
        // The old release goes on failing: counted, silent.
        let event = story.event_at(&old, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        story.report(&event).await;
        assert_eq!(story.lines().await[0].total, 3);
        assert!(story.changes().is_empty());
        // A release that contains the commit fails: it is back.
        report_again(story).await;
        let changes = story.changes();
        assert_eq!(changes[0], "acme/shop#1 reopened");
        assert!(changes[1].starts_with("acme/shop#1 commented"));
        assert_eq!(story.mails().len(), 1);
        report_again(story).await;
    });
}

#[test]
fn a_report_that_names_no_revision_brings_a_resolved_line_back_after_a_day() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["release"] = "shop@unknown".into();
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (2, 1));
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        story.report(&event).await;
        story.later(3_600_000).await;
        story.report(&event).await;
        assert!(story.changes().is_empty());
        story.later(24 * 3_600_000).await;
        story.report(&event).await;
        assert_eq!(story.changes().len(), 2, "reopened and commented");
        assert_eq!(story.mails().len(), 1);
    });
}

#[test]
fn an_issue_assigned_to_somebody_else_is_theirs() {
    run_test(async |story| {
        alerted(story).await;
        story.github.assign(REPO, 1, "grace", "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 1, "confirmed");
        assert_eq!(story.lines().await[0].owner_login.as_deref(), Some("grace"));
    });
}

#[test]
fn labels_on_other_issues_and_our_own_actions_mean_nothing() {
    run_test(async |story| {
        alerted(story).await;
        let other = story.github.open_issue(REPO, "owner", "A question", "How?", &["known-error"]);
        story.github.close_issue(REPO, other, "owner");
        story.settle().await;
        let row = store::repositories::by_name(&story.services().store, REPO).await.unwrap().unwrap();
        assert!(store::rules::in_force(&story.services().store, row.repository.id).await.unwrap().is_empty());
        assert_eq!(story.lines().await[0].resolved_at_ms, None);
    });
}

#[test]
fn a_whitelisted_function_silences_its_other_lines_too() {
    run_test(async |story| {
        let more = CART.replace("    return amount\n", "    return amount / len(items)\n");
        story.commit(GRACE, "2026-01-20T10:00:00Z", &[(CART_PATH, &more)], "Average");
        alerted(story).await;
        story.github.add_label(REPO, 1, "known-error: function", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        let event = story.event_at(&story.repo.head(), CART_PATH, "len(items)", "total", "web-1");
        story.report(&event).await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), 2);
        assert!(lines[1].known);
    });
}
