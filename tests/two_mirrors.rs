//! Two servers that share a database, each with mirrors of its own: what one has fetched, the other
//! has not.

use crate::harness::git_repo::GRACE;
use crate::harness::git_server::Fault as GitFault;
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::story::{CART_PATH, Story, run_test};
use domain::job::Job;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use store::repositories::Fetched;

const DAY: &str = "2026-03-01T10:00:00Z";
const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// Somebody whose first commit came with the last push.
const NEWCOMER: &str = "Newcomer <newcomer@example.com>";
const PATH: &str = "shop/more.py";
const COUNT: &str = "def count(items):\n    return items.count\n";

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// The mirror as it is now, which is that of a server that hears of nothing for a while.
fn older(story: &Story) -> PathBuf {
    let older = story.folder().join("older");
    copy(&story.mirror(), &older);
    older
}

/// From here on the other server works, beside its own mirror.
async fn other_server(story: &mut Story, its_mirror: &Path) {
    let mirror = story.mirror();
    story.stop().await;
    std::fs::remove_dir_all(&mirror).unwrap();
    copy(its_mirror, &mirror);
    story.start().await;
}

/// A server fetched just now, and found the default branch here.
async fn fetched_elsewhere(story: &Story, head: &str) {
    let found =
        Fetched { branch: Some("main".to_owned()), head: Some(domain::commit::CommitId::new(head)), settings: None };
    let id = story.repository().await.repository.id;
    store::repositories::record_fetched(&story.services().store, id, story.clock.now(), &found).await.unwrap();
}

fn without_release(mut event: Value) -> Value {
    event.as_object_mut().unwrap().remove("release");
    event
}

/// The cart with the failing line edited.
fn lowered(story: &Story) -> String {
    let text = story.repo.git(&["show", &format!("HEAD:{CART_PATH}")]);
    format!("{}\n", text.replace("PRICES[sku]", "PRICES[sku.lower()]"))
}

fn to(story: &Story) -> Vec<String> {
    story.mails().iter().map(|mail| mail.header("To").unwrap()).collect()
}

#[test]
fn a_report_without_a_revision_is_looked_up_in_the_last_push_whichever_server_does_it() {
    run_test(async |story| {
        story.install().await;
        let older = older(story);
        let head = story.commit(NEWCOMER, DAY, &[(PATH, COUNT)], "Count");
        story.push().await;
        other_server(story, &older).await;
        let event = without_release(story.event_at(&head, PATH, "items.count", "count", "web-1"));
        story.report(&event).await;
        assert_eq!(to(story), [NEWCOMER]);
        assert_eq!(story.lines().await[0].author_email.as_deref(), Some("newcomer@example.com"));
        story.changes();
    });
    // Its webhook was lost, and the other one came upon it by time.
    run_test(async |story| {
        story.install().await;
        let older = older(story);
        let head = story.commit(NEWCOMER, DAY, &[(PATH, COUNT)], "Count");
        story.tick_after(20 * MINUTE).await;
        other_server(story, &older).await;
        let event = without_release(story.event_at(&head, PATH, "items.count", "count", "web-1"));
        story.report(&event).await;
        assert_eq!(to(story), [NEWCOMER]);
        let asked = story.git.host.conversations();
        let event = without_release(story.event());
        story.report(&event).await;
        assert_eq!(story.git.host.conversations(), asked, "nothing is new to it any more");
        story.transcript();
    });
}

#[test]
fn a_fetch_of_another_server_is_not_taken_for_one_of_ours() {
    run_test(async |story| {
        story.install().await;
        let main = story.repo.head();
        story.clock.advance(SECOND);
        story.repo.git(&["checkout", "--quiet", "-b", "feature"]);
        let feature = story.commit(NEWCOMER, DAY, &[(PATH, COUNT)], "Count");
        story.repo.switch("main");
        let event = story.event_at(&feature, PATH, "items.count", "count", "web-1");
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        story.clock.advance(SECOND);
        // What it found of the default branch is no news; the other branch came with it.
        fetched_elsewhere(story, &main).await;
        story.settle().await;
        story.later(MINUTE).await;
        assert_eq!(to(story), [NEWCOMER]);
        story.transcript();
    });
}

