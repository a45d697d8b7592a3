//! How the server is, for people and for machines.

use super::Server;
use crate::render::views::{Check, Health};
use crate::render::{asset, when};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the door counted since the start.
#[derive(Debug, Default)]
pub(super) struct Meters {
    pub(super) accepted: AtomicU64,
    pub(super) ignored: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) webhooks: AtomicU64,
}

/// A queue whose oldest job waits longer than this has a problem: steps take seconds, back-off at most 15 minutes.
const LATE_MS: i64 = 30 * 60_000;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    match server.rooms.store.ping().await {
        Ok(()) => "ok".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response()
        }
    }
}

/// `GET /check_health`: a page or JSON, by Accept; the configuration only for an admin, and never its secrets.
pub(super) async fn check_health(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let session = server.session(&headers);
    let checks = checks(&server, session.is_some()).await;
    let up = checks.iter().all(|check| check.ok);
    let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let configuration = session.is_some().then(|| {
        server.settings.shown.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Vec<_>>()
    });
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    if wants_page {
        let view = Health { up, checks, configuration };
        return server.show(session.as_ref(), status, &view).unwrap_or_else(|refused| server.refuse(None, &refused));
    }
    let checks: serde_json::Map<String, serde_json::Value> = checks
        .into_iter()
        .map(|check| (check.name, serde_json::json!({ "ok": check.ok, "text": check.text })))
        .collect();
    let mut body = serde_json::json!({ "up": up, "version": env!("CARGO_PKG_VERSION"), "checks": checks });
    if let Some(configuration) = configuration {
        body["configuration"] = configuration.into_iter().collect();
    }
    (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body.to_string())
        .into_response()
}

async fn checks(server: &Server, admin: bool) -> Vec<Check> {
    let check = |name: &str, ok: bool, text: String| Check { name: name.to_owned(), ok, text };
    let store = &server.rooms.store;
    let database = match store.ping().await {
        Ok(()) => check("Database", true, "It answers.".to_owned()),
        Err(error) if admin => check("Database", false, error.to_string()),
        Err(_) => check("Database", false, "It does not answer.".to_owned()),
    };
    let mut checks = vec![database];
    if !admin {
        return checks;
    }
    if let (Ok(queue), Ok((pending, given_up))) = (store.queue_state().await, store.delivery_counts().await) {
        let late = queue.oldest_ms.is_some_and(|oldest| server.clock.now_ms() - oldest > LATE_MS && queue.failing > 0);
        let oldest = queue.oldest_ms.map_or_else(String::new, |at| format!(", the oldest since {}", when(at)));
        let text = format!("{} jobs waiting{oldest}; {} of them failed before.", queue.length, queue.failing);
        checks.push(check("Background work", !late, text));
        let text = format!("{pending} messages waiting, {given_up} given up.");
        checks.push(check("Deliveries", true, text));
    }
    if let Ok(rows) = store.repositories().await {
        let failing: Vec<String> = rows
            .iter()
            .filter_map(|row| Some(format!("{}: {}", row.repository.full_name, row.fetch_error.as_ref()?)))
            .collect();
        let text = if failing.is_empty() {
            format!("{} repositories, all fetched or on their way.", rows.len())
        } else {
            failing.join(" ")
        };
        checks.push(check("Mirrors", failing.is_empty(), text));
    }
    let hook = match store.last_hook_ms().await {
        Ok(Some(at)) => format!("The last one came at {}.", when(at)),
        _ => "None came yet.".to_owned(),
    };
    checks.push(check("Webhooks", true, hook));
    checks
}

/// `GET /metrics`, for an admin's Prometheus: `Authorization: Bearer ADMIN_TOKEN`.
pub(super) async fn metrics(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    if server.session(&headers).is_none() {
        return (StatusCode::UNAUTHORIZED, "Authorization: Bearer ADMIN_TOKEN is needed").into_response();
    }
    let mut out = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, value: i64| {
        // Writing into a text can't fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    };
    let count = |counter: &AtomicU64| i64::try_from(counter.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
    let meters = &server.meters;
    metric("flawless_reports_accepted_total", "counter", "Reports stored or counted.", count(&meters.accepted));
    metric("flawless_items_ignored_total", "counter", "Requests without an error in them.", count(&meters.ignored));
    metric("flawless_reports_refused_total", "counter", "Requests refused.", count(&meters.refused));
    metric("flawless_webhooks_total", "counter", "Webhooks stored.", count(&meters.webhooks));
    let store = &server.rooms.store;
    if let Ok(queue) = store.queue_state().await {
        let age = queue.oldest_ms.map_or(0, |at| (server.clock.now_ms() - at).max(0) / 1000);
        metric("flawless_jobs", "gauge", "Jobs that wait or run.", i64::try_from(queue.length).unwrap_or(0));
        metric("flawless_jobs_failing", "gauge", "Jobs that failed before.", i64::try_from(queue.failing).unwrap_or(0));
        metric("flawless_oldest_job_seconds", "gauge", "Age of the oldest job.", age);
    }
    if let Ok((pending, given_up)) = store.delivery_counts().await {
        metric("flawless_deliveries_pending", "gauge", "Messages that wait.", i64::try_from(pending).unwrap_or(0));
        metric("flawless_deliveries_given_up", "gauge", "Messages given up.", i64::try_from(given_up).unwrap_or(0));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], out).into_response()
}

/// `GET /static/{name}`.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    match asset(&name) {
        Some((kind, bytes)) => {
            // The address carries the version, so what is cached never grows old.
            let headers =
                [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
