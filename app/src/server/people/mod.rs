//! What people look at and send: pages and forms.

mod assets;
mod connect;
mod connect_arrivals;
mod connect_forms;
mod connect_keys;
mod handovers;
mod known_error_form;
mod known_errors;
mod line;
mod login;
mod not_me;
mod repositories;
mod repository;
mod rule_edit;
mod sessions;
mod shadow;
mod traceback;
mod verdicts;
mod weekly;
mod whitelist;
mod why_no_line;

pub(super) use login::sign_in_page;

use super::Server;
use axum::Router;
use axum::routing::{get, post};

/// The routes below `root`.
pub(super) fn routes(root: &str) -> Router<Server> {
    let at = |path: &str| format!("{root}{path}");
    Router::new()
        .route(&at("/"), get(repositories::repositories))
        .route(&at("/{owner}/{repo}"), get(repository::repository))
        .route(&at("/{owner}/{repo}/connect"), get(connect::connect))
        .route(&at("/{owner}/{repo}/connect/test"), post(connect_forms::test))
        .route(&at("/{owner}/{repo}/connect/key"), post(connect_forms::add_key))
        .route(&at("/{owner}/{repo}/connect/limits"), post(connect_forms::limit_key))
        .route(&at("/{owner}/{repo}/connect/revoke"), post(connect_forms::revoke_key))
        .route(&at("/{owner}/{repo}/storm"), post(repository::file_issues))
        .route(&at("/{owner}/{repo}/whitelist"), get(whitelist::whitelist))
        .route(&at("/{owner}/{repo}/handovers"), get(handovers::list))
        .route(&at("/{owner}/{repo}/shadow"), get(shadow::list).post(shadow::set))
        .route(&at("/{owner}/{repo}/shadow/{number}"), get(shadow::preview))
        .route(&at("/get_weekly_error_report"), get(weekly::weekly))
        .route(&at("/view_traceback"), get(traceback::view))
        .route(&at("/add_known_error"), get(known_errors::form).post(known_errors::save))
        .route(&at("/not_me"), get(not_me::form).post(not_me::save))
        .route(&at("/handovers/end"), post(handovers::end))
        .route(&at("/rules/edit"), get(rule_edit::form).post(rule_edit::save))
        .route(&at("/rules/end"), post(known_errors::end))
        .route(&at("/verdicts"), get(verdicts::verdicts))
        .route(&at("/why_no_line"), get(why_no_line::why_no_line))
        .route(&at("/login"), get(login::form).post(login::login))
        .route(&at("/auth/logout"), post(login::logout))
        .route(&at("/sessions"), get(sessions::list))
        .route(&at("/sessions/end"), post(sessions::end))
}

/// What the pages below `root` load.
pub(super) fn assets(root: &str) -> Router<Server> {
    let at = |path: &str| format!("{root}{path}");
    Router::new().route(&at("/static/{name}"), get(assets::file))
}

/// The list of repositories at `/errors`, as at `/errors/`.
pub(super) fn without_slash(root: &str) -> Router<Server> {
    Router::new().route(root, get(repositories::repositories))
}
