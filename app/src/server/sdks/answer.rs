//! What clients are answered: an id, nothing to say, or why their report was refused.

use super::arrivals::Arrivals;
use super::request::ClientName;
use crate::server::body::BodyError;
use crate::server::operators::meters::Meters;
use crate::server::state::Now;
use crate::server::trace::next_span;
use crate::steps::accept::AcceptError;
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use render::when;
use std::sync::Arc;
use store::Store;
use tracing::Instrument as _;
use wire::WireError;
use wire::encoding::MAX_BODY;

/// What clients may stop sending for a day, in three parts, because the Rust SDK ignores two. Never
/// the category `error`.
const RATE_LIMITS: &str = "86400:transaction;span;session;profile;profile_chunk;replay;monitor;log_item;log_byte;trace_metric;metric_bucket;feedback:organization";
/// When to come again once the database did not answer, in seconds: most of its outages are over by
/// then.
const RETRY_AFTER_S: &str = "5";

/// What became of a request.
#[derive(Debug)]
pub(in crate::server) enum IngestOutcome {
    /// The report is durable.
    Taken {
        /// Its id.
        id: String,
        /// Its fingerprint was known: it was counted.
        repeat: bool,
    },
    /// There was no error in it, so that nothing is kept; the id of the event that it had.
    Ignored(Option<String>),
}

/// Why a report is refused.
#[derive(Debug)]
pub(in crate::server) enum IngestError {
    /// Its bytes.
    Wire(WireError),
    /// A parameter of the address.
    Query(String),
    /// It shows no key.
    NoKey,
    /// The key was revoked.
    Revoked {
        /// When.
        at: Timestamp,
    },
    /// The key is another project's, or nobody's.
    WrongKey,
    /// There is no such project.
    NoProject,
    /// The body did not come to its end.
    Interrupted(String),
    /// The body took too long.
    Slow,
    /// It could not be stored.
    Accept(AcceptError),
    /// Not a POST.
    Method,
}

impl From<WireError> for IngestError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<BodyError> for IngestError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::Wire(WireError::TooLarge { limit: MAX_BODY }),
            BodyError::CutOff(why) => Self::Interrupted(why),
            BodyError::Slow => Self::Slow,
        }
    }
}

impl From<AcceptError> for IngestError {
    fn from(error: AcceptError) -> Self {
        Self::Accept(error)
    }
}

impl IngestError {
    /// Name of the reason, as the metrics have it.
    pub(in crate::server) fn reason(&self) -> &'static str {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => "too_large",
            Self::Wire(WireError::UnknownEncoding(_)) => "encoding",
            Self::Wire(_) | Self::Query(_) => "malformed",
            Self::NoKey | Self::WrongKey | Self::Revoked { .. } => "key",
            Self::NoProject => "project",
            Self::Interrupted(_) | Self::Slow => "interrupted",
            Self::Accept(_) => "unavailable",
            Self::Method => "method",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Wire(WireError::UnknownEncoding(_)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Wire(_) | Self::Query(_) | Self::Interrupted(_) => StatusCode::BAD_REQUEST,
            Self::NoKey | Self::WrongKey | Self::Revoked { .. } => StatusCode::FORBIDDEN,
            Self::NoProject => StatusCode::NOT_FOUND,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Accept(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn response(&self) -> Response {
        let answer = detail(self.status(), &self.detail());
        match self {
            Self::Accept(_) => ([(header::RETRY_AFTER, RETRY_AFTER_S)], answer).into_response(),
            Self::Method => ([(header::ALLOW, "POST, OPTIONS")], answer).into_response(),
            _ => answer,
        }
    }

    /// The reason in words.
    pub(in crate::server) fn detail(&self) -> String {
        match self {
            Self::Wire(error) => error.to_string(),
            Self::Query(what) => what.clone(),
            Self::NoKey => "the request names no key: sentry_key in the query, X-Sentry-Auth, Authorization: Bearer KEY or a DSN in the envelope's header".to_owned(),
            Self::Revoked { at } => format!(
                "the key was revoked on {}: the repository's page \"Connect an application\" has those in force",
                when(*at)
            ),
            Self::WrongKey => "the key is not one of this project's keys".to_owned(),
            Self::NoProject => "there is no such project: the number at the end of the DSN belongs here".to_owned(),
            Self::Interrupted(why) => format!("the body could not be read: {why}"),
            Self::Slow => "the body took too long to arrive".to_owned(),
            // What exactly is wrong with the database is the operator's business, and is in the
            // log.
            Self::Accept(AcceptError::Store(_)) => "the report could not be stored: the database does not answer".to_owned(),
            Self::Accept(error @ AcceptError::Stopping) => error.to_string(),
            Self::Method => "reports are sent by POST".to_owned(),
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
    let span = next_span(&request);
    let mut response = next.run(request).instrument(span).await;
    if let Some(answer) = response.extensions_mut().remove::<Arc<IngestAnswer>>() {
        meters.count(&answer.result);
        if let Some(project) = answer.project {
            arrivals.remember(&store, project, &answer.result, &client, now).await;
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
fn with_client_headers(response: Response) -> Response {
    let headers = [
        (HeaderName::from_static("x-sentry-rate-limits"), RATE_LIMITS),
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
