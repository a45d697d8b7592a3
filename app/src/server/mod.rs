//! The HTTP side, by axum: one folder for each who calls, and what their handlers share.

mod body;
mod budget;
mod client;
pub mod connections;
mod form;
mod github;
mod ingest;
mod meters;
mod mirror_view;
mod operators;
mod page;
mod page_error;
mod page_handles;
mod page_room;
mod people;
mod query;
mod repository;
mod sdks;
mod session;
mod settings;
mod state;
mod trace;
mod turns;
mod urls;
mod visitor;
mod wrong_tokens;

pub use page_handles::PageHandles;
pub use settings::ServerSettings;
pub use state::Server;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::handler::Handler as _;
use axum::http::{StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use page_error::PageError;
use urls::Urls;

/// All routes, each below the public address's path. They are not nested: axum answers `/errors` of
/// a nested `/`, but not `/errors/`, and hides the prefix from what is nested.
pub fn router(server: Server) -> Router {
    let urls = Urls::from_ref(&server);
    let root = urls.root();
    let mut pages = people::routes(root).merge(github::pages(root));
    let mut others = people::assets(root).merge(operators::routes(root));
    if !root.is_empty() {
        pages = pages.merge(people::without_slash(root));
        others = others.merge(operators::probes());
    }
    // Probes wait for nobody.
    let pages = pages.layer(from_fn_with_state(server.clone(), page::with_exact_counts));
    let pages = pages.layer(from_fn_with_state(server.clone(), page::in_turn)).merge(others);
    let pages = pages.layer(from_fn_with_state(server.clone(), page::render_pages));
    let nothing = nothing.layer(from_fn_with_state(server.clone(), page::render_pages));
    let others = github::webhooks(root, &server).merge(pages).fallback(nothing).layer(from_fn(trace::within_span));
    // Reports make their span themselves.
    others.merge(sdks::routes(root)).with_state(server)
}

/// Any other address.
async fn nothing(State(urls): State<Urls>, uri: Uri) -> Response {
    let below = uri.path().strip_prefix(urls.root()).unwrap_or(uri.path());
    if below.starts_with("/api/") {
        // A program asks, and its log shows the answer.
        let text = "there is nothing at this address: a DSN ends in the project's number";
        return sdks::detail(StatusCode::NOT_FOUND, text);
    }
    PageError::NotFound("There is no page at this address.".to_owned()).into_response()
}
