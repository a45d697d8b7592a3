//! The doctor: what is wrong, said before anybody has to guess, on the page and in the terminal.

use crate::harness::browser::seen;
use crate::harness::story::{REPO, Story, run_test};
use jiff::SignedDuration;

/// What the page says, without its tags.
async fn page(story: &Story) -> String {
    seen(story.page("/doctor").await.split_once("<main").unwrap().1)
}

#[test]
fn a_sound_server_is_told_to_be_sound() {
    run_test(async |story| {
        story.install().await;
        let text = page(story).await;
        for said in [
            "Everything works.",
            "GitHub App: flawless-test answers: its number and key are right",
            "clock: this machine's clock differs from GitHub's by 0 s",
            "webhooks: the last one came less than a minute ago",
            "installation acme: GitHub answers 4987 of 5000 more requests this hour",
            "nothing waits to be written",
            "of 500 this hour",
            "acme/shop: mirrored, fetched less than a minute ago",
            "sign-in: people can sign in with GitHub",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        // In the terminal the same, beside the server.
        let said = story.asking_command(&["check"]).await;
        assert!(said.contains("ok    GitHub App: flawless-test answers"), "{said}");
        assert!(said.contains("ok    acme/shop: mirrored"), "{said}");
    });
}

#[test]
fn whatever_is_wrong_is_said_with_what_to_do() {
    run_test(async |story| {
        story.github.withhold("issues");
        story.install().await;
        let text = page(story).await;
        assert!(text.contains("installation acme: it has not accepted the permissions issues: write"), "{text}");
        assert!(text.contains("An owner of the account accepts them"), "{text}");
        assert!(text.contains("GitHub App: it lacks the permissions issues: write"), "{text}");
        assert!(text.contains("because the App may not write issues there"), "{text}");
        assert!(text.contains("3 things do not work."), "{text}");
        // The settings file has a fault, the mirror can't be had, a webhook was lost.
        let wrong = [(".github/flawless.yml", "isues: {}\n")];
        story.commit("Ada <ada@example.com>", "2026-02-01T10:00:00Z", &wrong, "Break it");
        story.push().await;
        story.github.add_label(REPO, story.github.open_issue(REPO, "ada", "x", "y", &[]), "bug", "ada");
        assert!(!story.github.lose_deliveries().is_empty());
        let text = page(story).await;
        assert!(text.contains("acme/shop: .github/flawless.yml is not used: line 1: isues"), "{text}");
        assert!(text.contains("did not arrive"), "{text}");
        story.clock.advance(SignedDuration::from_hours(2));
        let text = page(story).await;
        assert!(text.contains("acme/shop: mirrored, but last fetched 2 h ago"), "{text}");
        story.github.give_back("issues");
    });
}

#[test]
fn a_suspended_installation_a_silent_github_and_a_wrong_mail_server_are_told() {
    run_test(async |story| {
        let installation = story.install().await;
        story.github.suspend(installation, true);
        story.settle().await;
        let text = page(story).await;
        assert!(text.contains("installation acme: it is suspended"), "{text}");
        story.github.suspend(installation, false);
        story.settle().await;
        story.set("SMTP_URL", "smtp://127.0.0.1:9");
        story.set("GITHUB_API_URL", "http://127.0.0.1:9");
        story.set("PUBLIC_URL", "http://localhost:3000");
        story.restart().await;
        let text = page(story).await;
        assert!(text.contains("mail: ") && text.contains("Look at SMTP_URL"), "{text}");
        assert!(text.contains("Look at GITHUB_API_URL"), "{text}");
        assert!(text.contains("address of this machine only"), "{text}");
        story.unset("SMTP_URL");
        let url = story.github.url().to_owned();
        story.set("GITHUB_API_URL", &url);
        story.set("PUBLIC_URL", "https://flawless.test");
        story.restart().await;
    });
}

#[test]
fn that_no_webhook_ever_came_is_told() {
    run_test(async |story| {
        story.github.install("acme", &[REPO]);
        story.github.lose_deliveries();
        let now = story.clock.now();
        store::jobs::enqueue(&story.services().store, domain::job::Job::Reconcile, now, now).await.unwrap();
        story.settle_without_webhooks().await;
        story.clock.advance(SignedDuration::from_mins(11));
        let text = page(story).await;
        assert!(text.contains("webhooks: none ever came, though the App is installed"), "{text}");
        assert!(text.contains("https://flawless.test/api/github/webhooks can be reached from GitHub"), "{text}");
    });
}

#[test]
fn a_mirror_that_is_gone_from_the_disk_is_told_from_one_that_is_yet_to_come() {
    run_test(async |story| {
        story.install().await;
        std::fs::remove_dir_all(story.folder().join("data/mirrors")).unwrap();
        let text = page(story).await;
        assert!(text.contains("acme/shop: its mirror is not there any more"), "{text}");
    });
}
