//! Webhooks as GitHub really sends them, all 329 that are published, and as nobody should send
//! them.

use crate::harness::fake_github::{SECRET, sign};
use crate::harness::story::{REPO, Story, run_test};
use flate2::read::GzDecoder;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

/// GitHub takes what is answered later for lost. Ours take milliseconds; this machine may be busy.
const ANSWER: Duration = Duration::from_secs(10);

/// Event and payload of every example.
fn examples() -> Vec<(String, Value)> {
    let packed = include_bytes!("data/webhook-examples/api.github.com.jsonl.gz");
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    text.lines()
        .map(|line| {
            let mut example: Value = serde_json::from_str(line).unwrap();
            (example["event"].as_str().unwrap().to_owned(), example["payload"].take())
        })
        .collect()
}

/// Sends a payload as GitHub does; the status.
async fn send(story: &Story, event: &str, delivery: &str, body: &[u8], signature: Option<String>) -> u16 {
    let mut request = story
        .http
        .post(format!("{}/api/github/webhooks", story.url()))
        .header("X-GitHub-Event", event)
        .header("X-GitHub-Delivery", delivery)
        .header("Content-Type", "application/json");
    if let Some(signature) = signature {
        request = request.header("X-Hub-Signature-256", signature);
    }
    let answer = tokio::time::timeout(ANSWER, request.body(body.to_vec()).send()).await;
    answer.unwrap_or_else(|_| panic!("{event} was not answered in time")).unwrap().status().as_u16()
}

async fn signed(story: &Story, event: &str, delivery: &str, payload: &Value) -> u16 {
    let body = payload.to_string().into_bytes();
    send(story, event, delivery, &body, Some(sign(SECRET, &body))).await
}

async fn watched(story: &Story) -> Vec<String> {
    let rows = store::repositories::list(&story.services().store).await.unwrap();
    rows.into_iter().map(|row| row.repository.full_name.into()).collect()
}

#[test]
fn every_published_payload_is_taken_and_means_nothing_to_strangers() {
    run_test(async |story| {
        // Some of them tell of an installation of the App; the mirrors of what it was installed on
        // can't be had.
        story.expect_errors();
        story.alerted().await;
        let mut examples = examples();
        assert_eq!(examples.len(), 329);
        // The published ones lack the most important of all.
        let closed: Vec<(String, Value)> = examples
            .iter()
            .filter(|(event, payload)| event == "issues" && payload["action"] == "reopened")
            .map(|(event, payload)| {
                let mut payload = payload.clone();
                (payload["action"], payload["issue"]["state"]) = (json!("closed"), json!("closed"));
                (event.clone(), payload)
            })
            .collect();
        assert!(!closed.is_empty());
        examples.extend(closed);
        for round in 0..2 {
            for (at, (event, payload)) in examples.iter().enumerate() {
                let status = signed(story, event, &format!("example-{at}"), payload).await;
                assert!((200..300).contains(&status), "{event} {} is answered {status}", payload["action"]);
                // Each is worked on before the next comes.
                if round == 0 && matches!(event.as_str(), "issues" | "push" | "repository") {
                    story.settle().await;
                }
            }
            story.settle().await;
            let now = story.clock.now();
            store::jobs::enqueue(&story.services().store, domain::job::Job::Reconcile, now, now).await.unwrap();
            story.settle().await;
            assert_eq!(watched(story).await, [REPO], "what is not installed is not watched");
            story.assert_silent("nobody is told of anything");
            // What waits for a mirror that nobody watches any more ends by itself.
            story.later(SignedDuration::from_mins(1)).await;
        }
        assert!(story.github.issue(REPO, 1).open);
        story.fails(1).await;
        assert_eq!(story.lines().await[0].total, 2, "and reports are taken as ever");
    });
}

#[test]
fn mutilated_payloads_are_refused_or_ignored_and_break_nothing() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        let mut kinds: BTreeMap<(String, String), Value> = BTreeMap::new();
        for (event, payload) in examples() {
            if matches!(
                event.as_str(),
                "installation" | "installation_repositories" | "issues" | "push" | "repository" | "label"
            ) {
                let action = payload["action"].as_str().unwrap_or_default().to_owned();
                kinds.entry((event, action)).or_insert(payload);
            }
        }
        assert!(kinds.len() > 30, "{}", kinds.len());
        let mut sent = 0;
        for ((event, action), payload) in &kinds {
            let keys: Vec<String> = payload.as_object().unwrap().keys().cloned().collect();
            for key in keys {
                for wrong in
                    [None, Some(Value::Null), Some(json!(7)), Some(json!("x")), Some(json!([])), Some(json!({}))]
                {
                    let mut payload = payload.clone();
                    match &wrong {
                        Some(wrong) => payload[&key] = wrong.clone(),
                        None => {
                            payload.as_object_mut().unwrap().remove(&key);
                        }
                    }
                    sent += 1;
                    let status = signed(story, event, &format!("wrong-{sent}"), &payload).await;
                    assert!((200..500).contains(&status), "{event} {action} with {key} {wrong:?}: {status}");
                }
            }
        }
        assert!(sent > 900, "{sent}");
        story.settle().await;
        let now = story.clock.now();
        store::jobs::enqueue(&story.services().store, domain::job::Job::Reconcile, now, now).await.unwrap();
        story.settle().await;
        story.later(SignedDuration::from_mins(1)).await;
        assert_eq!(watched(story).await, [REPO]);
        story.assert_silent("nothing is said");
    });
}

#[test]
fn what_is_forged_replayed_or_too_large_is_refused() {
    run_test(async |story| {
        story.alerted().await;
        let repository = story.repository().await;
        let on_github = repository.repository.github.unwrap();
        let payload = json!({
            "action": "deleted", "repository": { "id": on_github.id, "full_name": REPO, "private": true },
            "sender": { "login": "mallory", "id": 666 },
        });
        let body = payload.to_string().into_bytes();
        let forged = sign("another-secret", &body);
        assert_eq!(send(story, "repository", "f-1", &body, Some(forged)).await, 401);
        assert_eq!(send(story, "repository", "f-2", &body, None).await, 401);
        assert_eq!(send(story, "repository", "f-3", &body, Some("sha256=".to_owned())).await, 401);
        assert_eq!(send(story, "repository", "f-4", &body, Some(sign(SECRET, b"{}"))).await, 401);
        assert_eq!(send(story, "repository", "f-5", b"", None).await, 401);
        let half = &body[..body.len() / 2];
        assert_eq!(send(story, "repository", "f-6", half, Some(sign(SECRET, half))).await, 400);
        // A delivery id that was seen carries nothing new, whatever stands in it.
        let push = json!({ "ref": "refs/heads/main", "repository": { "id": on_github.id, "full_name": REPO } });
        assert_eq!(signed(story, "push", "f-7", &push).await, 202);
        assert_eq!(signed(story, "repository", "f-7", &payload).await, 200);
        story.settle().await;
        assert_eq!(watched(story).await, [REPO]);
        let large = vec![b' '; (25 << 20) + 1];
        assert_eq!(send(story, "push", "f-8", &large, Some(sign(SECRET, &large))).await, 413);
        assert_eq!(signed(story, "repository", "f-9", &payload).await, 202, "a genuine one has GitHub asked");
        story.settle().await;
        assert!(story.repository().await.is_served(), "and GitHub says that it is there");
        story.github.delete_repository(REPO, "owner");
        story.github.lose_deliveries();
        assert_eq!(signed(story, "repository", "f-10", &payload).await, 202);
        story.settle().await;
        assert!(!story.repository().await.is_served());
        story.later(SignedDuration::from_mins(1)).await;
    });
}
