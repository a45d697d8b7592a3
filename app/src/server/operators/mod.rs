//! What operators and their machines look at: whether it runs, what it counts, what is wrong.

mod doctor;
mod health;
mod metrics;
mod probes;

use super::Server;
use axum::Router;
use axum::routing::get;

/// The routes below `root`.
pub(super) fn routes(root: &str) -> Router<Server> {
    let at = |path: &str| format!("{root}{path}");
    Router::new()
        .route(&at("/check_health"), get(health::check_health))
        .route(&at("/doctor"), get(doctor::doctor))
        .route(&at("/healthz"), get(probes::alive))
        .route(&at("/readyz"), get(probes::ready))
        .route(&at("/metrics"), get(metrics::metrics))
}

/// What probes a process from beside it need not know by which path people come.
pub(super) fn probes() -> Router<Server> {
    Router::new().route("/healthz", get(probes::alive)).route("/readyz", get(probes::ready))
}
