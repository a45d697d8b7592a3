//! What GitHub refuses in a repository is a state of it: it is said, waited out, and what still
//! stands is written once it is over. One "gone" is no proof.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::ADA;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::timestamp::{DAY, HOUR};

/// Until it was looked whether it is over.
async fn looked(story: &mut Story) {
    story.later(6 * MINUTE).await;
}

/// A second file of Ada's, whose line fails beside the usual one.
async fn another_line(story: &mut Story) {
    story.commit(ADA, "2026-02-01T10:00:00Z", &[("shop/new.py", "def f(x):\n    return x.y\n")], "Add f");
    story.push().await;
}

const ANOTHER_ALERT: &str = "\
mail to ada@example.com: [acme/shop] KeyError in f (shop/new.py:2)
    You wrote this line.
";

fn issues(story: &Story) -> usize {
    story.github.issues(REPO).len()
}

/// Writes that were tried so far.
fn tried(story: &Story) -> usize {
    story.github.requests_of("issues/create").len() + story.github.requests_of("issues/create-comment").len()
}

async fn assert_refused(story: &Story, why: &str) {
    let page = story.page(&format!("/{REPO}")).await;
    assert!(page.contains("GitHub takes no issues or comments") && page.contains(why), "{page}");
    let doctor = story.page("/doctor").await;
    assert!(doctor.contains("GitHub takes no issues or comments") && doctor.contains(why), "{doctor}");
    assert!(story.page("/metrics").await.contains("flawless_repositories_refused 1\n"));
}

async fn assert_taken(story: &Story) {
    assert!(story.repository().await.refusal.is_none());
    assert!(!story.page(&format!("/{REPO}")).await.contains("GitHub takes no issues or comments"));
    assert!(story.page("/metrics").await.contains("flawless_repositories_refused 0\n"));
}

/// The usual failure while something is refused, which is found out by asking, and lasts a day. The
/// mail of the line that fails next.
async fn fails_in_vain(story: &mut Story, why: &str) -> String {
    another_line(story).await;
    story.fails(1).await;
    assert_eq!(story.unread_text().lines().next(), Some("You wrote this line."));
    story.mails();
    looked(story).await;
    assert_refused(story, why).await;
    let (before, asked) = (tried(story), story.github.requests_of("repos/get").len());
    for _ in 0..24 {
        story.tick_after(HOUR).await;
    }
    assert_eq!(tried(story), before, "it is asked, and not tried");
    assert!(story.github.requests_of("repos/get").len() > asked);
    story.fails_at("shop/new.py", "x.y", "f").await;
    let text = story.unread_text();
    assert_eq!(story.transcript(), ANOTHER_ALERT);
    text
}

/// What waited is written, each thing once.
async fn is_made_up_for(story: &mut Story) {
    looked(story).await;
    insta::allow_duplicates! {
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        acme/shop#2 opened: KeyError in f (shop/new.py) [flawless]
        acme/shop#2 assigned to ada
        ");
    }
    assert_taken(story).await;
    story.later(DAY).await;
    assert_eq!(issues(story), 2);
}

#[test]
fn what_failed_while_a_repository_was_archived_is_filed_afterwards() {
    run_test(async |story| {
        story.install().await;
        story.github.set_archived(REPO, true, "owner");
        story.github.lose_deliveries();
        let mail = fails_in_vain(story, "because it is archived").await;
        let said = "No issue could be filed: GitHub takes none in this repository, because it is archived.";
        assert!(mail.contains(said), "{mail}");
        let said = story.asking_command(&["check"]).await;
        assert!(said.contains("warn  acme/shop: GitHub takes") && said.contains("Unarchive it on GitHub"), "{said}");
        story.github.set_archived(REPO, false, "owner");
        story.github.lose_deliveries();
        is_made_up_for(story).await;
    });
}

