//! The table of faults: each way in which GitHub goes wrong, at each thing that is done there. In
//! the end it is all done, once.

use crate::harness::fake_github::Fault;
use crate::harness::story::{REPO, Story, run_test};
use domain::job::Job;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

/// What is done on GitHub, by the operation that does it.
const ACTIONS: [(&str, &str); 5] = [
    ("create a label", "issues/create-label"),
    ("file the issue", "issues/create"),
    ("assign", "issues/add-assignees"),
    ("comment", "issues/create-comment"),
    ("reopen", "issues/update#state"),
];

fn status(status: u16, headers: Vec<(&'static str, String)>, body: Value) -> Fault {
    Fault::Status { status, headers, body }
}

/// One way to go wrong: its name, and what the next requests of the operation meet.
fn faults() -> Vec<(&'static str, Vec<Fault>)> {
    let limit = || json!({"message": "You have exceeded a secondary rate limit. Please wait a few minutes."});
    vec![
        ("502 before the work", vec![Fault::status(502, "Bad Gateway")]),
        ("502 after the work", vec![Fault::AfterWork(502)]),
        ("answer dropped before the work", vec![Fault::Drop]),
        ("answer dropped after the work", vec![Fault::DropAfterWork]),
        ("403 secondary limit, Retry-After", vec![status(403, vec![("retry-after", "90".to_owned())], limit())]),
        ("403 secondary limit, nothing said", vec![status(403, vec![], limit())]),
        ("429, Retry-After", vec![status(429, vec![("retry-after", "60".to_owned())], limit())]),
        ("401 expired token", vec![Fault::status(401, "Bad credentials")]),
        ("503 four times", vec![Fault::status(503, "Unavailable"); 4]),
        ("200 that is no JSON", vec![status(200, vec![], Value::String("<html>Unicorn!</html>".to_owned()))]),
    ]
}

/// The whole life of an issue; afterwards all that the world outside can see of it.
async fn life(story: &mut Story, name: &str) -> Vec<String> {
    story.install().await;
    patiently(story, 1).await;
    let event = story.event();
    story.report(&event).await;
    // The longest row fails four times, a half hour each.
    patiently(story, 4).await;
    story.github.close_issue(REPO, 1, "owner");
    story.settle().await;
    patiently(story, 2).await;
    story.report(&event).await;
    patiently(story, 6).await;
    seen(story, name)
}

/// Half hours that go by, each with its look at what webhooks missed.
async fn patiently(story: &mut Story, times: usize) {
    for _ in 0..times {
        story.later(SignedDuration::from_mins(30)).await;
        let now = story.clock.now();
        store::jobs::enqueue(&story.services().store, Job::Reconcile, now, now).await.unwrap();
        story.settle().await;
    }
}

fn seen(story: &Story, repository: &str) -> Vec<String> {
    let mut seen = Vec::new();
    // Issues don't wait for labels: in which order these were made tells nothing.
    let mut labels: Vec<String> = story.github.labels(repository).into_iter().map(|label| label.name).collect();
    labels.sort();
    seen.extend(labels.into_iter().map(|name| format!("label {name}")));
    for issue in story.github.issues(repository) {
        seen.push(format!("issue {} for {:?}, open: {}", issue.title, issue.assignees, issue.open));
        for comment in &issue.comments {
            // The first line is the mark by which it is found again; it differs each time.
            let told: Vec<&str> = comment.body.lines().filter(|line| !line.starts_with("<!--")).collect();
            seen.push(format!("comment of {}: {}", comment.user, told.join(" ").chars().take(40).collect::<String>()));
        }
    }
    for mail in story.mails() {
        seen.push(format!("mail {:?} to {:?}", mail.header("Subject"), mail.to));
    }
    story.changes();
    seen
}

/// What a life without faults leaves.
fn undisturbed() -> Vec<String> {
    let mut end = Vec::new();
    run_test(async |story| end = life(story, REPO).await);
    assert!(end.iter().any(|it| it.starts_with("comment")), "{end:#?}");
    assert!(end.iter().any(|it| it.starts_with("mail")), "{end:#?}");
    end
}

/// Every fault of the table at one action.
fn row(action: usize) {
    let expected = undisturbed();
    let (what, operation) = ACTIONS[action];
    let mut wrong = Vec::new();
    for (name, faults) in faults() {
        let mut end = Vec::new();
        run_test(async |story| {
            story.expect_errors();
            for fault in faults {
                story.github.fail_next(operation, fault);
            }
            end = life(story, REPO).await;
        });
        println!("| {name} | {what} | {} |", if end == expected { "done, once" } else { "NOT as it should be" });
        if end != expected {
            wrong.push(format!("{name} × {what}:\n{end:#?}"));
        }
    }
    assert!(wrong.is_empty(), "expected {expected:#?}\nbut {}", wrong.join("\n"));
}

#[test]
fn making_labels_survives_every_fault() {
    row(0);
}

#[test]
fn filing_survives_every_fault() {
    row(1);
}

#[test]
fn assigning_survives_every_fault() {
    row(2);
}

#[test]
fn commenting_survives_every_fault() {
    row(3);
}

#[test]
fn reopening_survives_every_fault() {
    row(4);
}

#[test]
fn a_repository_renamed_in_silence_is_followed() {
    run_test(async |story| {
        story.install().await;
        story.github.rename_repository(REPO, "acme/store", "owner");
        story.github.lose_deliveries();
        let event = story.event();
        story.git.host.serve("acme/store", story.repo.git_dir());
        story.report(&event).await;
        patiently(story, 4).await;
        assert_eq!(story.github.issues("acme/store").len(), 1);
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/store#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/store#1 assigned to ada
        ");
    });
}

#[test]
fn slow_answers_file_nothing_twice() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::HangAfterWork(Duration::from_secs(40)));
        story.fails(1).await;
        patiently(story, 2).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        story.assert_usual_alert();
    });
}

