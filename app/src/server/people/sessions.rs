//! The sessions that go on: one's own, the admin all; each can be ended.

use crate::server::form::Form;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::session::Session;
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::SignedIn;
use axum::extract::State;
use axum::response::Redirect;
use domain::access::Who;
use domain::timestamp::Timestamp;
use render::views::{SessionView, Sessions};
use render::when;
use serde::Deserialize;
use store::sessions::SessionRow;
use store::{Store, StoreError};

/// `GET /sessions`.
pub(super) async fn list(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    SignedIn(session): SignedIn,
) -> Result<Page<Sessions>, PageError> {
    let rows = theirs(&store, &session, now).await?;
    let view = Sessions {
        admin: session.who.is_admin(),
        action: urls.page("/sessions/end"),
        csrf: session.csrf.clone(),
        sessions: rows.into_iter().map(|row| shown(row, &session)).collect(),
    };
    Ok(Page(Some(session), view))
}

/// The sessions that somebody may see and end.
async fn theirs(store: &Store, session: &Session, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
    let of = match &session.who {
        Who::Admin => None,
        Who::Person { login, .. } => Some(login),
    };
    store::sessions::list(store, of, now).await
}

fn shown(row: SessionRow, session: &Session) -> SessionView {
    SessionView {
        who: row.login.map_or_else(|| "admin".to_owned(), String::from),
        browser: row.browser,
        began: when(row.created_at),
        used: when(row.used_at),
        ends: when(row.expires_at),
        is_this: session.id.as_ref() == Some(&row.id),
        id: row.id,
    }
}

/// Which session is to end.
#[derive(Debug, Deserialize)]
pub(super) struct EndSessionForm {
    #[serde(default)]
    session: String,
}

/// `POST /sessions/end`.
pub(super) async fn end(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    Form { session, fields }: Form<EndSessionForm>,
) -> Result<Redirect, PageError> {
    if !theirs(&store, &session, now).await?.iter().any(|row| row.id == fields.session) {
        return Err(PageError::NotFound("There is no such session of yours: it may have ended.".to_owned()));
    }
    store::sessions::delete(&store, &fields.session).await?;
    Ok(Redirect::to(&urls.page("/sessions")))
}
