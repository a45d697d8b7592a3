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
            Self::OverRate { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Accept(_) if self.back_off_s().is_some() => StatusCode::TOO_MANY_REQUESTS,
            Self::Accept(_) | Self::Stalled | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    fn response(&self) -> Response {
        let answer = detail(self.status(), &self.detail());
        if let Some(seconds) = self.back_off_s() {
            // Errors first, and no blank after the comma: of " 86400" the PHP SDK reads no number,
            // and takes a minute in its place.
            let limits = format!("{seconds}:error:key,{RATE_LIMITS}");
            let headers = [(header::RETRY_AFTER, seconds.to_string()), (SENTRY_RATE_LIMITS, limits)];
            return (headers, answer).into_response();
        }
        match self {
            Self::Accept(_) | Self::Stalled | Self::Busy => {
                ([(header::RETRY_AFTER, budget::RETRY_AFTER_S)], answer).into_response()
            }
            Self::Method => ([(header::ALLOW, "POST, OPTIONS")], answer).into_response(),
            _ => answer,
        }
    }
}

impl IngestOutcome {
    fn response(&self) -> Response {
        let text = match self {
            // As if it were new: who sends it again did not hear that it was taken.
            Self::Taken { id, .. } | Self::Resent(id) | Self::Ignored(Some(id)) => format!("{{\"id\":\"{id}\"}}"),
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
    use crate::steps::accept::AcceptError;
    use jiff::SignedDuration;
    use std::collections::BTreeMap;

    #[test]
    fn clients_are_never_told_to_stop_sending_errors() {
        let parts: Vec<&str> = RATE_LIMITS.split(':').collect();
        assert_eq!(parts.len(), 3, "the Rust SDK ignores fewer parts");
        assert!(parts[0].parse::<u32>().is_ok());
        assert!(parts[1].split(';').all(|category| !category.is_empty() && category != "error"));
    }

    /// Seconds of silence by category, as an SDK reads the header; the category "" is all of them.
    type Silence = BTreeMap<String, u64>;

    /// By how an SDK reads one limit: seconds and categories, `None` where it skips the limit.
    fn read(header: &str, one: impl Fn(&str) -> Option<(u64, &str)>) -> Silence {
        let limits = header.split(',').filter_map(one);
        limits
            .flat_map(|(seconds, categories)| categories.split(';').map(move |name| (name.to_owned(), seconds)))
            .collect()
    }

    /// The rules of the SDKs, as their sources have them: where they split and trim, what they
    /// insist on, and what they take in place of a number that they can't read.
    fn as_sdks_read(header: &str) -> Vec<(&'static str, Silence)> {
        let number = |text: &str| text.parse::<u64>().ok();
        vec![
            (
                "python",
                read(header, |limit| {
                    let mut parts = limit.trim().splitn(3, ':');
                    let (seconds, categories, _) = (parts.next()?, parts.next()?, parts.next()?);
                    Some((number(seconds)?, categories))
                }),
            ),
            (
                "php",
                read(header, |limit| {
                    let (seconds, rest) = limit.split_once(':')?;
                    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
                    let seconds = if is_number { number(seconds)? } else { 60 };
                    Some((seconds, rest.split(':').next()?))
                }),
            ),
            (
                "rust",
                read(header, |limit| {
                    let mut parts = limit.trim().split(':');
                    let (seconds, categories, _) = (parts.next()?, parts.next()?, parts.next()?);
                    Some((number(seconds)?, categories))
                }),
            ),
            (
                "javascript",
                read(header, |limit| {
                    let mut parts = limit.split(':');
                    Some((number(parts.next()?.trim()).unwrap_or(60), parts.next().unwrap_or_default()))
                }),
            ),
            (
                "java, dart",
                read(header, |limit| {
                    let mut parts = limit.trim().split(':');
                    Some((number(parts.next()?).unwrap_or(60), parts.next()?))
                }),
            ),
            (
                "cocoa, dotnet",
                read(header, |limit| {
                    let mut parts = limit.trim().split(':');
                    Some((number(parts.next()?).filter(|seconds| *seconds > 0)?, parts.next()?))
                }),
            ),
        ]
    }

    #[test]
    fn each_sdk_is_silent_for_errors_as_long_as_is_meant_and_for_nothing_more() {
        let after = |seconds: i64| SignedDuration::from_secs(seconds);
        let cases = [
            (IngestError::OverRate { after: SignedDuration::from_millis(3), most: 60_000 }, 10),
            (IngestError::OverRate { after: after(30), most: 2 }, 31),
            (IngestError::Accept(AcceptError::OverBudget { after: after(300) }), 10),
        ];
        for (error, seconds) in cases {
            let answer = error.response();
            assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(answer.headers()[header::RETRY_AFTER], seconds.to_string(), "for those that know nothing else");
            let header = answer.headers()[&SENTRY_RATE_LIMITS].to_str().expect("text");
            for (sdk, silence) in as_sdks_read(header) {
                assert_eq!(silence.get("error"), Some(&seconds), "{sdk}: {header}");
                assert_eq!(silence.get(""), None, "{sdk} is silent altogether: {header}");
                let others: Vec<u64> =
                    silence.into_iter().filter(|(name, _)| name != "error").map(|(_, s)| s).collect();
                assert!(others.len() > 9 && others.iter().all(|silent| *silent == 86_400), "{sdk}: {header}");
            }
        }
    }

    #[test]
    fn who_could_not_be_served_is_told_when_to_come_again_and_not_to_be_silent() {
        for error in [IngestError::Stalled, IngestError::Busy, IngestError::Accept(AcceptError::Stopping)] {
            let answer = with_client_headers(error.response());
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers()[header::RETRY_AFTER], budget::RETRY_AFTER_S);
            for (sdk, silence) in as_sdks_read(answer.headers()[&SENTRY_RATE_LIMITS].to_str().expect("text")) {
                assert_eq!((silence.get("error"), silence.get("")), (None, None), "{sdk}");
            }
        }
    }
}
