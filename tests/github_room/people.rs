//! Who wrote a commit, who an account is, and who gets an issue.

use super::room;
use crate::harness::fake_github::{CommitAuthor, Fault};
use app::github::{Account, GitHubError};
use serde_json::Value;

const REPO: &str = "acme/shop";

fn account(id: u64, login: &str) -> Account {
    Account { id, login: login.to_owned(), kind: "User".to_owned() }
}

#[tokio::test]
async fn a_commit_has_an_account_or_none() {
    let room = room().await;
    let sha = |digit: &str| digit.repeat(40);
    room.fake.set_commit_author(REPO, &sha("a"), CommitAuthor::Login("alice".to_owned()));
    room.fake.set_commit_author(REPO, &sha("b"), CommitAuthor::Null);
    room.fake.set_commit_author(REPO, &sha("c"), CommitAuthor::Empty);
    let author = async |digit: &str| room.github.commit_author(room.installation, REPO, &sha(digit)).await.unwrap();
    assert_eq!(author("a").await, Some(account(1, "alice")));
    assert_eq!(author("b").await, None);
    assert_eq!(author("c").await, None);
    assert_eq!(author("d").await, None, "unknown to GitHub, as before a push");
    let error = room.github.commit_author(room.installation, "acme/gone", &sha("a")).await.unwrap_err();
    assert!(matches!(error, GitHubError::Gone(_)), "{error}");
    room.fake.assert_clean();
}

#[tokio::test]
async fn an_account_is_known_by_its_number_under_any_name() {
    let room = room().await;
    room.fake.rename_account(1, "alice-b");
    let user = async |id| room.github.user_by_id(room.installation, id).await.unwrap();
    assert_eq!(user(1).await, Some(account(1, "alice-b")));
    assert_eq!(user(999).await.unwrap().kind, "Bot");
    assert_eq!(user(12345).await, None);
    room.fake.assert_clean();
}

#[tokio::test]
async fn only_who_can_be_assigned_is() {
    let room = room().await;
    let number = room.file("line-1").await;
    let assign = async |login| room.github.assign(room.installation, REPO, number, login).await.unwrap();
    assert!(assign("Alice").await);
    assert_eq!(room.changes(), ["acme/shop#1 assigned to Alice"]);
    assert!(!assign("mallory").await);
    assert!(!assign("../issues").await);
    assert_eq!(room.fake.requests_of("issues/add-assignees").len(), 1, "who can't be is not tried");
    room.fake.assert_clean();
}

#[tokio::test]
async fn who_is_dropped_silently_is_noticed() {
    let room = room().await;
    let number = room.file("line-1").await;
    // Left the team between the question and the assignment.
    let yes = Fault::Status { status: 204, headers: Vec::new(), body: Value::Null };
    room.fake.fail_next("issues/check-user-can-be-assigned", yes);
    assert!(!room.github.assign(room.installation, REPO, number, "mallory").await.unwrap());
    assert_eq!(room.fake.requests_of("issues/add-assignees").len(), 1);
    assert_eq!(room.changes(), [""; 0]);
    room.fake.assert_clean();
}