#[test]
fn a_webhook_says_at_once_that_a_repository_is_archived_and_that_it_is_not() {
    run_test(async |story| {
        story.install().await;
        story.github.set_archived(REPO, true, "owner");
        story.settle().await;
        assert_refused(story, "because it is archived").await;
        story.fails(1).await;
        assert!(story.unread_text().contains("because it is archived"), "the first mail says it");
        assert_eq!((story.mails().len(), tried(story)), (1, 0));
        story.github.set_archived(REPO, false, "owner");
        story.settle().await;
        assert_eq!(story.changes().len(), 2, "filed and assigned");
        assert_taken(story).await;
    });
}

#[test]
fn what_failed_while_issues_were_off_is_filed_and_said_afterwards() {
    run_test(async |story| {
        story.alerted().await;
        story.github.set_issues_enabled(REPO, false);
        story.fails(9).await;
        looked(story).await;
        assert_refused(story, "because its issues are switched off").await;
        for _ in 0..3 {
            story.tick_after(DAY).await;
        }
        assert_eq!(story.lines().await[0].issue, Some(1), "a link is not forgotten");
        story.github.set_issues_enabled(REPO, true);
        looked(story).await;
        assert_taken(story).await;
        assert_eq!(issues(story), 1);
        assert!(story.transcript().contains("10 occurrences so far"));
    });
}

#[test]
fn a_permission_that_is_given_back_has_everything_written() {
    run_test(async |story| {
        story.install().await;
        story.github.withhold("issues");
        let mail = fails_in_vain(story, "because the App may not write issues there").await;
        assert!(story.asking_command(&["check"]).await.contains("FAIL  acme/shop: GitHub takes"));
        assert!(mail.contains("because the App may not write issues there"), "{mail}");
        story.github.give_back("issues");
        is_made_up_for(story).await;
    });
}

#[test]
fn an_allow_list_that_is_put_right_has_everything_written() {
    run_test(async |story| {
        story.install().await;
        story.github.set_closed_to_us("acme", true);
        fails_in_vain(story, "IP allow list does not have this server").await;
        story.github.set_closed_to_us("acme", false);
        is_made_up_for(story).await;
    });
}

#[test]
fn what_the_law_blocks_waits_for_the_law() {
    run_test(async |story| {
        story.install().await;
        story.github.set_blocked(REPO, true);
        fails_in_vain(story, "because GitHub blocks access to it").await;
        story.github.set_blocked(REPO, false);
        is_made_up_for(story).await;
    });
}

#[test]
fn a_404_or_422_right_after_something_was_made_is_waited_out() {
    for status in [404, 422] {
        run_test(async |story| {
            story.install().await;
            for operation in ["issues/create", "issues/add-assignees"] {
                for _ in 0..3 {
                    story.github.fail_next(operation, Fault::status(status, "Validation Failed"));
                }
            }
            story.fails(1).await;
            for _ in 0..12 {
                story.later(MINUTE / 2).await;
            }
            story.assert_usual_alert();
            assert_taken(story).await;
        });
    }
}

#[test]
fn a_refusal_that_nothing_explains_is_tried_now_and_then() {
    run_test(async |story| {
        story.install().await;
        for _ in 0..8 {
            story.github.fail_next("issues/create", Fault::status(403, "Forbidden"));
        }
        story.fails(1).await;
        assert_refused(story, "Forbidden").await;
        for _ in 0..120 {
            story.later(MINUTE).await;
        }
        story.assert_usual_alert();
        assert_taken(story).await;
    });
}

