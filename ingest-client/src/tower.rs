//! A layer for tower's services: what goes wrong while a request is served is reported with the
//! request.
//!
//! ```
//! use axum::{Router, routing::get};
//! use ingest_client::tower::ReportLayer;
//!
//! let app: Router = Router::new().route("/", get(async || "hello")).layer(ReportLayer::new());
//! ```
//!
//! - A handler that **panics** is reported once, by the panic's own report, which now bears method,
//!   URL and headers.
//! - A service that returns an **`Err`** is reported once. An error does not say where it was made,
//!   so this report has no stack: better, report it where it is made, by
//!   [`capture_error`](crate::capture_error), which bears the request too, and answer with a
//!   response.
//! - Answers are not changed, and neither is how a panic ends.
//!
//! axum makes a response of a handler's `Err`, so that no layer sees it: report it in the
//! `IntoResponse` of your own error. Headers that may hold secrets (`Authorization`, `Cookie` …)
//! are left out, and so is a URL's password.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use sentry::integrations::tower::{SentryHttpFuture, SentryHttpLayer, SentryHttpService};
use sentry::{Hub, SentryFuture, SentryFutureExt};
use tower_layer::Layer;
use tower_service::Service;

/// What boxes errors in tower's own layers.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// How an error is looked at.
pub trait View<E> {
    /// The error as the standard library knows it.
    fn view(error: &E) -> &(dyn Error + 'static);
}

/// Looks at types that are errors themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

/// Looks into a [`BoxError`], which is no error itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boxed;

impl<E: Error + 'static> View<E> for Plain {
    fn view(error: &E) -> &(dyn Error + 'static) {
        error
    }
}

impl View<BoxError> for Boxed {
    fn view(error: &BoxError) -> &(dyn Error + 'static) {
        &**error
    }
}

/// Reports panics and errors of the services below it, with the request. Call [`init`](crate::init)
/// first.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReportLayer<V = Plain>(V);

impl ReportLayer {
    /// For services whose errors are errors of the standard library, axum's among them.
    pub fn new() -> Self {
        Self(Plain)
    }
}

impl ReportLayer<Boxed> {
    /// For services whose errors are a [`BoxError`], as below tower's own timeouts and limits.
    pub fn boxed() -> Self {
        Self(Boxed)
    }
}

impl<S, V: Copy> Layer<S> for ReportLayer<V> {
    type Service = ReportService<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        ReportService(SentryHttpLayer::new().layer(Errors { inner, _view: self.0 }))
    }
}

/// A service below a [`ReportLayer`].
#[derive(Clone)]
pub struct ReportService<S, V = Plain>(SentryHttpService<Errors<S, V>>);

impl<S, V, Asked, Answered> Service<Request<Asked>> for ReportService<S, V>
where
    S: Service<Request<Asked>, Response = Response<Answered>>,
    V: View<S::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = SentryFuture<SentryHttpFuture<ErrorFuture<S::Future, V>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Asked>) -> Self::Future {
        // Each request has a hub of its own: requests that are served at the same time must not be
        // mixed up.
        let hub = Arc::new(Hub::new_from_top(Hub::current()));
        Hub::run(Arc::clone(&hub), || self.0.call(request)).bind_hub(hub)
    }
}

/// Reports the errors of a service.
#[derive(Clone)]
#[doc(hidden)]
pub struct Errors<S, V> {
    inner: S,
    _view: V,
}

impl<S, V, Asked, Answered> Service<Request<Asked>> for Errors<S, V>
where
    S: Service<Request<Asked>, Response = Response<Answered>>,
    V: View<S::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ErrorFuture<S::Future, V>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Asked>) -> Self::Future {
        ErrorFuture { inner: self.inner.call(request), view: std::marker::PhantomData }
    }
}

pin_project! {
    /// Reports the error that a future ends with.
    #[doc(hidden)]
    pub struct ErrorFuture<F, V> {
        #[pin]
        inner: F,
        view: std::marker::PhantomData<fn() -> V>,
    }
}

impl<F, V, T, E> Future for ErrorFuture<F, V>
where
    F: Future<Output = Result<T, E>>,
    V: View<E>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(self.project().inner.poll(context));
        if let Err(error) = &result {
            // Without the stack: it is the one of the layers, and would lead to somebody who has
            // nothing to do with it.
            sentry::capture_error(V::view(error));
        }
        Poll::Ready(result)
    }
}
