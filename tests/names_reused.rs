//! A repository is renamed and another one takes its name, of which no webhook tells: the other is
//! neither written to nor obeyed, and what was to be written arrives in the renamed one by itself.

use crate::harness::fake_github::{Fault, Issue};
use crate::harness::git_repo::{GRACE, GitRepo};
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use domain::command::labels;
use domain::commit::CommitId;
use domain::timestamp::HOUR;
use jiff::SignedDuration;

/// What the watched repository is called after it was renamed.
const STORE: &str = "acme/store";

/// The watched repository is renamed; whoever asks for its old name is sent on.
async fn renamed(story: &mut Story) {
    // Whatever was asked before is not remembered any more.
    story.later(2 * MINUTE).await;
    story.git.host.serve(STORE, story.repo.git_dir());
    story.github.rename_repository(REPO, STORE, "owner");
    story.github.lose_deliveries();
}

/// The same, and another repository that the App sees has the name by now. Its issues.
async fn name_is_taken(story: &mut Story, installation: u64) -> Vec<Issue> {
    renamed(story).await;
    story.github.add_repository(REPO, true);
    story.github.set_assignable(REPO, &["ada", "grace", "linus", "owner"]);
    for label in ["bug", "library-code"] {
        story.github.open_issue(REPO, "linus", "Something else", "Of another repository.", &["flawless", label]);
    }
    story.github.grant(installation, &[REPO]);
    story.github.lose_deliveries();
    story.github.issues(REPO)
}

/// Time goes by in which what waits is tried again, but no hourly look comes.
async fn some_minutes(story: &mut Story) {
    for _ in 0..8 {
        story.later(SignedDuration::from_secs(20)).await;
    }
}

#[test]
fn code_of_another_repository_is_not_fetched() {
    run_test(async |story| {
        let installation = story.install().await;
        // The hourly look is over, and the next one far.
        story.tick().await;
        let head = story.repo.head();
        name_is_taken(story, installation).await;
        let other = GitRepo::init(story.folder().join("other"));
        let theirs = other.commit(GRACE, "2026-03-01T10:00:00Z", &[(CART_PATH, "SECRET = 1\n")], "Begin");
        story.git.host.serve(REPO, other.git_dir());
        let id = story.repository().await.repository.id;
        story.tick_after(16 * MINUTE).await;
        story.later(MINUTE).await;
        assert!(story.services().mirrors.commit(id, &CommitId::new(theirs)).unwrap().is_none());
        let row = store::repositories::by_id(&story.services().store, id).await.unwrap().unwrap();
        assert_eq!(row.repository.full_name.as_str(), STORE, "and it is asked what it is called now");
        assert_eq!(row.repository.head, Some(CommitId::new(head)));
        story.transcript();
    });
}

#[test]
fn a_new_issue_goes_to_the_renamed_repository() {
    run_test(async |story| {
        let installation = story.install().await;
        let (key, project) = story.key().await;
        let others = name_is_taken(story, installation).await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        story.settle().await;
        some_minutes(story).await;
        assert!(story.github.issues(REPO) == others, "the other repository was written to");
        insta::assert_snapshot!(story.transcript(), @r"
        mail to ada@example.com: [acme/store] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/store#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/store#1 assigned to ada
        ");
    });
}

#[test]
fn an_issue_that_is_due_goes_to_the_renamed_repository() {
    run_test(async |story| {
        let installation = story.install().await;
        let (key, project) = story.key().await;
        // It is decided, and waits for GitHub, which is asked for nothing meanwhile.
        story.github.fail_next("issues/create", Fault::status(502, "Unicorn"));
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        story.settle().await;
        let others = name_is_taken(story, installation).await;
        some_minutes(story).await;
        some_minutes(story).await;
        assert!(story.github.issues(REPO) == others, "the other repository was written to");
        assert_eq!(story.github.issues(STORE).len(), 1);
        story.transcript();
    });
}

#[test]
fn a_command_and_its_reply_are_of_the_renamed_repository() {
    run_test(async |story| {
        let installation = story.install().await;
        story.fails(1).await;
        story.assert_usual_alert();
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        let closed = story.github.lose_deliveries().remove(0);
        let others = name_is_taken(story, installation).await;
        story.github.copy(&closed, 1);
        story.settle().await;
        some_minutes(story).await;
        assert!(story.github.issues(REPO) == others, "the other repository was written to");
        let said = story.transcript();
        assert!(said.contains("acme/store#1 commented") && said.contains("Thanks, ada: resolved"), "{said}");
        assert!(story.lines().await[0].resolved_at.is_some());
    });
}

#[test]
fn what_another_repositorys_issue_bears_commands_nothing() {
    run_test(async |story| {
        let installation = story.install().await;
        let id = story.repository().await.repository.id;
        story.fails(1).await;
        story.functions_fail_twice().await;
        story.transcript();
        story.later(MINUTE).await;
        story.github.add_label(REPO, 2, "library-code", "ada");
        let labelled = story.github.lose_deliveries().remove(0);
        story.github.remove_label(REPO, 2, "library-code", "ada");
        story.github.lose_deliveries();
        // The other repository's second issue has the label.
        name_is_taken(story, installation).await;
        story.github.copy(&labelled, 1);
        story.settle().await;
        some_minutes(story).await;
        some_minutes(story).await;
        assert!(store::rules::in_force(&story.services().store, id).await.unwrap().is_empty());
        story.assert_silent("nobody commands anything");
    });
}

#[test]
fn a_regression_opens_the_issue_of_the_renamed_repository() {
    run_test(async |story| {
        let installation = story.install().await;
        let (key, project) = story.key().await;
        story.fails(1).await;
        story.later(MINUTE).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "more\n")], "More");
        story.push().await;
        story.transcript();
        let others = name_is_taken(story, installation).await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        story.settle().await;
        some_minutes(story).await;
        assert!(story.github.issues(REPO) == others, "the other repository was written to");
        assert!(story.github.issue(STORE, 1).open);
        let said = story.transcript();
        assert!(said.contains("acme/store#1 reopened") && said.contains("acme/store#1 commented"), "{said}");
    });
}

