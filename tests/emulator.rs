//! The whole chain on the emulated GitHub: the bot's requests answered by a server that nobody here wrote.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;

use crate::harness::emulator::{Emulator, REPOSITORY};

#[tokio::test]
#[ignore = "needs Node; tests/run runs it"]
async fn emulator_keeps_issues_and_tells_the_bot_of_what_people_do() {
    let emulator = Emulator::start().await;
    let alice = emulator.person("alice");
    let number = alice.open_issue(REPOSITORY, "The till is stuck").await;
    alice.close_with_label(REPOSITORY, number, "known-error: file").await;
    alice.comment(REPOSITORY, number, "It is not that bad.").await;

    let bob = emulator.person("bob");
    let issues = bob.issues(REPOSITORY).await;
    let seen: Vec<_> = issues.iter().map(|it| (&it["title"], &it["state"], &it["labels"][0]["name"])).collect();
    assert_eq!(seen, [(&json!("The till is stuck"), &json!("closed"), &json!("known-error: file"))]);
    assert_eq!(bob.comments(REPOSITORY, number).await[0]["body"], "It is not that bad.");

    let closed = emulator.delivered("issues", Some("closed"), 0).await;
    assert_eq!(closed.payload["installation"]["id"], crate::harness::emulator::INSTALLATION);
    assert_eq!(closed.payload["issue"]["labels"][0]["name"], "known-error: file");
    bob.remove_label(REPOSITORY, number, "known-error: file").await;
    bob.reopen(REPOSITORY, number).await;
    assert_eq!(emulator.delivered("issues", Some("reopened"), 0).await.payload["sender"]["login"], "bob");

    // What came before there was a bot waits for it; each delivery has an id of its own.
    let ids = Arc::new(Mutex::new(Vec::new()));
    emulator.deliver_to(&bot(Arc::clone(&ids)).await).await;
    alice.assign(REPOSITORY, number, "bob").await;
    assert_eq!(emulator.delivered("issues", Some("assigned"), 0).await.status, Some(202));
    let mut ids = ids.lock().unwrap().clone();
    assert_eq!(ids.len(), emulator.deliveries().len());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), emulator.deliveries().len());
}

/// A bot that only writes down the ids of what it is told; gives its webhook's address.
async fn bot(ids: Arc<Mutex<Vec<String>>>) -> String {
    let receive = async move |headers: HeaderMap| {
        assert!(headers["x-hub-signature-256"].to_str().unwrap().starts_with("sha256="));
        ids.lock().unwrap().push(headers["x-github-delivery"].to_str().unwrap().to_owned());
        StatusCode::ACCEPTED
    };
    let router = Router::new().route("/api/github/webhooks", post(receive));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/github/webhooks", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
