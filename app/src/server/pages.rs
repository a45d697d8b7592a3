//! The repositories that are watched, and the page of one.

use super::Server;
use super::refusal::detail;
use super::respond::Refused;
use crate::steps::app::AppSource;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::attribution::short;
use render::views::{
    IssueLink, LineStatus, MirrorView, OpenLine, PageLink, Repositories, RepositoryPage, RepositoryRow as RowView,
    SettingsError,
};
use render::{self, file_line, thousands, when};
use std::collections::HashMap;
use std::sync::Arc;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Open lines shown on a repository's page; the weekly report shows the others.
const LINES_SHOWN: usize = 100;
/// Lines looked through for open ones: known and resolved ones that fail every minute must not hide them.
const LINES_READ: i64 = 2_000;

/// `GET /`.
pub(super) async fn repositories(State(server): State<Arc<Server>>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&server, &headers, list(&server, &headers, &uri).await).await
}

/// `GET /{owner}/{repo}`.
pub(super) async fn repository(
    State(server): State<Arc<Server>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, one(&server, &format!("{owner}/{name}"), &headers, &uri).await).await
}

/// Anything else.
pub(super) async fn nothing(State(server): State<Arc<Server>>, headers: HeaderMap, uri: Uri) -> Response {
    let below = uri.path().strip_prefix(server.root()).unwrap_or(uri.path());
    if below.starts_with("/api/") {
        // A program asks, and its log shows the answer.
        return detail(StatusCode::NOT_FOUND, "there is nothing at this address: a DSN ends in the project's number");
    }
    let refused = Refused::NotFound("There is no page at this address.".to_owned());
    server.refuse(server.session(&headers).await.as_ref(), &refused)
}

/// The answer of a page, or the page that says why there is none.
pub(super) async fn answer(server: &Server, headers: &HeaderMap, result: Result<Response, Refused>) -> Response {
    match result {
        Ok(response) => response,
        Err(refused) => server.refuse(server.session(headers).await.as_ref(), &refused),
    }
}

/// What is said of a repository that is not watched, or that the reader may not see: nobody learns which.
pub(super) fn not_watched(name: &str) -> Refused {
    Refused::NotFound(format!("No repository called {} is watched.", name.trim()))
}

async fn list(server: &Server, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_signed_in(headers, &server.path_of(uri)).await?;
    let counts: HashMap<i64, (u64, Option<i64>)> = store::lines::count_open(&server.services.store)
        .await?
        .into_iter()
        .map(|(id, open, last)| (id.0, (open, last)))
        .collect();
    let rows = store::repositories::list(&server.services.store).await?;
    let repositories: Vec<RowView> = rows
        .iter()
        .filter(|row| server.right_in(&session, row).is_some())
        .map(|row| {
            let (open_lines, last) = counts.get(&row.repository.id.0).copied().unwrap_or_default();
            RowView {
                name: row.repository.full_name.clone(),
                url: format!("{}/{}", server.root(), row.repository.full_name),
                connect_url: server.connect_url(row),
                may_connect: server.right_in(&session, row) >= Some(Right::Write),
                open_lines,
                last_report: last.map(when),
                mirror: mirror(server, row),
            }
        })
        .collect();
    let install_url = match server.services.app.get().map(|app| app.origin) {
        Some(AppSource::Setup { html_url, .. }) => Some(format!("{html_url}/installations/new")),
        _ => None,
    };
    server.show(Some(&session), StatusCode::OK, &Repositories { repositories, install_url })
}

async fn one(server: &Server, name: &str, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_signed_in(headers, &server.path_of(uri)).await?;
    let store = &server.services.store;
    let row = server.repository_for(&session, name, Right::Read).await?;
    let id = row.repository.id;
    let may_connect = server.right_in(&session, &row) >= Some(Right::Write);
    let keys = if may_connect { store::ingest_keys::in_force(store, id).await? } else { Vec::new() };
    let lines = store::lines::of_repository(store, id, LINES_READ).await?;
    let view = RepositoryPage {
        name: row.repository.full_name.clone(),
        default_branch: row.repository.default_branch.clone(),
        pages: pages_of(server, &row),
        dsns: keys.iter().map(|key| server.services.linker.dsn(key, id)).collect(),
        connect_url: server.connect_url(&row),
        mirror: mirror(server, &row),
        settings_path: ".github/flawless.yml".to_owned(),
        settings_errors: row.settings_error.iter().flat_map(|text| text.lines()).map(settings_fault).collect(),
        lines: lines
            .iter()
            .filter(|line| status(line) == LineStatus::Open)
            .take(LINES_SHOWN)
            .map(|line| open_line(server, &row, line))
            .collect(),
        shadow_url: server.shadow_url(&row),
        shadow: row.is_shadow(server.clock.now_ms()),
        may_connect,
    };
    server.show(Some(&session), StatusCode::OK, &view)
}

