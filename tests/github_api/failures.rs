//! GitHub slow, limited, broken, renamed: what is done, what is not, and what is said.

use super::{new_issue, world};
use crate::harness::fake_github::{FakeGitHub, Fault};
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use github::{GitHub, GitHubError, IssueState, Settings};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

const REPO: &str = "acme/shop";

#[tokio::test]
async fn a_lost_answer_is_reported_and_nothing_is_done_twice() {
    let world = world().await;
    let number = world.file("line-1").await;
    for (count, fault) in [Fault::AfterWork(502), Fault::DropAfterWork].into_iter().enumerate() {
        world.fake.fail_next("issues/create-comment", fault);
        let marker = format!("reply-{count}");
        let error = world.github.comment(&world.shop(), number, &marker).await.unwrap_err();
        assert!(matches!(error, GitHubError::Transient { .. }), "{error}");
        assert!(!error.is_permanent());
        assert_eq!(world.fake.comments(REPO, number).len(), count + 1);
        let found = world.github.find_comment(&world.shop(), number, &marker, super::NOW).await;
        assert_eq!(found, Ok(Some(world.fake.comments(REPO, number)[count].id)));
    }
    world.fake.fail_next("issues/create", Fault::DropAfterWork);
    world.github.create_issue(&world.shop(), &new_issue("line-2")).await.unwrap_err();
    let found = world.github.find_issue(&world.shop(), "flawless", "line-2", super::NOW).await.unwrap();
    assert_eq!(found.map(|it| it.number), Some(2));
    assert_eq!(world.fake.issues(REPO).len(), 2);
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_dropped_request_is_no_reason_to_ask_again_unasked() {
    let world = world().await;
    world.fake.fail_next("issues/create", Fault::Drop);
    world.fake.fail_next("issues/create", Fault::status(500, "oops"));
    for _ in 0..2 {
        let error = world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap_err();
        assert!(matches!(error, GitHubError::Transient { .. }), "{error}");
    }
    assert!(world.fake.issues(REPO).is_empty());
    assert_eq!(world.fake.requests_of("issues/create").len(), 2);
    world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap();
    world.fake.assert_clean();
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let world = world().await;
    // Enough for signing in a debug build on a busy machine.
    let settings = Settings { timeout: Duration::from_secs(3), ..world.fake.settings() };
    let github = GitHub::new(settings).unwrap();
    github.token(world.installation).await.unwrap();
    world.fake.fail_next("issues/get", Fault::Delay(Duration::from_secs(60)));
    let error = github.issue(&world.shop(), 1).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GitHub does not answer properly: no answer within 3 s to Get /repos/acme/shop/issues/1"
    );

    // Nobody listens there.
    let dead = FakeGitHub::start(app::clock::Clock::fixed(Timestamp::UNIX_EPOCH)).await.settings();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = GitHub::new(dead).unwrap().app_slug().await.unwrap_err();
    assert!(matches!(error, GitHubError::Transient { .. }), "{error}");
    assert!(error.to_string().contains("onnect"), "the reason is said: {error}");
    world.fake.assert_clean();
}

#[tokio::test]
async fn an_answer_is_read_as_far_as_there_is_room_for_it() {
    let world = world().await;
    let body = Value::String(" ".repeat((32 << 20) + 1));
    world.fake.fail_next("issues/get", Fault::Status { status: 200, headers: Vec::new(), body });
    let error = world.github.issue(&world.shop(), 1).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GitHub does not answer properly: its answer has more than 32 MiB, and was not read to its end"
    );
    assert!(!error.is_permanent());
    world.fake.assert_clean();
}

