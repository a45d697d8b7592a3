//! What a blame says of a commit: who wrote it, with whom, and when.

use super::effort::Cut;
use crate::MirrorError;
use crate::read::{CommitInfo, describe, person};
use domain::blame::Author;
use gix::ObjectId;
use gix::bstr::ByteSlice;

/// The trailer that names who wrote a commit with its author, as forges read it.
const CO_AUTHOR: &str = "co-authored-by:";

/// More co-authors than these are not kept: a squashed branch may name a whole company.
const MOST_CO_AUTHORS: usize = 20;

/// A commit, described.
pub(super) struct Credits {
    pub(super) info: CommitInfo,
    pub(super) committed_at_ms: i64,
    pub(super) co_authors: Vec<Author>,
}

/// Describes a commit.
pub(super) fn credits(
    repo: &gix::Repository,
    mailmap: &gix::mailmap::Snapshot,
    commit: ObjectId,
) -> Result<Credits, Cut> {
    let failed = |error: gix::Error| MirrorError::git(format!("reading the commit {commit}"), &error);
    let commit = repo.find_commit(commit).map_err(failed)?;
    let info = describe(mailmap, &commit);
    let committed_at_ms = commit.time().map_or(0, |time| time.seconds.saturating_mul(1000));
    let mut co_authors: Vec<Author> = Vec::new();
    // Anywhere in the message: a squash merge puts the messages of all its commits, with their trailers, one below the other.
    for line in commit.message_raw_sloppy().lines() {
        let line = line.trim();
        if !line.get(..CO_AUTHOR.len()).is_some_and(|start| start.eq_ignore_ascii_case(CO_AUTHOR.as_bytes())) {
            continue;
        }
        let Ok(named) = gix::actor::IdentityRef::from_bytes(&line[CO_AUTHOR.len()..]) else { continue };
        let named = named.trim();
        let author = person(mailmap, gix::actor::SignatureRef { name: named.name, email: named.email, time: "" });
        let known = |other: &Author| other.email.eq_ignore_ascii_case(&author.email);
        if !author.email.is_empty() && !known(&info.author) && !co_authors.iter().any(known) {
            co_authors.push(author);
        }
    }
    co_authors.truncate(MOST_CO_AUTHORS);
    Ok(Credits { info, committed_at_ms, co_authors })
}
