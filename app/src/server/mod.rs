//! The HTTP side, by axum.

mod ingest;
mod webhook;

use crate::clock::Clock;
use crate::domain::signature::Signer;
use crate::pipeline::Rooms;
use crate::pipeline::accept::Accept;
use axum::Router;
use axum::routing::{any, post};
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
#[derive(Clone)]
pub struct Server {
    /// The rooms.
    pub rooms: Rooms,
    /// The door for reports.
    pub accept: Accept,
    /// The time.
    pub clock: Clock,
    /// Settings.
    pub settings: ServerSettings,
}

/// All routes.
pub fn router(server: Server) -> Router {
    let state = Arc::new(server);
    Router::new()
        .route("/api/{project}/envelope/", any(ingest::envelope))
        .route("/api/{project}/envelope", any(ingest::envelope))
        .route("/api/{project}/store/", any(ingest::store))
        .route("/api/{project}/store", any(ingest::store))
        .route("/api/github/webhooks", post(webhook::receive))
        .with_state(state)
}