#[tokio::test]
async fn each_kind_of_limit_says_how_long_to_wait() {
    let world = world().await;
    let now_s = super::NOW.as_seconds();
    let header = |name: &'static str, value: i64| (name, value.to_string());
    let limits = [
        (403, vec![header("retry-after", 30)], "You have exceeded a secondary rate limit", 30),
        (429, vec![], "Too many requests", 60),
        (403, vec![], "You have exceeded a secondary rate limit. Please wait", 60),
        (
            403,
            vec![header("x-ratelimit-remaining", 0), header("x-ratelimit-reset", now_s + 240)],
            "API rate limit exceeded",
            90,
        ),
    ];
    for (status, headers, message, seconds) in limits {
        let wait = SignedDuration::from_secs(seconds);
        world.fake.fail_next("issues/create", Fault::Status { status, headers, body: json!({ "message": message }) });
        let error = world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap_err();
        assert_eq!(error, GitHubError::RateLimited { retry_after: wait, message: message.to_owned() });
        assert_eq!((error.retry_after(), error.is_permanent()), (Some(wait), false));
        world.clock.advance(wait);
    }
    let body = Value::from("<html>busy</html>");
    world.fake.fail_next("issues/create", Fault::Status { status: 503, headers: vec![header("retry-after", 5)], body });
    let error = world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(SignedDuration::from_secs(5)), "{error}");
    assert!(world.fake.issues(REPO).is_empty());
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_limit_on_the_token_is_a_limit_too() {
    let world = world().await;
    let fault = Fault::Status { status: 403, headers: vec![("retry-after", "7".to_owned())], body: Value::Null };
    world.fake.fail_next("apps/create-installation-access-token", fault);
    let error = world.github.issue(&world.shop(), 1).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(SignedDuration::from_secs(7)), "not taken for a suspension: {error}");
    world.clock.advance(SignedDuration::from_secs(7));
    assert_eq!(world.github.issue(&world.shop(), 1).await, Ok(IssueState::Missing));
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_renamed_repository_is_read_and_not_written() {
    let world = world().await;
    let number = world.file("line-1").await;
    world.fake.rename_repository(REPO, "acme/store", "acme");
    let (github, shop) = (&world.github, world.shop());
    assert!(matches!(github.issue(&shop, number).await, Ok(IssueState::Present(_))));
    let found = github.find_issue(&shop, "flawless", "line-1", super::NOW).await.unwrap();
    assert_eq!(found.map(|it| it.number), Some(number));
    assert!(github.is_assignable(&shop, &"alice".into()).await.unwrap());

    assert_eq!(github.repository(&shop).await.unwrap().full_name, "acme/store");
    let moved = GitHubError::Moved { from: REPO.into(), to: "acme/store".into() };
    assert_eq!(github.comment(&shop, number, "x").await, Err(moved.clone()));
    assert_eq!(github.create_issue(&shop, &new_issue("line-2")).await, Err(moved.clone()));
    assert_eq!(github.assign(&shop, number, &"alice".into()).await, Err(moved.clone()));
    assert_eq!(github.reopen_issue(&shop, number).await, Err(moved.clone()));
    let label = domain::command::OUR_LABEL;
    assert_eq!(github.create_label(&shop, &label).await, Err(moved));
    assert_eq!(world.changes(), [""; 0]);

    github.comment(&world.called("acme/store"), number, "x").await.unwrap();
    assert_eq!(world.changes(), ["acme/store#1 commented: x"]);
    world.fake.assert_clean();
}

#[tokio::test]
async fn what_has_a_repositorys_name_by_now_is_neither_read_nor_written() {
    let world = world().await;
    let (github, shop) = (&world.github, world.shop());
    let number = world.file("line-1").await;
    world.fake.rename_repository(REPO, "acme/store", "acme");
    world.fake.add_repository(REPO, true);
    world.fake.grant(world.installation, &[REPO]);
    world.fake.open_issue(REPO, "mallory", "Something else", "<!-- line-1 -->", &["flawless"]);
    world.clock.advance(SignedDuration::from_mins(2));
    let taken = GitHubError::Taken { name: REPO.into(), meant: shop.id };
    let asked = world.fake.requests().len();
    assert_eq!(github.issue(&shop, number).await, Err(taken.clone()));
    assert_eq!(github.find_issue(&shop, "flawless", "line-1", super::NOW).await, Err(taken.clone()));
    assert_eq!(github.is_assignable(&shop, &"alice".into()).await, Err(taken.clone()));
    assert_eq!(github.repository(&shop).await, Err(taken.clone()));
    assert_eq!(github.create_issue(&shop, &new_issue("line-2")).await, Err(taken.clone()));
    assert_eq!(github.comment(&shop, number, "x").await, Err(taken.clone()));
    assert_eq!(github.create_label(&shop, &domain::command::OUR_LABEL).await, Err(taken));
    let asked: Vec<String> = world.fake.requests().drain(asked..).map(|it| it.operation).collect();
    assert!(asked.iter().all(|operation| operation == "repos/get"), "{asked:?}");
    assert_eq!(world.changes(), [""; 0]);
    assert!(matches!(github.issue(&world.called("acme/store"), number).await, Ok(IssueState::Present(_))));
    world.fake.assert_clean();
}

#[tokio::test]
async fn the_number_behind_a_name_is_asked_once_a_minute_and_before_writes() {
    let world = world().await;
    let (github, shop) = (&world.github, world.shop());
    let number = world.file("line-1").await;
    let asked = || world.fake.requests_of("repos/get").len();
    assert_eq!(asked(), 1);
    for _ in 0..5 {
        github.issue(&shop, number).await.unwrap();
        world.clock.advance(SignedDuration::from_secs(10));
    }
    assert_eq!(asked(), 1);
    github.comment(&shop, number, "x").await.unwrap();
    github.comment(&shop, number, "y").await.unwrap();
    assert_eq!(asked(), 2);
    // A question that fails proves nothing: nothing was written.
    world.clock.advance(SignedDuration::from_mins(1));
    world.fake.fail_next("repos/get", Fault::status(502, "Unicorn"));
    let error = github.comment(&shop, number, "z").await.unwrap_err();
    assert!(matches!(error, GitHubError::Unasked { .. }), "{error}");
    assert_eq!(world.fake.comments(REPO, number).len(), 2);
    world.changes();
    world.fake.assert_clean();
}