#[test]
fn what_is_refused_for_hours_for_no_known_reason_is_written_after_all() {
    for (status, said) in [(403, "Forbidden"), (400, "Bad Request"), (422, "Validation Failed")] {
        run_test(async |story| {
            // Labels, too: that one more of them was refused is no sign that it is over.
            for operation in ["issues/create-label", "issues/create"] {
                for _ in 0..200 {
                    story.github.fail_next(operation, Fault::status(status, said));
                }
            }
            story.install().await;
            story.fails(1).await;
            another_line(story).await;
            story.fails_at("shop/new.py", "x.y", "f").await;
            for _ in 0..10 {
                story.later(MINUTE).await;
            }
            let since = story.repository().await.refusal.expect("it is noted").since;
            for _ in 0..3 * 60 {
                story.later(MINUTE).await;
            }
            let refusal = story.repository().await.refusal.expect("it goes on");
            assert_eq!(refusal.since, since, "{status}");
            assert!(tried(story) < 30, "{} writes in three hours", tried(story));
            assert_eq!(issues(story), 0);
            story.github.take_faults();
            for _ in 0..40 {
                story.later(MINUTE).await;
            }
            assert_eq!(issues(story), 2, "{status}: none is given up");
            assert_taken(story).await;
            story.transcript();
        });
    }
}

#[test]
fn one_label_that_is_refused_is_left_out_and_said() {
    run_test(async |story| {
        let settings = [(".github/flawless.yml", "issues:\n  labels: [bug, odd]\n")];
        story.commit(ADA, "2026-02-01T10:00:00Z", &settings, "Label issues");
        story.install().await;
        story.github.refuse(REPO, "odd");
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless, bug]
        acme/shop#1 assigned to ada
        ");
        let said = "GitHub refuses &#34;odd&#34; of issues.labels";
        for page in [format!("/{REPO}"), "/doctor".to_owned()] {
            let page = story.page(&page).await.replace("&quot;", "&#34;");
            assert!(page.contains(said), "{page}");
        }
        another_line(story).await;
        story.fails_at("shop/new.py", "x.y", "f").await;
        assert!(story.transcript().contains("[flawless, bug]"));
        assert_eq!(story.github.requests_of("issues/create").len(), 3, "it is not asked for again");
    });
}

#[test]
fn one_person_who_is_refused_costs_no_issue() {
    run_test(async |story| {
        story.install().await;
        story.github.refuse(REPO, "ada");
        story.fails(1).await;
        for _ in 0..12 {
            story.later(MINUTE / 2).await;
        }
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        ");
        assert_taken(story).await;
    });
}

#[test]
fn a_comment_and_a_reopening_that_were_refused_are_made_later_as_things_stand_then() {
    run_test(async |story| {
        story.alerted().await;
        story.github.withhold("issues");
        // Closed, opened, closed: the last word counts.
        for _ in 0..2 {
            story.github.close_issue(REPO, 1, "ada");
            story.settle().await;
            story.later(MINUTE).await;
            story.github.reopen_issue(REPO, 1, "ada");
            story.settle().await;
            story.later(MINUTE).await;
        }
        story.github.close_issue(REPO, 1, "ada");
        looked(story).await;
        story.later(DAY + HOUR).await;
        story.github.give_back("issues");
        looked(story).await;
        let said = story.transcript();
        assert_eq!(said.matches("Thanks, ada: resolved").count(), 1, "{said}");

        story.commit(ADA, "2026-02-02T10:00:00Z", &[("README.md", "A shop.\n")], "Describe it");
        story.push().await;
        story.github.withhold("issues");
        story.fails(1).await;
        assert!(story.transcript().contains("This line was resolved"), "the mail goes out");
        assert!(!story.github.issue(REPO, 1).open);
        story.later(DAY).await;
        story.github.give_back("issues");
        looked(story).await;
        let said = story.transcript();
        assert_eq!((said.matches("reopened").count(), said.matches("This is back").count()), (1, 1), "{said}");
        assert_eq!(issues(story), 1);
    });
}

#[test]
fn a_reopening_that_waits_outlives_what_else_is_said_of_the_line() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        story.later(MINUTE).await;
        end_of_library_code_while_it_comes_back(story).await;
        assert!(!story.github.issue(REPO, 1).open);
        story.github.give_back("issues");
        looked(story).await;
        let said = story.transcript();
        assert!(story.github.issue(REPO, 1).open, "{said}");
        assert_eq!((said.matches("This is back").count(), said.matches("no longer applies").count()), (1, 1), "{said}");
    });
}

