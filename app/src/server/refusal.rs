//! What clients are answered: an id, nothing to say, or why their report was refused.

use super::Server;
use crate::steps::accept::AcceptError;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use render::when;
use wire::WireError;

/// What clients may stop sending for a day, in three parts, because the Rust SDK ignores two. Never the category `error`.
const RATE_LIMITS: &str = "86400:transaction;span;session;profile;profile_chunk;replay;monitor;log_item;log_byte;trace_metric;metric_bucket;feedback:organization";
/// When to come again once the database did not answer, in seconds: most of its outages are over by then.
const RETRY_AFTER_S: &str = "5";

/// What became of a request.
#[derive(Debug)]
pub(super) enum Outcome {
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
pub(super) enum Refusal {
    /// Its bytes.
    Wire(WireError),
    /// A parameter of the address.
    Query(String),
    /// It shows no key.
    NoKey,
    /// The key was revoked.
    Revoked {
        /// When, Unix milliseconds.
        at_ms: i64,
    },
    /// The key is another project's, or nobody's.
    WrongKey,
    /// There is no such project.
    NoProject,
    /// The body did not come to its end.
    Broken(String),
    /// The body took too long.
    Slow,
    /// It could not be stored.
    Accept(AcceptError),
    /// Not a POST.
    Method,
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<AcceptError> for Refusal {
    fn from(error: AcceptError) -> Self {
        Self::Accept(error)
    }
}

impl Refusal {
    /// Name of the reason, as the metrics have it.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => "too_large",
            Self::Wire(WireError::UnknownEncoding(_)) => "encoding",
            Self::Wire(_) | Self::Query(_) => "malformed",
            Self::NoKey | Self::WrongKey | Self::Revoked { .. } => "key",
            Self::NoProject => "project",
            Self::Broken(_) | Self::Slow => "interrupted",
            Self::Accept(_) => "unavailable",
            Self::Method => "method",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Wire(WireError::UnknownEncoding(_)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Wire(_) | Self::Query(_) | Self::Broken(_) => StatusCode::BAD_REQUEST,
            Self::NoKey | Self::WrongKey | Self::Revoked { .. } => StatusCode::FORBIDDEN,
            Self::NoProject => StatusCode::NOT_FOUND,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Accept(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// The reason in words.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Wire(error) => error.to_string(),
            Self::Query(what) => what.clone(),
            Self::NoKey => "the request names no key: sentry_key in the query, X-Sentry-Auth, Authorization: Bearer KEY or a DSN in the envelope's header".to_owned(),
            Self::Revoked { at_ms } => format!(
                "the key was revoked on {}: the repository's page \"Connect an application\" has those in force",
                when(*at_ms)
            ),
            Self::WrongKey => "the key is not one of this project's keys".to_owned(),
            Self::NoProject => "there is no such project: the number at the end of the DSN belongs here".to_owned(),
            Self::Broken(why) => format!("the body could not be read: {why}"),
            Self::Slow => "the body took too long to arrive".to_owned(),
            // What exactly is wrong with the database is the operator's business, and is in the log.
            Self::Accept(AcceptError::Store(_)) => "the report could not be stored: the database does not answer".to_owned(),
            Self::Accept(error @ AcceptError::Stopping) => error.to_string(),
            Self::Method => "reports are sent by POST".to_owned(),
        }
    }
}

/// JSON of this status that says what is wrong.
pub(super) fn detail(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "detail": text }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

impl Server {
    /// Counts what became of a request, and says it in the headers that every client expects.
    pub(super) fn answer(&self, method: &Method, result: Result<Outcome, Refusal>) -> Response {
        if method == Method::OPTIONS {
            return preflight();
        }
        self.meters.count(&result);
        let json = |text: String| ([(header::CONTENT_TYPE, "application/json")], text).into_response();
        let mut response = match result {
            Ok(Outcome::Taken { id, .. } | Outcome::Ignored(Some(id))) => json(format!("{{\"id\":\"{id}\"}}")),
            Ok(Outcome::Ignored(None)) => json("{}".to_owned()),
            Err(refusal) => {
                let mut response = detail(refusal.status(), &refusal.detail());
                let extra = match refusal {
                    Refusal::Accept(_) => Some((header::RETRY_AFTER, RETRY_AFTER_S)),
                    Refusal::Method => Some((header::ALLOW, "POST, OPTIONS")),
                    _ => None,
                };
                if let Some((name, value)) = extra {
                    response.headers_mut().insert(name, HeaderValue::from_static(value));
                }
                response
            }
        };
        for_clients(&mut response);
        response
    }
}

/// Browsers ask first where somebody adds headers of their own.
fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    // `*` does not cover Authorization: https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*, Authorization"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    for_clients(&mut response);
    response
}

fn for_clients(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert("x-sentry-rate-limits", HeaderValue::from_static(RATE_LIMITS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers
        .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-Sentry-Rate-Limits, Retry-After"));
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
