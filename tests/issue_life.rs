//! What happens to an issue after it was filed: its status, what is commented, whose it is, and
//! what becomes of an edited line.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::scenes::{MINUTE, cart_with};
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};
use domain::commit::CommitId;
use domain::names::Login;
use domain::status::{BEGIN, END};
use jiff::SignedDuration;

/// The status block of an issue.
fn status(story: &Story, number: u64) -> String {
    let body = story.github.issue(REPO, number).body;
    let block = body.split(BEGIN).nth(1).and_then(|rest| rest.split(END).next());
    block.unwrap_or_else(|| panic!("no status in\n{body}")).to_owned()
}

fn rewrites(story: &Story) -> usize {
    story.github.requests_of("issues/update").iter().filter(|it| it.body.get("body").is_some()).count()
}

#[test]
fn the_status_is_kept_up_to_date_in_place() {
    run_test(async |story| {
        story.alerted().await;
        assert!(status(story, 1).contains("**1 occurrence**"), "{}", status(story, 1));
        // Somebody writes around it.
        let body = story.github.issue(REPO, 1).body;
        story.github.edit_issue(REPO, 1, &format!("{body}\r\n\r\nMine: look at the prices."));
        let mut event = story.event();
        event["release"] = "shop@7".into();
        event["server_name"] = "web-9".into();
        for _ in 0..3 {
            story.report(&event).await;
        }
        story.tick().await;
        assert_eq!(rewrites(story), 0, "not at every report");
        story.tick_after(16 * MINUTE).await;
        assert!(status(story, 1).contains('█'), "{}", status(story, 1));
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 status:
            + **4 occurrences**, the first on MOMENT, the latest on MOMENT. Open.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
            + | Releases | shop@7, <Add up carts> |
            + | Servers | web-9, web-1 |
        ");
        assert!(story.github.issue(REPO, 1).body.ends_with("Mine: look at the prices."));
        assert_eq!(rewrites(story), 1);
        story.tick_after(16 * MINUTE).await;
        assert_eq!(rewrites(story), 1, "nothing new, nothing written");

        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        // At once.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **4 occurrences**, the first on MOMENT, the latest on MOMENT. Resolved on MOMENT as of <Add up
            carts>.
        ");
        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        story.tick().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 status:
            + **4 occurrences**, the first on MOMENT, the latest on MOMENT. Open.
        ");
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.tick().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`). It
            is still counted, but nobody is told of it again. To undo this, take the label off or open the
            issue again.
        acme/shop#1 status:
            + **4 occurrences**, the first on MOMENT, the latest on MOMENT. A known error: counted, and
            nobody is told.
        ");
    });
}

#[test]
fn a_status_that_a_person_took_out_stays_out() {
    run_test(async |story| {
        story.alerted().await;
        story.github.edit_issue(REPO, 1, "We know. See the wiki.");
        for _ in 0..2 {
            story.fails(1).await;
            story.tick_after(60 * MINUTE).await;
        }
        assert_eq!(story.github.issue(REPO, 1).body, "We know. See the wiki.");
        assert_eq!(rewrites(story), 0);
    });
}

#[test]
fn a_status_goes_on_though_github_did_not_find_the_issue_once() {
    run_test(async |story| {
        story.alerted().await;
        story.fails(1).await;
        story.github.fail_next("issues/get", Fault::status(404, "Not Found"));
        story.tick_after(16 * MINUTE).await;
        story.assert_silent("no such issue, it says");
        story.tick_after(16 * MINUTE).await;
        let said = story.transcript();
        assert!(said.contains("+ **2 occurrences**"), "{said}");
        // It was deleted, and no webhook told: that is for good.
        story.fails(1).await;
        story.github.delete_issue(REPO, 1, "ada");
        story.github.lose_deliveries();
        for _ in 0..3 {
            story.tick_after(16 * MINUTE).await;
        }
        assert_eq!((rewrites(story), story.lines().await[0].issue), (1, None));
    });
}

#[test]
fn a_status_that_is_refused_once_is_written_later() {
    for status in [403, 404, 422] {
        run_test(async |story| {
            story.alerted().await;
            story.fails(1).await;
            story.github.fail_next("issues/update", Fault::status(status, "Not now"));
            for _ in 0..5 {
                story.tick_after(16 * MINUTE).await;
            }
            let said = story.transcript();
            assert!(said.contains("+ **2 occurrences**"), "{status}: {said}");
        });
    }
}

#[test]
fn another_exception_on_the_line_is_commented_on_once() {
    run_test(async |story| {
        story.alerted().await;
        for kind in ["TypeError", "TypeError", "KeyError", "ValueError"] {
            let mut event = story.event();
            event["exception"]["values"][0]["type"] = kind.into();
            event["release"] = "shop@8".into();
            story.report(&event).await;
        }
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Something new here: this line raises `TypeError` as well, seen in the release `shop@8`.
        acme/shop#1 commented:
            Something new here: this line raises `ValueError` as well, seen in the release `shop@8`.
        ");
        for n in 0..10 {
            let mut event = story.event();
            event["exception"]["values"][0]["type"] = format!("Error{n}").into();
            story.report(&event).await;
        }
        // A line that raises ever other ones is no news. Counts are commented on as well: 10.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Something new here: this line raises `Error0` as well, seen in the release `<Add up carts>`.
        acme/shop#1 commented:
            Something new here: this line raises `Error1` as well, seen in the release `<Add up carts>`.
        acme/shop#1 commented:
            Something new here: this line raises `Error2` as well, seen in the release `<Add up carts>`.
        acme/shop#1 commented:
            10 occurrences so far, on 1 server (`web-1`), in releases `<Add up carts>`, `shop@8`.
        ");
    });
}

#[test]
fn a_label_that_is_nearly_a_command_is_answered() {
    run_test(async |story| {
        story.alerted().await;
        story.github.add_label(REPO, 1, "known error", "ada");
        story.github.add_label(REPO, 1, "bug", "ada");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            `known error` is no command of mine, ada, so I did nothing. Did you mean the label
            `known-error`?
        ");
        let said = &story.github.comments(REPO, 1)[0].body;
        assert!(said.contains("Did you mean the label `known-error`?"), "{said}");
        story.github.remove_label(REPO, 1, "known error", "ada");
        story.later(SignedDuration::from_secs(1)).await;
        story.github.add_label(REPO, 1, "known error", "ada");
        story.settle().await;
        story.assert_silent("said once");
    });
}

#[test]
fn what_a_commit_closed_is_resolved_where_that_commit_cannot_be_fetched() {
    run_test(async |story| {
        story.alerted().await;
        let known = story.repo.head();
        let fix = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "fixes #1\n")], "Fix it, fixes #1");
        story.cut_off_history();
        story.github.close_issue_by(REPO, 1, "grace", &fix);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, grace: resolved as of <Add up carts>. I will open this again only if the error comes
            from a version that contains that commit.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        assert_eq!(story.lines().await[0].resolved_commit, Some(CommitId::new(known)), "the newest that is known");
    });
}

#[test]
fn what_a_commit_closed_is_resolved_as_of_that_commit() {
    run_test(async |story| {
        story.alerted().await;
        let broken = story.repo.head();
        // The fix, pushed while nobody has fetched yet, and a commit that came after it.
        let fix = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "fixes #1\n")], "Fix it, fixes #1");
        story.commit(GRACE, "2026-02-02T10:00:00Z", &[("README.md", "more\n")], "More");
        let head = story.repo.head();
        story.github.close_issue_by(REPO, 1, "grace", &fix);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, grace: resolved as of <Fix it, fixes #1>. I will open this again only if the error comes
            from a version that contains that commit.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Fix it, fixes #1>.
        ");
        assert!(story.github.comments(REPO, 1)[0].body.contains(&fix[..7]));
        assert_eq!(story.lines().await[0].resolved_commit, Some(CommitId::new(fix.clone())));
        // Before the fix: counted. With it, though not with the head: back.
        let mut event = story.event_at(&broken, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        story.assert_silent("nothing is said");
        event = story.event_at(&fix, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        // Opened again, and said why.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release <Fix it, fixes #1> brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `<Fix it, fixes #1>` (<Fix it, fixes #1>) contains <Fix it, fixes #1>,
            where this was resolved, and fails here again. 3 occurrences so far.
        acme/shop#1 status:
            + **3 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
            + | Releases | <Fix it, fixes #1>, <Add up carts> |
        ");
        assert!(story.github.issue(REPO, 1).open);
        assert_ne!(fix, head);
    });
}