/// The line is library code; its issue is closed, GitHub refuses what is written, the line comes
/// back, and is no library code any more.
async fn end_of_library_code_while_it_comes_back(story: &mut Story) {
    story.github.close_issue(REPO, 1, "ada");
    story.settle().await;
    story.transcript();
    let (store, line) = (story.services().store.clone(), story.lines().await.remove(0));
    story.github.withhold("issues");
    // As a report of newer code does it; while it is library code none is blamed on the line.
    let reply = domain::alert::Reply::Regressed {
        release: None,
        revision: None,
        resolved: line.resolved_commit.clone(),
        total: line.total,
    };
    let back = app::services::messages::comment(domain::delivery::Purpose::Regression(1), &reply).unwrap();
    let decided = store::decisions::LineUpdate { total: line.total, regressed: true, ..Default::default() };
    let now = story.clock.now();
    let mode = domain::delivery::DeliveryMode::Singly;
    let decision =
        store::decisions::Decision { line: line.id, repository: line.repository, decided, send: vec![back], mode };
    assert_eq!(store::decisions::record(&store, &[decision], now).await.unwrap(), [true]);
    story.later(MINUTE).await;
    story.github.remove_label(REPO, 1, "library-code", "ada");
    story.settle().await;
}

#[test]
fn a_repository_that_is_archived_and_has_nothing_to_write_is_asked_about_each_hour() {
    run_test(async |story| {
        story.alerted().await;
        story.github.set_archived(REPO, true, "owner");
        story.settle().await;
        let before = story.github.requests_of("repos/get").len();
        for _ in 0..6 * 12 {
            story.later(5 * MINUTE).await;
        }
        let asked = story.github.requests_of("repos/get").len() - before;
        assert!((3..=14).contains(&asked), "{asked} times in six hours");
        story.github.set_archived(REPO, false, "owner");
        story.settle().await;
    });
}

#[test]
fn an_issue_that_may_have_been_made_is_looked_for_when_its_repository_comes_back() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::DropAfterWork);
        for _ in 0..200 {
            story.github.fail_next("issues/list-for-repo", Fault::status(502, "Bad Gateway"));
        }
        story.fails(1).await;
        assert_eq!((issues(story), story.lines().await[0].issue), (1, None), "nobody knows");
        let row = story.repository().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        assert!(store::repositories::unwatch(&store, row.repository.id, None, now).await.unwrap());
        story.github.take_faults();
        story.later(HOUR).await;
        story.tick_after(HOUR).await;
        story.fails(1).await;
        for _ in 0..10 {
            story.later(MINUTE).await;
        }
        assert_eq!(issues(story), 1, "{}", story.transcript());
        assert_eq!(story.lines().await[0].issue, Some(1));
        story.transcript();
    });
}

#[test]
fn one_gone_is_no_proof_and_files_no_second_issue() {
    for status in [404, 410] {
        for operations in [&["issues/create-comment"][..], &["issues/update#state"], &["issues/get"]] {
            run_test(async |story| {
                story.alerted().await;
                let event = story.event();
                story.github.close_issue(REPO, 1, "ada");
                story.settle().await;
                story.commit(ADA, "2026-02-02T10:00:00Z", &[("README.md", "A shop.\n")], "Describe it");
                story.push().await;
                story.transcript();
                for operation in operations {
                    story.github.fail_next(operation, Fault::status(status, "Not Found"));
                }
                story.fails(1).await;
                for _ in 0..12 {
                    story.later(MINUTE).await;
                }
                story.report(&event).await;
                story.fails(1).await;
                let said = story.transcript();
                assert_eq!(said.matches("This is back").count(), 1, "{operations:?} {status}: {said}");
                assert_eq!((issues(story), story.lines().await[0].issue), (1, Some(1)), "{operations:?} {status}");
                assert!(story.github.issue(REPO, 1).open);
            });
        }
    }
}

