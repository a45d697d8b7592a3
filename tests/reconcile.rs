//! What webhooks did not tell: issues are compared, names kept, labels made again; and the order of webhooks means nothing.

use crate::harness::browser::Browser;
use crate::harness::fake_github::{CommitAuthor, Fault};
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};
use domain::job::Job;

async fn told(story: &mut Story) {
    story.install().await;
    let event = story.event();
    story.report(&event).await;
    assert_eq!(story.changes().len(), 2);
}

/// The hourly comparison, while GitHub knows nothing of lost webhooks either.
async fn compare(story: &mut Story) {
    story.clock.advance(3_600_000);
    story.github.fail_next("apps/list-webhook-deliveries", Fault::status(404, "Not Found"));
    let now_ms = story.clock.now_ms();
    store::jobs::enqueue(&story.services().store, Job::Reconcile, now_ms, now_ms).await.unwrap();
    story.settle().await;
}

#[test]
fn what_was_done_to_an_issue_is_noticed_though_no_webhook_told() {
    run_test(async |story| {
        told(story).await;
        story.mails();
        compare(story).await;
        assert_eq!(story.changes().len(), 0, "nothing was done");

        story.github.close_issue(REPO, 1, "ada");
        story.github.lose_deliveries();
        compare(story).await;
        assert!(story.lines().await[0].resolved_at_ms.is_some());
        assert_eq!(story.changes().len(), 1, "resolved, and said");
        compare(story).await;
        assert_eq!(story.changes().len(), 0, "said once");

        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.lose_deliveries();
        compare(story).await;
        assert!(story.lines().await[0].known);
        assert_eq!(story.changes().len(), 1);

        story.github.remove_label(REPO, 1, "known-error", "ada");
        story.github.lose_deliveries();
        compare(story).await;
        assert!(!story.lines().await[0].known);
        assert_eq!(story.changes().len(), 1);

        story.github.reopen_issue(REPO, 1, "ada");
        story.github.assign(REPO, 1, "linus", "ada");
        story.github.unassign(REPO, 1, "ada", "ada");
        story.github.lose_deliveries();
        compare(story).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.resolved_at_ms, line.owner_login.as_deref()), (None, Some("linus")));
        assert_eq!(story.changes().len(), 1);

        story.github.add_label(REPO, 1, "library-code", "ada");
        story.github.lose_deliveries();
        compare(story).await;
        assert_eq!(story.changes().len(), 1);
        let id = store::repositories::by_name(&story.services().store, REPO).await.unwrap().unwrap().repository.id;
        assert_eq!(store::rules::in_force(&story.services().store, id).await.unwrap().len(), 1);
        compare(story).await;
        assert_eq!(story.changes().len(), 0);
    });
}

#[test]
fn a_webhook_that_comes_after_all_says_nothing_twice() {
    run_test(async |story| {
        told(story).await;
        story.mails();
        story.github.close_issue(REPO, 1, "ada");
        let lost = story.github.lose_deliveries();
        compare(story).await;
        assert_eq!(story.changes().len(), 1);
        let url = format!("{}/api/github/webhooks", story.url());
        for hook in &lost {
            assert_eq!(story.github.redeliver(&url, &hook.id).await, 202, "late, and taken");
        }
        story.settle().await;
        assert_eq!(story.changes().len(), 0);
    });
}

#[test]
fn webhooks_in_the_wrong_order_end_as_the_issue_is() {
    run_test(async |story| {
        told(story).await;
        story.mails();
        let url = format!("{}/api/github/webhooks", story.url());
        // Closed, reopened, labelled and unlabelled: what comes first is the last.
        story.github.close_issue(REPO, 1, "ada");
        story.github.reopen_issue(REPO, 1, "ada");
        story.github.add_label(REPO, 1, "library-code", "ada");
        story.github.remove_label(REPO, 1, "library-code", "ada");
        let mut hooks = story.github.lose_deliveries();
        hooks.reverse();
        for hook in &hooks {
            story.github.redeliver(&url, &hook.id).await;
            story.settle().await;
        }
        assert_eq!(story.changes().len(), 0, "all was taken back");
        let line = story.lines().await.remove(0);
        assert_eq!((line.resolved_at_ms, line.known), (None, false));
        let id = store::repositories::by_name(&story.services().store, REPO).await.unwrap().unwrap().repository.id;
        assert!(store::rules::in_force(&story.services().store, id).await.unwrap().is_empty());
    });
}

#[test]
fn an_issue_whose_number_was_not_noted_yet_is_known_by_its_marker() {
    run_test(async |story| {
        told(story).await;
        story.mails();
        let line = story.lines().await.remove(0);
        // Filed, and the answer on its way, when somebody closes it with a label.
        store::lines::set_issue(&story.services().store, line.id, None).await.unwrap();
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.issue, line.known), (Some(1), true));
        assert_eq!(story.changes().len(), 1);
    });
}

#[test]
fn a_deleted_issue_is_filed_anew_and_nobody_has_a_second_mail() {
    run_test(async |story| {
        told(story).await;
        assert_eq!(story.mails().len(), 1);
        story.github.delete_issue(REPO, 1, "owner");
        story.settle().await;
        assert_eq!(story.lines().await[0].issue, None);
        let event = story.event();
        story.report(&event).await;
        let changes = story.changes();
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!(changes[0].contains("#2 opened"), "{changes:?}");
        assert_eq!(story.mails().len(), 0);
        // Deleted, and the webhook lost: noticed when something is to be said there.
        story.github.delete_issue(REPO, 2, "owner");
        story.github.lose_deliveries();
        for _ in 0..9 {
            let event = story.event();
            story.report(&event).await;
        }
        let event = story.event();
        story.report(&event).await;
        story.report(&event).await;
        let changes = story.changes();
        assert!(changes.iter().any(|change| change.contains("#3 opened")), "{changes:?}");
        assert_eq!(story.mails().len(), 0);
    });
}