#[test]
fn a_fetch_that_is_under_way_is_waited_for_though_the_clock_leapt() {
    run_test(async |story| {
        story.install().await;
        let id = story.repository().await.repository.id;
        let head = story.commit(NEWCOMER, DAY, &[(PATH, COUNT)], "Count");
        let event = story.event_at(&head, PATH, "items.count", "count", "web-1");
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        story.clock.advance(MINUTE);
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::enqueue(&store, Job::Fetch(id), now - 10 * MINUTE, now).await.unwrap();
        story.git.host.fault(GitFault::Stall(Duration::from_secs(2)));
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            // The machine slept.
            story.clock.advance(135 * MINUTE);
            story.worker().drain().await.unwrap();
        };
        let (fetched, ()) = tokio::join!(story.worker().drain(), meanwhile);
        fetched.unwrap();
        story.later(5 * MINUTE).await;
        assert_eq!(to(story), [NEWCOMER]);
        story.transcript();
    });
}

#[test]
fn each_deployed_commit_that_no_branch_reaches_is_asked_for() {
    run_test(async |story| {
        story.commit(GRACE, DAY, &[("README.md", "A shop.\n")], "Describe it");
        story.install().await;
        story.repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let (key, project) = story.key().await;
        story.repo.git(&["checkout", "--quiet", "--detach"]);
        for name in ["one", "two"] {
            let text = format!("def {name}(items):\n    return items.{name}\n");
            let path = format!("shop/{name}.py");
            let commit = story.commit(GRACE, DAY, &[(&path, &text)], name);
            let event = story.event_at(&commit, &path, &format!("items.{name}"), name, "web-1");
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        }
        story.repo.switch("main");
        story.settle().await;
        story.later(MINUTE).await;
        story.later(MINUTE).await;
        let lines = story.lines().await;
        let authors: Vec<_> = lines.iter().map(|line| line.author_email.as_deref()).collect();
        assert_eq!(authors, [Some("grace@example.com"); 2], "{lines:#?}");
        story.transcript();
    });
}

#[test]
fn who_is_told_does_not_depend_on_which_servers_mirror_decides() {
    for minutes in [0, 60] {
        run_test(async |story| {
            story.install().await;
            let older = older(story);
            // In a function of somebody else's, who would be next.
            let head = story.commit(GRACE, DAY, &[(CART_PATH, &lowered(story))], "Lower");
            story.push().await;
            let mut event = story.event_at(&head, CART_PATH, "PRICES[sku.lower()]", "total", "web-1");
            event["extra"] = json!({"flawless.error_threshold": 2});
            story.report(&event).await;
            other_server(story, &older).await;
            // Of a line that failed for the first time long ago, too.
            story.later(minutes * MINUTE).await;
            story.report(&event).await;
            assert_eq!(to(story), ["\"Grace Hopper\" <grace@example.com>"], "after {minutes} minutes");
            story.changes();
        });
    }
}

#[test]
fn whom_a_push_names_is_told_by_each_server() {
    run_test(async |story| {
        // Who wrote the line has left long ago.
        story.commit("Old Hand <old@example.com>", "2020-01-01T10:00:00Z", &[(PATH, COUNT)], "Count");
        story.commit(GRACE, DAY, &[("README.md", "A shop.\n"), ("CODEOWNERS", "* grace@example.com\n")], "Owned");
        story.install().await;
        let (head, older) = (story.repo.head(), older(story));
        let mut event = story.event_at(&head, PATH, "items.count", "count", "web-1");
        event["extra"] = json!({"flawless.error_threshold": 2});
        story.report(&event).await;
        story.commit(GRACE, DAY, &[("CODEOWNERS", "* ada@example.com\n")], "Another owner");
        story.push().await;
        other_server(story, &older).await;
        story.report(&event).await;
        assert_eq!(to(story), ["ada@example.com"]);
        story.transcript();
    });
}

