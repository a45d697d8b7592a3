//! A handler that decompresses and reads the event and does nothing else: what the protocol alone
//! costs.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use wire::encoding::{MAX_BODY, MAX_DECODED, decode};
use wire::{sentry, sentry_event};

/// Set to make this program the bare handler.
pub(crate) const ROLE: &str = "FLAWLESS_BENCH_ROLE";

/// Serves until killed; prints where, as the server does.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}{}", crate::process::SAYS, listener.local_addr().unwrap().port());
        axum::serve(listener, Router::new().route("/api/{project}/envelope/", post(take))).await.unwrap();
    });
}

async fn take(headers: HeaderMap, body: Body) -> (StatusCode, String) {
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap();
    let encoding = headers.get("content-encoding").and_then(|value| value.to_str().ok());
    let bytes = decode(encoding, &body, MAX_DECODED).unwrap();
    let envelope = sentry::envelope(&bytes).unwrap();
    let mut scratch = String::new();
    let event = sentry_event::parse(envelope.event.unwrap(), &mut scratch).unwrap();
    (StatusCode::OK, format!("{{\"id\":\"{}\"}}", event.event_id().unwrap()))
}