#[test]
fn a_storm_is_told_of_in_the_renamed_repository() {
    run_test(async |story| {
        story.nearly_a_storm(24).await;
        let installation = story.repository().await.repository.github.unwrap().installation;
        let (key, project) = story.key().await;
        let others = name_is_taken(story, installation).await;
        for n in 20..24 {
            let event = story.event_at(&story.repo.head(), "shop/a.py", &format!("x.a_{n}"), &format!("a{n}"), "web-1");
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        }
        story.settle().await;
        some_minutes(story).await;
        assert!(story.github.issues(REPO) == others, "the other repository was written to");
        let storms = |name: &str| story.github.issues(name).iter().filter(|it| it.title.contains("Storm")).count();
        assert_eq!(storms(STORE), 1);
        story.transcript();
        // It ends.
        story.later(HOUR).await;
        story.transcript();
    });
}

#[test]
fn labels_are_made_in_the_renamed_repository() {
    run_test(async |story| {
        story.github.fail_next("issues/create-label", Fault::status(502, "Unicorn"));
        let installation = story.install().await;
        name_is_taken(story, installation).await;
        story.later(15 * MINUTE).await;
        some_minutes(story).await;
        let made: Vec<String> = story.github.labels(STORE).into_iter().map(|label| label.name).collect();
        assert_eq!(made, labels().iter().map(|label| label.name).collect::<Vec<_>>());
    });
}

#[test]
fn a_new_name_is_taken_as_soon_as_something_is_written_under_the_old_one() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let id = story.repository().await.repository.id;
        renamed(story).await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        story.settle().await;
        let row = store::repositories::by_id(&story.services().store, id).await.unwrap().unwrap();
        assert_eq!(row.repository.full_name, STORE);
        insta::assert_snapshot!(story.transcript(), @r"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/store#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/store#1 assigned to ada
        ");
    });
}

#[test]
fn a_status_is_written_in_the_renamed_repository_at_once() {
    run_test(async |story| {
        let installation = story.install().await;
        let (key, project) = story.key().await;
        story.fails(1).await;
        story.tick().await;
        story.transcript();
        let others = name_is_taken(story, installation).await;
        let event = story.event_at(&story.repo.head(), CART_PATH, "PRICES[sku]", "total", "web-2");
        assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        story.settle().await;
        story.tick_after(16 * MINUTE).await;
        assert!(story.github.issues(REPO) == others, "the other repository was written to");
        let said = story.transcript();
        assert!(said.contains("acme/store#1 status") && said.contains("web-2"), "{said}");
        story.later(MINUTE).await;
        story.transcript();
    });
}

impl Story {
    /// A second line fails, and has the second issue.
    async fn functions_fail_twice(&mut self) {
        self.commit(GRACE, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 1))], "Add a");
        self.push().await;
        self.functions_fail("shop/a.py", "a", 0..1).await;
    }
}
