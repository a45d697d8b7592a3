//! Answers to people: pages, and what is said where there is none.

use super::Server;
use super::auth::Session;
use super::ingest::random_id;
use crate::steps::Failure;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use render::views::Message;
use render::{Layout, RenderError, View, page};
use store::StoreError;

/// What a page may load: nothing from elsewhere, no script at all.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Why there is no page. It becomes one all the same.
#[derive(Debug)]
pub(super) enum Refused {
    /// Nobody is signed in: to the sign-in page, and back.
    SignIn {
        /// Where to come back to.
        next: String,
    },
    /// There is no such thing.
    NotFound(String),
    /// It may not be done.
    Forbidden(String),
    /// A link out of a mail that is too old or was changed: who is signed in needs none.
    StaleLink {
        /// Where to come back to.
        next: String,
    },
    /// GitHub can't be asked whether it may be done.
    CannotAsk(String),
    /// The request makes no sense.
    Bad(String),
    /// Our fault.
    Broken(String),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<RenderError> for Refused {
    fn from(error: RenderError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure.to_string())
    }
}

impl Server {
    /// A view as an answer.
    pub(super) fn show<V: View>(
        &self,
        session: Option<&Session>,
        status: StatusCode,
        view: &V,
    ) -> Result<Response, Refused> {
        let layout = Layout {
            root: self.root().to_owned(),
            user: session.map(|session| session.who.name().to_owned()),
            admin: session.is_some_and(|session| session.who.is_admin()),
            csrf: session.map(|session| self.csrf(session)).unwrap_or_default(),
        };
        Ok(html(status, page(&layout, view)?))
    }

    /// The page that says why there is none.
    pub(super) fn refuse(&self, session: Option<&Session>, refused: &Refused) -> Response {
        let root = self.root();
        let (status, title, text, what_to_do, link) = match refused {
            Refused::SignIn { next } => return redirect(&sign_in(root, next)),
            Refused::StaleLink { next } => (
                StatusCode::FORBIDDEN,
                "This link works no more",
                "It has expired, or it was changed on the way: links out of a mail work for 90 days.".to_owned(),
                Some("Sign in to see the page all the same.".to_owned()),
                Some(("Sign in".to_owned(), sign_in(root, next))),
            ),
            Refused::NotFound(text) => (
                StatusCode::NOT_FOUND,
                "Not found",
                text.clone(),
                None,
                Some(("The repositories".to_owned(), format!("{root}/"))),
            ),
            Refused::Forbidden(text) => (StatusCode::FORBIDDEN, "Not allowed", text.clone(), None, None),
            Refused::CannotAsk(why) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "GitHub does not answer",
                format!("What you may see is asked of GitHub, which can't be asked now: {why}."),
                Some("Try again in a moment. The admin token works without GitHub.".to_owned()),
                Some(("Sign in with the admin token".to_owned(), format!("{root}/login"))),
            ),
            Refused::Bad(text) => (StatusCode::BAD_REQUEST, "That makes no sense", text.clone(), None, None),
            Refused::Broken(why) => {
                let id = &random_id()[..8];
                tracing::error!(why, id, "a page could not be made");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something is broken here",
                    format!("The page could not be made. The server's log says why, under the id {id}."),
                    Some("Try again in a moment; if it stays, look at the health page.".to_owned()),
                    Some(("Health".to_owned(), format!("{root}/check_health"))),
                )
            }
        };
        let view = Message { code: Some(status.as_u16()), title: title.to_owned(), text, what_to_do, link };
        match self.show(session, status, &view) {
            Ok(response) => response,
            // Even the page about it is broken: a plain sentence is left.
            Err(_) => (status, view.text).into_response(),
        }
    }
}

/// The sign-in page that leads back.
fn sign_in(root: &str, next: &str) -> String {
    format!("{root}/login?{}", domain::links::query(&[("next", next.to_owned())]))
}

/// An HTML answer that no cache keeps and no frame shows.
fn html(status: StatusCode, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Addresses of signed links are not told to other sites.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, headers, text).into_response()
}

/// To another page of ours, after a form or where something has to come first.
pub(super) fn redirect(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
