//! Signing in with the admin token, and signing out.

use crate::server::client::ClientGroup;
use crate::server::form::OpenForm;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::session::{SessionCookies, TokenError};
use crate::server::urls::{Urls, local};
use crate::services::admin_token::TokenOrigin;
use crate::services::github_app::GitHubApp;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use render::views::Login;
use serde::Deserialize;
use store::Store;

/// The sign-in page.
pub(in crate::server) fn sign_in_page(
    urls: &Urls,
    app: &GitHubApp,
    origin: TokenOrigin,
    next: &str,
    error: Option<String>,
) -> Page<Login> {
    let has_sign_in = app.get().is_some_and(|app| app.sign_in.is_some());
    let query = domain::links::query(&[("next", next.to_owned())]);
    let view = Login {
        action: urls.page("/login"),
        csrf: String::new(),
        next: next.to_owned(),
        error,
        token_hint: origin.hint().to_owned(),
        github_url: has_sign_in.then(|| urls.page(&format!("/auth/github?{query}"))),
    };
    Page(None, view)
}

/// Where to go once somebody is signed in.
#[derive(Debug, Deserialize)]
pub(super) struct LoginQuery {
    next: Option<String>,
}

/// `GET /login`.
pub(super) async fn form(
    State(app): State<GitHubApp>,
    State(sessions): State<SessionCookies>,
    State(urls): State<Urls>,
    Query(query): Query<LoginQuery>,
) -> Page<Login> {
    sign_in_page(&urls, &app, sessions.token_origin(), local(query.next.as_deref().unwrap_or("")), None)
}

/// The token, and where to go with it.
#[derive(Debug, Deserialize)]
pub(super) struct LoginForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`.
pub(super) async fn login(
    State(app): State<GitHubApp>,
    State(sessions): State<SessionCookies>,
    State(urls): State<Urls>,
    client: ClientGroup,
    headers: HeaderMap,
    OpenForm { fields, .. }: OpenForm<LoginForm>,
) -> Result<Response, PageError> {
    let next = local(&fields.next);
    if let Err(error) = sessions.check_token(fields.token.trim(), client) {
        let (status, words) = refusal(error);
        let page = sign_in_page(&urls, &app, sessions.token_origin(), next, Some(words.to_owned()));
        return Ok((status, page).into_response());
    }
    let cookie = sessions.begin_admin(&headers).await?;
    let to = if next.is_empty() { urls.page("/") } else { next.to_owned() };
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response())
}

fn refusal(error: TokenError) -> (StatusCode, &'static str) {
    match error {
        TokenError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens. Wait a minute."),
        TokenError::Wrong => {
            (StatusCode::FORBIDDEN, "That is not the admin token. Where to find it stands above the field.")
        }
    }
}

/// Says nothing but that somebody leaves.
#[derive(Debug, Deserialize)]
pub(super) struct LogoutForm {}

/// `POST /auth/logout`: a form from another site signs nobody out.
pub(super) async fn logout(
    State(store): State<Store>,
    State(sessions): State<SessionCookies>,
    State(urls): State<Urls>,
    OpenForm { visitor, is_ours, .. }: OpenForm<LogoutForm>,
) -> Result<Response, PageError> {
    let to_login = Redirect::to(&urls.page("/login"));
    let Some(session) = visitor.filter(|_| is_ours) else { return Ok(to_login.into_response()) };
    if let Some(id) = &session.id {
        store::sessions::delete(&store, id).await?;
    }
    Ok(([(header::SET_COOKIE, sessions.no_session_cookie())], to_login).into_response())
}
