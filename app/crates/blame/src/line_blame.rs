//! The answer: the commit that wrote a line, and what was passed over on the way to it.

use crate::Credits;
use gix::ObjectId;
use gix::bstr::BString;

/// The origin of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineBlame {
    /// The commit that wrote the line as it is.
    pub commit: ObjectId,
    /// Who wrote that commit, with whom, when, and what it says of itself.
    pub credits: Credits,
    /// Path of the file at that commit, from the repository's root.
    pub path: BString,
    /// One-based number of the line in that file at that commit.
    pub line: u32,
    /// Commits that changed the line since and were passed over, the newest first: 100 at most.
    pub passed: Vec<PassedCommit>,
}

/// A commit that changed a line, but does not count as having written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedCommit {
    /// Its id.
    pub commit: ObjectId,
    /// First line of its message.
    pub summary: BString,
    /// Why it does not count.
    pub reason: PassedReason,
}

/// Why a commit does not count as having written a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedReason {
    /// It is one of [`IgnoreRevs`](crate::IgnoreRevs).
    Ignored,
    /// It only laid out the same code anew.
    Reformatted,
}
