//! The HTTP side, by axum.

mod auth;
mod health;
mod ingest;
mod known_errors;
mod pages;
mod respond;
mod setup;
mod traceback;
mod webhook;
mod weekly;

use crate::clock::Clock;
use crate::domain::signature::Signer;
use crate::pipeline::Rooms;
use crate::pipeline::accept::Accept;
use auth::Guesses;
use axum::Router;
use axum::http::Uri;
use axum::routing::{any, get, post};
use health::Meters;
use std::sync::Arc;

/// What the server needs to know beside the rooms.
#[derive(Clone)]
pub struct ServerSettings {
    /// Address that people reach the server by; a path in it is the prefix of every route.
    pub public_url: String,
    /// Admits to the pages.
    pub admin_token: String,
    /// Signs cookies and forms.
    pub signer: Signer,
    /// What GitHub signs webhooks with.
    pub webhook_secret: Option<String>,
    /// The configuration for an admin to read, without its secrets.
    pub shown: Vec<(&'static str, String)>,
}

/// Everything that the routes work with.
pub struct Server {
    rooms: Rooms,
    accept: Accept,
    clock: Clock,
    settings: ServerSettings,
    root: String,
    guesses: Guesses,
    meters: Meters,
}

impl Server {
    /// A server in these rooms.
    pub fn new(rooms: Rooms, accept: Accept, clock: Clock, settings: ServerSettings) -> Self {
        let path = url::Url::parse(&settings.public_url).map(|url| url.path().trim_end_matches('/').to_owned());
        let root = path.unwrap_or_default();
        Self { rooms, accept, clock, settings, root, guesses: Guesses::default(), meters: Meters::default() }
    }

    /// Path below which everything is: empty, or `/errors`.
    fn root(&self) -> &str {
        &self.root
    }

    /// Path and query of a request as the browser knows them, prefix included.
    fn path_of(&self, uri: &Uri) -> String {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // Nested routes see the path without the prefix.
        if path.starts_with(self.root()) && !self.root.is_empty() {
            path.to_owned()
        } else {
            format!("{}{path}", self.root)
        }
    }
}

/// All routes.
pub fn router(server: Server) -> Router {
    let prefix = server.root.clone();
    let routes = Router::new()
        .route("/api/{project}/envelope/", any(ingest::envelope))
        .route("/api/{project}/envelope", any(ingest::envelope))
        .route("/api/{project}/store/", any(ingest::store))
        .route("/api/{project}/store", any(ingest::store))
        .route("/api/{project}/traceback", any(ingest::traceback))
        .route("/api/github/webhooks", post(webhook::receive))
        .route("/", get(pages::repositories))
        .route("/installed", get(pages::installed))
        .route("/{owner}/{repo}", get(pages::repository))
        .route("/get_weekly_error_report", get(weekly::weekly))
        .route("/view_traceback", get(traceback::view))
        .route("/add_known_error", get(known_errors::form).post(known_errors::save))
        .route("/rules/end", post(known_errors::end))
        .route("/check_health", get(health::check_health))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/login", get(auth::login_form).post(auth::login))
        .route("/auth/logout", post(auth::logout))
        .route("/setup", get(setup::setup))
        .route("/static/{name}", get(health::file))
        .fallback(pages::nothing)
        .with_state(Arc::new(server));
    if prefix.is_empty() { routes } else { Router::new().nest(&prefix, routes) }
}
