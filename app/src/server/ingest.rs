//! Reports from Sentry SDKs.

use super::Server;
use crate::domain::ids::RepositoryId;
use crate::pipeline::accept::{AcceptError, Entry, Occurrence};
use crate::wire::encoding::{MAX_BODY, MAX_DECODED, decode};
use crate::wire::{WireError, auth, sentry, sentry_event};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What clients may stop sending for a day, in three parts, because the Rust SDK ignores two. Never the category `error`.
const RATE_LIMITS: &str = "86400:transaction;span;session;profile;profile_chunk;replay;monitor;log_item;log_byte;trace_metric;metric_bucket;feedback:organization";

/// Why a report is refused.
enum Refusal {
    Wire(WireError),
    NoKey,
    WrongKey,
    NoProject,
    Accept(AcceptError),
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

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, detail) = match &self {
            Self::Wire(error @ WireError::TooLarge { .. }) => (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
            Self::Wire(error @ WireError::UnknownEncoding(_)) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string())
            }
            Self::Wire(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::NoKey => (
                StatusCode::FORBIDDEN,
                "the request names no key: sentry_key in the query, X-Sentry-Auth or a DSN in the envelope's header"
                    .to_owned(),
            ),
            Self::WrongKey => (StatusCode::FORBIDDEN, "the key is not one of this project's keys".to_owned()),
            Self::NoProject => (StatusCode::NOT_FOUND, "there is no such project".to_owned()),
            Self::Accept(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "reports are sent by POST".to_owned()),
        };
        let body = serde_json::json!({ "detail": detail }).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// `POST /api/{project}/envelope/`.
pub(super) async fn envelope(
    State(server): State<Arc<Server>>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(&server, &method, take(&server, &project, query.as_deref(), &method, &headers, body, true).await)
}

/// `POST /api/{project}/store/`.
pub(super) async fn store(
    State(server): State<Arc<Server>>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(&server, &method, take(&server, &project, query.as_deref(), &method, &headers, body, false).await)
}

/// What a printed traceback can't say of itself.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Circumstances {
    release: Option<String>,
    environment: Option<String>,
    server_name: Option<String>,
    count: Option<u64>,
}

/// `POST /api/{project}/traceback`: a traceback as printed.
pub(super) async fn traceback(
    State(server): State<Arc<Server>>,
    Path(project): Path<String>,
    RawQuery(query): RawQuery,
    Query(told): Query<Circumstances>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let result = take_text(&server, &project, query.as_deref(), told, &method, &headers, body).await;
    answer(&server, &method, result)
}

async fn take_text(
    server: &Server,
    project: &str,
    query: Option<&str>,
    told: Circumstances,
    method: &Method,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<String>, Refusal> {
    if method != Method::POST {
        return Err(Refusal::Method);
    }
    let project = RepositoryId(project.parse().map_err(|_| Refusal::NoProject)?);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let now_ms = server.clock.now_ms();
    let found = auth::find(query, text("x-sentry-auth"), text("authorization"), None).ok_or(Refusal::NoKey)?;
    let door = enter(server, project, &found.key, now_ms).await?;
    let body: Bytes =
        axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| WireError::TooLarge { limit: MAX_BODY })?;
    let bytes = decode(text("content-encoding"), &body, MAX_DECODED)?;
    let mut report = crate::wire::traceback::parse(&String::from_utf8_lossy(&bytes))?;
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    report.event_id = random_id();
    report.release = given(told.release);
    report.environment = given(told.environment);
    report.server_name = given(told.server_name);
    report.count = told.count.unwrap_or(1).max(1);
    let id = report.event_id.clone();
    let digest = sentry_event::digest_of(&report);
    let look = server.accept.look(door, digest, now_ms);
    let occurrence = Occurrence {
        count: report.count,
        server: report.server_name.clone().unwrap_or_default(),
        environment: report.environment.clone().unwrap_or_default(),
    };
    let report = look.wants_report.then_some(report);
    server.accept.take(door, digest, look, occurrence, report, now_ms).await?;
    Ok(Some(id))
}

