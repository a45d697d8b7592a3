//! The latest traceback of a line, for somebody signed in or with a link out of a mail.

use super::Server;
use super::extract::InQuery;
use super::pages::{answer, status};
use super::respond::Refused;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::alert::{Place, Recipient};
use domain::links::LinkPurpose;
use domain::week::{WEEK_MS, week_of};
use render::views::Traceback;
use render::when;
use serde::Deserialize;
use std::sync::Arc;

/// Which line, and by what right.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    repo: String,
    #[serde(default)]
    filename: String,
    #[serde(default)]
    function_name: String,
    #[serde(default)]
    line_number: String,
    #[serde(default)]
    text: String,
    /// Unix seconds: the latest traceback of that moment's week, or of the weeks before.
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    expires: String,
    #[serde(default)]
    signature: String,
}

/// `GET /view_traceback`.
pub(super) async fn view(
    State(server): State<Arc<Server>>,
    InQuery(question): InQuery<Question>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, show(&server, question, &headers, &uri).await).await
}

async fn show(server: &Server, asked: Question, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let now_ms = server.clock.now_ms();
    let number = asked.line_number.parse().unwrap_or(0);
    let place = Place { path: asked.filename, function: asked.function_name, line: number, code: asked.text };
    let linker = &server.services.linker;
    let by_link = linker.verify(LinkPurpose::View, &asked.repo, &place, &asked.expires, &asked.signature, now_ms);
    let session = server.session(headers).await;
    if !by_link && session.is_none() {
        let next = server.path_of(uri);
        let is_link = !asked.signature.is_empty();
        return Err(if is_link { Refused::StaleLink { next } } else { Refused::SignIn { next } });
    }
    let row = match &session {
        Some(session) if !by_link => server.repository_for(session, &asked.repo, Right::Read).await?,
        _ => server.repository(&asked.repo).await?,
    };
    let store = &server.services.store;
    let found = store::lines::by_place(
        store,
        row.repository.id,
        &place.path,
        &place.function,
        Some(&place.code),
        Some(place.line),
    )
    .await?;
    let line = found.ok_or_else(|| {
        Refused::NotFound(format!("{} has never failed in {}, as far as is known here.", place.path, place.function))
    })?;
    // Any moment of a week stands for its end, because a week has one traceback, its latest.
    let before_ms = asked.timestamp.parse::<i64>().map_or(i64::MAX, |s| week_of(s.saturating_mul(1000)) + WEEK_MS);
    let latest = store::tracebacks::latest_of_line(store, line.id, before_ms).await?;
    let occurred = latest.as_ref().map(|latest| when(latest.received_at_ms));
    let told = Recipient {
        name: line
            .owner_login
            .clone()
            .or_else(|| Some(line.told.as_ref()?.person.name().to_owned()).filter(|name| !name.is_empty()))
            .or_else(|| line.author_name.clone())
            .unwrap_or_default(),
        ..Recipient::default()
    };
    let mut alert = server.services.alert(&row, &line, latest, told, now_ms).await?;
    // What a mail's reader gets signed is not signed anew here: a link to read would turn into a right to whitelist, and each
    // look into another 90 days.
    alert.links.occurrence = None;
    alert.links.whitelist = Some(server.here(&linker.whitelist(&row.repository.full_name, &alert.place, None)));
    alert.links.not_me =
        alert.links.not_me.map(|_| server.here(&linker.not_me(&row.repository.full_name, &alert.place, None)));
    alert.links.week = alert.links.week.map(|week| server.here(&week));
    server.show(session.as_ref(), StatusCode::OK, &Traceback::new(&alert, status(&line), occurred))
}
