//! GitHub does what it did not answer after all, minutes later: what is there twice then is mended,
//! and nobody has to do it.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::GRACE;
use crate::harness::scenes::{EDITED, MINUTE, cart_with};
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use domain::timestamp::HOUR;
use jiff::SignedDuration;
use serde_json::json;

/// After this GitHub does what it was asked for and did not answer: it was made again by then.
const LATE: SignedDuration = SignedDuration::from_mins(6);
/// How far lists are behind in an incident: longer than it is waited for them.
const LONG_LAG: SignedDuration = SignedDuration::from_mins(6);

/// So many minutes go by, each with what is due by time alone.
async fn minutes(story: &mut Story, minutes: usize) {
    for _ in 0..minutes {
        for _ in 0..5 {
            story.later(SignedDuration::from_secs(10)).await;
        }
        story.tick_after(SignedDuration::from_secs(10)).await;
    }
}

/// Installs the App, and has the usual failure's issue made twice: by the request that was not
/// answered, and by the one that followed. They are looked at some minutes later.
async fn made_twice(story: &mut Story) {
    story.install().await;
    story.github.fail_next("issues/create", Fault::WorkLater(LATE));
    story.fails(1).await;
    minutes(story, 7).await;
    assert_eq!(story.github.issues(REPO).len(), 2, "GitHub did both");
    assert_eq!(story.lines().await[0].issue, Some(1));
    story.assert_usual_alert_and("acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]\n");
}

/// Two hours go by in which nothing more is said, and the line is as it was.
async fn nothing_more(story: &mut Story) {
    let before = story.lines().await.remove(0);
    minutes(story, 40).await;
    story.compare().await;
    story.compare().await;
    story.assert_silent("it is mended, and once");
    let after = story.lines().await.remove(0);
    assert_eq!((after.issue, after.resolved_at, after.known), (before.issue, before.resolved_at, before.known));
}

fn closed_as(story: &Story, number: u64) -> Option<String> {
    let issue = story.github.issue(REPO, number);
    issue.state_reason.filter(|_| !issue.open)
}

#[test]
fn an_issue_that_github_makes_late_is_closed_as_a_duplicate() {
    run_test(async |story| {
        made_twice(story).await;
        minutes(story, 4).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 commented:
            Duplicate of #1, sorry: GitHub made this issue twice. Please go on there: labels and closing
            have no effect here. I close this one, unless people have commented on it.
        acme/shop#2 closed as duplicate
        ");
        nothing_more(story).await;
        assert!(story.github.issue(REPO, 1).open);
    });
}

#[test]
fn an_issue_that_github_makes_after_the_first_look_is_found_by_the_second() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::WorkLater(20 * MINUTE));
        story.fails(1).await;
        minutes(story, 25).await;
        story.assert_usual_alert_and("acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]\n");
        minutes(story, 12).await;
        assert_eq!(closed_as(story, 2).as_deref(), Some("duplicate"));
        story.transcript();
        nothing_more(story).await;
    });
}

#[test]
fn an_issue_that_was_not_listed_for_long_stays_and_the_younger_one_leads_to_it() {
    run_test(async |story| {
        story.install().await;
        story.github.set_list_lag(LONG_LAG);
        story.github.fail_next("issues/create", Fault::DropAfterWork);
        story.fails(1).await;
        minutes(story, 5).await;
        assert_eq!(story.lines().await[0].issue, Some(2), "the first one is not listed");
        story.transcript();
        minutes(story, 10).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 assigned to ada
        acme/shop#2 commented:
            Duplicate of #1, sorry: GitHub made this issue twice. Please go on there: labels and closing
            have no effect here. I close this one, unless people have commented on it.
        acme/shop#2 closed as duplicate
        ");
        assert_eq!(story.lines().await[0].issue, Some(1));
        nothing_more(story).await;
        // All that follows is said there.
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert_eq!(story.github.comments(REPO, 1).len(), 1);
        story.transcript();
    });
}

#[test]
fn a_command_on_the_younger_one_counts_and_the_other_is_closed() {
    run_test(async |story| {
        made_twice(story).await;
        story.github.add_label(REPO, 2, "known-error", "grace");
        story.github.close_issue(REPO, 2, "grace");
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert!(line.known, "it is whitelisted");
        assert_eq!(line.issue, Some(2), "people use that one");
        assert_eq!(story.github.comments(REPO, 2).len(), 1, "it is confirmed there");
        story.transcript();
        minutes(story, 20).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Duplicate of #2, sorry: GitHub made this issue twice. Please go on there: labels and closing
            have no effect here. I close this one, unless people have commented on it.
        acme/shop#1 closed as duplicate
        ");
        nothing_more(story).await;
        assert!(story.lines().await[0].known);
    });
}

#[test]
fn the_one_that_people_resolved_stays_resolved() {
    run_test(async |story| {
        made_twice(story).await;
        story.github.close_issue(REPO, 2, "ada");
        story.settle().await;
        assert!(story.lines().await[0].resolved_at.is_some());
        minutes(story, 20).await;
        assert_eq!(closed_as(story, 1).as_deref(), Some("duplicate"));
        story.transcript();
        nothing_more(story).await;
        assert!(story.lines().await[0].resolved_at.is_some());
    });
}

