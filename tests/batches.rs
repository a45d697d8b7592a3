//! Jobs that are done several at a time: what goes wrong with one of them concerns no other.

use crate::harness::git_repo::ADA;
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::story::{REPO, Story, run_test};
use domain::ids::ReportId;
use domain::job::Job;
use domain::timestamp::DAY;
use serde_json::json;
use sqlx::AnyConnection;
use sqlx::Connection as _;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;
use store::StoreError;
use store::jobs::{Among, BATCH, Batch, Claim, LEASE};
use store::repositories::NewRepository;

/// A repository of so many functions, each of which is told of by itself, and has failed; nobody
/// has looked at what came in yet.
async fn failed(story: &mut Story, count: usize) {
    let files = [("shop/a.py", functions("a", count)), (".github/flawless.yml", "storm: { lines: 0 }\n".to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    story.commit(ADA, "2026-01-06T10:00:00Z", &files, "Add a");
    story.install().await;
    story.settle().await;
    story.send_functions("shop/a.py", "a", 0..count).await;
}

async fn claim_batch(story: &Story) -> Batch {
    store::jobs::claim_batch(&story.services().store, Among::Ordinary, LEASE, story.clock.now()).await.unwrap()
}

fn is_attribute(claim: &Claim) -> bool {
    matches!(claim.job, Job::Attribute(_))
}

/// Every function has an issue, and but one.
#[track_caller]
fn assert_each_has_its_issue(story: &Story, count: usize) {
    let titles: Vec<String> = story.github.issues(REPO).into_iter().map(|issue| issue.title).collect();
    let different: BTreeSet<&String> = titles.iter().collect();
    assert_eq!((titles.len(), different.len()), (count, count), "{titles:#?}");
}

async fn sql(story: &Story, sql: &'static str) {
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(&story.config().database_url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

#[test]
fn jobs_of_one_kind_that_follow_each_other_are_claimed_together() {
    run_test(async |story| {
        failed(story, BATCH + 4).await;
        let store = story.services().store.clone();
        let first = claim_batch(story).await;
        assert_eq!((first.claims.len(), first.is_more), (BATCH, true));
        assert!(first.claims.iter().all(is_attribute), "{:?}", first.claims);
        store::jobs::enqueue(&store, Job::Reconcile, story.clock.now(), story.clock.now()).await.unwrap();
        let second = claim_batch(story).await;
        assert_eq!((second.claims.len(), second.is_more), (4, true), "up to the first of another kind");
        let third = claim_batch(story).await;
        assert_eq!(third.claims.iter().map(|claim| claim.job).collect::<Vec<_>>(), [Job::Reconcile]);
        assert!(!third.is_more);
        let unbegun: Vec<&Claim> = first.claims.iter().collect();
        store::jobs::put_back_unbegun(&store, &unbegun).await.unwrap();
        let again = claim_batch(story).await;
        assert_eq!(
            again.claims.iter().map(|claim| (claim.job, claim.attempts)).collect::<Vec<_>>(),
            first.claims.iter().map(|claim| (claim.job, 1)).collect::<Vec<_>>(),
            "as if they had not been claimed, in their order"
        );
        for claim in second.claims.iter().chain(&third.claims).chain(&again.claims) {
            store::jobs::put_back(&store, claim).await.unwrap();
        }
        story.settle().await;
        story.later(10 * MINUTE).await;
        assert_each_has_its_issue(story, BATCH + 4);
        let _ = story.transcript();
    });
}

#[test]
fn reports_of_one_line_that_come_together_are_one_alert_and_all_counted() {
    run_test(async |story| {
        failed(story, 1).await;
        let (key, project) = story.key().await;
        for kind in ["ValueError", "TypeError"] {
            let mut event = story.event_at(&story.repo.head(), "shop/a.py", "x.a_0", "a0", "web-1");
            event["exception"]["values"][0]["type"] = json!(kind);
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        }
        assert_eq!(claim_and_put_back(story).await, 3);
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((story.lines().await.len(), line.total), (1, 3));
        let counts = store::lines::counts(&story.services().store, &line).await.unwrap();
        let raised: BTreeSet<&str> = counts.exceptions.iter().map(String::as_str).collect();
        assert_eq!(raised, BTreeSet::from(["KeyError", "TypeError", "ValueError"]));
        assert_each_has_its_issue(story, 1);
        let _ = story.transcript();
    });
}

async fn claim_and_put_back(story: &Story) -> usize {
    let batch = claim_batch(story).await;
    let unbegun: Vec<&Claim> = batch.claims.iter().collect();
    store::jobs::put_back_unbegun(&story.services().store, &unbegun).await.unwrap();
    unbegun.len()
}

#[test]
fn a_report_that_cant_be_read_keeps_none_of_the_others_from_being_told_of() {
    run_test(async |story| {
        story.expect_errors();
        failed(story, 5).await;
        sql(story, "UPDATE reports SET body = SUBSTR(body, 1, 5) WHERE id = (SELECT MIN(id) FROM reports)").await;
        story.settle().await;
        assert_each_has_its_issue(story, 4);
        assert_eq!(story.logged().matches("a job was given up").count(), 1);
        let _ = story.transcript();
    });
}

#[test]
fn what_panics_among_others_is_tried_by_itself_and_they_are_told_of() {
    run_test(async |story| {
        story.expect_errors();
        failed(story, 5).await;
        story.panic_where_logged(Some("line=8 "));
        story.settle().await;
        for _ in 0..6 {
            story.later(MINUTE).await;
        }
        assert_each_has_its_issue(story, 4);
        let log = story.logged();
        assert!(log.contains("a job panicked and will be tried again"), "{log}");
        assert!(log.contains("it is set aside and tried once a day"), "{log}");
        story.panic_where_logged(None);
        story.later(DAY).await;
        assert_each_has_its_issue(story, 5);
        assert_eq!(story.lines().await.iter().map(|line| line.total).collect::<Vec<_>>(), [1; 5]);
        let _ = story.transcript();
    });
}

#[test]
fn jobs_that_were_claimed_together_when_the_server_ended_are_each_done_once() {
    run_test(async |story| {
        failed(story, 6).await;
        assert_eq!(claim_batch(story).await.claims.len(), 6);
        story.stop().await;
        story.end_leases().await;
        story.start().await;
        story.settle().await;
        for _ in 0..3 {
            story.later(MINUTE).await;
        }
        assert_each_has_its_issue(story, 6);
        assert_eq!(story.lines().await.iter().map(|line| line.total).collect::<Vec<_>>(), [1; 6]);
        let _ = story.transcript();
    });
}

#[test]
fn who_lost_one_of_the_jobs_that_were_claimed_together_writes_nothing_of_any() {
    run_test(async |story| {
        failed(story, 3).await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let batch = claim_batch(story).await;
        let its_store = store.held_by_all(&batch.claims);
        assert!(store::jobs::renew(&its_store, LEASE).await.unwrap());
        story.end_leases().await;
        let taken = store::jobs::claim(&store, Among::Suspects, LEASE, now).await.unwrap().expect("one of them");
        assert!(!store::jobs::renew(&its_store, LEASE).await.unwrap());
        assert!(matches!(its_store.prove_lease().await, Err(StoreError::LeaseLost)));
        let Job::Attribute(ReportId(id)) = taken.job else { panic!("{taken:?}") };
        let stored = store::reports::by_id(&store, ReportId(id)).await.unwrap().expect("it waits");
        let outcome = store::attributions::AttributionOutcome {
            code_generation: 0,
            rules_generation: 0,
            attribution: None,
            regressed: false,
            recheck_at: None,
            plain_until: None,
        };
        let written = store::attributions::record(&its_store, &[(&stored, &outcome)], now).await;
        assert!(matches!(written, Err(StoreError::LeaseLost)), "{written:?}");
        // One that is still its own, by itself.
        let other = batch.claims.iter().find(|claim| claim.id != taken.id).expect("another");
        its_store.of_one(other).prove_lease().await.unwrap();
        for claim in [&taken].into_iter().chain(&batch.claims) {
            store::jobs::put_back(&store, claim).await.unwrap();
        }
        story.settle().await;
        story.later(10 * MINUTE).await;
        assert_each_has_its_issue(story, 3);
        let _ = story.transcript();
    });
}

/// Watches a repository whose git server takes connections and says nothing, and has it fail; the
/// server is to be kept for as long.
async fn fail_at_a_silent_git_server(story: &mut Story) -> TcpListener {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let new = NewRepository {
        full_name: "mute/r".into(),
        clone_url: format!("git://{}/r", silent.local_addr().unwrap()),
        github: None,
        public: false,
    };
    let mute = story.services().repositories().watch(&new, story.clock.now()).await.unwrap();
    let (store, now) = (story.services().store.clone(), story.clock.now());
    // What would clone it by itself: now its report does.
    let fetch = store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
    assert_eq!(fetch.job, Job::Fetch(mute));
    store::jobs::finish(&store, &fetch).await.unwrap();
    let key = store::ingest_keys::in_force(&store, mute).await.unwrap().remove(0);
    assert_eq!(story.send_to(story.url(), &key, mute.0, &story.event()).await, 200);
    silent
}

/// Lets workers run until somebody is told, which is waited for.
async fn work_until_told(story: &mut Story, silent: TcpListener) {
    let tasks = story.worker().start();
    let mut told = Vec::new();
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        told = story.mails();
        if !told.is_empty() {
            break;
        }
    }
    assert_eq!(told.len(), 1, "{}", story.logged());
    assert!(store::jobs::queue_state(&story.services().store).await.unwrap().length > 0, "the other one waits");
    drop(silent);
    story.worker().stop();
    for task in tasks {
        task.await.unwrap();
    }
    let services = story.services();
    let row = store::repositories::by_name(&services.store, &"mute/r".into()).await.unwrap().unwrap();
    services.repositories().unwatch(&row, story.clock.now()).await.unwrap();
    story.later(MINUTE).await;
    story.transcript();
}

#[test]
fn a_report_that_waits_for_its_clone_keeps_none_that_were_claimed_with_it_waiting() {
    run_test(async |story| {
        story.install().await;
        story.settle().await;
        let (key, project) = story.key().await;
        let silent = fail_at_a_silent_git_server(story).await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        work_until_told(story, silent).await;
    });
}

#[test]
fn what_ran_when_the_server_ended_does_not_wait_for_a_git_server_that_says_nothing() {
    run_test(async |story| {
        story.install().await;
        story.settle().await;
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        assert!(matches!(story.die_at_work().await, Job::Attribute(_)));
        // Its report has a place beside which nothing is alone.
        let silent = fail_at_a_silent_git_server(story).await;
        work_until_told(story, silent).await;
    });
}
