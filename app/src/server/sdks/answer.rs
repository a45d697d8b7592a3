//! What clients are answered: an id, nothing to say, or why their report was refused.

use super::request::{Format, RequestHead};
use crate::server::Server;
use crate::server::budget;
use crate::server::ingest::{Arrivals, Ingest, IngestError, IngestOutcome, IngestRequest};
use crate::server::meters::Meters;
use crate::server::trace::{next_report, surviving};
use axum::extract::{FromRef as _, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
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

/// JSON of this status that says what is wrong.
pub(in crate::server) fn detail(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "detail": text }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// `POST /api/{project}/envelope/`, `/api/{project}/store/`, `/api/{project}/traceback` and
/// `/tunnel`, and any other method there: takes a report, and answers once it is durable. Works on
/// it within its span, counts what became of it, remembers it for who connects an application, and
/// adds what clients want to hear.
pub(super) async fn receive(format: Format, server: Server, request: Request) -> Response {
    let span = next_report(&request);
    let work = work(format, &server, request).instrument(span);
    let mistaken =
        || detail(StatusCode::INTERNAL_SERVER_ERROR, "the server made a mistake over this report, which its log names");
    with_client_headers(surviving(work, mistaken).await)
}

async fn work(format: Format, server: &Server, request: Request) -> Response {
    let ingest = Arc::<Ingest>::from_ref(server);
    let now = ingest.now();
    let (mut parts, body) = request.into_parts();
    let mut project = None;
    let result = match IngestRequest::read(format, &mut project, (&mut parts, body), server, &ingest, now).await {
        Ok(request) => ingest.take(request).await,
        Err(error) => Err(error),
    };
    Arc::<Meters>::from_ref(server).count(&result);
    if let Some(project) = project
        && !matches!(result, Ok(IngestOutcome::Taken { .. }))
    {
        let (arrivals, store) = (Arc::<Arrivals>::from_ref(server), Store::from_ref(server));
        let client = || RequestHead::of(&parts).client();
        // Boxed, as few come by here: what has the room for it costs each report that goes by.
        Box::pin(arrivals.remember(&store, project, &result, client, now)).await;
    }
    match &result {
        Ok(outcome) => outcome.response(),
        Err(error) => error.response(),
    }
}

/// Answers browsers, which ask first where somebody adds headers of their own.
pub(super) async fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
        // `*` does not cover Authorization:
        // https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*, Authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    with_client_headers((StatusCode::NO_CONTENT, headers).into_response())
}

/// Adds the headers that every client expects.
fn with_client_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(SENTRY_RATE_LIMITS).or_insert(HeaderValue::from_static(RATE_LIMITS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("X-Sentry-Rate-Limits, Retry-After");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    response
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
