//! Why there is no page. It becomes one all the same.

use super::budget::RETRY_AFTER_S;
use super::urls::Urls;
use crate::services::Failure;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use render::RenderError;
use render::views::Message;
use std::error::Error;
use std::sync::Arc;
use store::{StoreError, Trouble};

/// Why there is no page. The layer [`super::page::render_pages`] makes the page that says so.
#[derive(Debug)]
pub(super) enum PageError {
    /// Nobody is signed in: to the sign-in page, and back.
    SignIn {
        /// Where to come back to.
        next: String,
    },
    /// There is no such thing. The sentence is its caller's: of an address, [`super::router`]'s; of
    /// a repository, [`super::repository`]'s.
    NotFound(String),
    /// It may not be done.
    Forbidden(String),
    /// One wrong token after another.
    TooManyTokens,
    /// A link out of a mail that is too old or was changed: who is signed in needs none.
    StaleLink {
        /// Where to come back to.
        next: String,
    },
    /// GitHub can't be asked whether it may be done.
    GitHubUnavailable(String),
    /// The request makes no sense.
    BadRequest(String),
    /// The form is longer than any page's.
    TooLarge {
        /// Bytes that a form may have.
        limit: usize,
    },
    /// The form took too long to arrive.
    Slow,
    /// Too many bytes are in flight.
    Busy,
    /// The database is in trouble.
    Unavailable {
        /// What is wrong with it.
        trouble: Trouble,
        /// What it said.
        why: String,
    },
    /// Our fault.
    Internal(String),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::broken(&error)
    }
}

impl From<RenderError> for PageError {
    fn from(error: RenderError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self::broken(&failure)
    }
}

impl From<getrandom::Error> for PageError {
    fn from(error: getrandom::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.head();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl PageError {
    /// An error of ours, or of the database's: then it is over some time.
    pub(super) fn broken(error: &(dyn Error + 'static)) -> Self {
        match Trouble::behind(error) {
            Some(trouble) => Self::Unavailable { trouble, why: error.to_string() },
            None => Self::Internal(error.to_string()),
        }
    }

    /// What is answered to whom neither a session nor a link admits: a link that is no good any
    /// more is told from none.
    pub(super) fn not_admitted(signature: &str, next: String) -> Self {
        if signature.is_empty() { Self::SignIn { next } } else { Self::StaleLink { next } }
    }

    /// A form without the secret of the session that sends it.
    pub(super) fn stale_form() -> Self {
        let text = "The form is too old, or it came from another site. Load the page again, and send it once more.";
        Self::Forbidden(text.to_owned())
    }

    /// The status that it is answered with.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } => StatusCode::SEE_OTHER,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Forbidden(_) | Self::StaleLink { .. } => StatusCode::FORBIDDEN,
            Self::TooManyTokens => StatusCode::TOO_MANY_REQUESTS,
            Self::GitHubUnavailable(_) | Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer without its page.
    pub(super) fn head(&self) -> Response {
        let mut response = self.status().into_response();
        if matches!(self, Self::Unavailable { .. } | Self::Busy) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }

    /// The page that says so; `request` is what the log calls the request.
    pub(super) fn message(&self, urls: &Urls, request: &str) -> Message {
        let (title, text) = self.words(request);
        let (what_to_do, link) = self.way_out(urls);
        Message { code: Some(self.status().as_u16()), title: title.to_owned(), text, what_to_do, link }
    }

    fn words(&self, request: &str) -> (&'static str, String) {
        match self {
            Self::StaleLink { .. } => (
                "This link works no more",
                "It has expired, or it was changed on the way: links out of a mail work for 90 days.".to_owned(),
            ),
            // Its reader is led to the sign-in page instead, which says the same.
            Self::SignIn { .. } => ("Not signed in", "Sign in to see this page.".to_owned()),
            Self::NotFound(text) => ("Not found", text.clone()),
            Self::Forbidden(text) => ("Not allowed", text.clone()),
            Self::TooManyTokens => ("Too many wrong tokens", "Wait a minute, and use the right one.".to_owned()),
            Self::GitHubUnavailable(why) => (
                "GitHub does not answer",
                format!("What you may see is asked of GitHub, which can't be asked now: {why}."),
            ),
            Self::BadRequest(text) => ("That makes no sense", text.clone()),
            Self::TooLarge { limit } => (
                "That is too long",
                format!("A form has at most {limit} bytes. Shorten what you wrote, and send it again."),
            ),
            Self::Slow => ("That took too long", "The form did not arrive in time. Send it once more.".to_owned()),
            Self::Busy => ("Too much at once", "The server is busy. Send it again in a few seconds.".to_owned()),
            Self::Unavailable { trouble, .. } => (
                "Not available for the moment",
                format!(
                    "{} The server's log says what to do. Reports that were acknowledged are not lost.",
                    trouble.words()
                ),
            ),
            Self::Internal(_) => (
                "Something is broken here",
                format!("The page could not be made. The server's log says why, under the id {request}."),
            ),
        }
    }

    /// What to do now, and a link, label and address, that helps with it.
    fn way_out(&self, urls: &Urls) -> (Option<String>, Option<(String, String)>) {
        let (todo, label, address) = match self {
            Self::StaleLink { next } | Self::SignIn { next } => {
                (Some("Sign in to see the page all the same."), "Sign in", urls.sign_in(next))
            }
            Self::NotFound(_) => (None, "The repositories", urls.page("/")),
            Self::GitHubUnavailable(_) => (
                Some("Try again in a moment. The admin token works without GitHub."),
                "Sign in with the admin token",
                urls.page("/login"),
            ),
            Self::Unavailable { .. } => (Some("Try again in a moment."), "Health", urls.page("/check_health")),
            Self::Internal(_) => (
                Some("Try again in a moment; if it stays, look at the health page."),
                "Health",
                urls.page("/check_health"),
            ),
            Self::TooManyTokens
            | Self::Forbidden(_)
            | Self::BadRequest(_)
            | Self::TooLarge { .. }
            | Self::Slow
            | Self::Busy => return (None, None),
        };
        (todo.map(str::to_owned), Some((label.to_owned(), address)))
    }
}
