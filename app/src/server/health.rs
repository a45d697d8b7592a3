//! How the server is, for people and for machines.

use super::Server;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use render::views::{Check, Health};
use render::{asset, when};
use std::sync::Arc;

/// A queue whose oldest job waits longer than this has a problem: steps take seconds, back-off at most 15 minutes.
const LATE_MS: i64 = 30 * 60_000;

/// Name of the check without which nothing goes.
const DATABASE: &str = "Database";

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> Response {
    match server.services.store.ping().await {
        Ok(()) => "ok".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response()
        }
    }
}

/// `GET /check_health`: a page or JSON, by Accept; the configuration only for an admin, and never its secrets.
pub(super) async fn check_health(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let session = server.session(&headers).await;
    let is_admin = session.as_ref().is_some_and(|session| session.who.is_admin());
    let checks = checks(&server, is_admin).await;
    // Up is who can take reports. A mirror that can't be fetched is the page's to show, and no reason to be restarted; nor
    // may the answer depend on who asks.
    let up = checks.iter().all(|check| check.ok || check.name != DATABASE);
    let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let configuration = is_admin.then(|| {
        server.settings.shown.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Vec<_>>()
    });
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    if wants_page {
        let view = Health { up: checks.iter().all(|check| check.ok), checks, configuration };
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
    let store = &server.services.store;
    let database = match store.ping().await {
        Ok(()) => check(DATABASE, true, "It answers.".to_owned()),
        Err(error) if admin => check(DATABASE, false, error.to_string()),
        Err(_) => check(DATABASE, false, "It does not answer.".to_owned()),
    };
    let mut checks = vec![database];
    if !admin {
        return checks;
    }
    if let (Ok(queue), Ok((pending, given_up))) =
        (store::jobs::queue_state(store).await, store::deliveries::count_pending_and_given_up(store).await)
    {
        let late = queue.oldest_ms.is_some_and(|oldest| server.clock.now_ms() - oldest > LATE_MS && queue.failing > 0);
        let oldest = queue.oldest_ms.map_or_else(String::new, |at| format!(", the oldest since {}", when(at)));
        let text = format!("{} jobs waiting{oldest}; {} of them failed before.", queue.length, queue.failing);
        checks.push(check("Background work", !late, text));
        let text = format!("{pending} messages waiting, {given_up} given up.");
        checks.push(check("Deliveries", true, text));
    }
    if let Ok(rows) = store::repositories::list(store).await {
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
    let hook = match store::hooks::last_received_ms(store).await {
        Ok(Some(at)) => format!("The last one came at {}.", when(at)),
        _ => "None came yet.".to_owned(),
    };
    checks.push(check("Webhooks", true, hook));
    checks
}

/// `GET /static/{name}`.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    match asset(&name) {
        Some((kind, bytes)) => {
            // The address carries the version, so what is cached never grows old.
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
