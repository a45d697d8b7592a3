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
use domain::names::Login;
use render::views::{SessionView, Sessions};
use render::when;
use serde::Deserialize;
use store::Store;
use store::sessions::SessionRow;

/// Sessions listed: nobody looks through more, and who has a token makes any number.
const SHOWN: u64 = 100;

/// `GET /sessions`.
pub(super) async fn list(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    SignedIn(session): SignedIn,
) -> Result<Page<Sessions>, PageError> {
    let of = whose(&session);
    let rows = store::sessions::list(&store, of, SHOWN, now).await?;
    let count = store::sessions::count(&store, of, now).await?;
    let view = Sessions {
        admin: session.who.is_admin(),
        action: urls.page("/sessions/end"),
        csrf: session.csrf.clone(),
        others: rows.iter().any(|row| session.id.as_ref() != Some(&row.id)),
        more: count.saturating_sub(rows.len() as u64),
        sessions: rows.into_iter().map(|row| shown(row, &session)).collect(),
    };
    Ok(Page(Some(session), view))
}

/// Whose sessions somebody may see and end; `None`: everybody's.
fn whose(session: &Session) -> Option<&Login> {
    match &session.who {
        Who::Admin => None,
        Who::Person { login, .. } => Some(login),
    }
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
    /// All but the one that asks.
    #[serde(default)]
    others: String,
}

/// `POST /sessions/end`.
pub(super) async fn end(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Form { session, fields }: Form<EndSessionForm>,
) -> Result<Redirect, PageError> {
    let of = whose(&session);
    if fields.others.is_empty() {
        let is_theirs =
            |row: &SessionRow| of.is_none_or(|of| row.login.as_ref().is_some_and(|it| it.key() == of.key()));
        if !store::sessions::by_id(&store, &fields.session).await?.as_ref().is_some_and(is_theirs) {
            return Err(PageError::NotFound("There is no such session of yours: it may have ended.".to_owned()));
        }
        store::sessions::delete(&store, &fields.session).await?;
    } else {
        store::sessions::delete_others(&store, of, session.id.as_deref().unwrap_or_default()).await?;
    }
    Ok(Redirect::to(&urls.page("/sessions")))
}
