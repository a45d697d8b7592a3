//! What is installed is what GitHub says when it is asked: old webhooks rename, publish and delete
//! nothing, and neither does one empty answer.

use crate::harness::fake_github::Fault;
use crate::harness::fake_github::hooks::Delivery;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::job::Job;
use domain::timestamp::{DAY, HOUR};
use serde_json::json;

/// What was lost comes after all.
async fn comes_late(story: &mut Story, lost: &[Delivery]) {
    assert!(!lost.is_empty());
    let url = format!("{}/api/github/webhooks", story.url());
    for hook in lost {
        assert_eq!(story.github.redeliver(&url, &hook.id).await, 202, "{}", hook.name());
    }
    story.settle().await;
    story.later(MINUTE).await;
}

fn push_by_ada(story: &mut Story) -> Vec<Delivery> {
    let head = story.repo.head();
    story.github.push(REPO, "refs/heads/main", &head, &head, "ada");
    story.github.lose_deliveries()
}

#[test]
fn a_late_push_hides_nothing_that_is_public_by_now() {
    run_test(async |story| {
        story.install().await;
        assert!(!story.repository().await.repository.public);
        let late = push_by_ada(story);
        story.github.set_private(REPO, false, "owner");
        story.settle().await;
        assert!(story.repository().await.repository.public);
        comes_late(story, &late).await;
        assert!(story.repository().await.repository.public, "messages would show what everybody can read");
        // The other way round, it is believed at once, and put right.
        let late = push_by_ada(story);
        story.github.set_private(REPO, true, "owner");
        story.settle().await;
        assert!(!story.repository().await.repository.public);
        comes_late(story, &late).await;
        assert!(!story.repository().await.repository.public);
    });
}

#[test]
fn that_a_repository_is_public_is_believed_before_githubs_lists_say_so() {
    run_test(async |story| {
        story.install().await;
        let id = story.repository().await.repository.github.unwrap().id;
        let said = json!({
            "action": "publicized", "sender": { "login": "owner", "id": 1 },
            "repository": { "id": id, "full_name": REPO, "private": false },
        });
        story.github.queue("repository", said);
        story.settle().await;
        assert!(story.repository().await.repository.public);
        // A minute later it is as GitHub says.
        story.later(MINUTE).await;
        assert!(!story.repository().await.repository.public);
    });
}

#[test]
fn an_old_installation_hides_nothing_while_github_refuses_to_say() {
    run_test(async |story| {
        let installation = story.install().await;
        story.github.set_private(REPO, false, "owner");
        story.settle().await;
        let id = story.repository().await.repository.github.unwrap().id;
        let said = json!({
            "action": "created", "installation": { "id": installation }, "sender": { "login": "owner", "id": 1 },
            "repositories": [{ "id": id, "name": "shop", "full_name": REPO, "private": true }],
        });
        story.github.fail_next("apps/list-repos-accessible-to-installation", Fault::status(403, "Not for you"));
        story.github.queue("installation", said);
        story.settle().await;
        assert!(story.repository().await.repository.public);
    });
}

#[test]
fn a_late_webhook_gives_no_old_name_and_no_old_installation_back() {
    run_test(async |story| {
        let first = story.install().await;
        let late = push_by_ada(story);
        story.github.rename_repository(REPO, "acme/store", "owner");
        story.git.host.rename(REPO, "acme/store");
        story.github.uninstall(first);
        let second = story.github.install("acme", &["acme/store"]);
        story.settle().await;
        comes_late(story, &late).await;
        let repository = store::repositories::list(&story.services().store).await.unwrap().remove(0).repository;
        assert_eq!(repository.full_name.as_str(), "acme/store");
        assert_eq!(repository.github.unwrap().installation, second);
    });
}

#[test]
fn old_words_of_installations_suspend_and_remove_nothing() {
    run_test(async |story| {
        let installation = story.install().await;
        for (done, undone) in [(suspended as fn(&Story, u64), unsuspended as fn(&Story, u64)), (revoked, granted)] {
            done(story, installation);
            let late = story.github.lose_deliveries();
            undone(story, installation);
            story.settle().await;
            comes_late(story, &late).await;
            assert!(story.repository().await.is_served());
        }
        // What was undone is not done again, either.
        unsuspended(story, installation);
        let late = story.github.lose_deliveries();
        suspended(story, installation);
        story.settle().await;
        comes_late(story, &late).await;
        assert!(story.repository().await.suspended_at.is_some());
        unsuspended(story, installation);
        story.settle().await;
        story.alerted().await;
    });
}

fn suspended(story: &Story, installation: u64) {
    story.github.suspend(installation, true);
}

fn unsuspended(story: &Story, installation: u64) {
    story.github.suspend(installation, false);
}