/// The other pages of a repository, as its own page offers them.
fn pages_of(server: &Server, row: &RepositoryRow) -> Vec<PageLink> {
    let name = &row.repository.full_name;
    let week = server.here(&server.services.linker.week(Some(name), server.clock.now_ms()));
    let ours = |page: &str| format!("{}/{name}/{page}", server.root());
    let pages = [
        PageLink::new("Report of this week", week),
        PageLink::new("Whitelist", ours("whitelist")),
        PageLink::new("Handovers", ours("handovers")),
        PageLink::new("Shadow mode", server.shadow_url(row)),
    ];
    let forge = row.repository.forge.as_ref().map(|forge| PageLink::new("On GitHub", &forge.html_url));
    pages.into_iter().chain(forge).collect()
}

impl Server {
    /// The watched repository of a name.
    pub(super) async fn repository(&self, name: &str) -> Result<RepositoryRow, Refused> {
        let name = name.trim();
        if name.is_empty() {
            return Err(Refused::Bad("The address names no repository: repo is missing.".to_owned()));
        }
        // PostgreSQL takes no such character in a text.
        let mut found =
            if name.contains('\0') { None } else { store::repositories::by_name(&self.services.store, name).await? };
        if found.is_none() && !name.contains('\0') {
            // Links in mails say the name that it had.
            found = store::repositories::by_former_name(&self.services.store, name).await?;
        }
        found.ok_or_else(|| not_watched(name))
    }

    /// The page of a line's latest traceback, for somebody who is signed in.
    pub(super) fn traceback_of(&self, row: &RepositoryRow, line: &Line) -> String {
        self.here(&self.services.linker.traceback(&row.repository.full_name, &line.place, line.last_seen_ms, None))
    }
}

/// How the mirror of a repository is.
pub(super) fn mirror(server: &Server, row: &RepositoryRow) -> MirrorView {
    let progress = server.services.mirrors.progress(row.repository.id);
    let fetched = (row.fetched_at_ms > 0).then(|| when(row.fetched_at_ms));
    match (&row.fetch_error, fetched) {
        (Some(error), last_good) => MirrorView::Failed { error: error.clone(), last_good },
        (None, Some(at)) => {
            MirrorView::Fetched { at, head: row.repository.head.as_deref().map(|head| short(head).to_owned()) }
        }
        (None, None) => MirrorView::Cloning {
            progress: progress.map(|progress| match progress.total {
                Some(total) => format!("{}: {} of {}", progress.phase, thousands(progress.done), thousands(total)),
                None => format!("{}: {}", progress.phase, thousands(progress.done)),
            }),
        },
    }
}

fn open_line(server: &Server, row: &RepositoryRow, line: &Line) -> OpenLine {
    OpenLine {
        exception: line.exception.clone(),
        place: place(line),
        function: function(line),
        code: line.place.code.clone(),
        author: author(line),
        count: thousands(line.total),
        last_seen: when(line.last_seen_ms),
        status: status(line),
        traceback_url: server.traceback_of(row, line),
        issue: line.issue.and_then(|number| issue_link(row, number)),
    }
}

/// `shop/cart.py:42`.
pub(super) fn place(line: &Line) -> String {
    file_line(&line.place.path, line.place.line)
}

/// The function, where one is known.
pub(super) fn function(line: &Line) -> Option<String> {
    render::function(&line.place)
}

/// Whose line it is: whom a person gave it to, else who wrote it.
pub(super) fn author(line: &Line) -> String {
    let owner = line.owner_login.as_ref().map(|login| format!("@{login}"));
    owner.or_else(|| line.author_name.clone()).unwrap_or_else(|| "nobody known".to_owned())
}

/// What became of a line.
pub(super) fn status(line: &Line) -> LineStatus {
    if line.known {
        LineStatus::Known
    } else if line.resolved_at_ms.is_some() {
        LineStatus::Resolved
    } else {
        LineStatus::Open
    }
}

/// A link to an issue.
pub(super) fn issue_link(row: &RepositoryRow, number: u64) -> Option<IssueLink> {
    Some(IssueLink { label: format!("#{number}"), url: row.repository.issue_url(number)? })
}

/// A fault as `mirror::settings` says it: `line 12: isues: there is no such key`. Faults stored by older versions say it otherwise.
fn settings_fault(text: &str) -> SettingsError {
    let parts = text.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    match parts.and_then(|(line, said)| Some((line.parse().ok()?, said))) {
        Some((line, said)) => SettingsError { line: Some(line), text: said.to_owned() },
        None => SettingsError { line: None, text: text.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_fault_is_read_from_its_text() {
        let of = |text: &str| (settings_fault(text).line, settings_fault(text).text);
        assert_eq!(of("line 12: isues: no"), (Some(12), "isues: no".to_owned()));
        assert_eq!(of("the file is larger than 64 kB"), (None, "the file is larger than 64 kB".to_owned()));
        assert_eq!(of("line by line: no"), (None, "line by line: no".to_owned()));
    }
}
