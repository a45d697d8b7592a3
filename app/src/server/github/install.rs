//! The page between making the App and installing it: GitHub's own page for that answers 404 until
//! GitHub knows the App everywhere, which takes it some moments.

use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::urls::Urls;
use crate::server::visitor::Admin;
use crate::services::github_app::{AppSource, GitHubApp, install_url};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use render::views::{Again, Install};
use serde::Deserialize;

/// The page, below the root.
pub(super) const PATH: &str = "/setup/install";

/// Seconds from one look to the next. The first comes after as many: GitHub's page may know of the
/// App later than its API, which is all that we can ask.
const LOOK_EVERY_S: u32 = 3;
/// Looks in all, a minute's: where GitHub does not know the App by then, something is wrong, and
/// the person decides.
const MOST_LOOKS: u32 = 20;

/// Which look it is.
#[derive(Debug, Deserialize)]
pub(super) struct LookQuery {
    #[serde(default)]
    look: u32,
}

/// `GET /setup/install`: leads on to GitHub once it knows the App, and else looks again by itself.
pub(super) async fn install(
    State(app): State<GitHubApp>,
    State(urls): State<Urls>,
    Admin(session): Admin,
    Query(query): Query<LookQuery>,
) -> Result<Response, PageError> {
    let Some(app) = app.latest().await? else { return Ok(Redirect::to(&urls.page("/setup")).into_response()) };
    let AppSource::Setup { name, html_url } = app.origin.clone() else {
        return Ok(Redirect::to(&urls.page("/setup")).into_response());
    };
    let install_url = install_url(&html_url);
    if query.look > 0 && app.is_known().await {
        return Ok(Redirect::to(&install_url).into_response());
    }
    let here = urls.page(PATH);
    let next = query.look.saturating_add(1);
    let view = Install {
        name,
        install_url,
        again: (next <= MOST_LOOKS).then(|| Again { seconds: LOOK_EVERY_S, url: format!("{here}?look={next}") }),
        look_url: here,
        doctor_url: urls.page("/doctor"),
    };
    Ok(Page(Some(session), view).into_response())
}
