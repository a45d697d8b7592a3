//! Probes: whether the process answers, and whether traffic should come to it.

use crate::server::state::AllClocks;
use crate::services::readiness::Readiness;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;

/// When whoever directs traffic may ask again, in seconds: as clients are told.
const AGAIN_AFTER: &str = "5";

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: reports can be taken, as a write was made within the last seconds. What is wrong
/// beside stands below, and is no reason to send traffic elsewhere: another server is no better off
/// for it, or there is none.
pub(super) async fn ready(State(readiness): State<Readiness>, AllClocks(clocks): AllClocks) -> Response {
    let seen = readiness.recent(clocks).await;
    let plain = [(header::CACHE_CONTROL, "no-store")];
    if let Some(down) = &seen.down {
        let body = format!("not ready: {}", down.words);
        return (StatusCode::SERVICE_UNAVAILABLE, plain, [(header::RETRY_AFTER, AGAIN_AFTER)], body).into_response();
    }
    let mut body = "ok".to_owned();
    for warning in seen.warnings() {
        // Writing into a text can't fail.
        let _ = write!(body, "\nwarning: {warning}");
    }
    (plain, body).into_response()
}
