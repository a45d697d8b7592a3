//! What the buttons of the page "Connect an application" do: a test report, another key, a key revoked.

use super::Server;
use super::extract::InForm;
use super::ingest::{Asked, random_id, take_envelope};
use super::pages::answer;
use super::respond::{Refused, redirect};
use crate::steps::Failure;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use domain::access::Right;
use domain::test_report::{TEST_EXCEPTION, TEST_MESSAGE, TestLine};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use store::repositories::RepositoryRow;

/// A second test report has to wait so long for the first: a double click must not ask GitHub and the mail server twice.
const TEST_PAUSE_MS: i64 = 5_000;

/// What the forms carry.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    csrf: String,
    /// The key to be revoked.
    #[serde(default)]
    key: String,
    /// What the new key is called.
    #[serde(default)]
    label: String,
}

/// The repository of a form, for somebody who is signed in and sent it from our page.
async fn admitted(
    server: &Server,
    headers: &HeaderMap,
    (owner, name): (String, String),
    sent: &Sent,
) -> Result<RepositoryRow, Refused> {
    let full_name = format!("{owner}/{name}");
    server.must_be_signed_in(headers, &format!("{}/{full_name}/connect", server.root())).await?;
    let session = server.must_be_our_form(headers, &sent.csrf).await?;
    server.repository_for(&session, &full_name, Right::Write).await
}

/// `POST /{owner}/{repo}/connect/test`.
pub(super) async fn test(
    State(server): State<Arc<Server>>,
    Path(name): Path<(String, String)>,
    headers: HeaderMap,
    InForm(sent): InForm<Sent>,
) -> Response {
    let result = async {
        let row = admitted(&server, &headers, name, &sent).await?;
        send_test(&server, &row).await?;
        Ok(redirect(&format!("{}#test", server.connect_url(&row))))
    };
    answer(&server, &headers, result.await).await
}

/// `POST /{owner}/{repo}/connect/key`.
pub(super) async fn add_key(
    State(server): State<Arc<Server>>,
    Path(name): Path<(String, String)>,
    headers: HeaderMap,
    InForm(sent): InForm<Sent>,
) -> Response {
    let result = async {
        let row = admitted(&server, &headers, name, &sent).await?;
        match server.services.add_key(&row, Some(&sent.label), server.clock.now_ms()).await {
            Ok(_) => Ok(redirect(&format!("{}?done=made#keys", server.connect_url(&row)))),
            Err(Failure::GiveUp(why)) => Err(Refused::Bad(format!("No key was made: {why}."))),
            Err(failure) => Err(failure.into()),
        }
    };
    answer(&server, &headers, result.await).await
}

/// `POST /{owner}/{repo}/connect/revoke`.
pub(super) async fn revoke_key(
    State(server): State<Arc<Server>>,
    Path(name): Path<(String, String)>,
    headers: HeaderMap,
    InForm(sent): InForm<Sent>,
) -> Response {
    let result = async {
        let row = admitted(&server, &headers, name, &sent).await?;
        let keys = store::ingest_keys::of_repository(&server.services.store, row.repository.id).await?;
        if !keys.iter().any(|known| known.key == sent.key) {
            return Err(Refused::Bad("That is not a key of this repository.".to_owned()));
        }
        server.services.revoke_key(&sent.key, server.clock.now_ms()).await?;
        Ok(redirect(&format!("{}?done=revoked#keys", server.connect_url(&row))))
    };
    answer(&server, &headers, result.await).await
}

/// Sends a test report through the door that SDKs use, key and all.
async fn send_test(server: &Server, row: &RepositoryRow) -> Result<(), Refused> {
    let (store, id, now_ms) = (&server.services.store, row.repository.id, server.clock.now_ms());
    if store::test_reports::latest(store, id)
        .await?
        .is_some_and(|latest| latest.settled.is_none() && now_ms - latest.sent_at_ms < TEST_PAUSE_MS)
    {
        return Ok(());
    }
    let Some(key) = store::ingest_keys::in_force(store, id).await?.into_iter().next() else {
        return Err(Refused::Bad(
            "Every key of this repository is revoked, so no report gets in. Make one first.".to_owned(),
        ));
    };
    let line = match server.services.test_line(row, server.clock.now_ms()).await {
        Ok(line) => line,
        Err(failure) => {
            // The report is sent all the same: what it comes to says what is wrong with the mirror.
            tracing::warn!(repository = %row.repository.full_name, %failure, "no line could be chosen for a test report");
            None
        }
    };
    let event_id = random_id();
    let body =
        format!("{{\"event_id\":\"{event_id}\"}}\n{{\"type\":\"event\"}}\n{}\n", event(&event_id, line.as_ref()));
    let mut headers = HeaderMap::new();
    let auth = HeaderValue::from_str(&format!("Sentry sentry_version=7, sentry_key={key}"));
    headers.insert("x-sentry-auth", auth.map_err(|error| Refused::Broken(error.to_string()))?);
    store::test_reports::insert(store, id, &event_id, now_ms).await?;
    let asked = Asked { method: &Method::POST, query: None, headers: &headers };
    let (_, taken) = take_envelope(server, Some(id), &asked, Body::from(body)).await;
    if let Err(refusal) = taken {
        store::test_reports::delete(store, &event_id).await?;
        return Err(Refused::Broken(format!("the test report was refused: {}", refusal.detail())));
    }
    Ok(())
}

/// The event, as an SDK would send it. Where it says it was deployed makes its fingerprint unlike any other's, so that it is looked
/// at each time; and it is found by the end of its path, as real ones are.
fn event(event_id: &str, line: Option<&TestLine>) -> Value {
    let frames: Vec<Value> = line
        .iter()
        .map(|line| {
            json!({
                "filename": line.path, "abs_path": format!("/flawless-test/{event_id}/{}", line.path),
                "function": "(test report)", "lineno": line.line, "context_line": line.code,
                "pre_context": line.before, "post_context": line.after, "in_app": true,
            })
        })
        .collect();
    // Without frames it is the message that makes the fingerprint.
    let value = if frames.is_empty() { format!("{TEST_MESSAGE} ({event_id})") } else { TEST_MESSAGE.to_owned() };
    json!({
        "event_id": event_id, "level": "error", "environment": "flawless-test", "server_name": "flawless",
        "platform": line.map_or("other", |line| line.platform), "release": line.map(|line| line.commit.as_str()),
        "sdk": { "name": "flawless.test", "version": env!("CARGO_PKG_VERSION") },
        "exception": { "values": [{ "type": TEST_EXCEPTION, "value": value, "stacktrace": { "frames": frames } }] },
    })
}
