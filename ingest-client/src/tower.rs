//! A layer for web services built on tower, such as axum's: each request's errors bear the request.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;
use pin_project_lite::pin_project;
use sentry::integrations::tower::{NewSentryLayer, SentryHttpLayer};
use tower_layer::{Layer, Stack};
use tower_service::Service;

use crate::capture_error;

/// What [`layer`] makes.
pub type Reporting<B> = Stack<Stack<ErrorLayer, SentryHttpLayer>, NewSentryLayer<Request<B>>>;

/// Reports what goes wrong in a request with its method, address and headers (secrets among them left out): panics of
/// handlers, errors that the service ends with, and what [`capture_error`] is called with meanwhile. Requests that run side by
/// side are kept apart. Answers are passed on as they are; one with a status of 500 is not reported for that alone, because
/// it does not say where it was made.
///
/// ```
/// use axum::{Router, routing::get};
///
/// let app: Router = Router::new().route("/", get(async || "hello")).layer(ingest_client::tower::layer());
/// ```
pub fn layer<B>() -> Reporting<B> {
    Stack::new(Stack::new(ErrorLayer, SentryHttpLayer::new()), NewSentryLayer::new_from_top())
}

/// Reports the errors that a service ends with.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorLayer;

impl<S> Layer<S> for ErrorLayer {
    type Service = ErrorService<S>;

    fn layer(&self, service: S) -> ErrorService<S> {
        ErrorService(service)
    }
}

/// A service whose errors are reported.
#[derive(Clone, Debug)]
pub struct ErrorService<S>(S);

impl<R, S> Service<R> for ErrorService<S>
where
    S: Service<R>,
    S::Error: Error,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ErrorFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        ErrorFuture { answer: self.0.call(request) }
    }
}

pin_project! {
    /// The answer of an [`ErrorService`].
    #[derive(Debug)]
    pub struct ErrorFuture<F> {
        #[pin]
        answer: F,
    }
}

impl<F, T, E> Future for ErrorFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Error,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let answer = ready!(self.project().answer.poll(context));
        if let Err(error) = &answer {
            capture_error(error);
        }
        Poll::Ready(answer)
    }
}
