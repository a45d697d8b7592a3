//! The HTTP side, by axum.

mod arrivals;
mod auth;
mod connect;
mod connect_forms;
mod doctor;
mod extract;
mod handovers;
mod health;
mod ingest;
mod installed;
mod known_error_form;
mod known_errors;
mod meters;
mod not_me;
mod pages;
mod printed;
mod refusal;
mod respond;
mod rule_edit;
mod sessions;
mod setup;
mod shadow;
mod sign_in;
mod traceback;
mod verdicts;
mod webhook;
mod weekly;
mod whitelist;

use crate::clock::Clock;
use crate::steps::Services;
use crate::steps::accept::Accept;
use arrivals::Arrivals;
use auth::Guesses;
use axum::Router;
use axum::http::Uri;
use axum::routing::{any, get, post};
use domain::signature::Signer;
use meters::Meters;
use std::sync::Arc;

/// What the server needs to know beside the services.
#[derive(Clone)]
pub struct ServerSettings {
    /// Address that people reach the server by; a path in it is the prefix of every route.
    pub public_url: String,
    /// Admits to the pages.
    pub admin_token: String,
    /// Signs cookies and forms.
    pub signer: Signer,
    /// The configuration for an admin to read, without its secrets.
    pub shown: Vec<(&'static str, String)>,
}

/// Everything that the routes work with.
pub struct Server {
    services: Services,
    accept: Accept,
    clock: Clock,
    settings: ServerSettings,
    root: String,
    guesses: Guesses,
    token_guesses: Guesses,
    meters: Meters,
    arrivals: Arrivals,
}

impl Server {
    /// A server in these services.
    pub fn new(services: Services, accept: Accept, clock: Clock, settings: ServerSettings) -> Self {
        let path = url::Url::parse(&settings.public_url).map(|url| url.path().trim_end_matches('/').to_owned());
        let root = path.unwrap_or_default();
        Self {
            services,
            accept,
            clock,
            settings,
            root,
            guesses: Guesses::default(),
            token_guesses: Guesses::default(),
            meters: Meters::default(),
            arrivals: Arrivals::default(),
        }
    }

    /// Path below which everything is: empty, or `/errors`.
    fn root(&self) -> &str {
        &self.root
    }

    /// Path and query of a request: where to come back to after signing in.
    fn path_of(&self, uri: &Uri) -> String {
        uri.path_and_query().map_or("/", |path| path.as_str()).to_owned()
    }

    /// An address of ours without scheme and host: who reads a page by another name of this server stays there, where
    /// the cookie is.
    fn here(&self, address: &str) -> String {
        match address.strip_prefix(self.services.linker.base()) {
            Some(path) => format!("{}{path}", self.root),
            None => address.to_owned(),
        }
    }
}

/// All routes, each below the public address's path. They are not nested: axum answers `/errors` of a nested `/`, but not
/// `/errors/`, and hides the prefix from what is nested.
pub fn router(server: Server) -> Router {
    let root = server.root.clone();
    let at = |path: &str| format!("{root}{path}");
    let mut routes = Router::new()
        .route(&at("/api/{project}/envelope/"), any(ingest::envelope))
        .route(&at("/api/{project}/envelope"), any(ingest::envelope))
        .route(&at("/api/{project}/store/"), any(ingest::store))
        .route(&at("/api/{project}/store"), any(ingest::store))
        .route(&at("/api/{project}/traceback"), any(printed::traceback))
        .route(&at("/tunnel"), any(ingest::tunnel))
        .route(&at("/api/github/webhooks"), post(webhook::receive))
        .route(&at("/"), get(pages::repositories))
        .route(&at("/installed"), get(installed::installed))
        .route(&at("/{owner}/{repo}"), get(pages::repository))
        .route(&at("/{owner}/{repo}/connect"), get(connect::connect))
        .route(&at("/{owner}/{repo}/connect/test"), post(connect_forms::test))
        .route(&at("/{owner}/{repo}/connect/key"), post(connect_forms::add_key))
        .route(&at("/{owner}/{repo}/connect/revoke"), post(connect_forms::revoke_key))
        .route(&at("/get_weekly_error_report"), get(weekly::weekly))
        .route(&at("/view_traceback"), get(traceback::view))
        .route(&at("/add_known_error"), get(known_errors::form).post(known_errors::save))
        .route(&at("/{owner}/{repo}/whitelist"), get(whitelist::whitelist))
        .route(&at("/not_me"), get(not_me::form).post(not_me::save))
        .route(&at("/{owner}/{repo}/handovers"), get(handovers::list))
        .route(&at("/handovers/end"), post(handovers::end))
        .route(&at("/{owner}/{repo}/shadow"), get(shadow::list).post(shadow::set))
        .route(&at("/{owner}/{repo}/shadow/{number}"), get(shadow::preview))
        .route(&at("/rules/edit"), get(rule_edit::form).post(rule_edit::save))
        .route(&at("/rules/end"), post(known_errors::end))
        .route(&at("/check_health"), get(health::check_health))
        .route(&at("/healthz"), get(health::alive))
        .route(&at("/readyz"), get(health::ready))
        .route(&at("/metrics"), get(meters::metrics))
        .route(&at("/login"), get(auth::login_form).post(auth::login))
        .route(&at("/auth/logout"), post(auth::logout))
        .route(&at("/auth/github"), get(sign_in::begin))
        .route(&at("/auth/github/callback"), get(sign_in::callback))
        .route(&at("/doctor"), get(doctor::doctor))
        .route(&at("/verdicts"), get(verdicts::verdicts))
        .route(&at("/sessions"), get(sessions::list))
        .route(&at("/sessions/end"), post(sessions::end))
        .route(&at("/setup"), get(setup::setup))
        .route(&at("/setup/callback"), get(setup::callback))
        .route(&at("/setup/forget"), post(setup::forget))
        .route(&at("/static/{name}"), get(health::file));
    if !root.is_empty() {
        // What probes a process from beside it need not know by which path people come.
        routes = routes
            .route(&root, get(pages::repositories))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready));
    }
    routes.fallback(pages::nothing).with_state(Arc::new(server))
}
