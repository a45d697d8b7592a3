//! Webhooks from GitHub: checked, stored, answered at once, worked on later.

use super::Server;
use super::extract::read;
use super::refusal::Refusal;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::event::Event;
use github::hook;
use std::sync::Arc;
use store::hooks::Inserted;

/// GitHub's own limit on payloads: <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.
const MAX_PAYLOAD: usize = 25 << 20;

/// `POST /api/github/webhooks`.
pub(super) async fn receive(State(server): State<Arc<Server>>, headers: HeaderMap, body: Body) -> Response {
    let (status, word) = take(&server, &headers, body).await;
    server.meters.hook(match (status, word.as_str()) {
        (StatusCode::ACCEPTED, _) => "stored",
        (StatusCode::OK, "ignored") => "ignored",
        (StatusCode::OK, _) => "repeated",
        _ => "refused",
    });
    let body = serde_json::json!({ "status": word }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn take(server: &Server, headers: &HeaderMap, body: Body) -> (StatusCode, String) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(secret) = server.services.app.get().and_then(|app| app.webhook_secret) else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "WEBHOOK_SECRET is not set, so no webhook can be believed".to_owned(),
        );
    };
    let body = match read(body, MAX_PAYLOAD).await {
        Ok(body) => body,
        Err(Refusal::Wire(_)) => {
            return (StatusCode::PAYLOAD_TOO_LARGE, format!("a payload has at most {MAX_PAYLOAD} bytes"));
        }
        Err(_) => return (StatusCode::BAD_REQUEST, "the payload did not come to its end".to_owned()),
    };
    // Before anything is parsed.
    if let Err(error) = hook::verify(&secret, text("x-hub-signature-256"), &body) {
        return (StatusCode::UNAUTHORIZED, error.to_string());
    }
    let (Some(name), Some(delivery)) = (text("x-github-event"), text("x-github-delivery")) else {
        return (StatusCode::BAD_REQUEST, "X-GitHub-Event or X-GitHub-Delivery is missing".to_owned());
    };
    let event = match hook::parse(name, &body) {
        Ok(event) => event,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()),
    };
    if event == Event::Ignored {
        return (StatusCode::OK, "ignored".to_owned());
    }
    match store::hooks::insert(&server.services.store, delivery, name, &event, server.clock.now_ms()).await {
        Ok(Inserted::New) => {
            server.services.wake.notify_one();
            (StatusCode::ACCEPTED, "stored".to_owned())
        }
        Ok(Inserted::Repeated) => (StatusCode::OK, "seen before".to_owned()),
        Err(error) => {
            tracing::error!(%error, "a webhook could not be stored");
            (StatusCode::SERVICE_UNAVAILABLE, "it could not be stored; deliver it again later".to_owned())
        }
    }
}
