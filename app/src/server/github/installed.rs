//! The page that GitHub sends the browser to once the App is installed.

use crate::server::mirror_view::mirror_view;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::urls::Urls;
use crate::server::visitor::SignedIn;
use axum::extract::State;
use domain::access::Right;
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use render::views::{Installed, InstalledRepository};
use serde::Deserialize;
use store::Store;
use store::repositories::RepositoryRow;

/// Repositories shown: whoever installs the App in more goes on from the list.
const MOST_SHOWN: usize = 20;

/// What GitHub adds to the address.
#[derive(Debug, Deserialize)]
pub(super) struct InstalledQuery {
    installation_id: Option<String>,
}

/// `GET /installed`.
pub(super) async fn installed(
    State(store): State<Store>,
    State(mirrors): State<Mirrors>,
    State(urls): State<Urls>,
    SignedIn(session): SignedIn,
    Query(query): Query<InstalledQuery>,
) -> Result<Page<Installed>, PageError> {
    let mut rows = store::repositories::list(&store).await?;
    rows.retain(|row| session.right_in(row) >= Some(Right::Write));
    let installation = query.installation_id.as_deref().and_then(|text| text.parse::<u64>().ok());
    let waiting = is_waiting(&mut rows, installation);
    let mut repositories = Vec::new();
    for row in rows.iter().take(MOST_SHOWN) {
        let key = store::ingest_keys::in_force(&store, row.repository.id).await?.into_iter().next();
        repositories.push(InstalledRepository {
            name: row.repository.full_name.to_string(),
            url: urls.repository(row),
            connect_url: urls.connect(row),
            dsn: key.map(|key| urls.linker().dsn(&key, row.repository.id)),
            mirror: mirror_view(&mirrors, row),
        });
    }
    let view = Installed { repositories, list_url: urls.page("/"), waiting };
    Ok(Page(Some(session), view))
}

/// Leaves the repositories of the new installation, where they are known already: GitHub's webhook
/// may come a moment after the browser. Answers whether there is something to wait for.
fn is_waiting(rows: &mut Vec<RepositoryRow>, installation: Option<u64>) -> bool {
    let is_new = |row: &RepositoryRow| {
        installation.is_some() && row.repository.github.as_ref().map(|on_github| on_github.installation) == installation
    };
    let known = rows.iter().any(is_new);
    if known {
        rows.retain(is_new);
    }
    installation.is_some() && !known || rows.iter().any(|row| row.fetched_at == Timestamp::UNIX_EPOCH)
}
