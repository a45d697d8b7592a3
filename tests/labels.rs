//! Labels as commands: what people answer with.

use crate::harness::git_repo::GRACE;
use crate::harness::story::{CART, CART_PATH, REPO, run_test};
use domain::names::Login;
use jiff::SignedDuration;

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
        story.alerted().await;
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.settle().await;
        story.assert_silent("an open issue's label waits");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`).
            It is still counted, but nobody is told of it again. To undo this, take the label off or open
            the issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        story.fails(1).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.total, line.known), (2, true));
    });
}

#[test]
fn a_label_on_a_closed_issue_whitelists_at_once_and_the_same_webhook_twice_does_nothing_more() {
    run_test(async |story| {
        story.alerted().await;
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        // Resolved.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, owner: resolved as of <Add up carts>. I will open this again only if the error comes
            from a version that contains that commit and was deployed after this: what runs now may lack the
            fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        story.github.add_label(REPO, 1, "known-error: file", "owner");
        let url = format!("{}/api/github/webhooks", story.url());
        let sent = story.github.deliver(&url).await;
        assert_eq!(story.github.redeliver(&url, &sent[0].id).await, 200);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: everything in the file `shop/cart.py` is a known error. It is still counted, but
            nobody is told of it again. To undo this, take the label off or open the issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        let rules = story.rules().await;
        assert_eq!(rules.len(), 1);
        let covers = rules[0].made.rule.pattern();
        assert_eq!((covers.file.as_str(), covers.function, covers.code), (CART_PATH, None, None));
        story.fails(1).await;
        assert!(story.lines().await[0].known);
    });
}

#[test]
fn a_label_taken_off_makes_an_alert_possible_again() {
    run_test(async |story| {
        story.alerted().await;
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`).
            It is still counted, but nobody is told of it again. To undo this, take the label off or open
            the issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        story.github.remove_label(REPO, 1, "known-error", "owner");
        story.settle().await;
        // A comment says that the rule ended.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: `known-error` no longer applies to `total` in `shop/cart.py`. The next error there
            is alerted as usual.
        acme/shop#1 status:
            + **2 occurrences**, the first on MOMENT, the latest on MOMENT. Resolved on MOMENT.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
        ");
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release <Add up carts> brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `<Add up carts>` (<Add up carts>) contains the code with which this
            was resolved and fails here again. 3 occurrences so far.
        acme/shop#1 status:
            + **3 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
        ");
        assert!(!story.lines().await[0].known);
    });
}

#[test]
fn reopening_ends_the_rule() {
    run_test(async |story| {
        story.alerted().await;
        story.github.add_label(REPO, 1, "known-error: function", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: everything in `total` in `shop/cart.py` is a known error. It is still counted, but
            nobody is told of it again. To undo this, take the label off or open the issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        story.github.reopen_issue(REPO, 1, "owner");
        story.settle().await;
        // A comment says that the rule ended.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: `known-error: function` no longer applies to `total` in `shop/cart.py`. The next
            error there is alerted as usual.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open.
        ");
        story.fails(1).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.known, line.resolved_at, line.total), (false, None, 2));
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
        story.assert_usual_alert();
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        // Confirmed.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: `total` in `shop/cart.py` is library code from now on. The line that calls it is
            blamed, and gets an alert of its own. To undo this, take the label off or open the issue again.
        ");
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in checkout (shop/checkout.py:5)
            You wrote this line.
        acme/shop#2 opened: KeyError in checkout (shop/checkout.py) [flawless]
        acme/shop#2 assigned to grace
        ");
    });
}

#[test]
fn of_library_code_that_nothing_of_the_repository_calls_nobody_is_told() {
    run_test(async |story| {
        story.alerted().await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        story.transcript();
        // Called by code of somebody else's, in a revision that was never seen.
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README", "hello\n")], "Say hello");
        story.push().await;
        for _ in 0..2 {
            story.fails(1).await;
        }
        assert_eq!(story.transcript(), "", "nothing is filed, sent or said");
        let lines = story.lines().await;
        assert_eq!((lines.len(), lines[0].total), (1, 3), "it is counted where it stands: {lines:#?}");
        let traceback = story.page(&format!("/view_traceback?repo=acme%2Fshop&line_id={}", lines[0].id.0)).await;
        assert!(traceback.contains("is library code, and no line of the repository calls it"), "{traceback}");
        story.github.remove_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        story.transcript();
        story.fails(1).await;
        assert_eq!(story.lines().await[0].total, 4);
    });
}

