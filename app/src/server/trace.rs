//! A span for each request, so that what is logged while it is worked on says which it was.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::{Instrument as _, Span};

/// What a request is called in the log, and on a page that could not be made: sixteen hexadecimal
/// digits. They count up from where this process began, so none is said twice, and making one costs
/// reports nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestId(u64);

/// The numbers of requests. Another process begins elsewhere: logs of several stand in one place.
static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
    let mut bytes = [0; 8];
    // Without randomness it begins at 0, which is as good within one process.
    let _ = getrandom::fill(&mut bytes);
    AtomicU64::new(u64::from_le_bytes(bytes))
});

impl RequestId {
    fn next() -> Self {
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Works on a request within its span. The query is left out of it: it may hold a key or a
/// signature.
pub(super) async fn within_span(mut request: Request, next: Next) -> Response {
    let id = RequestId::next();
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path());
    request.extensions_mut().insert(id);
    next.run(request).instrument(span).await
}

/// The span of one more report. It is made where `LOG_LEVEL` is `debug`: what is logged of reports
/// is logged by who stores many at once, and a span for each would cost more than counting it.
pub(super) fn next_report(request: &Request) -> Span {
    tracing::debug_span!("request", id = %RequestId::next(), method = %request.method(), path = request.uri().path())
}
