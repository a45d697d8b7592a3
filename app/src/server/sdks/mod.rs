//! What SDKs and scripts call: reports, in whichever form.

mod answer;
mod client_name;
mod request;

pub(super) use answer::detail;

use super::Server;
use super::ingest::{Ingest, IngestError, IngestRequest};
use answer::{IngestAnswer, preflight, record};
use axum::Router;
use axum::extract::{Extension, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, post};
use request::{Format, NamedProject};
use std::sync::Arc;

/// The routes below `root`, with the headers of all of them.
pub(super) fn routes(root: &str, server: &Server) -> Router<Server> {
    let at = |path: &str| format!("{root}{path}");
    Router::new()
        .route(&at("/api/{project}/envelope/"), reports(Format::Envelope))
        .route(&at("/api/{project}/envelope"), reports(Format::Envelope))
        .route(&at("/api/{project}/store/"), reports(Format::Event))
        .route(&at("/api/{project}/store"), reports(Format::Event))
        .route(&at("/api/{project}/traceback"), reports(Format::Printed))
        .route(&at("/tunnel"), reports(Format::Tunnel))
        .layer(from_fn_with_state(server.clone(), record))
}

/// One route for reports of a format.
fn reports(format: Format) -> MethodRouter<Server> {
    post(receive).options(preflight).fallback(only_post).layer(Extension(format))
}

/// `POST /api/{project}/envelope/`, `/api/{project}/store/`, `/api/{project}/traceback` and
/// `/tunnel`: takes a report, and answers once it is durable.
async fn receive(State(ingest): State<Arc<Ingest>>, request: IngestRequest) -> IngestAnswer {
    let project = Some(request.auth.id);
    IngestAnswer { project, result: ingest.take(request).await }
}

/// Any other method.
async fn only_post(project: Result<NamedProject, IngestError>) -> IngestAnswer {
    let error = project.err().unwrap_or(IngestError::Method);
    IngestAnswer { project: None, result: Err(error) }
}