#[test]
fn whoever_closes_one_as_a_duplicate_means_the_other_to_stay() {
    run_test(async |story| {
        made_twice(story).await;
        story.github.close_as_duplicate(REPO, 2, "ada");
        story.settle().await;
        assert!(story.lines().await[0].resolved_at.is_none(), "nobody said that it is mended");
        minutes(story, 20).await;
        assert!(story.github.issue(REPO, 1).open && story.lines().await[0].issue == Some(1));
        story.transcript();
        nothing_more(story).await;
    });
}

#[test]
fn the_one_that_is_left_after_somebody_deleted_the_other_goes_on() {
    for is_told in [true, false] {
        run_test(async |story| {
            made_twice(story).await;
            story.github.delete_issue(REPO, 1, "ada");
            if !is_told {
                story.github.lose_deliveries();
            }
            story.settle().await;
            minutes(story, 20).await;
            assert!(story.github.issue(REPO, 2).open && story.github.comments(REPO, 2).is_empty());
            assert_eq!(story.lines().await[0].issue, Some(2));
            story.transcript();
            nothing_more(story).await;
        });
    }
}

#[test]
fn the_issue_that_people_talk_on_is_the_one_that_stays() {
    run_test(async |story| {
        made_twice(story).await;
        story.github.comment(REPO, 2, "I am on it.", "ada");
        minutes(story, 20).await;
        assert_eq!(story.lines().await[0].issue, Some(2));
        assert!(story.github.issue(REPO, 2).open);
        assert_eq!(story.github.issue(REPO, 2).assignees, ["ada"], "who had the other one");
        assert_eq!(closed_as(story, 1).as_deref(), Some("duplicate"));
        story.transcript();
        nothing_more(story).await;
    });
}

#[test]
fn an_issue_with_words_of_people_is_linked_and_not_closed() {
    run_test(async |story| {
        made_twice(story).await;
        story.github.comment(REPO, 1, "I am on it.", "ada");
        story.github.comment(REPO, 2, "So am I.", "grace");
        minutes(story, 20).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 commented:
            Duplicate of #1, sorry: GitHub made this issue twice. Please go on there: labels and closing
            have no effect here. I close this one, unless people have commented on it.
        ");
        // Grace was told that this is no command.
        story.github.close_issue(REPO, 2, "grace");
        story.settle().await;
        assert!(story.lines().await[0].resolved_at.is_none());
        nothing_more(story).await;
    });
}

#[test]
fn a_copy_that_a_person_made_is_theirs() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::DropAfterWork);
        story.fails(1).await;
        minutes(story, 1).await;
        let body = story.github.issue(REPO, 1).body;
        story.github.open_issue(REPO, "ada", "A copy", &body, &["flawless"]);
        story.assert_usual_alert();
        nothing_more(story).await;
        assert!(story.github.issue(REPO, 2).open);
    });
}

#[test]
fn where_github_knows_no_duplicates_it_is_closed_as_not_planned() {
    run_test(async |story| {
        story.github.know_no_duplicates();
        made_twice(story).await;
        minutes(story, 20).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 commented:
            Duplicate of #1, sorry: GitHub made this issue twice. Please go on there: labels and closing
            have no effect here. I close this one, unless people have commented on it.
        acme/shop#2 closed as not_planned
        ");
        nothing_more(story).await;
    });
}

#[test]
fn mending_that_is_cut_off_goes_on_and_says_nothing_twice() {
    for operation in ["issues/create-comment", "issues/update#state", "issues/list-comments", "issues/get"] {
        run_test(async |story| {
            made_twice(story).await;
            story.github.fail_next(operation, Fault::DropAfterWork);
            for _ in 0..20 {
                minutes(story, 2).await;
                story.restart().await;
            }
            assert_eq!(story.github.take_faults(), 0, "{operation}");
            assert_eq!(closed_as(story, 2).as_deref(), Some("duplicate"), "{operation}");
            assert_eq!(story.github.comments(REPO, 2).len(), 1, "{operation}");
            story.transcript();
            nothing_more(story).await;
        });
    }
}

#[test]
fn mending_that_kills_the_server_goes_on() {
    run_test(async |story| {
        story.expect_errors();
        made_twice(story).await;
        story.clock.advance(10 * MINUTE);
        story.worker().tick(story.clock.now()).await;
        for _ in 0..2 {
            story.die_at_work().await;
        }
        story.end_leases().await;
        minutes(story, 20).await;
        assert_eq!(closed_as(story, 2).as_deref(), Some("duplicate"));
        assert_eq!(story.github.comments(REPO, 2).len(), 1);
        story.transcript();
        nothing_more(story).await;
    });
}

#[test]
fn mending_waits_while_a_repository_is_archived_and_lists_are_behind() {
    run_test(async |story| {
        made_twice(story).await;
        story.github.set_list_lag(MINUTE);
        story.github.set_read_lag(SignedDuration::from_secs(20));
        story.github.set_archived(REPO, true, "owner");
        minutes(story, 20).await;
        story.assert_silent("nothing can be written");
        story.github.set_archived(REPO, false, "owner");
        minutes(story, 20).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 commented:
            Duplicate of #1, sorry: GitHub made this issue twice. Please go on there: labels and closing
            have no effect here. I close this one, unless people have commented on it.
        acme/shop#2 closed as duplicate
        ");
        nothing_more(story).await;
    });
}

