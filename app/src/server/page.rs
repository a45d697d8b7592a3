//! Pages as answers, and the layer that renders them.

use super::client::ClientGroup;
use super::page_error::PageError;
use super::page_room::{Making, PageRoom};
use super::session::{Session, SessionCookies};
use super::settings::ServerSettings;
use super::state::Server;
use super::trace::RequestId;
use super::urls::Urls;
use crate::clock::Clock;
use crate::services::{Counts, log_trouble};
use axum::body::Body;
use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use render::{Layout, RenderError, View, page};
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// How long a page waits for counts to be brought up to date: a few transactions of some
/// milliseconds each, between those of reports.
const EXACT_WITHIN: Duration = Duration::from_millis(500);

/// What a page may load: nothing from elsewhere, no script at all.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every page: no cache keeps it, and no frame shows it.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // Addresses of signed links are not told to other sites.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

/// A view as an answer, in the layout of whom it is shown to; `None`: of somebody who is not signed
/// in. It is rendered by the layer [`render_pages`], which leaves the status and headers that a
/// handler sets as they are.
#[derive(Clone, Debug)]
pub(super) struct Page<V>(pub(super) Option<Session>, pub(super) V);

impl<V: View + Send + Sync + 'static> IntoResponse for Page<V> {
    fn into_response(self) -> Response {
        let Self(session, view) = self;
        let mut response = Response::default();
        let renderer: Renderer = Arc::new(move |layout: &Layout| page(layout, &view));
        response.extensions_mut().insert(Unrendered(session, renderer));
        response
    }
}

type Renderer = Arc<dyn Fn(&Layout) -> Result<String, RenderError> + Send + Sync>;

/// A page that is still to be rendered, and whom it is shown to. An error that is still to become
/// one stands beside it, as `Arc<PageError>`.
#[derive(Clone)]
struct Unrendered(Option<Session>, Renderer);

/// The header with which a page may send a form to this address as well, beside our own.
pub(super) fn allow_form_to(address: &str) -> Option<(HeaderName, HeaderValue)> {
    let origin = url::Url::parse(address).ok()?.origin().ascii_serialization();
    let policy = CONTENT_POLICY.replace("form-action 'self'", &format!("form-action 'self' {origin}"));
    Some((header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).ok()?))
}

/// The layer around pages that has them made a few at a time, from what they read to their text. A
/// form, which may take long to arrive, reads less.
pub(super) async fn in_turn(State(server): State<Server>, request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (request, client) = with_client(request, &server);
    let Ok(making) = Arc::<PageRoom>::from_ref(&server).turn(client).await else {
        return PageError::Busy.into_response();
    };
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Arc::new(making));
    response
}

/// The layer around pages that has what was counted before a page is asked for shown on it.
pub(super) async fn with_exact_counts(State(server): State<Server>, request: Request, next: Next) -> Response {
    let (counts, clock) = (Counts::from_ref(&server), Clock::from_ref(&server));
    // Where that takes long, or can't be written, as on a full disk, a page that lags behind is
    // better than none.
    match tokio::time::timeout(EXACT_WITHIN, counts.bring_up_to_date(clock.now())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a page is made by counts that may lag behind"),
        Err(_) => tracing::debug!("a page is made by counts that may lag behind: bringing them up to date takes long"),
    }
    next.run(request).await
}

/// A request, and where it comes from.
fn with_client(request: Request, server: &Server) -> (Request, ClientGroup) {
    let (parts, body) = request.into_parts();
    let client = ClientGroup::of(&parts, &Arc::<ServerSettings>::from_ref(server));
    (Request::from_parts(parts, body), client)
}

/// The layer that renders what handlers answer: pages, and errors as pages.
pub(super) async fn render_pages(State(server): State<Server>, request: Request, next: Next) -> Response {
    let (request, client) = with_client(request, &server);
    let headers = request.headers().clone();
    let id = request.extensions().get().map(RequestId::to_string).unwrap_or_default();
    let mut response = next.run(request).await;
    let making = response.extensions_mut().remove::<Arc<Making>>();
    let room = Arc::<PageRoom>::from_ref(&server);
    let mut error = response.extensions_mut().remove::<Arc<PageError>>();
    if let Some(Unrendered(session, renderer)) = response.extensions_mut().remove() {
        let layout = layout(&Urls::from_ref(&server), session.as_ref());
        match room.is_full_for(client) {
            true => error = Some(Arc::new(PageError::Busy)),
            false => match room.render(making, move || renderer(&layout)).await {
                Some(Ok(text)) => return rendered(response, room.counted(client, text)),
                Some(Err(broken)) => error = Some(Arc::new(broken.into())),
                None => error = Some(Arc::new(PageError::Internal("rendering it panicked".to_owned()))),
            },
        }
    }
    let Some(error) = error else { return response };
    render_error(&error, &headers, &id, &server).await
}

async fn render_error(error: &PageError, headers: &HeaderMap, id: &str, server: &Server) -> Response {
    let urls = Urls::from_ref(server);
    if let PageError::SignIn { next } = error {
        return Redirect::to(&urls.sign_in(next)).into_response();
    }
    let session = match error {
        PageError::Unavailable { trouble, why } => {
            log_trouble(&Store::from_ref(server), *trouble, why, "a page could not be made");
            // Who asks, only the database knows.
            None
        }
        PageError::Internal(why) => {
            tracing::error!(why, id, "a page could not be made");
            SessionCookies::from_ref(server).of_anybody(headers).await
        }
        _ => SessionCookies::from_ref(server).of_anybody(headers).await,
    };
    let message = error.message(&urls, id);
    match page(&layout(&urls, session.as_ref()), &message) {
        Ok(text) => rendered(error.head(), text),
        // Even the page about it is broken: a plain sentence is left.
        Err(_) => (error.status(), message.text).into_response(),
    }
}

fn layout(urls: &Urls, session: Option<&Session>) -> Layout {
    Layout {
        root: urls.root().to_owned(),
        user: session.map(|session| session.who.name().to_owned()),
        admin: session.is_some_and(|session| session.who.is_admin()),
        csrf: session.map(|session| session.csrf.clone()).unwrap_or_default(),
    }
}

/// The answer with this text and the headers of pages, but for those that it has already.
fn rendered(response: Response, text: impl Into<Body>) -> Response {
    let (mut parts, _) = response.into_parts();
    for (name, value) in HEADERS {
        parts.headers.entry(name).or_insert(value);
    }
    Response::from_parts(parts, text.into())
}
