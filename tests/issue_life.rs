//! The life of an issue after it was filed: its status, what is commented, whose it is, and what becomes of an edited line.

use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};
use domain::status::{BEGIN, END};

const ADA: &str = "Ada Lovelace <ada@example.com>";
const GRACE: &str = "Grace Hopper <grace@example.com>";
const MINUTE_MS: i64 = 60_000;

/// The status block of an issue.
fn status(story: &Story, number: u64) -> String {
    let body = story.github.issue(REPO, number).body;
    let block = body.split(BEGIN).nth(1).and_then(|rest| rest.split(END).next());
    block.unwrap_or_else(|| panic!("no status in\n{body}")).to_owned()
}

/// What the worker's clock does each minute.
async fn minute(story: &mut Story) {
    store::statuses::enqueue_due(&story.services().store, story.clock.now_ms()).await.unwrap();
    story.settle().await;
}

fn rewrites(story: &Story) -> usize {
    story.github.requests_of("issues/update").iter().filter(|it| it.body.get("body").is_some()).count()
}

/// The first report, told.
async fn told(story: &mut Story) {
    story.install().await;
    let event = story.event();
    story.report(&event).await;
    assert_eq!((story.changes().len(), story.mails().len()), (2, 1));
}

#[test]
fn the_status_is_kept_up_to_date_in_place() {
    run_test(async |story| {
        told(story).await;
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
        minute(story).await;
        assert_eq!(rewrites(story), 0, "not at every report");
        story.clock.advance(16 * MINUTE_MS);
        minute(story).await;
        let text = status(story, 1);
        assert!(text.contains("**4 occurrences**") && text.contains("shop@&#8203;7"), "{text}");
        assert!(text.contains("web-9") && text.contains('█'), "{text}");
        assert!(story.github.issue(REPO, 1).body.ends_with("Mine: look at the prices."));
        assert_eq!(rewrites(story), 1);
        story.clock.advance(16 * MINUTE_MS);
        minute(story).await;
        assert_eq!(rewrites(story), 1, "nothing new, nothing written");

        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert!(status(story, 1).contains("Resolved on "), "at once: {}", status(story, 1));
        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        minute(story).await;
        assert!(status(story, 1).contains("Open."), "{}", status(story, 1));
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        minute(story).await;
        assert!(status(story, 1).contains("A known error"), "{}", status(story, 1));
        story.changes();
    });
}

#[test]
fn a_status_that_a_person_took_out_stays_out() {
    run_test(async |story| {
        told(story).await;
        story.github.edit_issue(REPO, 1, "We know. See the wiki.");
        for _ in 0..2 {
            let event = story.event();
            story.report(&event).await;
            story.clock.advance(60 * MINUTE_MS);
            minute(story).await;
        }
        assert_eq!(story.github.issue(REPO, 1).body, "We know. See the wiki.");
        assert_eq!(rewrites(story), 0);
    });
}

#[test]
fn another_exception_on_the_line_is_commented_on_once() {
    run_test(async |story| {
        told(story).await;
        for (kind, comments) in [("TypeError", 1), ("TypeError", 0), ("KeyError", 0), ("ValueError", 1)] {
            let mut event = story.event();
            event["exception"]["values"][0]["type"] = kind.into();
            event["release"] = "shop@8".into();
            story.report(&event).await;
            assert_eq!(story.changes().len(), comments, "{kind}");
        }
        let comments = story.github.comments(REPO, 1);
        assert!(comments[0].body.contains("raises `TypeError` as well"), "{}", comments[0].body);
        for n in 0..10 {
            let mut event = story.event();
            event["exception"]["values"][0]["type"] = format!("Error{n}").into();
            story.report(&event).await;
        }
        // Counts are commented on as well: 10.
        assert_eq!(story.changes().len(), 3 + 1, "a line that raises ever other ones is no news");
        assert_eq!(story.mails().len(), 0);
    });
}

#[test]
fn a_label_that_is_nearly_a_command_is_answered() {
    run_test(async |story| {
        told(story).await;
        story.github.add_label(REPO, 1, "known error", "ada");
        story.github.add_label(REPO, 1, "bug", "ada");
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        let said = &story.github.comments(REPO, 1)[0].body;
        assert!(said.contains("Did you mean the label `known-error`?"), "{said}");
        story.github.remove_label(REPO, 1, "known error", "ada");
        story.github.add_label(REPO, 1, "known error", "ada");
        story.settle().await;
        assert_eq!(story.changes().len(), 0, "said once");
    });
}

