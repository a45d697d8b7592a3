//! What the fake GitHub tells the bot, read by the bot's own eyes; and that the fake is as strict
//! as it says.

use super::{World, world};
use crate::harness::fake_github::{BOT, SECRET, sign};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use domain::event::{Event, IssueAction};
use github::hook::{self, HookError};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const REPO: &str = "acme/shop";

/// Delivery ids and what they said.
type Heard = Arc<Mutex<Vec<(String, Event)>>>;

/// A bot that verifies and reads, and its address.
async fn listener() -> (String, Heard) {
    async fn hear(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if hook::verify(SECRET, header("x-hub-signature-256"), &body).is_err() {
            return StatusCode::UNAUTHORIZED;
        }
        let event = hook::parse(header("x-github-event").unwrap(), &body).unwrap();
        heard.lock().unwrap().push((header("x-github-delivery").unwrap().to_owned(), event));
        StatusCode::ACCEPTED
    }
    let heard = Heard::default();
    let router = axum::Router::new().fallback(hear).with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/github/webhooks", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, heard)
}

/// Delivers all, and says what was heard: an issue's action, its labels, and by whom; else the
/// event.
async fn heard(world: &World) -> Vec<String> {
    let (url, heard) = listener().await;
    let sent = world.fake.deliver(&url).await;
    assert!(sent.iter().all(|it| it.status == 202), "{sent:?}");
    let heard = heard.lock().unwrap();
    heard.iter().map(|(_, event)| told(event)).collect()
}