#[test]
fn closing_without_a_label_resolves_until_a_newer_revision_fails() {
    run_test(async |story| {
        story.alerted().await;
        let old = story.repo.head();
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README", "hello\n")], "Say hello");
        story.push().await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        // A comment says as of which commit.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Say hello>. I will open this again only if the error comes from a
            version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Say hello>.
        ");
        // The old release goes on failing: counted, silent.
        let event = story.event_at(&old, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        story.report(&event).await;
        assert_eq!(story.lines().await[0].total, 3);
        story.assert_silent("nothing is said");
        // A release that contains the commit fails: it is back.
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release <Say hello> brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `<Say hello>` (<Say hello>) contains <Say hello>, where this was
            resolved, and fails here again. 4 occurrences so far.
        acme/shop#1 status:
            + **4 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
            + | Releases | <Add up carts>, <Say hello> |
        ");
        story.fails(1).await;
    });
}

#[test]
fn a_report_that_names_no_revision_brings_a_resolved_line_back_after_a_day() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["release"] = "shop@unknown".into();
        story.report(&event).await;
        story.assert_usual_alert();
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        story.report(&event).await;
        story.later(SignedDuration::from_hours(1)).await;
        story.report(&event).await;
        story.assert_silent("nothing is said");
        story.later(SignedDuration::from_hours(24)).await;
        story.report(&event).await;
        // Reopened and commented.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release shop@unknown brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `shop@unknown` (<Add up carts>) contains <Add up carts>, where this
            was resolved, and fails here again. 4 occurrences so far.
        acme/shop#1 status:
            + **4 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
        ");
    });
}

#[test]
fn an_author_whose_login_github_spells_otherwise_is_nobody_else() {
    run_test(async |story| {
        story.alerted().await;
        assert_eq!(story.lines().await[0].author_login.as_ref().map(Login::as_str), Some("ada"));
        story.github.rename_account(11, "Ada");
        story.github.unassign(REPO, 1, "ada", "owner");
        story.clock.advance(SignedDuration::from_secs(1));
        story.github.assign(REPO, 1, "Ada", "owner");
        story.settle().await;
        story.assert_silent("the issue is with its author, as it was");
        assert_eq!(story.lines().await[0].owner_login, None);
    });
}

#[test]
fn an_issue_assigned_to_somebody_else_is_theirs() {
    run_test(async |story| {
        story.alerted().await;
        story.github.assign(REPO, 1, "grace", "owner");
        story.settle().await;
        // Confirmed.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Noted, owner: this line belongs to grace from now on, here and in the weekly report.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to grace.
        ");
        assert_eq!(story.lines().await[0].owner_login.as_ref().map(Login::as_str), Some("grace"));
    });
}

#[test]
fn labels_on_other_issues_and_our_own_actions_mean_nothing() {
    run_test(async |story| {
        story.alerted().await;
        let other = story.github.open_issue(REPO, "owner", "A question", "How?", &["known-error"]);
        story.github.close_issue(REPO, other, "owner");
        story.settle().await;
        assert!(story.rules().await.is_empty());
        assert_eq!(story.lines().await[0].resolved_at, None);
    });
}

#[test]
fn a_whitelisted_function_silences_its_other_lines_too() {
    run_test(async |story| {
        let more = CART.replace("    return amount\n", "    return amount / len(items)\n");
        story.commit(GRACE, "2026-01-20T10:00:00Z", &[(CART_PATH, &more)], "Average");
        story.alerted().await;
        story.github.add_label(REPO, 1, "known-error: function", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: everything in `total` in `shop/cart.py` is a known error. It is still counted, but
            nobody is told of it again. To undo this, take the label off or open the issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        story.cart_fails_at("len(items)").await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), 2);
        assert!(lines[1].known);
    });
}
