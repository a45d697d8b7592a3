//! Who is asking, for a handler to name among its arguments.

use super::client::ClientGroup;
use super::page_error::PageError;
use super::session::{Session, SessionCookies};
use super::settings::ServerSettings;
use super::state::Server;
use super::urls::Urls;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use std::convert::Infallible;
use std::sync::Arc;

/// The session of a request, looked up once for all its extractors.
#[derive(Clone)]
struct LookedUp(Option<Session>);

/// The session of a request, by whichever extractor asks first.
///
/// # Errors
/// GitHub, or the database, can't be asked, or its client shows one wrong token after another.
pub(super) async fn look_up(parts: &mut Parts, server: &Server) -> Result<Option<Session>, PageError> {
    if let Some(LookedUp(session)) = parts.extensions.get() {
        return Ok(session.clone());
    }
    let sessions = SessionCookies::from_ref(server);
    let session = sessions.of(&parts.headers).await?;
    parts.extensions.insert(LookedUp(session.clone()));
    if session.is_none() {
        let client = ClientGroup::of(parts, &Arc::<ServerSettings>::from_ref(server));
        sessions.count_wrong_bearer(&parts.headers, client)?;
    }
    Ok(session)
}

/// Whoever asks: the session where there is one, and where it can be looked up.
#[derive(Clone, Debug)]
pub(super) struct Visitor(pub(super) Option<Session>);

impl FromRequestParts<Server> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Infallible> {
        Ok(Self(look_up(parts, server).await.unwrap_or_else(|error| {
            if !matches!(error, PageError::Unavailable { .. }) {
                tracing::warn!(?error, "a session could not be looked up");
            }
            None
        })))
    }
}

/// Somebody who is signed in; everybody else is led to the sign-in page, and back.
#[derive(Clone, Debug)]
pub(super) struct SignedIn(pub(super) Session);

impl FromRequestParts<Server> for SignedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, PageError> {
        let session = look_up(parts, server).await?;
        session.map(Self).ok_or_else(|| PageError::SignIn { next: WayBack::of(parts, server).0 })
    }
}

/// The admin; who is not signed in is led to the sign-in page, and back.
#[derive(Clone, Debug)]
pub(super) struct Admin(pub(super) Session);

impl FromRequestParts<Server> for Admin {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, PageError> {
        let SignedIn(session) = SignedIn::from_request_parts(parts, server).await?;
        session.must_be_admin().map(|()| Self(session))
    }
}

/// From where, for a handler to name; a layer calls [`ClientGroup::of`].
impl FromRequestParts<Server> for ClientGroup {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Infallible> {
        Ok(Self::of(parts, &Arc::<ServerSettings>::from_ref(server)))
    }
}

/// Whoever may read the metrics: the admin, or who shows the token for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetricsReader;

impl FromRequestParts<Server> for MetricsReader {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, PageError> {
        if SessionCookies::from_ref(server).shows_metrics_token(&parts.headers) {
            return Ok(Self);
        }
        let session = look_up(parts, server).await?;
        match session.is_some_and(|session| session.who.is_admin()) {
            true => Ok(Self),
            false => Err(PageError::SignIn { next: WayBack::of(parts, server).0 }),
        }
    }
}

/// Where to come back to after signing in.
#[derive(Clone, Debug)]
pub(super) struct WayBack(pub(super) String);

impl WayBack {
    fn of(parts: &Parts, server: &Server) -> Self {
        Self(Urls::from_ref(server).way_back(&parts.uri))
    }
}

impl FromRequestParts<Server> for WayBack {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Infallible> {
        Ok(Self::of(parts, server))
    }
}
