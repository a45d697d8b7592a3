//! Jobs that take the server with them: tried alone, after all others, and given up before they
//! can do it for ever.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::GRACE;
use crate::harness::git_server::Fault as GitFault;
use crate::harness::scenes::MINUTE;
use crate::harness::smtp::Mode;
use crate::harness::story::{REPO, Story, run_test};
use domain::finding::{Finding, Level};
use domain::job::Job;
use domain::timestamp::{DAY, HOUR};
use jiff::SignedDuration;
use std::time::Duration;
use store::jobs::{Among, LEASE};
use store::repositories::NewRepository;

/// How long something outside takes while a job waits for it, and a moment in the middle of that.
const SLOW: Duration = Duration::from_millis(2_000);
const MEANWHILE: Duration = Duration::from_millis(500);

/// Sends a report, and leaves what follows to later.
async fn send(story: &Story) {
    let (key, project) = story.key().await;
    assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
}

/// What the doctor says of one thing; `None`: nothing.
async fn finding(story: &Story, about: &str) -> Option<Finding> {
    story.services().doctor().examine(story.clocks()).await.into_iter().find(|finding| finding.about == about)
}

#[test]
fn a_report_that_ends_the_server_each_time_is_told_without_looking_at_its_code() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        send(story).await;
        for _ in 0..3 {
            assert!(matches!(story.die_at_work().await, Job::Attribute(_)));
        }
        story.settle().await;
        let issue = story.github.issue(REPO, 1);
        assert!(issue.body.contains("ended the server, or panicked, several times"), "{}", issue.body);
        assert_eq!(story.lines().await[0].total, 1, "it is counted");
        let log = story.logged();
        let said = log.lines().find(|line| line.contains("it is done without what may be at fault")).expect(&log);
        assert!(said.contains("ERROR") && said.contains("acme/shop") && said.contains("looking a report up"), "{said}");
        let found = finding(story, "reports told with less").await.expect("the doctor names it");
        assert_eq!(found.level, Level::Warning);
        assert!(found.what.starts_with("1 kind of reports is told by its text alone"), "{}", found.what);
        // Other settings have it attributed anew, and that must not end the server again.
        let event = story.event();
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(".github/flawless.yml", "storm: { lines: 9 }\n")], "Settings");
        story.push().await;
        story.report(&event).await;
        assert_eq!(story.lines().await[0].total, 2);
        assert_eq!(story.lines().await.len(), 1, "by its text once more");
        story.transcript();
    });
}

#[test]
fn git_servers_that_say_nothing_keep_no_alert_of_others() {
    run_test(async |story| {
        story.install().await;
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = silent.local_addr().unwrap();
        for number in 0..5 {
            let new = NewRepository {
                full_name: format!("mute/r{number}").as_str().into(),
                clone_url: format!("git://{host}/r{number}"),
                github: None,
                public: false,
            };
            story.services().repositories().watch(&new, story.clock.now()).await.unwrap();
        }
        let tasks = story.worker().start();
        // Those that can take a worker have one by then.
        let held = tokio::task::spawn_blocking(move || (silent.accept().unwrap(), silent.accept().unwrap(), silent));
        let held = held.await.unwrap();
        send(story).await;
        let mut told = Vec::new();
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            told = story.mails();
            if !told.is_empty() {
                break;
            }
        }
        assert!(!told.is_empty(), "{}", story.logged());
        drop(held);
        story.worker().stop();
        for task in tasks {
            task.await.unwrap();
        }
        // Whoever is not heard of is watched no more.
        let services = story.services();
        for number in 0..5 {
            let name = format!("mute/r{number}").as_str().into();
            let row = store::repositories::by_name(&services.store, &name).await.unwrap().unwrap();
            services.repositories().unwatch(&row, story.clock.now()).await.unwrap();
        }
        story.later(SignedDuration::from_mins(1)).await;
        story.transcript();
    });
}