#[test]
fn what_a_person_closed_is_not_opened_by_what_ran_by_then() {
    run_test(async |story| {
        let before = story.repo.head();
        story.install().await;
        story.fails(1).await;
        // Deployed by then as well, though this line did not fail in it yet.
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "A shop.\n")], "Describe it");
        let deployed = story.repo.head();
        story.push().await;
        story.report(&story.event_at(&deployed, CART_PATH, "amount = 0", "total", "web-1")).await;
        story.transcript();
        story.github.close_issue(REPO, 1, "grace");
        story.settle().await;
        assert!(story.transcript().contains("was deployed after this"), "it says so");
        for revision in [&before, &deployed] {
            story.report(&story.event_at(revision, CART_PATH, "PRICES[sku]", "total", "web-1")).await;
            story.assert_silent("the fix is not deployed yet");
        }
        story.commit(GRACE, "2026-02-02T10:00:00Z", &[("README.md", "The shop.\n")], "Describe it better");
        story.push().await;
        story.report(&story.event_at(&story.repo.head(), CART_PATH, "PRICES[sku]", "total", "web-1")).await;
        let said = story.transcript();
        assert!(said.contains("acme/shop#1 reopened") && said.contains("fails here again. 4 occurrences"), "{said}");
    });
}

#[test]
fn what_was_deployed_after_a_closing_that_is_noticed_late_opens_it() {
    run_test(async |story| {
        story.alerted().await;
        story.github.close_issue(REPO, 1, "grace");
        story.github.lose_deliveries();
        story.clock.advance(10 * MINUTE);
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "A shop.\n")], "Describe it");
        story.push().await;
        story.fails(1).await;
        story.clock.advance(10 * MINUTE);
        story.compare().await;
        assert!(story.lines().await[0].resolved_at.is_some());
        story.transcript();
        story.fails(1).await;
        assert!(story.transcript().contains("acme/shop#1 reopened"));
    });
}

