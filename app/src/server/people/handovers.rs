//! The handovers of a repository: who handed what on to whom, and ending it.

use super::line::place;
use crate::server::form::RepositoryForm;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::repository::{Read, RepositoryWith, Triage};
use crate::server::state::Now;
use crate::server::urls::Urls;
use axum::extract::State;
use axum::response::Redirect;
use domain::access::Right;
use domain::ids::HandoverId;
use render::views::{HandoverView, Handovers};
use render::{thousands, when};
use serde::Deserialize;
use store::handovers::HandoverRow;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// Handovers listed: as many as a page can be read through.
const SHOWN: i64 = 200;

/// `GET /{owner}/{repo}/handovers`.
pub(super) async fn list(
    State(store): State<Store>,
    State(urls): State<Urls>,
    RepositoryWith { session, row, .. }: RepositoryWith<Read>,
) -> Result<Page<Handovers>, PageError> {
    let mut handovers = Vec::new();
    for made in store::handovers::of_repository(&store, row.repository.id, SHOWN).await? {
        handovers.push(shown(made, &row, &store, &urls).await?);
    }
    let view = Handovers {
        repository_url: urls.repository(&row),
        end_action: urls.page("/handovers/end"),
        csrf: session.csrf.clone(),
        may_edit: session.right_in(&row) >= Some(Right::Triage),
        handovers,
        repository: row.repository.full_name.into(),
    };
    Ok(Page(Some(session), view))
}

async fn shown(it: HandoverRow, row: &RepositoryRow, store: &Store, urls: &Urls) -> Result<HandoverView, StoreError> {
    let line = store::lines::by_id(store, it.made.line).await?;
    let part = it.made.part;
    Ok(HandoverView {
        id: it.made.id.0,
        to: it.made.to.name().map(str::to_owned),
        author: if part.name.is_empty() { part.email } else { part.name },
        path: part.path,
        by: it.made.by,
        when: when(it.made.made_at),
        line: line.map(|line| (place(&line), urls.traceback(row, &line))),
        used: thousands(it.used),
        ended: it.ended.map(|(by, at)| format!("{by}, {}", when(at))),
    })
}

/// Which handover of the repository `repo` is to end.
#[derive(Debug, Deserialize)]
pub(super) struct EndHandoverForm {
    handover: i64,
}

/// `POST /handovers/end`.
pub(super) async fn end(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    RepositoryForm { session, row, fields, .. }: RepositoryForm<Triage, EndHandoverForm>,
) -> Result<Redirect, PageError> {
    let id = HandoverId(fields.handover);
    // One that had ended already is what was asked for.
    store::handovers::end(&store, row.repository.id, id, session.who.name(), now).await?;
    Ok(Redirect::to(&urls.handovers(&row)))
}