fn told(event: &Event) -> String {
    match event {
        Event::Issue { action, issue, sender, repository } => {
            let action = match action {
                IssueAction::Assigned(to) | IssueAction::Unassigned(to) => format!("assignment {}", to.login),
                other => format!("{other:?}"),
            };
            let state = if issue.open { "open" } else { "closed" };
            let labels = issue.labels.join("+");
            format!("{}#{} {state} [{labels}] {action} by {}", repository.full_name, issue.number, sender.login)
        }
        Event::Push { repository, git_ref } => format!("push {git_ref} to {}", repository.full_name),
        Event::Installed { repositories, .. } => format!("installed, {} repositories", repositories.len()),
        Event::RepositoriesRemoved { repositories, .. } => format!("removed {}", repositories[0].full_name),
        Event::RepositoryChanged { repository } => {
            format!("changed {} private={:?}", repository.full_name, repository.private)
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn what_people_do_is_heard_in_order() {
    let world = world().await;
    let number = world.file("line-1").await;
    world.fake.lose_deliveries();
    let fake = &world.fake;
    fake.add_label(REPO, number, "known-error", "alice");
    fake.close_issue(REPO, number, "alice");
    fake.reopen_issue(REPO, number, "mallory");
    fake.remove_label(REPO, number, "known-error", "alice");
    fake.assign(REPO, number, "alice", "mallory");
    fake.unassign(REPO, number, "alice", "mallory");
    fake.comment(REPO, number, "a comment commands nothing", "mallory");
    fake.push(REPO, "refs/heads/main", &"1".repeat(40), &"2".repeat(40), "alice");
    fake.push(REPO, "refs/heads/old", &"1".repeat(40), &"0".repeat(40), "alice");
    fake.delete_issue(REPO, number, "alice");
    fake.rename_repository(REPO, "acme/store", "acme");
    fake.set_private("acme/store", false, "acme");
    assert_eq!(
        heard(&world).await,
        [
            "acme/shop#1 open [flawless+known-error] Labeled(\"known-error\") by alice",
            "acme/shop#1 closed [flawless+known-error] Closed by alice",
            "acme/shop#1 open [flawless+known-error] Reopened by mallory",
            "acme/shop#1 open [flawless] Unlabeled(\"known-error\") by alice",
            "acme/shop#1 open [flawless] assignment alice by mallory",
            "acme/shop#1 open [flawless] assignment alice by mallory",
            "push refs/heads/main to acme/shop",
            "push refs/heads/old to acme/shop",
            "acme/shop#1 open [flawless] Gone by alice",
            "changed acme/store private=Some(true)",
            "changed acme/store private=Some(false)",
        ]
    );
    world.fake.assert_clean();
}

#[tokio::test]
async fn what_the_bot_does_comes_back_under_its_own_name() {
    let world = world().await;
    let number = world.file("line-1").await;
    world.github.assign(&world.shop(), number, &"alice".into()).await.unwrap();
    world.github.comment(&world.shop(), number, "Hello").await.unwrap();
    world.github.reopen_issue(&world.shop(), number).await.unwrap();
    assert_eq!(world.fake.waiting(), ["issues.opened", "issues.labeled", "issues.assigned"]);
    let bot = world.github.bot_login().await.unwrap();
    assert_eq!(bot, BOT);
    let heard = heard(&world).await;
    assert_eq!(heard[1], format!("acme/shop#1 open [flawless] Labeled(\"flawless\") by {bot}"));
    assert_eq!(heard[2], format!("acme/shop#1 open [flawless] assignment alice by {bot}"));
    world.fake.assert_clean();
}

#[tokio::test]
async fn installations_come_and_go() {
    let world = world().await;
    let (fake, installation) = (&world.fake, world.installation);
    fake.add_repository("acme/other", false);
    fake.grant(installation, &["acme/other"]);
    fake.revoke(installation, &["acme/other"]);
    fake.suspend(installation, true);
    fake.push(REPO, "refs/heads/main", "1", "2", "alice");
    fake.suspend(installation, false);
    fake.delete_repository(REPO, "acme");
    fake.uninstall(installation);
    let heard = heard(&world).await;
    assert_eq!(heard[..2], ["installed, 1 repositories", "removed acme/other"]);
    assert_eq!(heard[2], format!("Suspended {{ installation: {installation} }}"));
    assert_eq!(heard[3], "installed, 0 repositories", "and no push while suspended");
    assert!(heard[4].starts_with("RepositoryDeleted"), "{}", heard[4]);
    assert_eq!(heard[5..], [format!("Uninstalled {{ installation: {installation} }}")]);
}

#[tokio::test]
async fn a_redelivery_has_its_old_id_and_a_dead_bot_answers_nothing() {
    let world = world().await;
    let (url, heard) = listener().await;
    world.fake.push(REPO, "refs/heads/main", "1", "2", "alice");
    world.fake.push(REPO, "refs/heads/main", "2", "3", "alice");
    let sent = world.fake.deliver(&url).await;
    assert_ne!(sent[0].id, sent[1].id);
    assert_eq!(world.fake.redeliver(&url, &sent[0].id).await, 202);
    let ids: Vec<String> = heard.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids, [&sent[0].id, &sent[1].id, &sent[0].id].map(Clone::clone));
    assert_eq!(world.fake.redeliver("http://127.0.0.1:1/", &sent[0].id).await, 0);
}

#[tokio::test]
async fn the_fakes_signature_is_githubs() {
    let documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(sign("It's a Secret to Everybody", b"Hello, World!"), documented);
    assert_eq!(hook::verify(SECRET, Some(&sign("other", b"x")), b"x"), Err(HookError::WrongSignature));
}

/// Sends a request as no client of ours would. Returns the answer's status.
async fn raw(world: &World, method: &str, path: &str, body: &str) -> u16 {
    let token = world.github.token(world.installation).await.unwrap();
    let host = world.fake.url().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: t\r\nAuthorization: Bearer {token}\r\n\
         Accept: application/vnd.github+json\r\nX-GitHub-Api-Version: 2022-11-28\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_fake_sees_what_githubs_openapi_forbids() {
    let world = world().await;
    let long = "x".repeat(257);
    let cases = [
        (
            "POST",
            "/repos/acme/shop/issues",
            r#"{"titel":"x"}"#.to_owned(),
            vec!["\"title\" is a required", "`titel` is unknown"],
        ),
        ("POST", "/repos/acme/shop/issues", String::new(), vec!["the body is missing"]),
        ("POST", "/repos/acme/shop/issues", format!(r#"{{"title":"{long}"}}"#), vec!["title of 257 characters"]),
        ("GET", "/repos/acme/shop/issues?state=every", String::new(), vec!["`state`"]),
        ("GET", "/repos/acme/shop/issues?page_size=3", String::new(), vec!["`page_size` is unknown"]),
        ("GET", "/repos/acme/shop/issues?since=yesterday", String::new(), vec!["`since`"]),
        ("GET", "/repos/acme/shop/issues/one", String::new(), vec!["`issue_number`"]),
        ("GET", "/repositories/1/issues", String::new(), vec!["no answer pointed to", "no operation"]),
        ("PATCH", "/repos/acme/shop/issues/1", r#"{"state":"shut"}"#.to_owned(), vec!["/state"]),
        ("DELETE", "/repos/acme/shop", String::new(), vec!["no operation"]),
    ];
    for (method, path, body, expected) in cases {
        raw(&world, method, path, &body).await;
        let violations = world.fake.take_violations();
        assert_eq!(violations.len(), expected.len(), "{method} {path} {body}: {violations:?}");
        for what in expected {
            assert!(violations.iter().any(|it| it.contains(what)), "{method} {path} {body}: {violations:?}");
        }
    }
    // An assignee who can't be refuses the whole issue.
    let body = r#"{"title":"x","assignees":["mallory"]}"#;
    assert_eq!(raw(&world, "POST", "/repos/acme/shop/issues", body).await, 422);
    assert!(world.fake.issues(REPO).is_empty());
    world.fake.assert_clean();
}

#[tokio::test]
#[should_panic(expected = "against GitHub's rules")]
async fn a_broken_rule_fails_the_story() {
    let world = world().await;
    raw(&world, "GET", "/nowhere", "").await;
    world.fake.assert_clean();
}

#[tokio::test]
#[should_panic(expected = "faults that never struck")]
async fn a_fault_that_never_strikes_fails_the_story() {
    let world = world().await;
    world.fake.fail_next("issues/get", crate::harness::fake_github::Fault::Drop);
    world.fake.assert_clean();
}