#[test]
fn a_release_that_leads_to_no_commit_is_known_again_by_its_name() {
    run_test(async |story| {
        story.install().await;
        let named = |story: &Story, release: &str| {
            let mut event = story.event();
            event["release"] = release.into();
            event
        };
        let [old, only] = ["shop@2.9.1", "production"].map(|release| named(story, release));
        story.report(&old).await;
        story.report(&only).await;
        story.github.close_issue(REPO, 1, "grace");
        story.settle().await;
        story.transcript();
        story.report(&named(story, "shop@2.10.0")).await;
        story.clock.advance(SignedDuration::from_hours(25));
        story.report(&old).await;
        story.assert_silent("it ran when the issue was closed, and is no deployment of later");
        story.report(&only).await;
        assert!(story.transcript().contains("acme/shop#1 reopened"), "a name that never changes says nothing");
    });
}

/// A line that was resolved at a commit which a forced push takes away: what the branch is at then,
/// and that commit.
async fn resolved_and_forced_away(story: &mut Story) -> (String, String) {
    story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "A shop.\n")], "Describe it");
    story.alerted().await;
    let (old, lost) = (story.repo.git(&["rev-parse", "HEAD~1"]), story.repo.head());
    story.github.close_issue(REPO, 1, "grace");
    story.settle().await;
    assert_eq!(story.lines().await[0].resolved_commit, Some(CommitId::new(lost.clone())));
    story.repo.force(&old);
    (old, lost)
}

#[test]
fn what_a_forced_push_took_away_is_waited_for_a_day_and_no_longer() {
    run_test(async |story| {
        let (old, lost) = resolved_and_forced_away(story).await;
        story.commit(GRACE, "2026-02-02T10:00:00Z", &[("README.md", "The shop.\n")], "Describe it better");
        let head = story.repo.head();
        story.push().await;
        story.transcript();
        // It may have been deployed before the issue was closed.
        let event =
            |story: &Story, revision: &str| story.event_at(revision, CART_PATH, "PRICES[sku]", "total", "web-1");
        let [new, before, at] = [&head, &old, &lost].map(|revision| event(story, revision));
        story.report(&new).await;
        story.assert_silent("it is not known yet whether it is from before or after");
        story.clock.advance(SignedDuration::from_hours(25));
        story.report(&before).await;
        story.assert_silent("this one is surely from before");
        story.report(&new).await;
        assert!(story.transcript().contains("acme/shop#1 reopened"), "deployments take hours, not days");
        // What ran when it was closed still says so.
        story.github.close_issue(REPO, 1, "grace");
        story.settle().await;
        story.transcript();
        story.report(&at).await;
        story.assert_silent("it lacks the commit at which it was closed now, which is on the branch");
    });
}

