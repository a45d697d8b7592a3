//! Issues, comments and labels: filed once, found again, changed.

use super::{NOW, World, new_issue, world};
use crate::harness::fake_github::Fault;
use domain::command::{COMMAND_LABELS, LabelSpec, OUR_LABEL};
use domain::timestamp::{HOUR, Timestamp};
use github::{FoundIssue, GitHubError, IssueState, IssueUpdate};
use jiff::SignedDuration;

const REPO: &str = "acme/shop";
/// 51 characters.
const LONG_NAME: &str = "a-name-of-a-label-that-is-longer-than-GitHub-allows";

async fn find(world: &World, marker: &str, since: Timestamp) -> Option<FoundIssue> {
    world.github.find_issue(&world.shop(), "flawless", marker, since).await.unwrap()
}

#[tokio::test]
async fn an_issue_is_filed_and_found_again() {
    let world = world().await;
    let filed = world.github.create_issue(&world.shop(), &new_issue("line-1")).await.unwrap();
    assert_eq!((filed.number, filed.html_url.as_str()), (1, "https://github.com/acme/shop/issues/1"));
    assert_eq!(world.changes(), ["acme/shop#1 opened: KeyError in shop/cart.py [flawless]"]);

    let found = find(&world, "line-1", NOW).await.unwrap();
    assert_eq!((found.number, found.open, found.labels), (1, true, vec!["flawless".to_owned()]));
    assert_eq!(found.title, "KeyError in shop/cart.py");
    assert!(found.body.contains("<!-- line-1 -->"));
    assert_eq!(find(&world, "line-2", NOW).await, None);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_closed_issue_is_found_behind_pages_of_others_and_no_pull_request_is() {
    let world = world().await;
    world.fake.open_pull_request(REPO, "mallory", "Fix", "<!-- line-1 -->", &["flawless"]);
    for number in 0..210 {
        world.fake.open_issue(REPO, "mallory", "Noise", &format!("<!-- other-{number} -->"), &["flawless"]);
    }
    world.fake.open_issue(REPO, "mallory", "Without our label", "<!-- line-1 -->", &["bug"]);
    let ours = world.file("line-1").await;
    world.fake.close_issue(REPO, ours, "alice");
    // GitHub's "duplicate issue" copies the text, marker and all.
    world.fake.open_issue(REPO, "mallory", "Duplicate", "<!-- line-1 -->", &["flawless"]);

    let found = find(&world, "line-1", NOW).await.unwrap();
    assert_eq!((found.number, found.open, found.state_reason.as_deref()), (ours, false, Some("completed")));
    assert_eq!(world.fake.requests_of("issues/list-for-repo").len(), 3);
    world.fake.assert_clean();
}

#[tokio::test]
async fn what_is_older_than_the_search_is_not_looked_through() {
    let world = world().await;
    world.file("line-1").await;
    world.clock.advance(2 * HOUR);
    assert_eq!(find(&world, "line-1", NOW + HOUR).await, None);
    // Clocks differ: some minutes earlier are looked at.
    assert!(find(&world, "line-1", NOW + SignedDuration::from_mins(5)).await.is_some());
    assert!(find(&world, "line-1", Timestamp::UNIX_EPOCH).await.is_some());
    let query = &world.fake.requests_of("issues/list-for-repo")[0].query;
    assert!(query.contains(&("since".to_owned(), "2023-11-14T23:03:20Z".to_owned())), "{query:?}");
    world.fake.assert_clean();
}

#[tokio::test]
async fn words_and_state_are_changed_twice_without_harm() {
    let world = world().await;
    let number = world.file("line-1").await;
    let update = IssueUpdate { title: Some("Regressed".to_owned()), body: Some("New text".to_owned()) };
    for _ in 0..2 {
        world.github.update_issue(&world.shop(), number, &update).await.unwrap();
    }
    assert_eq!(world.changes(), ["acme/shop#1 retitled: Regressed", "acme/shop#1 rewritten: New text"]);

    world.fake.close_issue(REPO, number, "alice");
    world.changes();
    for _ in 0..2 {
        world.github.reopen_issue(&world.shop(), number).await.unwrap();
    }
    assert_eq!(world.changes(), ["acme/shop#1 reopened"]);
    assert_eq!(world.fake.issue(REPO, number).state_reason.as_deref(), Some("reopened"));
    let requests = world.fake.requests().len();
    world.github.update_issue(&world.shop(), number, &IssueUpdate::default()).await.unwrap();
    assert_eq!(world.fake.requests().len(), requests, "nothing to change is nothing to ask");
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_missing_a_deleted_and_a_transferred_issue_are_told_apart() {
    let world = world().await;
    world.fake.add_repository("acme/other", true);
    world.fake.grant(world.installation, &["acme/other"]);
    let (deleted, transferred) = (world.file("a").await, world.file("b").await);
    world.fake.delete_issue(REPO, deleted, "alice");
    // Under the same number, so that the number gives nothing away.
    world.fake.open_issue("acme/other", "alice", "First", "", &[]);
    assert_eq!(world.fake.transfer_issue(REPO, transferred, "acme/other", "alice"), transferred);

    let (github, shop) = (&world.github, world.shop());
    assert_eq!(github.issue(&shop, 99).await, Ok(IssueState::Missing));
    assert_eq!(github.issue(&shop, deleted).await, Ok(IssueState::Deleted));
    world.fake.fail_next("issues/get", Fault::status(410, "Issues has been disabled in this repository."));
    let all_are_off = github.issue(&shop, deleted).await;
    assert_eq!(all_are_off, Ok(IssueState::Missing), "that is no deletion");
    assert_eq!(github.issue(&shop, transferred).await, Ok(IssueState::Transferred));
    for number in [99, deleted, transferred] {
        let error = github.comment(&shop, number, "Hello").await.unwrap_err();
        assert!(matches!(error, GitHubError::Gone(_)), "#{number}: {error}");
        let error = github.find_comment(&shop, number, "x", NOW).await.unwrap_err();
        assert!(matches!(error, GitHubError::Gone(_)), "#{number}: {error}");
    }
    assert_eq!(world.fake.comments("acme/other", transferred), []);
    world.fake.assert_clean();
}

#[tokio::test]
async fn where_issues_are_switched_off_that_is_said() {
    let world = world().await;
    world.fake.set_issues_enabled(REPO, false);
    let error = world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap_err();
    assert!(error.is_permanent() && error.to_string().contains("Issues are disabled"), "{error}");
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_comment_is_found_again_behind_pages_of_others() {
    let world = world().await;
    let number = world.file("line-1").await;
    for count in 0..130 {
        world.fake.comment(REPO, number, &format!("me too {count}"), "mallory");
    }
    let id = world.github.comment(&world.shop(), number, "Whitelisted.\n<!-- reply-7 -->").await.unwrap();
    assert_eq!(world.changes(), ["acme/shop#1 commented: Whitelisted.\n<!-- reply-7 -->"]);
    let find = async |marker: &str, since| world.github.find_comment(&world.shop(), number, marker, since).await;
    assert_eq!(find("reply-7", NOW).await, Ok(Some(id)));
    assert_eq!(find("reply-8", NOW).await, Ok(None));
    assert_eq!(find("reply-7", NOW + HOUR).await, Ok(Some(id)), "asked by a clock that was ahead");
    world.clock.advance(2 * HOUR);
    assert_eq!(find("reply-7", NOW + HOUR).await, Ok(None), "it is older");
    world.fake.assert_clean();
}

#[tokio::test]
async fn missing_labels_are_made_and_the_peoples_own_are_left() {
    let world = world().await;
    let number = world.file("line-1").await;
    // Made by hand, in capitals and grey; and more than fit on a page.
    world.fake.add_label(REPO, number, "Known-Error", "alice");
    (0..110).for_each(|count| world.fake.add_label(REPO, number, &format!("area-{count}"), "alice"));
    let before = world.fake.labels(REPO);
    let wanted: Vec<LabelSpec> = COMMAND_LABELS.into_iter().chain([OUR_LABEL]).collect();
    for label in world.github.missing_labels(&world.shop(), &wanted).await.unwrap() {
        world.github.create_label(&world.shop(), &label).await.unwrap();
    }
    assert_eq!(world.github.missing_labels(&world.shop(), &wanted).await.unwrap(), []);
    let after = world.fake.labels(REPO);
    assert_eq!(after[..before.len()], before);
    let made: Vec<_> = after[before.len()..].iter().map(|it| (it.name.as_str(), it.color.as_str())).collect();
    assert_eq!(
        made,
        [("known-error: function", "fbca04"), ("known-error: file", "fbca04"), ("library-code", "c5def5")]
    );
    assert_eq!(after[before.len()].description, COMMAND_LABELS[1].description);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_label_that_somebody_else_made_meanwhile_is_fine() {
    let world = world().await;
    world.github.create_label(&world.shop(), &OUR_LABEL).await.unwrap();
    world.github.create_label(&world.shop(), &OUR_LABEL).await.unwrap();
    assert_eq!(world.fake.requests_of("issues/create-label").last().unwrap().status, 422);
    assert_eq!(world.fake.labels(REPO).len(), 1);
    world.fake.assert_clean();
}

#[tokio::test]
async fn texts_over_githubs_limits_are_not_even_sent() {
    let world = world().await;
    let (github, shop) = (&world.github, world.shop());
    let long = |what, length, limit| GitHubError::TooLong { what, length, limit };
    let mut issue = new_issue("m");
    issue.title = "x".repeat(257);
    let error = github.create_issue(&shop, &issue).await.unwrap_err();
    assert_eq!(error, long("the title", 257, 256));
    let text = "x".repeat(65_537);
    assert_eq!(github.comment(&shop, 1, &text).await.unwrap_err(), long("the body", 65_537, 65_536));
    let update = IssueUpdate { body: Some(text), ..IssueUpdate::default() };
    let error = github.update_issue(&shop, 1, &update).await.unwrap_err();
    assert_eq!(error, long("the body", 65_537, 65_536));
    let label = LabelSpec { name: LONG_NAME, color: "ededed", description: "" };
    let error = github.create_label(&shop, &label).await.unwrap_err();
    assert_eq!(error, long("a label's name", 51, 50));
    for bad in ["shop", "acme/", "acme/../x"] {
        let error = github.comment(&world.called(bad), 1, "x").await.unwrap_err();
        assert!(matches!(error, GitHubError::Argument(_)), "{bad}: {error}");
    }
    assert!(world.fake.requests().is_empty());
}
