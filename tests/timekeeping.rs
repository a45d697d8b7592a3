//! What is due by time alone, at its time and not earlier: no event asks for it, the worker's tick
//! each minute does.

use crate::harness::browser::Browser;
use crate::harness::fake_github::Fault;
use crate::harness::git_repo::GRACE;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::commit::CommitId;
use domain::timestamp::{DAY, HOUR, Timestamp};
use std::time::Duration;

/// Ticks each minute for so many minutes; in which of them something was done, as `count` says.
async fn minutes_with_news(story: &mut Story, minutes: i64, count: impl Fn(&Story) -> usize) -> Vec<i64> {
    let mut found = Vec::new();
    for minute in 1..=minutes {
        let before = count(story);
        story.tick_after(MINUTE).await;
        if count(story) != before {
            found.push(minute);
        }
    }
    found
}

fn fetches(story: &Story) -> usize {
    story.git.host.conversations()
}

fn reconciliations(story: &Story) -> usize {
    story.github.requests_of("apps/list-installations").len()
}

#[test]
fn a_repository_whose_pushes_nobody_announces_is_fetched_every_quarter_of_an_hour() {
    run_test(async |story| {
        story.install().await;
        let head = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        assert_eq!(minutes_with_news(story, 46, fetches).await, [15, 30, 45]);
        assert_eq!(story.repository().await.repository.head, Some(CommitId::new(head)));
    });
}

#[test]
fn a_repository_that_is_away_is_tried_ever_less_often_and_at_once_after_a_push() {
    run_test(async |story| {
        story.install().await;
        story.expect_errors();
        story.git.host.serve(REPO, "/nowhere");
        let first = minutes_with_news(story, 60, fetches).await;
        assert_eq!(first[..4], [15, 16, 17, 18], "seconds after the first failure");
        let next = minutes_with_news(story, 120, fetches).await;
        assert!((6..=8).contains(&next.len()), "then every quarter of an hour: {next:?}");
        story.git.host.serve(REPO, story.repo.git_dir());
        let head = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        story.push().await;
        assert_eq!(story.repository().await.repository.head, Some(CommitId::new(head)));
    });
}

#[test]
fn what_can_never_be_mirrored_is_tried_once_a_day_and_no_report_waits_for_it() {
    run_test(async |story| {
        // With only one commit, a shallow clone is a whole one.
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        story.cut_off_history();
        story.expect_errors();
        story.install().await;
        let error = story.repository().await.fetch_error.unwrap();
        assert!(error.contains("shallow"), "{error}");
        let before = fetches(story);
        assert!(minutes_with_news(story, 60, fetches).await.is_empty(), "somebody has to do something");
        for _ in 0..22 {
            story.tick_after(HOUR).await;
        }
        assert_eq!(fetches(story), before);
        story.tick_after(HOUR * 2).await;
        assert_eq!(fetches(story), before + 1, "a day later");
        story.fails(1).await;
        assert_eq!(story.lines().await.len(), 1, "told without the mirror, at once");
        assert_eq!(fetches(story), before + 1, "and the answer is not asked for again");
        story.transcript();
    });
}

#[test]
fn what_can_not_be_mirrored_any_more_is_not_asked_for_by_each_report() {
    run_test(async |story| {
        story.install().await;
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        story.cut_off_history();
        story.expect_errors();
        story.push().await;
        assert!(story.repository().await.fetch_error.unwrap().contains("shallow"));
        let before = fetches(story);
        story.fails(1).await;
        let lines = story.lines().await;
        assert!(lines.len() == 1 && lines[0].author_name.is_some(), "what is there is looked at");
        assert_eq!(fetches(story), before, "most of a large file would be received each time");
        let verdict = story.github.issue(REPO, 1).body;
        assert!(verdict.contains("An older state of the repository was looked at"), "{verdict}");
        story.transcript();
    });
}

#[test]
fn what_github_refuses_is_tried_every_quarter_of_an_hour_and_its_reports_wait() {
    run_test(async |story| {
        story.expect_errors();
        for _ in 0..100 {
            story.github.fail_next("apps/create-installation-access-token", Fault::status(422, "Not for you"));
        }
        story.install().await;
        let asked = |story: &Story| story.github.requests_of("apps/create-installation-access-token").len();
        // What is installed is compared at the start.
        story.tick_after(MINUTE).await;
        assert_eq!(minutes_with_news(story, 50, asked).await, [14, 29, 44]);
        story.fails(1).await;
        assert!(story.lines().await.is_empty(), "the App may be let in again, and the line blamed then");
        story.github.take_faults();
        story.tick_after(MINUTE * 20).await;
        story.fails(1).await;
        let lines = story.lines().await;
        assert_eq!((lines.len(), lines[0].total), (1, 2), "one line, of both");
        assert!(lines[0].author_name.is_some(), "and it was blamed");
        story.transcript();
    });
}

