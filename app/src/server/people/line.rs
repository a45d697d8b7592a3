//! What pages say of a line, and the links that lead to one.

use crate::server::page_error::PageError;
use domain::alert::Place;
use domain::ids::LineId;
use domain::links::{Claim, LinkPurpose, Linker, SignedFor};
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use render::views::{IssueLink, LineStatus};
use render::{beginning, end};
use serde::Deserialize;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

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
    /// Our number of the line, which links of others lack; for somebody signed in it may stand
    /// alone.
    pub(super) line_id: String,
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

    /// What it admits whoever has it to, if it is, or came from, a link out of a mail.
    pub(super) fn signed_for(&self, purpose: LinkPurpose, linker: &Linker, now: Timestamp) -> Option<SignedFor> {
        let claim = Claim {
            repository: &self.repo,
            line: &self.line_id,
            place: &self.place(),
            expires: &self.expires,
            signature: &self.signature,
        };
        linker.signed_for(purpose, claim, now)
    }

    /// The line: the one that it is signed for and no other, wherever that stands by now; else, for
    /// who may see all of them, the one at its place, of several there the one of its number.
    ///
    /// # Errors
    /// It has never failed, as far as is known.
    pub(super) async fn line(
        &self,
        store: &Store,
        row: &RepositoryRow,
        signed_for: Option<SignedFor>,
    ) -> Result<Line, PageError> {
        let place = self.place();
        if let Some(signed) = signed_for {
            return of_row(store, row, signed.line).await?.ok_or_else(|| never_failed(&place));
        }
        if let Ok(id) = self.line_id.parse() {
            let found = of_row(store, row, LineId(id)).await?;
            match found {
                // The place is left out where it is long.
                Some(line) if place.path.is_empty() => return Ok(line),
                None if place.path.is_empty() => {
                    return Err(PageError::NotFound("There is no such line any more.".to_owned()));
                }
                Some(line) if line.place == (Place { line: line.place.line, ..place.clone() }) => return Ok(line),
                _ => {}
            }
        }
        line_at(store, row, &place).await
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

/// A line of a repository by its number.
///
/// # Errors
/// The database is out of reach.
pub(super) async fn of_row(store: &Store, row: &RepositoryRow, id: LineId) -> Result<Option<Line>, StoreError> {
    Ok(store::lines::by_id(store, id).await?.filter(|line| line.repository == row.repository.id))
}

/// The line at a place.
async fn line_at(store: &Store, row: &RepositoryRow, at: &Place) -> Result<Line, PageError> {
    let found =
        store::lines::by_place(store, row.repository.id, &at.path, &at.function, Some(&at.code), Some(at.line)).await?;
    found.ok_or_else(|| never_failed(at))
}

/// Said where a link leads to no line.
pub(super) fn never_failed(at: &Place) -> PageError {
    PageError::NotFound(format!("{} has never failed in {}, as far as is known here.", at.path, at.function))
}
