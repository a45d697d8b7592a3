//! What GitHub is asked for by floods, and after them: no more than is needed, and nothing while it
//! asks to wait.

use crate::harness::fake_github::Fault;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::timestamp::HOUR;

fn asked(story: &Story) -> usize {
    story.github.requests().len()
}

#[test]
fn a_label_that_commands_nothing_costs_no_request() {
    run_test(async |story| {
        story.alerted().await;
        story.later(2 * MINUTE).await;
        let before = asked(story);
        for label in ["bug", "known issue", "P1"] {
            story.github.add_label(REPO, 1, label, "ada");
            story.github.remove_label(REPO, 1, label, "ada");
        }
        story.github.add_label(REPO, 1, "needs-triage", "ada");
        story.settle().await;
        assert_eq!(asked(story), before);
        story.assert_silent("none is a command");
        // What is one, or nearly, is acted on.
        story.github.add_label(REPO, 1, "known eror", "ada");
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.settle().await;
        let said = story.transcript();
        assert!(said.contains("Did you mean the label") && said.contains("is library code from now on"), "{said}");
    });
}

#[test]
fn webhooks_of_one_issue_that_wait_together_need_one_answer() {
    run_test(async |story| {
        story.alerted().await;
        story.later(MINUTE).await;
        let got = |story: &Story| story.github.requests_of("issues/get").len();
        for login in ["grace", "linus"] {
            story.github.assign(REPO, 1, login, "ada");
            story.github.unassign(REPO, 1, login, "ada");
            story.later(MINUTE).await;
        }
        story.github.add_label(REPO, 1, "known-error", "ada");
        let labelled = story.github.lose_deliveries().remove(0);
        story.later(MINUTE).await;
        story.later(MINUTE).await;
        story.transcript();
        let before = got(story);
        story.github.copy(&labelled, 100);
        story.settle().await;
        assert!((1..=2).contains(&(got(story) - before)), "asked {} times", got(story) - before);
        // What comes later is asked for anew.
        story.later(MINUTE).await;
        let before = got(story);
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert!(got(story) > before);
        let said = story.transcript();
        assert!(said.contains("is a known error"), "{said}");
    });
}

#[test]
fn lost_webhooks_are_asked_for_some_at_a_time() {
    run_test(async |story| {
        story.install().await;
        story.tick().await;
        let head = story.repo.head();
        for _ in 0..100 {
            story.github.push(REPO, "refs/heads/main", &"0".repeat(40), &head, "owner");
        }
        story.github.lose_deliveries();
        let asked = |story: &Story| story.github.requests_of("apps/redeliver-webhook-delivery").len();
        story.tick_after(HOUR).await;
        let mut so_far = vec![asked(story)];
        for _ in 0..4 {
            story.later(MINUTE).await;
            so_far.push(asked(story));
        }
        assert_eq!(so_far, [40, 80, 100, 100, 100]);
        story.tick_after(HOUR).await;
        assert_eq!(asked(story), 100, "each once");
    });
}

#[test]
fn nothing_is_asked_for_while_github_asks_to_wait() {
    run_test(async |story| {
        story.alerted().await;
        story.later(2 * MINUTE).await;
        story.github.add_label(REPO, 1, "library-code", "ada");
        let labelled = story.github.lose_deliveries().remove(0);
        story.github.copy(&labelled, 150);
        let used_up = vec![
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", (story.clock.now().as_seconds() + 600).to_string()),
        ];
        let body = serde_json::json!({ "message": "API rate limit exceeded for installation." });
        story.github.fail_next("repos/get", Fault::Status { status: 403, headers: used_up, body });
        let before = asked(story);
        story.settle().await;
        story.later(5 * MINUTE).await;
        assert_eq!(asked(story) - before, 1, "and nothing more");
        story.later(6 * MINUTE).await;
        for _ in 0..4 {
            story.later(MINUTE).await;
        }
        let said = story.transcript();
        assert_eq!(said.matches("is library code from now on").count(), 1, "{said}");
    });
}
