//! Tracebacks as they are printed, from curl, cron or anything else.

use super::Server;
use super::extract::read;
use super::ingest::{Asked, Project, number, random_id};
use super::refusal::{Outcome, Refusal};
use crate::steps::accept::Occurrence;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use domain::ids::RepositoryId;
use std::sync::Arc;
use wire::encoding::{MAX_BODY, MAX_DECODED, decode};
use wire::{auth, sentry_event};

/// Characters kept of a parameter: as much as of the same field of an SDK's event.
const LONGEST: usize = 200;

/// What a printed traceback can't say of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Circumstances {
    release: Option<String>,
    environment: Option<String>,
    server_name: Option<String>,
    count: u64,
    key: Option<String>,
}

/// `POST /api/{project}/traceback`: a traceback as printed.
pub(super) async fn traceback(
    State(server): State<Arc<Server>>,
    project: Project,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asked = Asked { method: &method, query: query.as_deref(), headers: &headers };
    let (project, result) = match number(project) {
        Ok(project) => (Some(project), take(&server, project, &asked, body).await),
        Err(refusal) => (None, Err(refusal)),
    };
    server.remember(project, &asked, &result).await;
    server.answer(&method, result)
}

async fn take(server: &Server, project: RepositoryId, asked: &Asked<'_>, body: Body) -> Result<Outcome, Refusal> {
    if asked.method != Method::POST {
        return Err(Refusal::Method);
    }
    let now_ms = server.clock.now_ms();
    let told = circumstances(asked.query.unwrap_or(""))?;
    let by_name = told.key.as_deref().and_then(|key| auth::from_authorization(&format!("Bearer {key}")));
    let found = asked.key().or(by_name).ok_or(Refusal::NoKey)?;
    let auth = server.enter(project, &found.key, now_ms).await?;
    let body = read(body, MAX_BODY).await?;
    let bytes = decode(asked.header("content-encoding"), &body, MAX_DECODED)?;
    let mut report = wire::traceback::parse(&String::from_utf8_lossy(&bytes))?;
    // Its client, in place of an SDK's name.
    report.sdk = asked.client();
    report.release = told.release;
    report.environment = told.environment;
    report.server_name = told.server_name;
    let fingerprint = sentry_event::fingerprint_of(&report);
    let occurrence = Occurrence {
        count: told.count,
        server: report.server_name.clone().unwrap_or_default(),
        environment: report.environment.clone().unwrap_or_default(),
    };
    server.take(auth, fingerprint, occurrence, random_id(), now_ms, || report).await
}

/// Reads the query. A name that is not known is none of our business; a count that is no number would be lost in silence.
fn circumstances(query: &str) -> Result<Circumstances, Refusal> {
    let mut told = Circumstances { count: 1, ..Circumstances::default() };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let text = Some(value.trim().chars().take(LONGEST).collect::<String>()).filter(|text| !text.is_empty());
        match name.as_ref() {
            "release" => told.release = text,
            "environment" => told.environment = text,
            "server_name" => told.server_name = text,
            "key" => told.key = text,
            "count" => {
                told.count = value.trim().parse().ok().filter(|count| *count > 0).ok_or_else(|| {
                    Refusal::Query("count has to be a whole number, 1 or more: how often it happened".to_owned())
                })?;
            }
            _ => {}
        }
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circumstances_are_read_from_the_query() {
        let told = circumstances("release=v1.2%2B3&environment=+&server_name=web-1&count=7&other=x").unwrap();
        assert_eq!(told.release.as_deref(), Some("v1.2+3"));
        assert_eq!((told.environment, told.server_name.as_deref(), told.count), (None, Some("web-1"), 7));
        assert_eq!(circumstances("").unwrap(), Circumstances { count: 1, ..Circumstances::default() });
        let long = circumstances(&format!("release={}", "é".repeat(LONGEST + 5))).unwrap();
        assert_eq!(long.release.map(|text| text.chars().count()), Some(LONGEST));
        for bad in ["count=many", "count=-1", "count=0", "count="] {
            assert!(circumstances(bad).is_err(), "{bad}");
        }
    }
}
