//! A clock that is set back by an hour: nothing waits for it to catch up, and nothing that is over
//! begins again.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::GRACE;
use crate::harness::scenes::MINUTE;
use crate::harness::smtp::Mode;
use crate::harness::story::{CART_PATH, REPO, run_test};
use app::clock::Clock;
use app::serve::Flawless;
use domain::commit::CommitId;
use domain::pace::GAP;
use domain::timestamp::{HOUR, Timestamp};
use jiff::SignedDuration;
use std::time::Duration;

const SECONDS: SignedDuration = SignedDuration::from_secs(10);
/// Long enough for a request to be under way, and short beside [`SLOW`].
const MEANWHILE: Duration = Duration::from_millis(400);
/// How long GitHub takes.
const SLOW: Duration = Duration::from_millis(1500);
/// Longer than from one look for what came late to the next.
const WATCHED_EVERY: Duration = Duration::from_millis(2_100);

#[test]
fn a_mail_that_failed_does_not_wait_for_the_clock() {
    run_test(async |story| {
        story.install().await;
        story.smtp.set(Mode::Later);
        story.fails(1).await;
        story.smtp.set(Mode::Accept);
        story.set_clock_back(HOUR);
        // Workers see it within half a second.
        story.settle().await;
        story.later(SECONDS).await;
        story.assert_usual_alert();
        assert!(story.logged().contains("the clock was set back"));
    });
}

#[test]
fn what_was_asked_for_while_the_clock_was_ahead_for_a_moment_does_not_wait_for_that_moment() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        story.set_clock_back(-HOUR);
        // No worker looks before the clock is right again.
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        story.set_clock_back(HOUR);
        story.settle().await;
        story.later(SECONDS).await;
        story.assert_usual_alert();
        assert!(story.logged().contains("the clock was set back"));
    });
}

#[test]
fn what_is_written_late_by_a_clock_that_was_ahead_does_not_wait_for_that_moment() {
    run_test(async |story| {
        story.install().await;
        // It was set back before, from a day that is still far away.
        story.set_clock_back(-24 * HOUR);
        story.settle().await;
        story.set_clock_back(24 * HOUR);
        story.settle().await;
        story.github.fail_next("repos/list-pull-requests-associated-with-commit", Fault::HangAfterWork(SLOW));
        let (key, project) = story.key().await;
        story.set_clock_back(-HOUR);
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        let other = story.services().worker(story.clock.clone());
        let clock = story.clock.clone();
        // The step that waits for GitHub was told what time it is before.
        let put_right = async {
            tokio::time::sleep(MEANWHILE).await;
            clock.advance(-HOUR);
            other.drain().await.unwrap();
        };
        tokio::join!(story.settle(), put_right);
        // It is looked for every two seconds.
        tokio::time::sleep(WATCHED_EVERY).await;
        other.drain().await.unwrap();
        story.settle().await;
        story.later(SECONDS).await;
        story.assert_usual_alert();
    });
}

#[test]
fn writes_and_pauses_of_the_queue_do_not_wait_for_the_clock() {
    run_test(async |story| {
        story.alerted().await;
        story.set_clock_back(HOUR);
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("shop/tax.py", "def tax(x):\n    return x / 0\n")], "Tax");
        story.push().await;
        story.fails_at("shop/tax.py", "return x / 0", "tax").await;
        story.later(SECONDS).await;
        assert_eq!(story.github.issues(REPO).len(), 2);
        story.transcript();
        // GitHub's own pause is as long as GitHub said.
        story.github.fail_next("issues/create-comment", Fault::slow_down(90));
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.set_clock_back(HOUR);
        // Workers see it within half a second.
        story.settle().await;
        story.later(MINUTE).await;
        assert!(story.github.comments(REPO, 1).is_empty(), "not yet");
        story.later(MINUTE + GAP).await;
        assert_eq!(story.github.comments(REPO, 1).len(), 1);
        story.transcript();
    });
}

#[test]
fn a_push_is_noted_though_the_last_one_was_later() {
    run_test(async |story| {
        story.install().await;
        story.push().await;
        story.set_clock_back(HOUR);
        let head = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        story.push().await;
        assert_eq!(story.repository().await.repository.head, Some(CommitId::new(head)));
    });
}

