//! What is read of a request before it is worked on, and the page that says what is wrong with it.

use super::Server;
use super::refusal::Refusal;
use super::respond::Refused;
use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use wire::WireError;

/// How long a body may take: the SDKs themselves give up after 30 seconds. A client that sends a byte now and then would
/// hold its connection for ever.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Reads a body of at most this many bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(WireError::TooLarge { limit }.into()),
        Ok(Err(error)) => Err(Refusal::Broken(error.to_string())),
        Err(_) => Err(Refusal::Slow),
    }
}

/// Whether the limit was what ended it; the type of that error is one of a library that axum does not show.
fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "length limit exceeded" {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The query of a page's address.
pub(super) struct InQuery<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Server>> for InQuery<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Response> {
        let bad =
            async |text: String| server.refuse(server.session(&parts.headers).await.as_ref(), &Refused::Bad(text));
        // PostgreSQL takes no such character in a text, and no path or code has one.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(bad("The address has a character in it that no text has (%00).".to_owned()).await);
        }
        let text = match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => return Ok(Self(asked)),
            Err(error) => error.body_text(),
        };
        Err(bad(text).await)
    }
}

/// A form that was sent.
pub(super) struct InForm<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Server>> for InForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Response> {
        let session = server.session(request.headers()).await;
        match Form::<T>::from_request(request, server).await {
            Ok(Form(sent)) => Ok(Self(sent)),
            Err(error) => Err(server.refuse(session.as_ref(), &Refused::Bad(error.body_text()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_is_too_long_is_told_from_one_that_breaks_off() {
        let exact = read(Body::from("12345"), 5).await.unwrap();
        assert_eq!(&exact[..], b"12345");
        assert!(matches!(read(Body::from("123456"), 5).await, Err(Refusal::Wire(WireError::TooLarge { limit: 5 }))));
    }
}
