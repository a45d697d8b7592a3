//! What GitHub calls, and where it sends people: webhooks, the App's setup, signing in.

mod install;
mod installed;
mod setup;
mod sign_in;
mod webhook;

use super::Server;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

/// The route of webhooks below `root`.
pub(super) fn webhooks(root: &str, server: &Server) -> Router<Server> {
    let at = |path: &str| format!("{root}{path}");
    Router::new()
        .route(&at("/api/github/webhooks"), post(webhook::receive))
        .layer(from_fn_with_state(server.clone(), webhook::count))
}

/// The pages below `root` that GitHub sends people to, and those that lead there.
pub(super) fn pages(root: &str) -> Router<Server> {
    let at = |path: &str| format!("{root}{path}");
    Router::new()
        .route(&at("/installed"), get(installed::installed))
        .route(&at("/auth/github"), get(sign_in::begin))
        .route(&at("/auth/github/callback"), get(sign_in::callback))
        .route(&at("/setup"), get(setup::setup))
        .route(&at("/setup/callback"), get(setup::callback))
        .route(&at("/setup/install"), get(install::install))
        .route(&at("/setup/forget"), post(setup::forget))
}
