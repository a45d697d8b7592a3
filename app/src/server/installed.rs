//! The page that GitHub sends the browser to once the App is installed.

use super::Server;
use super::extract::InQuery;
use super::pages::{answer, mirror};
use super::respond::Refused;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use render::views::{Installed, InstalledRepository};
use serde::Deserialize;
use std::sync::Arc;

/// Repositories shown: whoever installs the App in more goes on from the list.
const MOST_SHOWN: usize = 20;

/// What GitHub adds to the address.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    installation_id: Option<String>,
}

/// `GET /installed`.
pub(super) async fn installed(
    State(server): State<Arc<Server>>,
    InQuery(asked): InQuery<Asked>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let result = async { show(&server, &asked, &headers, &uri).await };
    answer(&server, &headers, result.await).await
}

async fn show(server: &Server, asked: &Asked, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_signed_in(headers, &server.path_of(uri)).await?;
    let store = &server.services.store;
    let mut rows = store::repositories::list(store).await?;
    rows.retain(|row| server.right_in(&session, row) >= Some(Right::Write));
    let installation = asked.installation_id.as_deref().and_then(|text| text.parse::<u64>().ok());
    // GitHub's webhook may come a moment after the browser.
    let is_new = |row: &store::repositories::RepositoryRow| {
        installation.is_some() && row.repository.forge.as_ref().map(|forge| forge.installation) == installation
    };
    let known = rows.iter().any(is_new);
    if known {
        rows.retain(is_new);
    }
    let waiting = installation.is_some() && !known || rows.iter().any(|row| row.fetched_at_ms == 0);
    let mut repositories = Vec::new();
    for row in rows.iter().take(MOST_SHOWN) {
        let key = store::ingest_keys::in_force(store, row.repository.id).await?.into_iter().next();
        repositories.push(InstalledRepository {
            name: row.repository.full_name.clone(),
            url: format!("{}/{}", server.root(), row.repository.full_name),
            connect_url: server.connect_url(row),
            dsn: key.map(|key| server.services.linker.dsn(&key, row.repository.id)),
            mirror: mirror(server, row),
        });
    }
    let view = Installed { repositories, list_url: format!("{}/", server.root()), waiting };
    server.show(Some(&session), StatusCode::OK, &view)
}