#[test]
fn what_a_commit_closed_is_resolved_as_of_that_commit() {
    run_test(async |story| {
        told(story).await;
        let broken = story.repo.head();
        // The fix, pushed while nobody has fetched yet, and a commit that came after it.
        let fix = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "fixes #1\n")], "Fix it, fixes #1");
        story.commit(GRACE, "2026-02-02T10:00:00Z", &[("README.md", "more\n")], "More");
        let head = story.repo.head();
        story.github.close_issue_by(REPO, 1, "grace", &fix);
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        assert!(story.github.comments(REPO, 1)[0].body.contains(&fix[..7]));
        assert_eq!(story.lines().await[0].resolved_commit.as_deref(), Some(fix.as_str()));
        // Before the fix: counted. With it, though not with the head: back.
        let mut event = story.event_at(&broken, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        assert_eq!(story.changes().len(), 0);
        event = story.event_at(&fix, CART_PATH, "PRICES[sku]", "total", "web-1");
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (2, 1), "opened again, and said why");
        assert!(story.github.issue(REPO, 1).open);
        assert_ne!(fix, head);
    });
}

/// The failing line as somebody wrote it anew.
fn edited(line: &str) -> String {
    CART.replace("        amount += PRICES[sku]\n", &format!("        {line}\n"))
}

#[test]
fn an_edited_line_that_still_fails_goes_on_with_its_issue() {
    run_test(async |story| {
        told(story).await;
        let before = story.repo.head();
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &edited("amount += PRICES[sku.lower()]"))], "Lower");
        story.push().await;
        let head = story.repo.head();
        let event = story.event_at(&head, CART_PATH, "PRICES[sku.lower()]", "total", "web-1");
        story.report(&event).await;
        let changes = story.changes();
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!(changes[1].contains("#1 assigned to grace"), "{changes:?}");
        let said = story.github.comments(REPO, 1).last().unwrap().body.clone();
        assert!(said.contains("edited by Grace Hopper") && said.contains("PRICES[sku.lower()]"), "{said}");
        let mails = story.mails();
        assert_eq!(mails.len(), 1, "who edited it hears of it");
        assert_eq!(mails[0].to, ["grace@example.com"]);
        let lines = story.lines().await;
        assert_eq!((lines[0].issue, lines[1].issue), (None, Some(1)));

        // Both releases run for a while: nothing more is said, and nothing goes back.
        for revision in [&before, &head, &before] {
            let text = if revision == &head { "PRICES[sku.lower()]" } else { "PRICES[sku]" };
            let event = story.event_at(revision, CART_PATH, text, "total", "web-2");
            story.report(&event).await;
        }
        assert_eq!((story.changes().len(), story.mails().len()), (0, 0));
        // The issue commands the line as it is now.
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        assert!(story.lines().await[1].known);
    });
}

#[test]
fn its_author_hears_nothing_more_and_its_owner_keeps_it() {
    run_test(async |story| {
        told(story).await;
        story.github.assign(REPO, 1, "linus", "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        story.commit(ADA, "2026-02-01T10:00:00Z", &[(CART_PATH, &edited("amount += PRICES[sku.lower()]"))], "Lower");
        story.push().await;
        let event = story.event_at(&story.repo.head(), CART_PATH, "PRICES[sku.lower()]", "total", "web-1");
        story.report(&event).await;
        let changes = story.changes();
        assert_eq!(changes.len(), 1, "one comment: {changes:?}");
        assert_eq!(story.mails().len(), 0, "she was told of it before");
        let line = story.lines().await.remove(1);
        assert_eq!((line.issue, line.owner_login.as_deref()), (Some(1), Some("linus")));
        let week = story.page(&format!("/get_weekly_error_report?repo={REPO}")).await;
        assert!(week.contains("@linus") || week.contains("linus"), "{week}");
    });
}

#[test]
fn two_lines_of_a_function_that_both_stand_are_two_alerts() {
    run_test(async |story| {
        told(story).await;
        let both = CART.replace("    return amount\n", "    amount += PRICES['tax']\n    return amount\n");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &both)], "Add tax");
        story.push().await;
        let event = story.event_at(&story.repo.head(), CART_PATH, "PRICES['tax']", "total", "web-1");
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (2, 1));
        assert_eq!(story.github.issues(REPO).len(), 2);
    });
}

