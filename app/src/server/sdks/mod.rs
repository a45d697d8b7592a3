//! What SDKs and scripts call: reports, in whichever form.

mod answer;
mod client_name;
mod request;

pub(super) use answer::detail;

use super::Server;
use answer::{preflight, receive};
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodRouter, post};
use request::Format;

/// The routes below `root`.
pub(super) fn routes(root: &str) -> Router<Server> {
    let at = |path: &str| format!("{root}{path}");
    Router::new()
        .route(&at("/api/{project}/envelope/"), reports(Format::Envelope))
        .route(&at("/api/{project}/envelope"), reports(Format::Envelope))
        .route(&at("/api/{project}/store/"), reports(Format::Event))
        .route(&at("/api/{project}/store"), reports(Format::Event))
        .route(&at("/api/{project}/traceback"), reports(Format::Printed))
        .route(&at("/tunnel"), reports(Format::Tunnel))
}

/// One route for reports of a format. It has no layers, each of which costs a report more than the
/// work that it does: what all reports have in common is a function.
fn reports(format: Format) -> MethodRouter<Server> {
    let answer = move |State(server): State<Server>, request: Request| receive(format, server, request);
    post(answer).options(preflight).fallback(answer)
}
