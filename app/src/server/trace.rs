//! A span for each request, so that what is logged while it is worked on says which it was.

use super::random::random_id;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

/// What a request is called in the log, and on a page that could not be made: eight hexadecimal
/// digits.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Works on a request within its span. The query is left out of it: it may hold a key or a
/// signature.
pub(super) async fn within_span(mut request: Request, next: Next) -> Response {
    let id = random_id()[..8].to_owned();
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    request.extensions_mut().insert(RequestId(id));
    next.run(request).instrument(span).await
}
