//! The handovers of a repository: who handed what on to whom, and ending it.

use super::Server;
use super::extract::InForm;
use super::pages::{answer, place};
use super::respond::{Refused, redirect};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::ids::HandoverId;
use render::views::{HandoverView, Handovers};
use render::{thousands, when};
use serde::Deserialize;
use std::sync::Arc;
use store::handovers::HandoverRow;
use store::repositories::RepositoryRow;

/// Handovers listed: as many as a page can be read through.
const SHOWN: i64 = 200;

/// `GET /{owner}/{repo}/handovers`.
pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, show(&server, &format!("{owner}/{name}"), &headers, &uri).await).await
}

/// What ends a handover.
#[derive(Debug, Deserialize)]
pub(super) struct End {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    repo: String,
    handover: i64,
}

/// `POST /handovers/end`.
pub(super) async fn end(State(server): State<Arc<Server>>, headers: HeaderMap, InForm(asked): InForm<End>) -> Response {
    let result = async {
        let session = server.must_be_our_form(&headers, &asked.csrf).await?;
        let row = server.repository_for(&session, &asked.repo, Right::Triage).await?;
        let (id, now_ms) = (HandoverId(asked.handover), server.clock.now_ms());
        // One that had ended already is what was asked for.
        store::handovers::end(&server.services.store, row.repository.id, id, session.who.name(), now_ms).await?;
        Ok(redirect(&format!("{}/{}/handovers", server.root(), row.repository.full_name)))
    };
    answer(&server, &headers, result.await).await
}

async fn show(server: &Server, name: &str, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_signed_in(headers, &server.path_of(uri)).await?;
    let row = server.repository_for(&session, name, Right::Read).await?;
    let mut handovers = Vec::new();
    for made in store::handovers::of_repository(&server.services.store, row.repository.id, SHOWN).await? {
        handovers.push(shown(server, &row, made).await?);
    }
    let full_name = row.repository.full_name.clone();
    let view = Handovers {
        repository_url: format!("{}/{full_name}", server.root()),
        end_action: format!("{}/handovers/end", server.root()),
        csrf: server.csrf(&session),
        may_edit: server.right_in(&session, &row) >= Some(Right::Triage),
        handovers,
        repository: full_name,
    };
    server.show(Some(&session), StatusCode::OK, &view)
}

async fn shown(server: &Server, row: &RepositoryRow, it: HandoverRow) -> Result<HandoverView, Refused> {
    let line = store::lines::by_id(&server.services.store, it.made.line).await?;
    let part = it.made.part;
    Ok(HandoverView {
        id: it.made.id.0,
        to: it.made.to.name().map(str::to_owned),
        author: if part.name.is_empty() { part.email } else { part.name },
        path: part.path,
        by: it.made.by,
        when: when(it.made.made_at_ms),
        line: line.map(|line| (place(&line), server.traceback_of(row, &line))),
        used: thousands(it.used),
        ended: it.ended.map(|(by, at_ms)| format!("{by}, {}", when(at_ms))),
    })
}
