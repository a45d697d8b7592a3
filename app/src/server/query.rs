//! The query of a page's address.

use super::page_error::PageError;
use super::state::Server;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The query of a page's address; one that can't be read is answered by a page that says why.
#[derive(Clone, Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Server> for Query<T> {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, PageError> {
        // PostgreSQL takes no such character in a text, and no path or code has one.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(PageError::BadRequest("The address has a character in it that no text has (%00).".to_owned()));
        }
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(read)) => Ok(Self(read)),
            Err(error) => Err(PageError::BadRequest(error.body_text())),
        }
    }
}
