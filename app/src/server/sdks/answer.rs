//! What clients are answered: an id, nothing to say, or why their report was refused.

use super::client_name::ClientName;
use crate::server::budget;
use crate::server::ingest::{Arrivals, IngestError, IngestOutcome};
use crate::server::meters::Meters;
use crate::server::state::Now;
use crate::server::trace::{next_report, surviving};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::ids::RepositoryId;
use std::sync::Arc;
use store::Store;
use tracing::Instrument as _;
use wire::WireError;

/// What clients are to stop sending, and for how long. They read it on every answer.
const SENTRY_RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
/// What clients may stop sending for a day, in three parts, because the Rust SDK ignores two. Never
/// the category `error`.
const RATE_LIMITS: &str = "86400:transaction;span;session;profile;profile_chunk;replay;monitor;log_item;log_byte;trace_metric;metric_bucket;feedback:organization";

impl IngestError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Wire(WireError::UnknownEncoding(_)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Wire(_) | Self::Query(_) | Self::Interrupted(_) => StatusCode::BAD_REQUEST,
            Self::NoKey | Self::WrongKey | Self::Revoked { .. } => StatusCode::FORBIDDEN,
            Self::NoProject => StatusCode::NOT_FOUND,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Accept(_) if self.back_off_s().is_some() => StatusCode::TOO_MANY_REQUESTS,
            Self::Accept(_) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn response(&self) -> Response {
        let answer = detail(self.status(), &self.detail());
        if let Some(seconds) = self.back_off_s() {
            let limits = format!("{seconds}:error:key, {RATE_LIMITS}");
            let headers = [(header::RETRY_AFTER, seconds.to_string()), (SENTRY_RATE_LIMITS, limits)];
            return (headers, answer).into_response();
        }
        match self {
            Self::Accept(_) => ([(header::RETRY_AFTER, budget::RETRY_AFTER_S)], answer).into_response(),
            Self::Busy => ([(header::RETRY_AFTER, budget::RETRY_AFTER_S)], answer).into_response(),
            Self::Method => ([(header::ALLOW, "POST, OPTIONS")], answer).into_response(),
            _ => answer,
        }
    }
}

impl IngestOutcome {
    fn response(&self) -> Response {
        let text = match self {
            Self::Taken { id, .. } | Self::Ignored(Some(id)) => format!("{{\"id\":\"{id}\"}}"),
            Self::Ignored(None) => "{}".to_owned(),
        };
        ([(header::CONTENT_TYPE, "application/json")], text).into_response()
    }
}

impl IntoResponse for IngestError {
    fn into_response(self) -> Response {
        self.response()
    }
}

/// JSON of this status that says what is wrong.
pub(in crate::server) fn detail(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "detail": text }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// What a client is answered, and whose report it was, as far as that is known.
#[derive(Debug)]
pub(in crate::server) struct IngestAnswer {
    /// The project.
    pub(super) project: Option<RepositoryId>,
    /// What became of the report.
    pub(super) result: Result<IngestOutcome, IngestError>,
}

impl IntoResponse for IngestAnswer {
    fn into_response(self) -> Response {
        let mut response = match &self.result {
            Ok(outcome) => outcome.response(),
            Err(error) => error.response(),
        };
        // For [`record`].
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The layer around reports: works on each within its span, counts what became of it, remembers it
/// for who connects an application, and adds what clients want to hear. It is one layer, for each
/// costs a report more than the work that it does.
pub(super) async fn record(
    State(meters): State<Arc<Meters>>,
    State(arrivals): State<Arc<Arrivals>>,
    State(store): State<Store>,
    Now(now): Now,
    request: Request,
    next: Next,
) -> Response {
    // Of what only a refusal needs, no more is kept than costs a count: each request comes by here.
    let client = ClientName::of(&request);
    let span = next_report(&request);
    let mut response = surviving(next.run(request).instrument(span), || {
        detail(StatusCode::INTERNAL_SERVER_ERROR, "the server made a mistake over this report, which its log names")
    })
    .await;
    if let Some(answer) = response.extensions_mut().remove::<Arc<IngestAnswer>>() {
        meters.count(&answer.result);
        if let Some(project) = answer.project {
            arrivals.remember(&store, project, &answer.result, || client.read(), now).await;
        }
    }
    with_client_headers(response)
}

/// Answers browsers, which ask first where somebody adds headers of their own.
pub(super) async fn preflight() -> impl IntoResponse {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
        // `*` does not cover Authorization:
        // https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*, Authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers)
}

/// The layer that adds the headers that every client expects.
fn with_client_headers(mut response: Response) -> Response {
    response.headers_mut().entry(SENTRY_RATE_LIMITS).or_insert(HeaderValue::from_static(RATE_LIMITS));
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "X-Sentry-Rate-Limits, Retry-After"),
    ];
    (headers, response).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_never_told_to_stop_sending_errors() {
        let parts: Vec<&str> = RATE_LIMITS.split(':').collect();
        assert_eq!(parts.len(), 3, "the Rust SDK ignores fewer parts");
        assert!(parts[0].parse::<u32>().is_ok());
        assert!(parts[1].split(';').all(|category| !category.is_empty() && category != "error"));
    }
}