#[test]
fn what_could_not_be_mirrored_is_fetched_once_it_is_added_again() {
    run_test(async |story| {
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        story.cut_off_history();
        let shallow = story.folder().join("shallow");
        let add = ["repository", "add", shallow.to_str().unwrap(), "--name", "acme/plain"];
        story.expect_errors();
        let said = story.command(&add);
        assert!(said.contains("can't be cloned as it is") && said.contains("is a shallow clone"), "{said}");
        story.tick_after(MINUTE).await;
        let plain = async |story: &Story| {
            store::repositories::by_name(&story.services().store, &"acme/plain".into()).await.unwrap().unwrap()
        };
        assert!(plain(story).await.fetch_error.unwrap().contains("shallow"));
        let pull = ["-C", shallow.to_str().unwrap(), "fetch", "--quiet", "--unshallow"];
        story.repo.git(&pull);
        story.tick_after(HOUR).await;
        assert!(plain(story).await.repository.head.is_none(), "nobody said that it was mended");
        story.command(&add);
        story.tick_after(MINUTE).await;
        assert_eq!(plain(story).await.repository.head.unwrap().as_str(), story.repo.head());
    });
}

#[test]
fn a_push_that_is_announced_puts_the_next_fetch_off() {
    run_test(async |story| {
        story.install().await;
        assert!(minutes_with_news(story, 10, fetches).await.is_empty());
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        let before = fetches(story);
        story.push().await;
        assert_eq!(fetches(story), before + 1);
        assert_eq!(minutes_with_news(story, 20, fetches).await, [15], "a quarter of an hour after the push");
    });
}

#[test]
fn a_repository_of_a_suspended_installation_is_not_fetched() {
    run_test(async |story| {
        let installation = story.install().await;
        story.github.suspend(installation, true);
        story.settle().await;
        assert!(minutes_with_news(story, 31, fetches).await.is_empty());
    });
}

#[test]
fn what_is_installed_is_compared_at_the_start_and_every_hour() {
    run_test(async |story| {
        story.install().await;
        assert_eq!(minutes_with_news(story, 122, reconciliations).await, [1, 61, 121]);
        story.restart().await;
        assert_eq!(minutes_with_news(story, 30, reconciliations).await, [1], "what was missed meanwhile is not known");
    });
}

#[test]
fn a_status_is_written_anew_after_a_quarter_of_an_hour_and_only_where_it_says_something_new() {
    run_test(async |story| {
        story.alerted().await;
        story.fails(2).await;
        let writes = |story: &Story| story.github.requests_of("issues/update").len();
        assert!(minutes_with_news(story, 14, writes).await.is_empty());
        story.assert_silent("somebody may have looked a moment ago");
        assert_eq!(minutes_with_news(story, 20, writes).await, [1]);
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 status:
            + **3 occurrences**, the first on MOMENT, the latest on MOMENT. Open.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
        ");
    });
}

#[test]
fn a_rule_ends_after_its_last_day() {
    run_test(async |story| {
        let settings = format!("known_errors: [{{ file: shop/cart.py, until: {} }}]\n", story.clock.now().date());
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(".github/flawless.yml", &settings)], "For today");
        story.install().await;
        story.fails(1).await;
        story.tick().await;
        story.assert_silent("it is known today");
        story.tick_after(DAY).await;
        assert!(!story.lines().await[0].known);
        story.fails(1).await;
        story.assert_usual_alert();
    });
}

#[test]
fn a_session_that_nobody_uses_is_deleted_after_a_week() {
    run_test(async |story| {
        Browser::signed_in(story).await;
        // As of the beginning of time none is over: these are the rows that are there.
        let rows = async |story: &Story| {
            store::sessions::list(&story.services().store, None, 1_000, Timestamp::UNIX_EPOCH).await.unwrap().len()
        };
        story.tick_after(7 * DAY - MINUTE).await;
        assert_eq!(rows(story).await, 1);
        story.tick_after(MINUTE).await;
        assert_eq!(rows(story).await, 0);
    });
}

#[test]
fn a_tick_that_comes_late_does_once_what_several_would_have_done() {
    run_test(async |story| {
        story.install().await;
        story.tick().await;
        let (fetched, compared) = (fetches(story), reconciliations(story));
        story.tick_after(5 * HOUR).await;
        assert_eq!((fetches(story) - fetched, reconciliations(story) - compared), (1, 1));
        story.tick().await;
        assert_eq!((fetches(story) - fetched, reconciliations(story) - compared), (1, 1), "the same moment again");
    });
}

#[test]
fn a_server_that_starts_ticks_by_itself() {
    run_test(async |story| {
        story.install().await;
        story.stop().await;
        let _process = story.start_process().await;
        for _ in 0..600 {
            if reconciliations(story) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{REPO} is compared with nothing");
    });
}
