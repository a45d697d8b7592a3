//! The repositories that are watched.

use crate::server::mirror_view::mirror_view;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::session::Session;
use crate::server::urls::Urls;
use crate::server::visitor::SignedIn;
use crate::services::github_app::{AppSource, GitHubApp, install_url};
use axum::extract::State;
use domain::access::Right;
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use render::views::{Repositories, RepositoryRow as RowView};
use render::when;
use std::collections::HashMap;
use store::Store;
use store::repositories::RepositoryRow;

/// Open lines of a repository, and when the last of its lines failed.
type OpenCount = (u64, Option<Timestamp>);

/// `GET /`: those that the reader may see.
pub(super) async fn repositories(
    State(store): State<Store>,
    State(mirrors): State<Mirrors>,
    State(app): State<GitHubApp>,
    State(urls): State<Urls>,
    SignedIn(session): SignedIn,
) -> Result<Page<Repositories>, PageError> {
    let counts: HashMap<i64, OpenCount> =
        store::lines::count_open(&store).await?.into_iter().map(|(id, open, last)| (id.0, (open, last))).collect();
    let mut rows = store::repositories::list(&store).await?;
    rows.retain(|row| session.right_in(row).is_some());
    let count = |row: &RepositoryRow| counts.get(&row.repository.id.0).copied().unwrap_or_default();
    let repositories = rows.iter().map(|row| shown(row, count(row), &session, &mirrors, &urls)).collect();
    let install_url = match app.get().map(|app| app.origin) {
        Some(AppSource::Setup { html_url, .. }) => Some(install_url(&html_url)),
        _ => None,
    };
    Ok(Page(Some(session), Repositories { repositories, install_url }))
}

fn shown(
    row: &RepositoryRow,
    (open_lines, last): OpenCount,
    session: &Session,
    mirrors: &Mirrors,
    urls: &Urls,
) -> RowView {
    RowView {
        name: row.repository.full_name.to_string(),
        url: urls.repository(row),
        connect_url: urls.connect(row),
        may_connect: session.right_in(row) >= Some(Right::Write),
        open_lines,
        last_report: last.map(when),
        mirror: mirror_view(mirrors, row),
    }
}
