//! The sessions that go on: one's own, the admin all; each can be ended.

use super::Server;
use super::extract::InForm;
use super::pages::answer;
use super::respond::{Refused, redirect};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use render::views::{SessionView, Sessions};
use render::when;
use serde::Deserialize;
use std::sync::Arc;

/// `GET /sessions`.
pub(super) async fn list(State(server): State<Arc<Server>>, headers: HeaderMap, uri: Uri) -> Response {
    let result = async {
        let session = server.must_be_signed_in(&headers, &server.path_of(&uri)).await?;
        let of = (!session.who.is_admin()).then(|| session.who.name());
        let rows = store::sessions::list(&server.services.store, of, server.clock.now_ms()).await?;
        let view = Sessions {
            admin: session.who.is_admin(),
            action: format!("{}/sessions/end", server.root()),
            csrf: server.csrf(&session),
            sessions: rows
                .into_iter()
                .map(|row| SessionView {
                    who: row.login.unwrap_or_else(|| "admin".to_owned()),
                    browser: row.browser,
                    began: when(row.created_at_ms),
                    used: when(row.used_at_ms),
                    ends: when(row.expires_at_ms),
                    is_this: session.id.as_ref() == Some(&row.id),
                    id: row.id,
                })
                .collect(),
        };
        server.show(Some(&session), StatusCode::OK, &view)
    };
    answer(&server, &headers, result.await).await
}

#[derive(Debug, Deserialize)]
pub(super) struct End {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    session: String,
}

/// `POST /sessions/end`.
pub(super) async fn end(State(server): State<Arc<Server>>, headers: HeaderMap, InForm(asked): InForm<End>) -> Response {
    let result = async {
        let session = server.must_be_our_form(&headers, &asked.csrf).await?;
        let of = (!session.who.is_admin()).then(|| session.who.name());
        let theirs = store::sessions::list(&server.services.store, of, server.clock.now_ms()).await?;
        if !theirs.iter().any(|row| row.id == asked.session) {
            return Err(Refused::NotFound("There is no such session of yours: it may have ended.".to_owned()));
        }
        store::sessions::delete(&server.services.store, &asked.session).await?;
        Ok(redirect(&format!("{}/sessions", server.root())))
    };
    answer(&server, &headers, result.await).await
}