fn revoked(story: &Story, installation: u64) {
    story.github.revoke(installation, &[REPO]);
}

fn granted(story: &Story, installation: u64) {
    story.github.grant(installation, &[REPO]);
}

#[test]
fn an_empty_answer_deletes_nothing_and_what_waits_is_sent_after_it() {
    for operation in ["apps/list-installations", "apps/list-repos-accessible-to-installation"] {
        run_test(async |story| {
            story.install().await;
            let body = match operation {
                "apps/list-installations" => json!([]),
                _ => json!({ "total_count": 0, "repositories": [] }),
            };
            story.github.fail_next(operation, Fault::Status { status: 200, headers: Vec::new(), body });
            story.tick_after(HOUR).await;
            let row = story.repository().await;
            assert!(row.unnamed_since.is_some());
            assert!(story.services().mirrors.exists(row.repository.id));
            let page = story.page(&format!("/{REPO}")).await;
            assert!(page.contains("the App is not installed here any more"), "{page}");
            assert!(story.page("/doctor").await.contains("the App is not installed here any more"));
            story.fails(1).await;
            story.assert_silent("it waits for GitHub's word");
            assert_eq!(story.lines().await[0].total, 1, "it is counted");
            story.tick_after(HOUR).await;
            story.later(6 * MINUTE).await;
            assert!(story.repository().await.is_served());
            story.assert_usual_alert();
        });
    }
}

/// GitHub is asked what is installed, and answers with an empty list for once.
async fn not_named(story: &mut Story) {
    let body = json!({ "total_count": 0, "repositories": [] });
    let empty = Fault::Status { status: 200, headers: Vec::new(), body };
    story.github.fail_next("apps/list-repos-accessible-to-installation", empty);
    compared(story).await;
    assert!(story.repository().await.unnamed_since.is_some());
}

async fn compared(story: &mut Story) {
    let (store, now) = (story.services().store.clone(), story.clock.now());
    store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
    story.settle().await;
}

#[test]
fn a_storm_of_what_is_not_named_waits_and_a_push_of_it_is_asked_about() {
    run_test(async |story| {
        story.nearly_a_storm(24).await;
        story.send_functions("shop/a.py", "a", 20..24).await;
        not_named(story).await;
        let fetched = story.git.host.conversations();
        story.later(4 * MINUTE).await;
        story.assert_silent("neither the storm's issue nor its mail goes out");
        assert_eq!(story.git.host.conversations(), fetched, "and nothing is fetched");
        // Its push says that it is there, and so does GitHub when it is asked.
        story.push().await;
        assert!(story.repository().await.is_served());
        for _ in 0..3 {
            story.later(2 * MINUTE).await;
        }
        let all = story.transcript();
        assert_eq!(all.matches("Storm: 24 lines").count(), 1, "{all}");
        assert_eq!(all.matches("mail to ").count(), 1, "{all}");
        // It ends.
        story.later(HOUR).await;
        story.transcript();
    });
}

#[test]
fn what_github_does_not_name_for_a_day_is_deleted_and_not_before() {
    run_test(async |story| {
        let installation = story.install().await;
        let id = story.repository().await.repository.id;
        story.github.revoke(installation, &[REPO]);
        story.settle().await;
        for _ in 0..23 {
            story.tick_after(HOUR).await;
            assert!(story.services().mirrors.exists(id));
        }
        story.tick_after(2 * HOUR).await;
        assert!(!story.services().mirrors.exists(id));
        assert!(store::repositories::list(&story.services().store).await.unwrap().is_empty());
    });
}

#[test]
fn an_account_that_refuses_to_be_read_keeps_what_it_has_and_others_are_compared() {
    run_test(async |story| {
        story.install().await;
        story.github.add_account(77, "other", "Organization");
        story.github.add_repository("other/tool", true);
        story.git.host.serve("other/tool", story.repo.git_dir());
        let other = story.github.install("other", &["other/tool"]);
        story.settle().await;
        let served = async |story: &Story| {
            let rows = store::repositories::list(&story.services().store).await.unwrap();
            rows.iter().map(|row| (row.repository.full_name.to_string(), row.is_served())).collect::<Vec<_>>()
        };
        let both = [(REPO.to_owned(), true), ("other/tool".to_owned(), true)];
        assert_eq!(served(story).await, both);
        let refused = Fault::status(403, "Although you appear to have the correct authorization credentials, …");
        story.github.revoke(other, &["other/tool"]);
        story.github.lose_deliveries();
        story.github.fail_next("apps/list-repos-accessible-to-installation", refused);
        story.tick_after(HOUR).await;
        assert_eq!(served(story).await, [(REPO.to_owned(), true), ("other/tool".to_owned(), false)]);
        story.tick_after(DAY).await;
        assert_eq!(served(story).await, [(REPO.to_owned(), true)]);
    });
}
