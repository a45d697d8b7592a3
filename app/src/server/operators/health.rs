//! How the server is, for people and for machines.

use crate::server::page::Page;
use crate::server::settings::ServerSettings;
use crate::server::state::AllClocks;
use crate::server::visitor::Visitor;
use crate::services::readiness::{Down, MirrorsSeen, Readiness, Seen};
use crate::services::repositories::why_unnamed;
use crate::services::vitals::{Vitals, is_late, of_failing};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::counted::counted;
use domain::timestamp::Timestamp;
use render::views::{Check, Health};
use render::when;
use std::fmt::Write as _;
use std::sync::Arc;
use store::Store;
use store::repositories::RepositoryRow;

/// Name of the check without which nothing goes.
const DATABASE: &str = "Database";

/// `GET /check_health`: a page or JSON, by Accept; the configuration only for an admin, and never
/// its secrets.
pub(super) async fn check_health(
    State(store): State<Store>,
    State(settings): State<Arc<ServerSettings>>,
    State(readiness): State<Readiness>,
    AllClocks(clocks): AllClocks,
    Visitor(session): Visitor,
    headers: HeaderMap,
) -> Response {
    let is_admin = session.as_ref().is_some_and(|session| session.who.is_admin());
    let seen = readiness.recent(clocks).await;
    let mut checks = vec![database(seen.down.as_ref(), is_admin)];
    if is_admin {
        checks.extend(admins_checks(&store, &seen, clocks.now).await);
    }
    let configuration = is_admin.then(|| shown(&settings));
    // Up is who can take reports. A mirror that can't be fetched is the page's to show, and no
    // reason to be restarted; nor may the answer depend on who asks.
    let up = checks.iter().all(|check| check.ok || check.name != DATABASE);
    let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if wants_page(&headers) {
        let view = Health { up: checks.iter().all(|check| check.ok), checks, configuration };
        return (status, Page(session, view)).into_response();
    }
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, json(up, checks, configuration)).into_response()
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|value| value.contains("text/html"))
}

fn shown(settings: &ServerSettings) -> Vec<(String, String)> {
    settings.shown.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn json(up: bool, checks: Vec<Check>, configuration: Option<Vec<(String, String)>>) -> String {
    let checks: serde_json::Map<String, serde_json::Value> = checks
        .into_iter()
        .map(|check| (check.name, serde_json::json!({ "ok": check.ok, "text": check.text })))
        .collect();
    let mut body = serde_json::json!({ "up": up, "version": env!("CARGO_PKG_VERSION"), "checks": checks });
    if let Some(configuration) = configuration {
        body["configuration"] = configuration.into_iter().collect();
    }
    body.to_string()
}

fn check(name: &str, ok: bool, text: String) -> Check {
    Check { name: name.to_owned(), ok, text }
}

async fn admins_checks(store: &Store, seen: &Seen, now: Timestamp) -> Vec<Check> {
    let vitals = Vitals::read(store, now).await;
    let mut checks: Vec<Check> = work(&vitals, seen, now).into_iter().flatten().collect();
    checks.extend(vitals.repositories.as_deref().ok().map(|rows| mirrors(rows, &seen.mirrors)));
    checks.push(webhooks(&vitals));
    checks.push(clock(seen));
    checks
}

fn database(down: Option<&Down>, is_admin: bool) -> Check {
    match down {
        None => check(DATABASE, true, "It answers, and can be written.".to_owned()),
        Some(down) if is_admin => check(DATABASE, false, format!("{}. {}", down.why, down.todo)),
        Some(down) => check(DATABASE, false, down.words.clone()),
    }
}

fn clock(seen: &Seen) -> Check {
    let wrong: Vec<String> = seen.time().into_iter().chain(seen.github_time()).map(|it| sentence(&it.what)).collect();
    let text = if wrong.is_empty() { "It goes as it should.".to_owned() } else { wrong.join(" ") };
    check("Clock", wrong.is_empty(), text)
}

/// Of what a finding says.
fn sentence(what: &str) -> String {
    let mut letters = what.chars();
    let first = letters.next().map(char::to_uppercase);
    format!("{}{}.", first.into_iter().flatten().collect::<String>(), letters.as_str())
}

/// The queue and the deliveries, where the database tells.
fn work(vitals: &Vitals, seen: &Seen, now: Timestamp) -> Option<[Check; 2]> {
    let queue = vitals.queue.as_ref().ok()?;
    let messages = vitals.messages.as_ref().ok()?;
    let oldest = queue.oldest_at.map_or_else(String::new, |at| format!(", the oldest since {}", when(at)));
    let jobs = counted(queue.length, "job", "jobs");
    let mut text = format!("{jobs} waiting{oldest}; {} of them failed before.", queue.failing);
    if queue.set_aside > 0 {
        let (of_them, they) = if queue.set_aside == 1 { ("is", "it") } else { ("are", "they") };
        let _ = write!(text, " {} {of_them} set aside: each time {they} ran, the server ended.", queue.set_aside);
    }
    let late = seen.work();
    for finding in &late {
        let _ = write!(text, " {}", sentence(&finding.what));
    }
    let waiting = counted(messages.waiting, "message", "messages");
    let mut deliveries = format!("{waiting} waiting, {} given up.", messages.given_up);
    if let Some(failing) = &messages.failing {
        let _ = write!(deliveries, " {}", sentence(&of_failing(failing, now)));
    }
    Some([
        check("Background work", late.is_empty() && !is_late(queue, now) && queue.set_aside == 0, text),
        check("Deliveries", messages.failing.is_none(), deliveries),
    ])
}

fn mirrors(rows: &[RepositoryRow], seen: &MirrorsSeen) -> Check {
    let of_row = |row: &RepositoryRow| {
        let damage = seen.damaged.get(&row.repository.id).map(|what| format!("its mirror is damaged: {what}"));
        let wrong = why_unnamed(row).or_else(|| row.fetch_error.clone()).into_iter().chain(damage);
        wrong.map(|what| format!("{}: {what}", row.repository.full_name)).collect::<Vec<_>>()
    };
    let of_disk = seen.unwritable.iter().cloned().chain(seen.stuck.then(|| "The disk does not answer.".to_owned()));
    let failing: Vec<String> = of_disk.chain(rows.iter().flat_map(of_row)).collect();
    let text = if failing.is_empty() {
        match rows.len() {
            0 => "No repository is watched yet.".to_owned(),
            1 => "1 repository, fetched or on its way.".to_owned(),
            more => format!("{more} repositories, all fetched or on their way."),
        }
    } else {
        failing.join(" ")
    };
    check("Mirrors", failing.is_empty(), text)
}

fn webhooks(vitals: &Vitals) -> Check {
    let text = match vitals.last_hook_at {
        Ok(Some(at)) => format!("The last one came at {}.", when(at)),
        _ => "None came yet.".to_owned(),
    };
    check("Webhooks", true, text)
}