#[test]
fn an_old_deployment_is_no_regression_though_nothing_is_left_of_the_fix() {
    run_test(async |story| {
        let (old, _lost) = resolved_and_forced_away(story).await;
        story.commit(GRACE, "2099-02-02T10:00:00Z", &[("README.md", "The shop.\n")], "Describe it better");
        // Another clone brings what branches have, not what they lost.
        let mirrors = std::fs::read_dir(story.folder().join("data/mirrors")).unwrap();
        let folders = mirrors.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        folders.for_each(|folder| std::fs::remove_dir_all(folder).unwrap());
        story.push().await;
        story.transcript();
        let [before, new] = [old, story.repo.head()]
            .map(|revision| story.event_at(&revision, CART_PATH, "PRICES[sku]", "total", "web-1"));
        story.clock.advance(SignedDuration::from_hours(25));
        story.report(&before).await;
        story.assert_silent("it was made before the line was resolved");
        story.report(&new).await;
        assert!(story.transcript().contains("acme/shop#1 reopened"), "this was made after it");
    });
}

#[test]
fn an_edited_line_that_still_fails_goes_on_with_its_issue() {
    run_test(async |story| {
        story.alerted().await;
        let before = story.repo.head();
        let head = story.edited().await;
        story.assert_edited_alert(Some("grace"));
        let said = story.github.comments(REPO, 1).last().unwrap().body.clone();
        assert!(said.contains("edited by Grace Hopper") && said.contains("PRICES[sku.lower()]"), "{said}");
        let lines = story.lines().await;
        assert_eq!((lines[0].issue, lines[1].issue), (None, Some(1)));

        // Both releases run for a while: nothing more is said, and nothing goes back.
        for revision in [&before, &head, &before] {
            let text = if revision == &head { "PRICES[sku.lower()]" } else { "PRICES[sku]" };
            let event = story.event_at(revision, CART_PATH, text, "total", "web-2");
            story.report(&event).await;
        }
        story.assert_silent("nothing is said");
        // The issue commands the line as it is now.
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: this line of `total` in `shop/cart.py` is a known error (`amount +=
            PRICES[sku.lower()]`). It is still counted, but nobody is told of it again. To undo this, take
            the label off or open the issue again.
        acme/shop#1 status:
            + **2 occurrences**, the first on MOMENT, the latest on MOMENT. A known error: counted, and
            nobody is told.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
            + | Servers | web-2, web-1 |
        ");
        assert!(story.lines().await[1].known);
    });
}

#[test]
fn its_author_hears_nothing_more_and_its_owner_keeps_it() {
    run_test(async |story| {
        story.alerted().await;
        story.github.assign(REPO, 1, "linus", "owner");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Noted, owner: this line belongs to linus from now on, here and in the weekly report.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to linus.
        ");
        story.commit(ADA, "2026-02-01T10:00:00Z", &[(CART_PATH, &cart_with("amount += PRICES[sku.lower()]"))], "Lower");
        story.push().await;
        story.cart_fails_at("PRICES[sku.lower()]").await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            This line was edited by Ada Lovelace in <Lower>, and the same exception goes on in `total` in
            `shop/cart.py`, line 9. This issue goes on with the line as it is now: `amount +=
            PRICES[sku.lower()]` (it was `amount += PRICES[sku]`).
        acme/shop#1 status:
            + | Releases | <Lower> |
        ");
        let line = story.lines().await.remove(1);
        assert_eq!((line.issue, line.owner_login.as_ref().map(Login::as_str)), (Some(1), Some("linus")));
        let week = story.page(&format!("/get_weekly_error_report?repo={REPO}")).await;
        assert!(week.contains("@linus") || week.contains("linus"), "{week}");
    });
}

#[test]
fn two_lines_of_a_function_that_both_stand_are_two_alerts() {
    run_test(async |story| {
        story.alerted().await;
        let both = CART.replace("    return amount\n", "    amount += PRICES['tax']\n    return amount\n");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &both)], "Add tax");
        story.push().await;
        story.cart_fails_at("PRICES['tax']").await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] KeyError in total (shop/cart.py:10)
            You wrote this line.
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to grace
        ");
        assert_eq!(story.github.issues(REPO).len(), 2);
    });
}

