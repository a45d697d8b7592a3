//! The table of faults: each way in which GitHub goes wrong, at each thing that is done or asked
//! there, and the server killed in that moment. In the end it is all done, once.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::GRACE;
use crate::harness::story::{REPO, Story, run_test};
use domain::job::Job;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// A thing that is done or asked on GitHub.
struct Step {
    /// In words.
    what: &'static str,
    /// The operation that does it.
    operation: &'static str,
    /// Faults that mean what they say, and nothing else, by their names.
    meant: &'static [&'static str],
}

const fn step(what: &'static str, operation: &'static str) -> Step {
    Step { what, operation, meant: &[] }
}

/// What is written on GitHub in a life.
const WRITES: [Step; 6] = [
    step("create a label", "issues/create-label"),
    step("file the issue", "issues/create"),
    step("assign", "issues/add-assignees"),
    step("comment", "issues/create-comment"),
    step("reopen", "issues/update#state"),
    step("status", "issues/update#body"),
];

/// What is asked of GitHub in a life.
const READS: [Step; 12] = [
    step("a token", "apps/create-installation-access-token"),
    step("the installations", "apps/list-installations"),
    step("an installation's repositories", "apps/list-repos-accessible-to-installation"),
    step("lost webhooks", "apps/list-webhook-deliveries"),
    step("the repository", "repos/get"),
    step("the labels", "issues/list-labels-for-repo"),
    step("issues that changed", "issues/list-for-repo"),
    step("an issue", "issues/get"),
    step("what happened to an issue", "issues/list-events"),
    step("a commit's author", "repos/get-commit"),
    step("a commit's pull request", "repos/list-pull-requests-associated-with-commit"),
    // 404 is how GitHub says no.
    Step { what: "who can be assigned", operation: "issues/check-user-can-be-assigned", meant: &["404"] },
];

fn status(status: u16, headers: Vec<(&'static str, String)>, body: Value) -> Fault {
    Fault::Status { status, headers, body }
}

/// One way to go wrong: its name, and what the next requests of the operation meet.
type Row = (&'static str, Vec<Fault>);

/// What can happen to whatever is asked.
fn everywhere() -> Vec<Row> {
    let limit = || json!({"message": "You have exceeded a secondary rate limit. Please wait a few minutes."});
    vec![
        ("killed before the work", vec![Fault::Kill]),
        ("killed after the work", vec![Fault::KillAfterWork]),
        ("502 before the work", vec![Fault::status(502, "Bad Gateway")]),
        ("answer dropped before the work", vec![Fault::Drop]),
        ("429, Retry-After", vec![status(429, vec![("retry-after", "60".to_owned())], limit())]),
        ("401 expired token", vec![Fault::status(401, "Bad credentials")]),
        ("200 that is no JSON", vec![status(200, vec![], Value::String("<html>Unicorn!</html>".to_owned()))]),
        ("403 that says nothing", vec![Fault::status(403, "Forbidden")]),
        ("404", vec![Fault::status(404, "Not Found")]),
        ("451", vec![Fault::status(451, "Repository access blocked")]),
    ]
}

/// What can happen to a write besides.
fn of_writes() -> Vec<Row> {
    let limit = || json!({"message": "You have exceeded a secondary rate limit. Please wait a few minutes."});
    vec![
        ("502 after the work", vec![Fault::AfterWork(502)]),
        ("answer dropped after the work", vec![Fault::DropAfterWork]),
        ("403 secondary limit, Retry-After", vec![status(403, vec![("retry-after", "90".to_owned())], limit())]),
        ("403 secondary limit, nothing said", vec![status(403, vec![], limit())]),
        ("410", vec![Fault::status(410, "Gone")]),
        ("422", vec![Fault::status(422, "Validation Failed")]),
        ("503 four times", vec![Fault::status(503, "Unavailable"); 4]),
        ("lost after the work, then killed", vec![Fault::DropAfterWork, Fault::Kill]),
    ]
}

/// What can happen to a read besides.
fn of_reads() -> Vec<Row> {
    vec![
        ("an empty list", vec![status(200, vec![], json!([]))]),
        ("404, then killed", vec![Fault::status(404, "Not Found"), Fault::Kill]),
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
    // Newer code, which brings it back.
    story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "A shop.\n")], "Describe it");
    story.push().await;
    story.fails(1).await;
    patiently(story, 6).await;
    let row = story.repository().await;
    let is_watched = row.removed_at.is_none() && row.unnamed_since.is_none();
    let mut all = vec![format!("watched: {is_watched}, public: {}", row.repository.public)];
    for line in story.lines().await {
        let counts = (line.total, line.regressions, line.issue);
        let traceback = story.page(&format!("/view_traceback?repo={name}&line_id={}", line.id.0)).await;
        all.push(format!("line {counts:?}, its traceback is kept: {}", traceback.contains("Latest traceback")));
    }
    all.extend(seen(story, name));
    all
}

