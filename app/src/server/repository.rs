//! Which repository a page is about, and whether its reader may see it: asked here and nowhere
//! else.

use super::page_error::PageError;
use super::query::Query;
use super::session::Session;
use super::state::Server;
use super::visitor::SignedIn;
use axum::extract::{FromRef, FromRequestParts, Path};
use axum::http::request::Parts;
use domain::access::Right;
use domain::ids::RepositoryId;
use domain::names::RepositoryName;
use serde::Deserialize;
use std::marker::PhantomData;
use store::Store;
use store::repositories::RepositoryRow;

/// A right, as a type: `RepositoryWith<Triage>`.
pub(super) trait NeededRight {
    /// Which.
    const RIGHT: Right;
}

/// See its pages.
#[derive(Debug)]
pub(super) struct Read;

/// Whitelist, as somebody who may set labels on GitHub.
#[derive(Debug)]
pub(super) struct Triage;

/// Connect applications, switch shadow mode.
#[derive(Debug)]
pub(super) struct Write;

impl NeededRight for Read {
    const RIGHT: Right = Right::Read;
}

impl NeededRight for Triage {
    const RIGHT: Right = Right::Triage;
}

impl NeededRight for Write {
    const RIGHT: Right = Right::Write;
}

/// The watched repository that the path names, `/{owner}/{repo}/…`, else the query, `?repo=`, for
/// somebody who is signed in and may do this in it.
#[derive(Debug)]
pub(super) struct RepositoryWith<R> {
    /// Who asks.
    pub(super) session: Session,
    /// The repository.
    pub(super) row: RepositoryRow,
    /// The right that it took.
    pub(super) right: PhantomData<R>,
}

impl<R: NeededRight> FromRequestParts<Server> for RepositoryWith<R> {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, PageError> {
        let SignedIn(session) = SignedIn::from_request_parts(parts, server).await?;
        let name = match name_in_path(parts).await? {
            Some(name) => name,
            None => Query::<InQuery>::from_request_parts(parts, server).await?.0.repo,
        };
        let row = find(&Store::from_ref(server), &session, &name, R::RIGHT).await?;
        Ok(Self { session, row, right: PhantomData })
    }
}

#[derive(Debug, Deserialize)]
struct InPath {
    owner: Option<String>,
    repo: Option<String>,
}

#[derive(Debug, Deserialize)]
struct InQuery {
    #[serde(default)]
    repo: RepositoryName,
}

/// The name that a path names, `acme/shop`; `None` on a route that names none.
pub(super) async fn name_in_path(parts: &mut Parts) -> Result<Option<RepositoryName>, PageError> {
    let Path(names) = Path::<InPath>::from_request_parts(parts, &())
        .await
        .map_err(|error| PageError::BadRequest(error.body_text()))?;
    Ok(names.owner.zip(names.repo).map(|(owner, repo)| RepositoryName::new(format!("{owner}/{repo}"))))
}

/// The watched repository of a name, for somebody who may do this in it.
///
/// # Errors
/// It is not watched; they may not see it, which is said alike; or they may see it, and not do
/// this.
pub(super) async fn find(
    store: &Store,
    session: &Session,
    name: &RepositoryName,
    needed: Right,
) -> Result<RepositoryRow, PageError> {
    let row = watched(store, name).await?;
    must_have(session, &row, name, needed)?;
    Ok(row)
}

/// Refuses who may not do this in a repository, which they called by this name.
///
/// # Errors
/// They may not see it, which is said as if it were not watched; or they may see it, and not do
/// this.
pub(super) fn must_have(
    session: &Session,
    row: &RepositoryRow,
    name: &RepositoryName,
    needed: Right,
) -> Result<(), PageError> {
    match session.right_in(row) {
        Some(right) if right >= needed => Ok(()),
        Some(right) => Err(PageError::Forbidden(format!(
            "This needs the role {} in {} on GitHub, and {} has {}.",
            needed.role(),
            row.repository.full_name,
            session.who.name(),
            right.role()
        ))),
        None => Err(not_watched(name)),
    }
}

/// The watched repository of a name, whoever asks.
///
/// # Errors
/// It is not watched.
async fn watched(store: &Store, name: &RepositoryName) -> Result<RepositoryRow, PageError> {
    let name = &RepositoryName::new(name.as_str().trim());
    if name.is_empty() {
        return Err(PageError::BadRequest("The address names no repository: repo is missing.".to_owned()));
    }
    // PostgreSQL takes no such character in a text.
    if name.as_str().contains('\0') {
        return Err(not_watched(name));
    }
    let found = match store::repositories::by_name(store, name).await? {
        Some(row) => Some(row),
        // Links in mails say the name that it had.
        None => store::repositories::by_former_name(store, name).await?,
    };
    found.ok_or_else(|| not_watched(name))
}

/// The repository that a link out of a mail was signed for, whatever it is called now, whoever
/// asks: the link is their right. `name` is what the link calls it.
///
/// # Errors
/// It is not watched any more. Another one may have its name by now, of which nothing is said.
pub(super) async fn of_link(
    store: &Store,
    id: RepositoryId,
    name: &RepositoryName,
) -> Result<RepositoryRow, PageError> {
    let found = store::repositories::by_id(store, id).await?.filter(|row| row.removed_at.is_none());
    found.ok_or_else(|| {
        PageError::NotFound(format!(
            "The repository called {} that this link is about is not watched any more. The link opens no other one \
             that may have its name by now.",
            name.as_str().trim()
        ))
    })
}

/// What is said of a repository that is not watched, or that the reader may not see: nobody learns
/// which.
fn not_watched(name: &RepositoryName) -> PageError {
    PageError::NotFound(format!("No repository called {} is watched.", name.as_str().trim()))
}