#[test]
fn lines_of_a_commit_that_is_gone_have_it_asked_for_once() {
    run_test(async |story| {
        let text = functions("a", 6);
        story.install().await;
        let older = older(story);
        let kept = story.repo.head();
        story.commit(GRACE, DAY, &[("shop/a.py", &text)], "Add a");
        story.push().await;
        let events: Vec<_> = (0..6)
            .map(|n| {
                let (code, function) = (format!("x.a_{n}"), format!("a{n}"));
                let mut event = story.event_at(&story.repo.head(), "shop/a.py", &code, &function, "web-1");
                event["extra"] = json!({"flawless.error_threshold": 2});
                event
            })
            .collect();
        for event in &events {
            story.report(event).await;
        }
        story.repo.force(&kept);
        other_server(story, &older).await;
        let (key, project) = story.key().await;
        for event in &events {
            assert_eq!(story.send_to(story.url(), &key, project, event).await, 200);
        }
        let before = story.git.host.conversations();
        story.settle().await;
        story.later(MINUTE).await;
        assert!(story.lines().await.iter().all(|line| line.told.is_some()), "they are told of");
        let asked = story.git.host.conversations() - before;
        assert!((1..=4).contains(&asked), "for six lines the mirror was fetched, and the commit asked for: {asked}");
        story.transcript();
    });
}

#[test]
fn the_mirror_of_what_is_not_watched_any_more_is_deleted_by_each_server() {
    run_test(async |story| {
        story.install().await;
        let (older, mirror) = (older(story), story.mirror());
        story.command(&["repository", "remove", "acme/shop"]);
        assert!(!mirror.exists(), "by the one that was told");
        copy(&older, &mirror);
        story.worker().tick(story.clock.now()).await;
        assert!(!mirror.exists(), "by the others within a minute");
        story.transcript();
    });
}

#[test]
fn who_is_told_is_decided_without_the_mirror_where_looking_into_it_ended_the_server_each_time() {
    run_test(async |story| {
        story.install().await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let mut event = story.event();
        event["extra"] = json!({"flawless.error_threshold": 2});
        story.report(&event).await;
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        let line = story.lines().await.remove(0);
        store::jobs::enqueue(&store, Job::Decide(line.id), now, now).await.unwrap();
        for _ in 0..3 {
            assert_eq!(story.die_at_work().await, Job::Decide(line.id));
        }
        story.expect_errors();
        story.settle().await;
        story.assert_usual_alert();
        assert!(story.logged().contains("it is done without what may be at fault"), "{}", story.logged());
        let told = story.services().doctor().examine(story.clocks()).await;
        let found = told.into_iter().find(|finding| finding.about == "lines told of with less").expect("it is named");
        assert!(found.what.starts_with("for 1 line nobody is looked for"), "{}", found.what);
    });
}

#[test]
fn what_ended_the_server_is_not_looked_into_for_the_next_mails_of_the_line_either() {
    run_test(async |story| {
        let settings =
            format!("known_errors: [{{ file: {CART_PATH}, min_alert_threshold: 2, alert_every_n_occurrences: 1 }}]\n");
        story.commit(GRACE, DAY, &[(".github/flawless.yml", &settings)], "Configure");
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        story.report(&event).await;
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        for _ in 0..3 {
            assert!(matches!(story.die_at_work().await, Job::Decide(_)));
        }
        story.expect_errors();
        story.settle().await;
        assert!(!story.mails().is_empty(), "{}", story.logged());
        // What is gone would be fetched again by whoever looks into it.
        let mirror = story.mirror();
        std::fs::remove_dir_all(&mirror).unwrap();
        story.later(MINUTE).await;
        story.report(&event).await;
        assert!(!story.mails().is_empty(), "{}", story.logged());
        assert!(!mirror.exists(), "it is not looked into");
        story.later(SignedDuration::from_hours(8 * 24)).await;
        story.report(&event).await;
        assert!(!story.mails().is_empty(), "{}", story.logged());
        assert!(mirror.exists(), "a week later it is");
    });
}

#[test]
fn what_moved_to_another_line_is_found_again_after_a_push_that_this_server_has_not() {
    run_test(async |story| {
        story.alerted().await;
        let older = older(story);
        let head = story.commit(NEWCOMER, DAY, &[(CART_PATH, &lowered(story))], "Lower");
        story.push().await;
        let mut event = story.event_at(&head, CART_PATH, "PRICES[sku.lower()]", "total", "web-1");
        event["extra"] = json!({"flawless.error_threshold": 2});
        story.report(&event).await;
        other_server(story, &older).await;
        story.later(60 * MINUTE).await;
        story.report(&event).await;
        assert_eq!(story.github.issues("acme/shop").len(), 1, "the issue goes on");
        story.transcript();
    });
}