#[test]
fn links_out_of_mails_work_after_a_rename() {
    run_test(async |story| {
        told(story).await;
        let text = story.mails()[0].text();
        let links: Vec<String> = text
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("https://flawless.test"))
            .filter(|link| link.contains("signature="))
            .map(str::to_owned)
            .collect();
        assert_eq!(links.len(), 3, "the traceback, the whitelist and Not me");
        story.github.rename_repository(REPO, "acme/store", "owner");
        story.git.host.rename(REPO, "acme/store");
        story.settle().await;
        let reader = Browser::new(story);
        for link in &links {
            let page = reader.get(link).await;
            assert_eq!(page.status, 200, "{link}: {}", page.seen());
        }
        assert!(story.page("/acme/store").await.contains(CART_PATH));
        assert!(story.page(&format!("/{REPO}")).await.contains("acme/store"), "the old name leads to it, too");
        // Whoever takes the old name now is somebody else.
        story.github.add_repository(REPO, true);
        story.git.host.serve(REPO, story.repo.git_dir());
        story.github.install("acme", &[REPO]);
        story.settle().await;
        assert!(!story.page(&format!("/{REPO}")).await.contains("acme/store"));
    });
}

#[test]
fn labels_that_somebody_deleted_are_made_again() {
    run_test(async |story| {
        told(story).await;
        story.mails();
        assert_eq!(story.github.labels(REPO).len(), 5);
        story.github.delete_label(REPO, "known-error");
        compare(story).await;
        let labels = story.github.labels(REPO);
        assert_eq!(labels.len(), 5);
        let label = labels.iter().find(|label| label.name == "known-error").unwrap();
        assert_eq!((label.color.as_str(), label.description.is_empty()), ("fbca04", false));
    });
}

#[test]
fn uninstalling_deletes_mirror_and_variables_and_keeps_counts_until_asked() {
    run_test(async |story| {
        let installation = story.install().await;
        let event = story.event();
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (2, 1));
        let (key, project) = story.key().await;
        let line = story.lines().await.remove(0);
        let row = store::repositories::by_name(&story.services().store, REPO).await.unwrap().unwrap();
        assert!(story.services().mirrors.exists(row.repository.id));
        story.github.uninstall(installation);
        story.settle().await;
        assert!(!story.services().mirrors.exists(row.repository.id));
        assert_eq!(store::tracebacks::latest_of_line(&story.services().store, line.id, i64::MAX).await.unwrap(), None);
        assert_eq!(
            store::lines::by_id(&story.services().store, line.id).await.unwrap().unwrap().total,
            1,
            "its counts stay"
        );
        let status = story.send_to(story.url(), &key, project, &event).await;
        assert!(status == 403 || status == 401 || status == 404, "{status}");

        // Installed again: it goes on where it was, with the same key and without a second issue.
        story.install().await;
        story.report(&event).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.total, line.issue), (2, Some(1)));
        assert_eq!((story.changes().len(), story.mails().len()), (0, 0));

        let said = story.command(&["repository", "remove", REPO, "--with-counts"]);
        assert!(said.contains("Everything that was known of acme/shop is deleted."), "{said}");
        assert_eq!(store::lines::by_id(&story.services().store, line.id).await.unwrap(), None);
        assert!(store::repositories::list(&story.services().store).await.unwrap().is_empty());
    });
}

#[test]
fn making_a_repository_public_hides_what_its_issues_said_from_then_on() {
    run_test(async |story| {
        story.install().await;
        story.github.set_private(REPO, false, "owner");
        story.settle().await;
        let event = story.event();
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (2, 1));
        assert!(!story.github.issue(REPO, 1).body.contains("quince"), "{}", story.github.issue(REPO, 1).body);
    });
}

#[test]
fn an_edited_line_is_not_given_back_to_who_wrote_it_before() {
    run_test(async |story| {
        told(story).await;
        story.mails();
        // Grace edits it, and GitHub knows no account of hers: Ada stays assigned, which nobody did.
        let text = CART.replace("        amount += PRICES[sku]\n", "        amount += PRICES[sku.lower()]\n");
        let sha =
            story.commit("Grace Hopper <grace@example.com>", "2026-02-01T10:00:00Z", &[(CART_PATH, &text)], "Lower");
        story.github.set_commit_author(REPO, &sha, CommitAuthor::Null);
        story.push().await;
        let event = story.event_at(&story.repo.head(), CART_PATH, "PRICES[sku.lower()]", "total", "web-1");
        story.report(&event).await;
        assert_eq!((story.changes().len(), story.mails().len()), (1, 1));
        compare(story).await;
        assert_eq!(story.changes(), [""; 0], "nobody assigned anybody");
        let line = story.lines().await.remove(1);
        assert_eq!((line.issue, line.owner_login), (Some(1), None));
        // What somebody does is noticed.
        story.github.assign(REPO, 1, "linus", "owner");
        story.github.unassign(REPO, 1, "ada", "owner");
        story.github.lose_deliveries();
        compare(story).await;
        assert_eq!(story.changes().len(), 1);
        assert_eq!(story.lines().await[1].owner_login.as_deref(), Some("linus"));
    });
}