/// Half hours that go by, each with its look at what webhooks missed, until nothing waits: so many
/// at most.
async fn patiently(story: &mut Story, most: usize) {
    for _ in 0..most {
        story.later(SignedDuration::from_mins(30)).await;
        let now = story.clock.now();
        store::jobs::enqueue(&story.services().store, Job::Reconcile, now, now).await.unwrap();
        story.settle().await;
        if store::jobs::queue_state(&story.services().store).await.unwrap().length == 0 {
            break;
        }
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
fn undisturbed() -> &'static [String] {
    static END: OnceLock<Vec<String>> = OnceLock::new();
    END.get_or_init(|| {
        let mut end = Vec::new();
        run_test(async |story| end = life(story, REPO).await);
        assert!(end.iter().any(|it| it.starts_with("comment")), "{end:#?}");
        assert!(end.iter().any(|it| it.starts_with("mail")), "{end:#?}");
        end
    })
}

/// Lives that are led beside each other: much of one is waiting.
const AT_ONCE: usize = 2;

/// Of how many cells one is tried on PostgreSQL, where each life has a database to make: which one
/// it is differs from step to step. On SQLite each is tried.
const ONE_OF: usize = 6;

/// Every fault at one step, which is the nth.
fn column(nth: usize, step: &Step, faults: Vec<Row>) {
    let expected = undisturbed();
    let one_of = if std::env::var_os("FLAWLESS_TEST_DATABASE").is_some() { ONE_OF } else { 1 };
    let faults = faults.into_iter().filter(|(name, _)| !step.meant.contains(name));
    let rows = Mutex::new(faults.skip(nth % one_of).step_by(one_of));
    let wrong = Mutex::new(Vec::new());
    let next = || rows.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = next() {
                    wrong.lock().unwrap().extend(cell(step, row, expected));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "expected {expected:#?}\nbut {}", wrong.join("\n"));
}

/// One fault at one step; what came of it, where that is wrong.
fn cell(Step { what, operation, .. }: &Step, (name, faults): Row, expected: &[String]) -> Option<String> {
    let mut end = Vec::new();
    let (times, mut struck) = (faults.len(), 0);
    run_test(async |story| {
        story.expect_errors();
        for fault in faults {
            story.github.fail_next(operation, fault);
        }
        end = life(story, REPO).await;
        struck = times - story.github.take_faults();
    });
    let is_right = end == expected && struck > 0;
    let came = if struck == times { String::new() } else { format!(" ({struck} of {times} struck)") };
    println!("| {name}{came} | {what} | {} |", if is_right { "done, once" } else { "NOT as it should be" });
    (!is_right).then(|| format!("{name} × {what} ({struck} struck):\n{end:#?}"))
}

fn write(at: usize) {
    column(at, &WRITES[at], everywhere().into_iter().chain(of_writes()).collect());
}

fn read(at: usize) {
    column(at, &READS[at], everywhere().into_iter().chain(of_reads()).collect());
}

#[test]
fn making_labels_survives_every_fault() {
    write(0);
}

#[test]
fn filing_survives_every_fault() {
    write(1);
}

#[test]
fn assigning_survives_every_fault() {
    write(2);
}

#[test]
fn commenting_survives_every_fault() {
    write(3);
}

#[test]
fn reopening_survives_every_fault() {
    write(4);
}

#[test]
fn writing_the_status_survives_every_fault() {
    write(5);
}

#[test]
fn asking_for_a_token_survives_every_fault() {
    read(0);
}

#[test]
fn asking_for_the_installations_survives_every_fault() {
    read(1);
}

#[test]
fn asking_for_an_installations_repositories_survives_every_fault() {
    read(2);
}

#[test]
fn asking_for_lost_webhooks_survives_every_fault() {
    read(3);
}

#[test]
fn asking_for_the_repository_survives_every_fault() {
    read(4);
}

#[test]
fn asking_for_the_labels_survives_every_fault() {
    read(5);
}

#[test]
fn asking_for_changed_issues_survives_every_fault() {
    read(6);
}

#[test]
fn asking_for_an_issue_survives_every_fault() {
    read(7);
}

#[test]
fn asking_for_what_happened_to_an_issue_survives_every_fault() {
    read(8);
}

#[test]
fn asking_for_a_commits_author_survives_every_fault() {
    read(9);
}

#[test]
fn asking_for_a_commits_pull_request_survives_every_fault() {
    read(10);
}

#[test]
fn asking_for_who_can_be_assigned_survives_every_fault() {
    read(11);
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
