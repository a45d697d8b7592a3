//! Who wrote a commit, who an account is, and who gets an issue.

use super::world;
use crate::harness::fake_github::{CommitAuthor, Fault};
use domain::commit::CommitId;
use github::{Account, GitHubError};
use jiff::SignedDuration;
use serde_json::Value;

const REPO: &str = "acme/shop";

fn account(id: u64, login: &str) -> Account {
    Account { id, login: login.into(), kind: "User".to_owned() }
}

#[tokio::test]
async fn a_commit_has_an_account_or_none() {
    let world = world().await;
    let sha = |digit: &str| digit.repeat(40);
    world.fake.set_commit_author(REPO, &sha("a"), CommitAuthor::Login("alice".to_owned()));
    world.fake.set_commit_author(REPO, &sha("b"), CommitAuthor::Null);
    world.fake.set_commit_author(REPO, &sha("c"), CommitAuthor::Empty);
    let author =
        async |digit: &str| world.github.commit_author(&world.shop(), &CommitId::new(sha(digit))).await.unwrap();
    assert_eq!(author("a").await, Some(account(1, "alice")));
    assert_eq!(author("b").await, None);
    assert_eq!(author("c").await, None);
    assert_eq!(author("d").await, None, "unknown to GitHub, as before a push");
    let error = world.github.commit_author(&world.called("acme/gone"), &CommitId::new(sha("a"))).await.unwrap_err();
    assert!(matches!(error, GitHubError::Gone(_)), "{error}");
    world.fake.assert_clean();
}

#[tokio::test]
async fn an_account_is_known_by_its_number_under_any_name() {
    let world = world().await;
    world.fake.rename_account(1, "alice-b");
    let user = async |id| world.github.user_by_id(world.installation, id).await.unwrap();
    assert_eq!(user(1).await, Some(account(1, "alice-b")));
    assert_eq!(user(999).await.unwrap().kind, "Bot");
    assert_eq!(user(12345).await, None);
    world.fake.assert_clean();
}

#[tokio::test]
async fn only_who_can_be_assigned_is() {
    let world = world().await;
    let number = world.file("line-1").await;
    let assign = async |login: &str| world.github.assign(&world.shop(), number, &login.into()).await.unwrap();
    assert!(assign("Alice").await);
    assert_eq!(world.changes(), ["acme/shop#1 assigned to Alice"]);
    assert!(!assign("mallory").await);
    assert!(!assign("../issues").await);
    assert_eq!(world.fake.requests_of("issues/add-assignees").len(), 1, "who can't be is not tried");
    world.fake.assert_clean();
}

#[tokio::test]
async fn who_is_dropped_silently_is_noticed() {
    let world = world().await;
    let number = world.file("line-1").await;
    // Left the team between the question and the assignment.
    let yes = Fault::Status { status: 204, headers: Vec::new(), body: Value::Null };
    world.fake.fail_next("issues/check-user-can-be-assigned", yes);
    assert!(!world.github.assign(&world.shop(), number, &"mallory".into()).await.unwrap());
    assert_eq!(world.fake.requests_of("issues/add-assignees").len(), 1);
    assert_eq!(world.changes(), [""; 0]);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_commit_was_brought_by_the_pull_request_that_was_merged() {
    let world = world().await;
    let sha = |digit: &str| digit.repeat(40);
    for digit in ["a", "b"] {
        world.fake.set_commit_author(REPO, &sha(digit), CommitAuthor::Null);
    }
    let pull = async |digit: &str| {
        world.github.pull_of_commit(&world.shop(), &CommitId::new(sha(digit)), Some("main")).await.unwrap()
    };
    assert_eq!(pull("a").await, None, "pushed without");
    assert_eq!(pull("c").await, None, "unknown to GitHub");
    let release = world.fake.merge_pull(REPO, "alice", "alice", "Release", &[&sha("a")]);
    world.fake.change_pull(REPO, release, |pull| pull.base = "production".to_owned());
    world.clock.advance(SignedDuration::from_mins(1));
    let open = world.fake.merge_pull(REPO, "mallory", "alice", "Not yet", &[&sha("a"), &sha("b")]);
    world.fake.change_pull(REPO, open, |pull| pull.merged_at = None);
    let merged = world.fake.merge_pull(REPO, "mallory", "alice", "Add up carts", &[&sha("a")]);
    let found = pull("a").await.unwrap();
    assert_eq!((found.number, found.title.as_str()), (merged, "Add up carts"));
    assert_eq!(found.url, format!("https://github.com/acme/shop/pull/{merged}"));
    assert_eq!(found.merged_at, Some(world.clock.now()));
    assert_eq!(found.author, Some(account(2, "mallory")));
    assert_eq!(pull("b").await, None, "an open one brought nothing");
    let people = async |number| world.github.pull_people(&world.shop(), number).await.unwrap();
    assert_eq!(people(merged).await, Some((Some(account(2, "mallory")), Some(account(1, "alice")))));
    assert_eq!(people(4711).await, None);
    world.fake.withhold("pull_requests");
    let refused = world.github.pull_of_commit(&world.shop(), &CommitId::new(sha("a")), None).await.unwrap_err();
    assert!(matches!(refused, GitHubError::Refused { status: 403, .. }), "{refused}");
    world.fake.assert_clean();
}

#[tokio::test]
async fn an_accounts_address_is_that_of_its_commits_else_the_one_it_shows() {
    let world = world().await;
    let author = async |login: &str| world.github.author_of_login(&world.shop(), &login.into()).await.unwrap();
    assert_eq!(author("alice").await.unwrap().email, "", "it shows none");
    world.fake.shows_address("alice", "alice@home.example");
    world.fake.writes_as("alice", "Alice", "1+alice@users.noreply.github.com");
    assert_eq!(author("alice").await.unwrap().email, "alice@home.example");
    world.fake.writes_as("alice", "Alice", "alice@example.com");
    let found = author("alice").await.unwrap();
    assert_eq!((found.name.as_str(), found.email.as_str()), ("Alice", "alice@example.com"));
    assert_eq!(author("nobody").await, None);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_teams_members_are_read_where_they_may_be() {
    let world = world().await;
    world.fake.add_team("acme/payments", &["mallory", "alice"]);
    let members = async |slug: &str| world.github.team_members(world.installation, &"acme".into(), slug).await.unwrap();
    assert_eq!(members("payments").await, Some(vec![account(2, "mallory"), account(1, "alice")]));
    assert_eq!(members("secret").await, None);
    let refused = Fault::status(403, "Resource not accessible by integration");
    world.fake.fail_next("teams/list-members-in-org", refused);
    assert_eq!(members("payments").await, None);
    world.fake.assert_clean();
}
