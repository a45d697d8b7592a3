//! What pages say of a line, and the links that lead to one.

use crate::server::page_error::PageError;
use domain::alert::Place;
use domain::ids::RepositoryId;
use domain::links::{LinkPurpose, Linker};
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use render::views::{IssueLink, LineStatus};
use render::{beginning, end};
use serde::Deserialize;
use store::Store;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Bytes that a name, a message or a line of code has in a page that lists lines: what is read at a
/// glance. Strangers choose them, a thousand bytes of each, and more as they are escaped: the 500
/// lines of a week had nine megabytes.
const LONGEST_TEXT: usize = 120;
/// The same of a path, in which a slash has six.
const LONGEST_PATH: usize = 160;

/// Which line is meant, and by what right: what a link out of a mail names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LineLink {
    pub(super) repo: RepositoryName,
    pub(super) filename: String,
    pub(super) function_name: String,
    pub(super) line_number: String,
    pub(super) text: String,
    /// Unix seconds.
    pub(super) expires: String,
    pub(super) signature: String,
}

impl LineLink {
    /// The place that it names.
    pub(super) fn place(&self) -> Place {
        Place {
            path: self.filename.clone(),
            function: self.function_name.clone(),
            line: self.line_number.parse().unwrap_or(0),
            code: self.text.clone(),
        }
    }

    /// The repository in which it admits whoever has it, if it is, or came from, a link out of a
    /// mail.
    pub(super) fn signed_for(&self, purpose: LinkPurpose, linker: &Linker, now: Timestamp) -> Option<RepositoryId> {
        linker.signed_for(purpose, &self.repo, &self.place(), &self.expires, &self.signature, now)
    }
}

/// As much of a name or a line of code as a list shows.
pub(super) fn short(text: &str) -> String {
    beginning(text, LONGEST_TEXT)
}

/// `shop/cart.py:42`.
pub(super) fn place(line: &Line) -> String {
    render::file_line(&end(&line.place.path, LONGEST_PATH), line.place.line)
}

/// The function, where one is known.
pub(super) fn function(line: &Line) -> Option<String> {
    render::function(&line.place).map(|name| short(&name))
}

/// Whose line it is: whom a person gave it to, else who wrote it.
pub(super) fn whose(line: &Line) -> String {
    line.whose().map_or_else(|| "nobody known".to_owned(), |name| short(&name))
}

/// What became of a line.
pub(super) fn status(line: &Line) -> LineStatus {
    if line.known {
        LineStatus::Known
    } else if line.resolved_at.is_some() {
        LineStatus::Resolved
    } else {
        LineStatus::Open
    }
}

/// A link to an issue.
pub(super) fn issue_link(row: &RepositoryRow, number: u64) -> Option<IssueLink> {
    Some(IssueLink { label: format!("#{number}"), url: row.repository.issue_url(number)? })
}

/// The line at a place, as a link names it.
///
/// # Errors
/// It has never failed, as far as is known.
pub(super) async fn line_at(store: &Store, row: &RepositoryRow, at: &Place) -> Result<Line, PageError> {
    let found =
        store::lines::by_place(store, row.repository.id, &at.path, &at.function, Some(&at.code), Some(at.line)).await?;
    found.ok_or_else(|| {
        PageError::NotFound(format!("{} has never failed in {}, as far as is known here.", at.path, at.function))
    })
}
