//! The same event, told more than once and at once: it is answered once.

use crate::harness::fake_github::Fault;
use crate::harness::fake_github::hooks::Delivery;
use crate::harness::git_repo::GRACE;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use jiff::SignedDuration;
use std::time::Duration;

/// Copies of one payload.
const COPIES: usize = 10;
/// Long enough for as many workers to have read before any of them writes.
const SLOW: Duration = Duration::from_millis(150);

/// Has what waits, and nine copies of it, worked on by several workers at once.
async fn told_ten_times_at_once(story: &mut Story) -> Vec<Delivery> {
    let waiting = story.github.lose_deliveries();
    for webhook in &waiting {
        story.github.copy(webhook, COPIES);
    }
    let sent = story.github.deliver(&format!("{}/api/github/webhooks", story.url())).await;
    assert!(sent.iter().all(|webhook| webhook.status == 202), "{sent:?}");
    for _ in &sent {
        story.github.fail_next("issues/get", Fault::HangAfterWork(SLOW));
    }
    let workers = [0; 5].map(|_| story.services().worker(story.clock.clone()));
    let [a, b, c, d, e] = workers.each_ref().map(|worker| worker.drain());
    let (a, b, c, d, e) = tokio::join!(a, b, c, d, e);
    for drained in [a, b, c, d, e] {
        drained.unwrap();
    }
    story.github.take_faults();
    for _ in 0..30 {
        story.later(SignedDuration::from_secs(1)).await;
    }
    waiting
}

#[test]
fn ten_webhooks_of_one_command_at_once_are_answered_once() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        let closed = told_ten_times_at_once(story).await;
        let said = story.transcript();
        assert_eq!((said.matches("commented").count(), said.matches("Thanks, ada").count()), (1, 1), "{said}");

        story.github.reopen_issue(REPO, 1, "ada");
        told_ten_times_at_once(story).await;
        story.transcript();
        story.github.close_issue(REPO, 1, "ada");
        told_ten_times_at_once(story).await;
        let said = story.transcript();
        assert_eq!((said.matches("commented").count(), said.matches("Thanks, ada").count()), (1, 1), "{said}");
        story.github.copy(&closed[0], COPIES);
        story.settle().await;
        story.assert_silent("the first closing is over");

        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        story.transcript();
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "grace", "ada");
        told_ten_times_at_once(story).await;
        let said = story.transcript();
        assert_eq!((said.matches("commented").count(), said.matches("Noted, ada").count()), (1, 1), "{said}");
        assert_eq!(
            store::handovers::of_repository(&story.services().store, story.repository().await.repository.id, 9)
                .await
                .unwrap()
                .len(),
            1
        );

        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "known eror", "ada");
        told_ten_times_at_once(story).await;
        let said = story.transcript();
        assert_eq!(
            (said.matches("commented").count(), said.matches("is no command of mine").count()),
            (1, 1),
            "{said}"
        );
        story.later(MINUTE).await;
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.settle().await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        told_ten_times_at_once(story).await;
        let said = story.transcript();
        assert_eq!((said.matches("commented").count(), said.matches("Done, ada").count()), (1, 1), "{said}");
        assert_eq!(story.rules().await.len(), 1);
        story.later(MINUTE).await;
        story.github.remove_label(REPO, 1, "known-error", "ada");
        told_ten_times_at_once(story).await;
        let said = story.transcript();
        assert_eq!((said.matches("commented").count(), said.matches("no longer applies").count()), (1, 1), "{said}");
    });
}

#[test]
fn a_copy_of_a_closing_does_not_close_what_came_back() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        let closed = story.github.lose_deliveries().remove(0);
        story.github.copy(&closed, 1);
        story.settle().await;
        story.transcript();
        story.later(MINUTE).await;
        // It comes back, and GitHub does not let the issue be opened yet.
        for _ in 0..3 {
            story.github.fail_next("issues/update#state", Fault::status(502, "Bad Gateway"));
        }
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "more\n")], "More");
        story.push().await;
        story.fails(1).await;
        assert!(!story.github.issue(REPO, 1).open);
        story.github.copy(&closed, 1);
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.resolved_at, line.regressions), (None, 1));
        for _ in 0..60 {
            story.later(SignedDuration::from_secs(1)).await;
        }
        let said = story.transcript();
        assert!(story.github.issue(REPO, 1).open && said.contains("This is back"), "{said}");
        assert!(!said.contains("Thanks"), "{said}");
    });
}

#[test]
fn an_assignment_is_no_news_once_the_line_went_on() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "grace", "ada");
        let assigned = story.github.lose_deliveries().remove(0);
        story.github.copy(&assigned, 1);
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!(line.owner_login.as_ref().map(|login| login.as_str()), Some("grace"));
        // As a page does it.
        store::lines::set_owner(&story.services().store, line.id, Some(&"linus".into())).await.unwrap();
        story.transcript();
        story.github.copy(&assigned, 1);
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!(line.owner_login.as_ref().map(|login| login.as_str()), Some("linus"));
        assert_eq!(line.place.path, CART_PATH);
        assert!(!story.transcript().contains("commented"));
    });
}

/// Two servers on one database, each with its own workers, clock and connections.
#[test]
fn two_servers_that_are_told_at_once_answer_once() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        story.alerted().await;
        let other = story.start_process().await;
        let urls = [story.url(), &other.url].map(|url| format!("{url}/api/github/webhooks"));
        story.github.close_issue(REPO, 1, "ada");
        let closed = story.github.lose_deliveries().remove(0);
        for _ in 0..2 * COPIES {
            story.github.fail_next("issues/get", Fault::HangAfterWork(SLOW));
        }
        for n in 0..2 * COPIES {
            story.github.copy(&closed, 1);
            story.github.deliver(&urls[n % 2]).await;
        }
        let tasks = story.worker().start();
        for _ in 0..400 {
            let queue = store::jobs::queue_state(&story.services().store).await.unwrap();
            if queue.length == 0 && !story.github.comments(REPO, 1).is_empty() {
                break;
            }
            story.clock.advance(SignedDuration::from_millis(50));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        story.worker().stop();
        for task in tasks {
            task.await.unwrap();
        }
        drop(other);
        story.github.take_faults();
        assert_eq!(story.github.comments(REPO, 1).len(), 1);
        story.restart().await;
        story.end_leases().await;
        for _ in 0..30 {
            story.later(SignedDuration::from_secs(10)).await;
        }
        assert_eq!(story.github.comments(REPO, 1).len(), 1);
        let said = story.transcript();
        assert_eq!(said.matches("Thanks, ada").count(), 1, "{said}");
    });
}