#[test]
fn a_comment_that_github_makes_late_is_deleted() {
    run_test(async |story| {
        story.alerted().await;
        story.github.fail_next("issues/create-comment", Fault::WorkLater(LATE));
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        minutes(story, 7).await;
        assert_eq!(story.github.comments(REPO, 1).len(), 2, "GitHub did both");
        let first = story.github.comments(REPO, 1)[0].clone();
        // Somebody quotes it, marker and all.
        story.github.comment(REPO, 1, &first.body, "grace");
        story.transcript();
        minutes(story, 20).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 deleted a comment:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        ");
        let left = story.github.comments(REPO, 1);
        assert_eq!((left.len(), &left[0]), (2, &first), "the older one, and Grace's");
        nothing_more(story).await;
    });
}

#[test]
fn a_storms_issue_that_github_makes_late_is_closed_as_a_duplicate() {
    run_test(async |story| {
        story.nearly_a_storm(30).await;
        story.github.fail_next("issues/create", Fault::WorkLater(LATE));
        story.functions_fail("shop/a.py", "a", 20..22).await;
        minutes(story, 7).await;
        let storms = |story: &Story| {
            let all = story.github.issues(REPO).into_iter().filter(|issue| issue.title.starts_with("Storm"));
            all.map(|issue| (issue.number, issue.open, issue.comments.len())).collect::<Vec<_>>()
        };
        assert_eq!(storms(story), [(21, true, 0), (22, true, 0)]);
        minutes(story, 20).await;
        assert_eq!(storms(story), [(21, true, 0), (22, false, 1)]);
        story.later(HOUR).await;
        story.transcript();
    });
}

#[test]
fn of_a_storms_two_issues_the_one_that_is_open_stays() {
    for closed in [21, 22] {
        run_test(async |story| {
            story.nearly_a_storm(30).await;
            story.github.fail_next("issues/create", Fault::WorkLater(LATE));
            story.functions_fail("shop/a.py", "a", 20..22).await;
            minutes(story, 7).await;
            story.github.close_issue(REPO, closed, "ada");
            story.settle().await;
            minutes(story, 20).await;
            assert!(story.github.issue(REPO, 43 - closed).open);
            story.later(HOUR).await;
            story.transcript();
        });
    }
}

#[test]
fn what_was_answered_is_not_looked_at_again() {
    run_test(async |story| {
        story.alerted().await;
        let asked = story.github.requests_of("issues/list-for-repo").len();
        minutes(story, 40).await;
        let looks = story.github.requests_of("issues/list-for-repo").len() - asked;
        assert!(looks <= 1, "the hourly one: {looks}");
    });
}

/// The line of the cart with this text raises an exception of this type.
async fn raises(story: &mut Story, code: &str, kind: &str) {
    let mut event = story.event_at(&story.repo.head(), CART_PATH, code, "total", "web-1");
    event["exception"]["values"][0]["type"] = json!(kind);
    story.report(&event).await;
}

#[test]
fn an_exception_that_was_told_of_is_no_news_of_the_line_as_it_was_edited() {
    run_test(async |story| {
        story.alerted().await;
        for kind in ["TypeError", "ValueError"] {
            raises(story, "PRICES[sku]", kind).await;
        }
        let said = story.transcript();
        assert_eq!(said.matches("raises `TypeError` as well").count(), 1, "{said}");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &cart_with(EDITED))], "Lower");
        story.push().await;
        raises(story, EDITED, "ValueError").await;
        let said = story.transcript();
        assert!(said.contains("This line was edited by Grace Hopper"), "{said}");
        for kind in ["TypeError", "RuntimeError"] {
            raises(story, EDITED, kind).await;
        }
        let said = story.transcript();
        assert_eq!(said.matches("raises `RuntimeError` as well").count(), 1, "{said}");
        assert_eq!(said.matches("raises `TypeError` as well").count(), 0, "it stands there already: {said}");
    });
}

#[test]
fn what_github_did_not_answer_is_not_said_again_for_the_line_as_it_was_edited() {
    run_test(async |story| {
        story.alerted().await;
        story.github.set_list_lag(2 * MINUTE);
        story.github.fail_next("issues/create-comment", Fault::DropAfterWork);
        story.github.add_label(REPO, 1, "libary-code", "ada");
        story.settle().await;
        assert_eq!(story.github.comments(REPO, 1).len(), 1, "nobody heard of it");
        // Before it is found, the issue goes on with another line.
        story.edited().await;
        minutes(story, 10).await;
        story.compare().await;
        let said = story.transcript();
        assert!(said.contains("This line was edited by Grace Hopper"), "{said}");
        assert_eq!(said.matches("`libary-code` is no command of mine").count(), 1, "{said}");
        assert_eq!(story.lines().await[1].issue, Some(1));
    });
}
