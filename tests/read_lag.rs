//! GitHub's answers are behind its webhooks: commands are obeyed all the same, and what is old is
//! not.

use crate::harness::git_repo::GRACE;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::commit::CommitId;
use domain::names::Login;
use domain::timestamp::HOUR;
use jiff::SignedDuration;

/// How far answers are behind, on a bad day.
const LAG: SignedDuration = SignedDuration::from_secs(3);

/// Lets so much time go by, a moment at a time.
async fn go_on(story: &mut Story, time: SignedDuration) {
    let until = story.clock.now() + time;
    while story.clock.now() < until {
        story.later(SignedDuration::from_millis(500)).await;
    }
}

/// Goes on to the beginning of a second by GitHub's clock.
async fn begin_second(story: &mut Story) {
    story.later(SignedDuration::from_millis(1_000 - story.clock.now().as_millis().rem_euclid(1_000))).await;
}

/// What was done to the issue is not acted on while answers do not know of it, and is then. What is
/// said of it.
async fn obeyed_after_the_lag(story: &mut Story) -> String {
    story.settle().await;
    story.assert_silent("GitHub does not know of it yet");
    go_on(story, 2 * LAG).await;
    story.transcript()
}

#[test]
fn every_command_is_obeyed_though_answers_are_behind() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.set_read_lag(LAG);
        story.github.close_issue(REPO, 1, "ada");
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("Thanks, ada: resolved as of"), "{said}");
        assert!(story.lines().await[0].resolved_at.is_some());

        story.github.reopen_issue(REPO, 1, "ada");
        obeyed_after_the_lag(story).await;
        assert_eq!(story.lines().await[0].resolved_at, None);

        story.github.add_label(REPO, 1, "library-code", "ada");
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("Done, ada: `total` in `shop/cart.py` is library code"), "{said}");
        story.github.remove_label(REPO, 1, "library-code", "ada");
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("Done, ada: `library-code` no longer applies"), "{said}");
        story.github.add_label(REPO, 1, "libary-code", "ada");
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("`libary-code` is no command of mine, ada"), "{said}");

        story.github.assign(REPO, 1, "grace", "ada");
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("Noted, ada: this line belongs to grace"), "{said}");
        assert_eq!(story.owner().await.as_deref(), Some("grace"));
        story.github.unassign(REPO, 1, "grace", "ada");
        obeyed_after_the_lag(story).await;
        assert_eq!(story.owner().await, None);

        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("Done, ada: this line of `total`"), "{said}");
        assert!(story.lines().await[0].known);
    });
}

#[test]
fn an_answer_of_the_same_second_may_be_of_before() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        begin_second(story).await;
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.settle().await;
        story.later(SignedDuration::from_millis(400)).await;
        // A tenth of a second behind: labelled in this second, and open.
        story.github.set_read_lag(SignedDuration::from_millis(100));
        story.github.close_issue(REPO, 1, "ada");
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("Done, ada: this line of `total`"), "{said}");
        assert!(story.lines().await[0].known);

        // Taken back within the second: that is what GitHub says in the end.
        begin_second(story).await;
        story.github.reopen_issue(REPO, 1, "ada");
        go_on(story, LAG).await;
        assert!(!story.lines().await[0].known);
        story.github.remove_label(REPO, 1, "known-error", "ada");
        go_on(story, LAG).await;
        story.transcript();
        begin_second(story).await;
        story.github.close_issue(REPO, 1, "ada");
        story.github.reopen_issue(REPO, 1, "ada");
        go_on(story, 2 * MINUTE).await;
        story.assert_silent("it is open");
        assert_eq!(story.lines().await[0].resolved_at, None);
    });
}

#[test]
fn answers_that_go_on_being_behind_are_not_waited_for() {
    run_test(async |story| {
        story.alerted().await;
        story.later(2 * HOUR).await;
        story.github.set_read_lag(HOUR);
        story.github.set_event_lag(HOUR);
        story.github.close_issue(REPO, 1, "ada");
        let lost = story.github.lose_deliveries().remove(0);
        story.github.copy(&lost, 1);
        let asked = story.github.requests_of("issues/get").len();
        story.settle().await;
        go_on(story, 30 * SignedDuration::from_secs(1)).await;
        story.assert_silent("its answers have their time");
        let asked = story.github.requests_of("issues/get").len() - asked;
        assert!((5..=8).contains(&asked), "asked {asked} times within half a minute");
        go_on(story, MINUTE).await;
        let said = story.transcript();
        assert!(said.contains("Thanks, ada: resolved as of"), "{said}");

        story.github.reopen_issue(REPO, 1, "ada");
        go_on(story, 2 * MINUTE).await;
        assert_eq!(story.lines().await[0].resolved_at, None);
        story.transcript();

        // The old webhook comes once more, while the answer is older still.
        story.github.copy(&lost, 1);
        go_on(story, 2 * MINUTE).await;
        story.assert_silent("it was opened since");
        // And where the answer is like the webhook, which is old by then.
        story.later(HOUR - 3 * MINUTE).await;
        story.github.copy(&lost, 1);
        go_on(story, 2 * MINUTE).await;
        story.assert_silent("it was opened since");
        assert_eq!(story.lines().await[0].resolved_at, None);
    });
}

#[test]
fn an_issue_that_answers_do_not_know_yet_is_asked_for_again() {
    run_test(async |story| {
        story.alerted().await;
        let line = story.lines().await.remove(0);
        // Filed, and the answer on its way, when somebody closes it with a label.
        store::lines::set_issue(&story.services().store, line.id, None).await.unwrap();
        let age = story.clock.now() - story.github.issue(REPO, 1).created_at;
        story.github.set_read_lag(age + LAG);
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.assert_silent("404");
        go_on(story, age + 4 * LAG).await;
        let said = story.transcript();
        assert!(said.contains("Done, ada: this line of `total`"), "{said}");
        assert!(story.lines().await[0].known);
    });
}

#[test]
fn the_commit_that_closed_an_issue_is_waited_for() {
    run_test(async |story| {
        story.alerted().await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        story.transcript();
        story.later(MINUTE).await;
        let fix = story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "fixes #1\n")], "Fix it, fixes #1");
        story.commit(GRACE, "2026-02-02T10:00:00Z", &[("README.md", "more\n")], "More");
        story.github.set_event_lag(LAG);
        story.github.close_issue_by(REPO, 1, "grace", &fix);
        let said = obeyed_after_the_lag(story).await;
        assert!(said.contains("Thanks, grace: resolved as of <Fix it, fixes #1>"), "{said}");
        assert_eq!(story.lines().await[0].resolved_commit, Some(CommitId::new(fix)));
    });
}

#[test]
fn an_assignment_that_comes_late_does_not_take_the_line_back() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "grace", "ada");
        let late = story.github.lose_deliveries().remove(0);
        story.later(MINUTE).await;
        story.github.assign(REPO, 1, "linus", "ada");
        story.settle().await;
        assert_eq!(story.owner().await.as_deref(), Some("linus"));
        let said = story.transcript();
        assert!(said.contains("belongs to linus"), "{said}");
        story.github.copy(&late, 1);
        story.settle().await;
        assert_eq!(story.owner().await.as_deref(), Some("linus"));
        story.assert_silent("linus has it since");
        let line = story.lines().await.remove(0);
        assert!(line.logins().all(|login| *login == Login::new("ada")));
    });
}