#[test]
fn an_edited_line_whose_issue_is_closed_is_a_new_alert() {
    run_test(async |story| {
        told(story).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert_eq!(story.changes().len(), 1);
        story.commit(ADA, "2026-02-01T10:00:00Z", &[(CART_PATH, &edited("amount += PRICES[sku.lower()]"))], "Lower");
        story.push().await;
        let event = story.event_at(&story.repo.head(), CART_PATH, "PRICES[sku.lower()]", "total", "web-1");
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (2, 1), "an issue of its own");
    });
}

#[test]
fn an_exception_called_like_our_marker_does_not_eat_the_issue() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["exception"]["values"][0]["type"] = BEGIN.into();
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (2, 1));
        let before = story.github.issue(REPO, 1).body;
        let first = before.lines().nth(1).unwrap().to_owned();
        assert!(first.contains(BEGIN) && first.contains(CART_PATH), "{first}");
        story.report(&event).await;
        story.clock.advance(16 * MINUTE_MS);
        minute(story).await;
        let body = story.github.issue(REPO, 1).body;
        assert_eq!(rewrites(story), 1);
        assert_eq!(body.lines().nth(1), Some(first.as_str()), "{body}");
        assert!(body.contains("**2 occurrences**"), "{body}");
    });
}

#[test]
fn a_line_that_is_whitelisted_while_its_issue_waits_gets_none() {
    run_test(async |story| {
        use crate::harness::fake_github::Fault;
        story.install().await;
        let limited = Fault::Status {
            status: 403,
            headers: vec![("retry-after", "600".to_owned())],
            body: serde_json::json!({ "message": "You have exceeded a secondary rate limit." }),
        };
        story.commit(ADA, "2026-02-01T10:00:00Z", &[("shop/new.py", "def f(x):\n    return x.y\n")], "Add f");
        story.push().await;
        story.github.fail_next("issues/create", limited);
        let event = story.event();
        story.report(&event).await;
        let other = story.event_at(&story.repo.head(), "shop/new.py", "x.y", "f", "web-1");
        story.report(&other).await;
        assert_eq!((story.changes().len(), story.mails().len()), (0, 2), "GitHub asks to wait");
        let url = format!("{}/add_known_error", story.url());
        for (path, function, code) in
            [(CART_PATH, "total", "amount += PRICES[sku]"), ("shop/new.py", "f", "return x.y")]
        {
            let body: String = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("repo", REPO), ("filename", path), ("function_name", function)])
                .extend_pairs([("code_fragment", code), ("scope", "line")])
                .finish();
            let asked = story.http.post(&url).header("content-type", "application/x-www-form-urlencoded").body(body);
            let answer = asked.bearer_auth("admin-token-of-the-tests").send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
        story.settle().await;
        assert!(story.lines().await.iter().all(|line| line.known), "both are whitelisted");
        story.later(30 * MINUTE_MS).await;
        assert_eq!(story.changes().len(), 2, "the one that was tried may be there already");
        minute(story).await;
        assert!(
            status(story, 1).contains("A known error"),
            "and it does not say that it is open: {}",
            status(story, 1)
        );
        assert_eq!(story.github.issues(REPO).len(), 1, "the other gets none: they have answered already");

        let row = store::repositories::by_name(&story.services().store, REPO).await.unwrap().unwrap();
        let rules = store::rules::in_force(&story.services().store, row.repository.id).await.unwrap();
        assert_eq!(rules.len(), 2);
        for rule in rules {
            let now_ms = story.clock.now_ms();
            story.services().rules().end(row.repository.id, rule.made.id, "admin", now_ms).await.unwrap();
        }
        story.report(&other).await;
        assert_eq!(
            (story.changes().len(), story.mails().len()),
            (2, 0),
            "told once the rule is over; its mail was sent"
        );
    });
}