#[test]
fn a_job_that_ends_the_server_each_time_is_set_aside_for_a_day_and_named() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        // The mail has to wait; then nothing else is left to do.
        story.smtp.set(Mode::Later);
        story.fails(1).await;
        story.clock.advance(SignedDuration::from_secs(10));
        for _ in 0..3 {
            assert!(matches!(story.die_at_work().await, Job::Deliver(_)));
        }
        story.smtp.set(Mode::Accept);
        story.later(HOUR).await;
        assert!(story.mails().is_empty(), "it is not tried again");
        let found = finding(story, "jobs set aside").await.expect("the doctor names it");
        assert_eq!(found.level, Level::Failure);
        assert!(found.what.contains("sending a message (deliver"), "{}", found.what);
        let log = story.logged();
        let said = log.lines().find(|line| line.contains("it is set aside")).expect(&log);
        assert!(said.contains("ERROR") && said.contains("acme/shop") && said.contains("sending a message"), "{said}");
        let metrics = story.page("/metrics").await;
        assert!(metrics.contains("flawless_jobs_set_aside 1"), "{metrics}");
        story.later(DAY).await;
        assert_eq!(finding(story, "jobs set aside").await, None);
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn what_ran_when_the_server_ended_comes_after_all_others_and_asking_again_changes_nothing() {
    run_test(async |story| {
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let jobs = [Job::Reconcile, Job::Fetch(story.repository().await.repository.id)];
        store::jobs::enqueue(&store, jobs[0], now, now).await.unwrap();
        assert_eq!(story.die_at_work().await, jobs[0]);
        let store = story.services().store.clone();
        for job in jobs {
            store::jobs::enqueue(&store, job, now, now).await.unwrap();
        }
        let claim = async |among| store::jobs::claim(&store, among, LEASE, now).await.unwrap();
        let other = claim(Among::Ordinary).await.expect("one that did nothing");
        assert_eq!((other.job, other.deaths), (jobs[1], 0));
        assert_eq!(claim(Among::Ordinary).await, None);
        let suspect = claim(Among::Suspects).await.expect("the one that ran");
        assert_eq!((suspect.job, suspect.attempts), (jobs[0], 2));
        assert_eq!(suspect.deaths, 1);
        // Asked for again while it is set aside, it stays so.
        store::jobs::set_aside(&store, &suspect, now + DAY, "it died", now).await.unwrap();
        store::jobs::enqueue(&store, jobs[0], now, now).await.unwrap();
        assert_eq!(claim(Among::Suspects).await, None);
        let later = store::jobs::claim(&store, Among::Suspects, LEASE, now + DAY).await.unwrap().expect("a day later");
        assert_eq!(later.deaths, 2, "one more attempt");
        for claim in [other, later] {
            store::jobs::finish(&store, &claim).await.unwrap();
        }
        story.settle().await;
    });
}

#[test]
fn a_server_that_stops_in_an_orderly_way_blames_no_job() {
    run_test(async |story| {
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
        let claim = store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
        store::jobs::put_back(&store, &claim).await.unwrap();
        story.restart().await;
        let store = story.services().store.clone();
        let again = store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("as if nothing were");
        assert_eq!(again.deaths, 0);
        store::jobs::finish(&store, &again).await.unwrap();
    });
}

#[test]
fn a_job_that_always_panics_is_set_aside_like_one_that_ends_the_server() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        story.panic_where_logged(Some("telling of a line"));
        send(story).await;
        for _ in 0..5 {
            story.later(MINUTE).await;
        }
        let log = story.logged();
        assert_eq!(log.matches("a job panicked and will be tried again").count(), 4, "{log}");
        assert_eq!(log.matches("telling of a line").count(), 4, "the last one without the repository: {log}");
        let found = finding(story, "jobs set aside").await.expect("the doctor names it");
        assert!(found.what.contains("deciding who is told of a line (decide"), "{}", found.what);
        assert!(found.what.ends_with("a fault of the program"), "{}", found.what);
        story.panic_where_logged(None);
        story.later(HOUR).await;
        story.assert_silent("it is tried once a day");
        story.later(DAY).await;
        assert!(story.transcript().contains("acme/shop#1 opened: KeyError in total"), "a newer version mended it");
        assert_eq!(finding(story, "jobs set aside").await, None);
    });
}

#[test]
fn a_write_to_github_that_ends_the_server_each_time_lets_the_others_go_first() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("shop/tax.py", "def tax(x):\n    return x / 0\n")], "Tax");
        story.push().await;
        story.github.fail_next("issues/create", Fault::slow_down(60));
        story.fails(1).await;
        story.fails_at("shop/tax.py", "return x / 0", "tax").await;
        assert!(story.github.issues(REPO).is_empty(), "both wait");
        story.clock.advance(2 * MINUTE);
        for _ in 0..3 {
            assert!(matches!(story.die_at_work().await, Job::Write(_)));
        }
        story.settle().await;
        assert!(story.logged().contains("what was to be written first is left alone"));
        let issues = story.github.issues(REPO);
        assert_eq!(issues.len(), 1);
        assert!(issues[0].title.contains("in tax"), "{}", issues[0].title);
        story.later(DAY + MINUTE).await;
        assert_eq!(story.github.issues(REPO).len(), 2, "a day later it is tried again");
        story.transcript();
    });
}