#[test]
fn an_edited_line_whose_issue_is_closed_is_a_new_alert() {
    run_test(async |story| {
        story.alerted().await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        story.commit(ADA, "2026-02-01T10:00:00Z", &[(CART_PATH, &cart_with("amount += PRICES[sku.lower()]"))], "Lower");
        story.push().await;
        story.cart_fails_at("PRICES[sku.lower()]").await;
        // An issue of its own.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to ada
        ");
    });
}

#[test]
fn an_exception_called_like_our_marker_does_not_eat_the_issue() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["exception"]["values"][0]["type"] = BEGIN.into();
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] <!-- flawless:status --> in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: <!-- flawless:status --> in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        let before = story.github.issue(REPO, 1).body;
        let first = before.lines().nth(1).unwrap().to_owned();
        assert!(first.contains(BEGIN) && first.contains(CART_PATH), "{first}");
        story.report(&event).await;
        story.tick_after(16 * MINUTE).await;
        let body = story.github.issue(REPO, 1).body;
        assert_eq!(rewrites(story), 1);
        assert_eq!(body.lines().nth(1), Some(first.as_str()), "{body}");
        assert!(body.contains("**2 occurrences**"), "{body}");
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 status:
            + **2 occurrences**, the first on MOMENT, the latest on MOMENT. Open.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
        ");
    });
}

/// Makes a line a known error by the form.
async fn whitelist(story: &Story, path: &str, function: &str, code: &str) {
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("repo", REPO), ("filename", path), ("function_name", function)])
        .extend_pairs([("code_fragment", code), ("scope", "line")])
        .finish();
    let asked = story.http.post(format!("{}/add_known_error", story.url()));
    let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = asked.bearer_auth("admin-token-of-the-tests").send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

#[test]
fn a_line_that_is_whitelisted_after_github_refused_its_issue_gets_none() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::slow_down(600));
        story.fails(1).await;
        story.transcript();
        whitelist(story, CART_PATH, "total", "amount += PRICES[sku]").await;
        story.later(30 * MINUTE).await;
        assert!(story.github.issues(REPO).is_empty(), "GitHub said that it had filed none");
    });
}

#[test]
fn a_line_that_is_whitelisted_while_its_issue_waits_gets_none() {
    run_test(async |story| {
        use crate::harness::fake_github::Fault;
        story.install().await;
        // It does not say whether it filed the issue.
        let headers = vec![("retry-after", "600".to_owned())];
        let limited = Fault::Status { status: 503, headers, body: serde_json::json!({ "message": "Unavailable" }) };
        story.commit(ADA, "2026-02-01T10:00:00Z", &[("shop/new.py", "def f(x):\n    return x.y\n")], "Add f");
        story.push().await;
        story.github.fail_next("issues/create", limited);
        story.fails(1).await;
        let other = story.event_at(&story.repo.head(), "shop/new.py", "x.y", "f", "web-1");
        story.report(&other).await;
        // GitHub asks to wait.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in f (shop/new.py:2)
            You wrote this line.
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        whitelist(story, CART_PATH, "total", "amount += PRICES[sku]").await;
        whitelist(story, "shop/new.py", "f", "return x.y").await;
        story.settle().await;
        assert!(story.lines().await.iter().all(|line| line.known), "both are whitelisted");
        story.later(30 * MINUTE).await;
        // The one that GitHub was asked for may be there already.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        story.tick().await;
        assert!(
            status(story, 1).contains("A known error"),
            "and it does not say that it is open: {}",
            status(story, 1)
        );
        assert_eq!(story.github.issues(REPO).len(), 1, "the other gets none: they have answered already");

        let rules = story.rules().await;
        assert_eq!(rules.len(), 2);
        let id = story.repository().await.repository.id;
        for rule in rules {
            let now = story.clock.now();
            story.services().rules().end(id, rule.made.id, "admin", now).await.unwrap();
        }
        story.report(&other).await;
        // Told once the rule is over; its mail was sent.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 opened: KeyError in f (shop/new.py) [flawless]
        acme/shop#2 assigned to ada
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open.
        ");
    });
}

#[test]
fn counts_and_days_are_of_one_moment() {
    run_test(async |story| {
        story.alerted().await;
        // Somebody read the line; then it failed ten more times.
        let line = story.lines().await.remove(0);
        story.fails(10).await;
        let (counts, days) = store::lines::counts_and_days(&story.services().store, &line).await.unwrap();
        assert_eq!((counts.total, days.iter().sum::<u64>()), (11, 11));
        story.transcript();
    });
}