#[test]
fn a_suspension_that_nobody_told_of_delays_and_loses_nothing() {
    run_test(async |story| {
        story.expect_errors();
        let installation = story.install().await;
        story.github.suspend(installation, true);
        story.github.lose_deliveries();
        story.fails(1).await;
        patiently(story, 1).await;
        assert!(story.github.issues(REPO).is_empty());
        story.github.suspend(installation, false);
        patiently(story, 8).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        story.assert_usual_alert();
    });
}

#[test]
fn an_issue_that_lists_do_not_show_yet_is_not_filed_twice() {
    run_test(async |story| {
        story.install().await;
        story.github.set_list_lag(SignedDuration::from_secs(30));
        let event = story.event();
        story.report(&event).await;
        story.assert_usual_alert();
        story.later(SignedDuration::from_mins(1)).await;
        story.report(&event).await;
        story.assert_silent("it is filed already");
    });
}

#[test]
fn what_was_made_and_is_not_listed_yet_is_not_made_again_when_its_answer_is_lost() {
    run_test(async |story| {
        story.install().await;
        story.github.set_list_lag(SignedDuration::from_mins(2));
        let answers = [Fault::DropAfterWork, Fault::AfterWork(502)];
        story.github.fail_next("issues/create", answers[0].clone());
        let event = story.event();
        story.report(&event).await;
        slowly(story).await;
        assert_eq!(story.github.issues(REPO).len(), 1, "found as soon as it is listed");
        story.assert_usual_alert();
        for (n, answer) in (0_usize..).zip(&answers) {
            story.github.fail_next("issues/create-comment", answer.clone());
            story.github.close_issue(REPO, 1, "ada");
            slowly(story).await;
            assert_eq!(story.github.comments(REPO, 1).len(), n + 1, "a comment as well");
            story.github.reopen_issue(REPO, 1, "ada");
            slowly(story).await;
        }
        let said = story.transcript();
        assert_eq!(said.matches("Thanks, ada: resolved").count(), 2, "{said}");
    });
}

/// Ten minutes, a few seconds at a time.
async fn slowly(story: &mut Story) {
    story.settle().await;
    for _ in 0..60 {
        story.later(SignedDuration::from_secs(10)).await;
    }
}