#[test]
fn what_died_least_often_is_tried_first_and_what_fails_by_itself_is_no_suspect() {
    run_test(async |story| {
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let jobs = [Job::Reconcile, Job::Fetch(story.repository().await.repository.id)];
        for job in jobs {
            store::jobs::enqueue(&store, job, now, now).await.unwrap();
        }
        // The first dies twice, the second once.
        assert_eq!(story.die_at_work().await, jobs[0]);
        assert_eq!(story.die_at_work().await, jobs[1]);
        assert_eq!(story.die_at_work().await, jobs[0]);
        let store = story.services().store.clone();
        let claim = async |among| store::jobs::claim(&store, among, LEASE, now).await.unwrap();
        let first = claim(Among::Suspects).await.expect("a job");
        assert_eq!((first.job, first.deaths), (jobs[1], 1));
        let second = claim(Among::Suspects).await.expect("a job");
        assert_eq!((second.job, second.deaths), (jobs[0], 2));
        // It came to an end, so it was not what killed.
        store::jobs::record_failed(&store, &second, now, "GitHub is away").await.unwrap();
        let again = claim(Among::Ordinary).await.expect("beside others");
        assert_eq!((again.job, again.deaths), (jobs[0], 0));
        for claim in [first, again] {
            store::jobs::finish(&store, &claim).await.unwrap();
        }
        story.settle().await;
    });
}

#[test]
fn a_job_that_ended_the_server_has_it_for_itself() {
    run_test(async |story| {
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Fetch(story.repository().await.repository.id), now, now).await.unwrap();
        assert!(matches!(story.die_at_work().await, Job::Fetch(_)));
        let store = story.services().store.clone();
        let compared = || story.github.requests_of("apps/list-installations").len();
        let (before, fetched) = (compared(), story.git.host.conversations());
        story.git.host.fault(GitFault::Stall(SLOW));
        let beside = async {
            tokio::time::sleep(MEANWHILE).await;
            store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
            story.worker().drain().await.unwrap();
        };
        let look = async {
            tokio::time::sleep(2 * MEANWHILE).await;
            assert!(story.git.host.conversations() > fetched, "the fetch is under way");
            compared()
        };
        let (drained, (), meanwhile) = tokio::join!(story.worker().drain(), beside, look);
        drained.unwrap();
        assert_eq!(meanwhile, before, "nothing else was begun");
        assert_eq!(compared(), before + 1, "but afterwards");
    });
}

#[test]
fn what_is_under_way_as_the_server_stops_is_put_back_without_blame() {
    run_test(async |story| {
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Fetch(story.repository().await.repository.id), now, now).await.unwrap();
        story.git.host.fault(GitFault::Stall(SLOW));
        let stop = async {
            tokio::time::sleep(MEANWHILE).await;
            story.worker().put_back().await.unwrap();
            store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap()
        };
        let (drained, claimed) = tokio::join!(story.worker().drain(), stop);
        drained.unwrap();
        let claimed = claimed.expect("it is free for the next process");
        assert_eq!(claimed.deaths, 0);
        store::jobs::finish(&store, &claimed).await.unwrap();
    });
}

/// On PostgreSQL the other replicas may be at it.
#[test]
fn what_the_last_process_held_need_not_wait_for_its_lease_on_sqlite() {
    run_test(async |story| {
        if story.is_on_postgres() {
            return;
        }
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
        store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
        drop(store);
        story.restart().await;
        let store = story.services().store.clone();
        let claim = store::jobs::claim(&store, Among::Suspects, LEASE, now).await.unwrap().expect("the same, at once");
        assert_eq!((claim.job, claim.deaths), (Job::Reconcile, 1));
        store::jobs::finish(&store, &claim).await.unwrap();
    });
}

#[test]
fn a_worker_that_panics_begins_anew() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
        story.die_at_work().await;
        // The worker itself says this, before the step has a task of its own.
        story.panic_where_logged(Some("is tried after all others, by itself"));
        let tasks = story.worker().start();
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        while !story.logged().contains("a worker panicked, and begins anew") {
            assert!(tokio::time::Instant::now() < until, "{}", story.logged());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        story.panic_where_logged(None);
        loop {
            // What was found is kept for some seconds.
            story.clock.advance(SignedDuration::from_secs(6));
            let ready = story.http.get(format!("{}/readyz", story.url())).send().await.unwrap();
            let ready = ready.text().await.unwrap();
            if !ready.contains("workers do not run") {
                break;
            }
            assert!(tokio::time::Instant::now() < until, "it did not begin anew: {ready}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        story.worker().stop();
        for task in tasks {
            task.await.unwrap();
        }
        story.end_leases().await;
        story.settle().await;
    });
}