#[test]
fn a_push_is_noted_within_the_seconds_by_which_daemons_set_the_clock() {
    run_test(async |story| {
        story.install().await;
        story.push().await;
        story.set_clock_back(SECONDS);
        let head = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        story.push().await;
        assert_eq!(story.repository().await.repository.head, Some(CommitId::new(head)));
    });
}

#[test]
fn a_key_that_another_process_revoked_is_refused() {
    run_test(async |story| {
        story.alerted().await;
        let (key, project) = story.key().await;
        let event = story.event();
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        story.set_clock_back(HOUR);
        // Beside this process: it is told of nothing.
        store::ingest_keys::revoke(&story.services().store, &key, story.clock.now()).await.unwrap();
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 403);
        story.transcript();
    });
}

#[test]
fn what_is_due_by_time_alone_comes_at_its_time() {
    run_test(async |story| {
        story.install().await;
        story.tick().await;
        let asked = story.github.requests_of("apps/list-installations").len();
        let head = story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, "x = 1\n")], "Begin anew");
        story.set_clock_back(HOUR);
        for _ in 0..3 {
            story.tick_after(20 * MINUTE).await;
        }
        assert_eq!(story.repository().await.repository.head, Some(CommitId::new(head)), "fetched");
        assert!(story.github.requests_of("apps/list-installations").len() > asked, "and compared");
    });
}

#[test]
fn the_next_process_knows_of_it_too() {
    run_test(async |story| {
        story.install().await;
        // What the last process wrote down of the time is of this minute.
        story.later(MINUTE).await;
        story.smtp.set(Mode::Later);
        story.fails(1).await;
        story.smtp.set(Mode::Accept);
        story.stop().await;
        story.set_clock_back(HOUR);
        // Of its own memory, this process has nothing.
        story.clock = Clock::fixed(story.clock.now());
        story.start().await;
        story.settle().await;
        story.later(SECONDS).await;
        story.assert_usual_alert();
    });
}

#[test]
fn only_what_is_still_to_come_is_moved_and_what_is_never_stays_so() {
    run_test(async |story| {
        story.alerted().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let line = story.lines().await.remove(0);
        store::writes::set_pause(&store, 1, now + MINUTE, "soon").await.unwrap();
        store::writes::set_pause(&store, 2, Timestamp::MAX, "never").await.unwrap();
        let unnoticed = SECONDS;
        assert_eq!(store::clock::set_back(&store, now, unnoticed, now).await.unwrap(), None);
        assert_eq!(store::clock::set_back(&store, now, unnoticed, now - HOUR).await.unwrap(), Some(HOUR));
        // Another replica notices it as well: what was moved is not moved again.
        store::clock::set_back(&store, now, unnoticed, now - HOUR).await.unwrap();
        assert_eq!(store::writes::paused_until(&store, 1).await.unwrap(), now - HOUR + MINUTE);
        assert_eq!(store::writes::paused_until(&store, 2).await.unwrap(), Timestamp::MAX);
        let after = story.lines().await.remove(0);
        assert_eq!((after.first_seen_at, after.total), (line.first_seen_at, line.total), "what was, was then");
        story.transcript();
    });
}

#[test]
fn replicas_go_by_their_databases_clock() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        // As long as nobody says otherwise, by a clock that is an hour ahead.
        let ahead = || {
            let clock = Clock::system();
            clock.follow(clock.machine() + HOUR);
            clock
        };
        let is_right = |clock: &Clock| (clock.now() - clock.machine()).abs() < MINUTE;
        let clock = ahead();
        assert!(!is_right(&clock));
        drop(Flawless::open(story.config(), clock.clone()).await.unwrap());
        assert!(is_right(&clock), "from the start");
        let clock = ahead();
        let worker = story.services().worker(clock.clone());
        let tasks = worker.start();
        for _ in 0..500 {
            if is_right(&clock) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(is_right(&clock), "and ever after");
        worker.stop();
        for task in tasks {
            task.await.unwrap();
        }
        // What it asked for is due by then.
        story.later(MINUTE).await;
    });
}
