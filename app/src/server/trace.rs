//! A span for each request, so that what is logged while it is worked on says which it was.

use crate::services::caught;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::fmt;
use std::future::Future;
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
    surviving(next.run(request).instrument(span), || {
        let text = format!("The server made a mistake over this request; its log says which, as request {id}.");
        (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
    })
    .await
}

/// Answers a request whose handler panicked, too: else its connection would end without a word, and
/// with it whatever else is under way on it.
pub(super) async fn surviving(work: impl Future<Output = Response>, mistaken: impl FnOnce() -> Response) -> Response {
    match caught(work).await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!(%panic, "the server panicked over a request");
            mistaken()
        }
    }
}

/// The span of one more report. It is made where `LOG_LEVEL` is `debug`: what is logged of reports
/// is logged by who stores many at once, and a span for each would cost more than counting it.
pub(super) fn next_report(request: &Request) -> Span {
    tracing::debug_span!("request", id = %RequestId::next(), method = %request.method(), path = request.uri().path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_handler_that_panics_is_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let broken = async || -> Body { panic!("no page") };
        let router = Router::new().fallback(broken).layer(from_fn(within_span));
        let server = tokio::spawn(async { axum::serve(listener, router).await });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(answer.contains("The server made a mistake over this request"), "{answer}");
        server.abort();
    }
}