#[test]
fn an_issue_that_is_not_shown_for_a_moment_is_asked_for_again() {
    run_test(async |story| {
        story.alerted().await;
        story.fails(8).await;
        // The comment, and both looks that follow.
        for operation in ["issues/create-comment", "issues/get"] {
            story.github.fail_next(operation, Fault::status(404, "Not Found"));
        }
        story.fails(1).await;
        assert_eq!(story.lines().await[0].issue, Some(1));
        looked(story).await;
        assert!(story.transcript().contains("10 occurrences so far"));
        assert_eq!(issues(story), 1);
    });
}

#[test]
fn a_locked_issue_holds_nothing_else_up() {
    run_test(async |story| {
        story.alerted().await;
        story.github.set_locked(REPO, 1, true);
        story.fails(9).await;
        assert_taken(story).await;
        another_line(story).await;
        story.fails_at("shop/new.py", "x.y", "f").await;
        assert!(story.transcript().contains("acme/shop#2 opened"));
        story.github.set_locked(REPO, 1, false);
        story.later(2 * HOUR).await;
        assert!(story.transcript().contains("10 occurrences so far"));
    });
}

#[test]
fn what_cannot_be_said_on_an_issue_is_mailed() {
    for is_locked in [true, false] {
        run_test(async |story| {
            story.alerted().await;
            match is_locked {
                true => story.github.set_locked(REPO, 1, true),
                false => story.github.delete_issue(REPO, 1, "owner"),
            }
            story.github.lose_deliveries();
            let mut event = story.event();
            event["exception"]["values"][0]["type"] = "TypeError".into();
            story.report(&event).await;
            looked(story).await;
            let said = story.unread_text();
            assert_eq!(said.matches("This line raises TypeError as well, seen in the release").count(), 1, "{said}");
            story.transcript();
        });
    }
}

#[test]
fn a_storm_in_an_archived_repository_is_mailed_and_filed_afterwards() {
    run_test(async |story| {
        story.nearly_a_storm(24).await;
        story.github.set_archived(REPO, true, "owner");
        story.settle().await;
        story.send_functions("shop/a.py", "a", 20..24).await;
        story.settle().await;
        looked(story).await;
        let mail = story.unread_text();
        assert!(mail.contains("No issue could be filed") && mail.contains("it is archived"), "{mail}");
        assert_eq!((story.mails().len(), issues(story)), (1, 20));
        story.github.set_archived(REPO, false, "owner");
        story.settle().await;
        looked(story).await;
        let said = story.transcript();
        assert_eq!(said.matches("opened: Storm: 24 lines").count(), 1, "{said}");
    });
}

#[test]
fn other_repositories_of_the_installation_go_on() {
    run_test(async |story| {
        let installation = story.install().await;
        story.github.add_repository("acme/tool", true);
        story.git.host.serve("acme/tool", story.repo.git_dir());
        story.github.grant(installation, &["acme/tool"]);
        story.settle().await;
        story.github.set_blocked(REPO, true);
        story.fails(1).await;
        looked(story).await;
        story.mails();
        let store = story.services().store.clone();
        let tool = store::repositories::by_name(&store, &"acme/tool".into()).await.unwrap().unwrap().repository.id;
        let key = store::ingest_keys::in_force(&store, tool).await.unwrap().remove(0);
        assert_eq!(story.send_to(story.url(), &key, tool.0, &story.event()).await, 200);
        story.settle().await;
        assert_eq!(story.github.issues("acme/tool").len(), 1);
        assert!(story.transcript().contains("acme/tool#1 opened"));
        // What is taken away waits for nothing.
        story.github.revoke(installation, &[REPO]);
        story.settle().await;
        for _ in 0..26 {
            story.tick_after(HOUR).await;
        }
        let (waiting, _) = store::deliveries::count_pending_and_given_up(&store).await.unwrap();
        assert_eq!(waiting, 0);
    });
}