#[tokio::test]
async fn many_pages_of_a_renamed_repository_are_read_through() {
    let world = world().await;
    (0..105).for_each(|_| _ = world.fake.open_issue(REPO, "mallory", "Noise", "", &["flawless"]));
    let ours = world.file("line-1").await;
    world.fake.rename_repository(REPO, "acme/store", "acme");
    world.fake.rename_repository("acme/store", "other/store", "acme");
    let found = world.github.find_issue(&world.shop(), "flawless", "line-1", super::NOW).await.unwrap();
    assert_eq!(found.map(|it| it.number), Some(ours));
    world.fake.assert_clean();
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_token() {
    let world = world().await;
    let elsewhere = FakeGitHub::start(app::clock::Clock::fixed(super::NOW)).await;
    let location = format!("{}/repositories/1", elsewhere.url());
    let headers = vec![("location", location)];
    world.fake.fail_next("repos/get", Fault::Status { status: 301, headers, body: Value::Null });
    let error = world.github.repository(&world.shop()).await.unwrap_err();
    assert!(error.to_string().contains("is GITHUB_API_URL right?"), "{error}");
    assert!(elsewhere.requests().is_empty());
    world.fake.assert_clean();
}

#[tokio::test]
async fn no_error_repeats_a_token() {
    let world = world().await;
    let token = world.github.token(world.installation).await.unwrap();
    let said = format!("{token} is bad: {token}");
    for status in [400, 403, 404, 410, 422, 429, 500, 502] {
        world.fake.fail_next("issues/create", Fault::status(status, &said));
        let error = world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("ghs_") && text.contains("[token]"), "{text}");
        // The limit is over.
        world.clock.advance(SignedDuration::from_mins(1));
    }
    let body = json!({ "number": token, "html_url": token });
    world.fake.fail_next("issues/create", Fault::Status { status: 201, headers: Vec::new(), body });
    let error = world.github.create_issue(&world.shop(), &new_issue("m")).await.unwrap_err();
    assert!(matches!(error, GitHubError::Unexpected(_)), "{error}");
    assert!(!error.to_string().contains("ghs_"), "{error}");
    world.fake.assert_clean();
}

#[tokio::test]
async fn who_asks_to_wait_is_asked_nothing_meanwhile() {
    let world = world().await;
    let (number, other) = (world.file("line-1").await, world.fake.install("acme", &[REPO]));
    let elsewhere = GitHubAddress { installation: other, ..world.shop() };
    // Of a read and of a write; by a header that names no end, too, but not for ever.
    let far = vec![("retry-after", "99999999".to_owned())];
    let body = json!({ "message": "You have exceeded a secondary rate limit." });
    let far = Fault::Status { status: 429, headers: far, body };
    let hours = SignedDuration::from_hours(2);
    let minute = SignedDuration::from_mins(1);
    for (operation, fault, lasts) in [
        ("issues/get", Fault::slow_down(60), minute),
        ("issues/create-comment", Fault::slow_down(60), minute),
        ("issues/get", far, hours),
    ] {
        world.github.issue(&world.shop(), number).await.unwrap();
        world.fake.fail_next(operation, fault);
        let refused = match operation {
            "issues/get" => world.github.issue(&world.shop(), number).await.map(drop),
            _ => world.github.comment(&world.shop(), number, "x").await.map(drop),
        };
        assert!(matches!(refused, Err(GitHubError::RateLimited { .. })), "{refused:?}");
        let asked = world.fake.requests().len();
        world.clock.advance(SignedDuration::from_secs(20));
        for _ in 0..150 {
            let error = world.github.issue(&world.shop(), number).await.unwrap_err();
            let left = lasts - SignedDuration::from_secs(20);
            assert_eq!(error.retry_after(), Some(left), "{error}");
        }
        world.github.comment(&world.shop(), number, "x").await.unwrap_err();
        assert_eq!(world.fake.requests().len(), asked);
        // Others are not concerned.
        world.github.issue(&elsewhere, number).await.unwrap();
        world.clock.advance(lasts);
        world.github.issue(&world.shop(), number).await.unwrap();
    }
    // A clock that is set back makes nobody wait for longer than was asked.
    world.fake.fail_next("issues/get", Fault::slow_down(60));
    world.github.issue(&world.shop(), number).await.unwrap_err();
    world.clock.advance(SignedDuration::from_hours(-5));
    world.github.issue(&world.shop(), number).await.unwrap();
    world.fake.assert_clean();
}

#[tokio::test]
async fn an_installations_writes_take_turns() {
    let world = world().await;
    let number = world.file("line-1").await;
    world.fake.fail_next("issues/create-comment", Fault::Delay(Duration::from_secs(1)));
    let first = tokio::spawn({
        let (github, shop) = (world.github.clone(), world.shop());
        async move { github.comment(&shop, number, "first").await }
    });
    while world.fake.requests_of("issues/create-comment").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Reading need not wait; writing does.
    world.github.issue(&world.shop(), number).await.unwrap();
    assert_eq!(world.fake.comments(REPO, number).len(), 0);
    world.github.comment(&world.shop(), number, "second").await.unwrap();
    first.await.unwrap().unwrap();
    let said: Vec<String> = world.fake.comments(REPO, number).into_iter().map(|it| it.body).collect();
    assert_eq!(said, ["first", "second"]);
    world.fake.assert_clean();
}
