//! Whose a job is: of one worker, whatever clocks say, and of nobody who was not heard of.

use crate::harness::fake_github::Fault;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::job::Job;
use domain::timestamp::HOUR;
use jiff::SignedDuration;
use std::time::Duration;
use store::jobs::{Among, LEASE};
use store::{Store, StoreError};

/// Long enough for a request to be under way, and short beside [`SLOW`].
const MEANWHILE: Duration = Duration::from_millis(400);
/// How often it is looked whether GitHub was asked, and how often at most: for half a minute.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(10);
const LOOKS: usize = 3_000;
/// How long GitHub takes.
const SLOW: Duration = Duration::from_millis(1500);

/// Waits until GitHub is asked for this, which it takes [`SLOW`] to answer.
async fn is_asked(story: &Story, operation: &str) {
    for _ in 0..LOOKS {
        if !story.github.requests_of(operation).is_empty() {
            return;
        }
        tokio::time::sleep(LOOKED_AT_EVERY).await;
    }
    panic!("nobody asked for {operation}");
}

#[test]
fn a_clock_that_leaps_in_the_middle_of_a_request_files_no_second_issue() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::Delay(SLOW));
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        let other = story.services().worker(story.clock.clone());
        let clock = story.clock.clone();
        let leap = async {
            tokio::time::sleep(MEANWHILE).await;
            clock.advance(3 * HOUR);
            other.drain().await.unwrap();
        };
        tokio::join!(story.settle(), leap);
        story.later(MINUTE).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        story.assert_usual_alert();
    });
}

#[test]
fn a_worker_that_was_not_heard_of_for_too_long_writes_nothing_more_to_github() {
    run_test(async |story| {
        story.install().await;
        // It asks whether the issue may be assigned before it files it.
        story.github.fail_next("issues/check-user-can-be-assigned", Fault::HangAfterWork(SLOW));
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        let other = story.services().worker(story.clock.clone());
        let another = async {
            is_asked(story, "issues/check-user-can-be-assigned").await;
            story.end_leases().await;
            other.drain().await.unwrap();
        };
        let (drained, ()) = tokio::join!(story.worker().drain(), another);
        drained.unwrap();
        story.settle().await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        assert!(story.logged().contains("is another worker's: nothing more of it was written or sent"));
        story.assert_usual_alert();
    });
}

#[test]
fn who_lost_a_job_writes_and_sends_nothing_in_its_name() {
    run_test(async |story| {
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
        let lost = store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
        let its_store = store.held_by(&lost);
        its_store.prove_lease().await.unwrap();
        assert!(store::jobs::renew(&its_store, LEASE).await.unwrap(), "its own");
        // However far the program's clock leaps.
        let claim =
            async |store: &Store| store::jobs::claim(store, Among::Suspects, LEASE, now + 9 * HOUR).await.unwrap();
        assert_eq!(claim(&store).await, None, "it is held");
        story.end_leases().await;
        let holder = claim(&store).await.expect("the same job: its lease is over");
        assert_eq!((holder.job, holder.attempts, holder.deaths), (Job::Reconcile, 2, 1));
        assert!(matches!(its_store.prove_lease().await, Err(StoreError::LeaseLost)));
        let written = store::meta::set(&its_store, "a fact", "of the lost").await;
        assert!(matches!(written, Err(StoreError::LeaseLost)), "{written:?}");
        assert_eq!(store::meta::by_name(&store, "a fact").await.unwrap(), None);
        assert!(!store::jobs::renew(&its_store, LEASE).await.unwrap());
        store::jobs::requeue(&store, &lost, now, now).await.unwrap();
        store::jobs::record_failed(&store, &lost, now, "slept").await.unwrap();
        store::jobs::record_panicked(&store, &lost, now, "slept").await.unwrap();
        store::jobs::put_back(&store, &lost).await.unwrap();
        store::jobs::finish(&store, &lost).await.unwrap();
        assert_eq!(claim(&store).await, None, "it is held, and there");
        assert!(store::jobs::renew(&store.held_by(&holder), LEASE).await.unwrap());
        store::meta::set(&store.held_by(&holder), "a fact", "of the holder").await.unwrap();
        store::jobs::finish(&store, &holder).await.unwrap();
        assert_eq!(store::jobs::queue_state(&store).await.unwrap().length, 0);
    });
}

/// On SQLite, nobody looks while somebody writes.
#[test]
fn nobody_takes_a_job_in_the_middle_of_its_holders_transaction() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
        let held = store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
        let writes = store.held_by(&held).begin().await.unwrap();
        story.end_leases().await;
        let claim = async || store::jobs::claim(&store, Among::Suspects, LEASE, now).await.unwrap();
        assert_eq!(claim().await, None, "its holder writes");
        writes.commit().await.unwrap();
        let other = claim().await.expect("its lease is over");
        assert_eq!((other.job, other.deaths), (Job::Reconcile, 1));
        store::jobs::finish(&store, &other).await.unwrap();
    });
}

/// Two replicas need a database that they can share.
#[test]
fn a_replica_that_is_frozen_in_the_middle_of_its_work_tells_nothing_twice() {
    if std::env::var("FLAWLESS_TEST_DATABASE").is_err() {
        return;
    }
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        story.stop().await;
        let frozen = story.start_process().await;
        story.github.fail_next("issues/check-user-can-be-assigned", Fault::HangAfterWork(SLOW));
        assert_eq!(story.send_to(&frozen.url, &key, project, &event).await, 200);
        for _ in 0..400 {
            if !story.github.requests_of("issues/check-user-can-be-assigned").is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        frozen.signal("STOP");
        story.end_leases().await;
        story.start().await;
        story.settle().await;
        story.later(SignedDuration::from_secs(5)).await;
        assert_eq!(story.github.issues(REPO).len(), 1, "the other replica told of it");
        frozen.signal("CONT");
        tokio::time::sleep(2 * SLOW).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        assert_eq!(story.lines().await[0].issue, Some(1));
        story.assert_copies_of_one_mail();
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        drop(frozen);
    });
}