fn answer(server: &Server, method: &Method, result: Result<Option<String>, Refusal>) -> Response {
    let counter = match &result {
        Ok(Some(_)) => &server.meters.accepted,
        Ok(None) => &server.meters.ignored,
        Err(_) => &server.meters.refused,
    };
    counter.fetch_add(1, Ordering::Relaxed);
    let mut response = match result {
        _ if method == Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        Ok(Some(id)) => ([(header::CONTENT_TYPE, "application/json")], format!("{{\"id\":\"{id}\"}}")).into_response(),
        Ok(None) => ([(header::CONTENT_TYPE, "application/json")], "{}").into_response(),
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert("x-sentry-rate-limits", HeaderValue::from_static(RATE_LIMITS));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers
        .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-Sentry-Rate-Limits, Retry-After"));
    if method == Method::OPTIONS {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}

#[allow(clippy::too_many_arguments, reason = "the parts of one request")]
async fn take(
    server: &Server,
    project: &str,
    query: Option<&str>,
    method: &Method,
    headers: &HeaderMap,
    body: Body,
    is_envelope: bool,
) -> Result<Option<String>, Refusal> {
    if method != Method::POST {
        return Err(Refusal::Method);
    }
    let project = RepositoryId(project.parse().map_err(|_| Refusal::NoProject)?);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let now_ms = server.clock.now_ms();
    // Refused before the body is read, where the key is outside of it.
    let mut door = match auth::find(query, text("x-sentry-auth"), text("authorization"), None) {
        Some(found) => Some(enter(server, project, &found.key, now_ms).await?),
        None => None,
    };
    let body: Bytes =
        axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| WireError::TooLarge { limit: MAX_BODY })?;
    let bytes = decode(text("content-encoding"), &body, MAX_DECODED)?;
    let mut event_id = None;
    let event_bytes = if is_envelope {
        let envelope = sentry::envelope(&bytes)?;
        if door.is_none() {
            let found = auth::find(None, None, None, envelope.dsn.as_deref()).ok_or(Refusal::NoKey)?;
            let project = found.project.map_or(project, RepositoryId);
            door = Some(enter(server, project, &found.key, now_ms).await?);
        }
        event_id = envelope.event_id;
        envelope.event
    } else {
        Some(bytes.as_ref())
    };
    let door = door.ok_or(Refusal::NoKey)?;
    let Some(event_bytes) = event_bytes else { return Ok(None) };
    let mut scratch = String::new();
    let event = sentry_event::parse(event_bytes, &mut scratch)?;
    let id = event.event_id().or_else(|| sentry_event::normal_event_id(event_id.as_deref()?)).unwrap_or_else(random_id);
    if !event.is_error() {
        return Ok(Some(id));
    }
    let digest = event.digest();
    let look = server.accept.look(door, digest, now_ms);
    let occurrence = Occurrence {
        count: event.count(),
        server: event.server_name().to_owned(),
        environment: event.environment().to_owned(),
    };
    let report = look.wants_report.then(|| {
        let mut report = event.into_report();
        report.event_id.clone_from(&id);
        report
    });
    server.accept.take(door, digest, look, occurrence, report, now_ms).await?;
    Ok(Some(id))
}

async fn enter(
    server: &Server,
    project: RepositoryId,
    key: &str,
    now_ms: i64,
) -> Result<crate::store::repositories::Door, Refusal> {
    match server.accept.enter(project, key, now_ms).await? {
        Entry::Open(door) => Ok(door),
        Entry::WrongKey => Err(Refusal::WrongKey),
        Entry::NoProject => Err(Refusal::NoProject),
    }
}

fn random_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id is all zeroes, which harms nobody: nothing is looked up by it.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
