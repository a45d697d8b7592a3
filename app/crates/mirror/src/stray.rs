//! Commits that came by their id alone, as a report named it, and who of their people has to do
//! with the repository.
//!
//! A forge gives away by its id any commit of any fork, and whoever makes a fork writes what they
//! want into it, names of others included.

use super::Mirrors;
use super::error::{MirrorError, is_too_large};
use super::fetch::PINNED;
use super::people::resolved;
use super::tips::{named, readable};
use blame::mailmap_of_head;
use domain::blame::Author;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use gix::bstr::BStr;

/// Commits that are walked in search of an old one, where those that are remembered
/// ([`people`](super::people)) are not all there are: some seconds. The largest histories have
/// more; a commit that is not found by then counts as a stray one.
const MOST_WALKED: usize = 500_000;

impl Mirrors {
    /// Whether a commit came by its id alone: no branch or tag reaches it. `false` where no commit
    /// ever came that way: whatever else is here was on a branch once.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn is_stray(&self, id: RepositoryId, commit: &CommitId) -> Result<bool, MirrorError> {
        let Ok(wanted) = gix::ObjectId::from_hex(commit.as_str().as_bytes()) else { return Ok(false) };
        if !self.ask(id, has_pinned)? {
            return Ok(false);
        }
        let newest = self.commits_since(id, named, i64::MIN)?;
        if newest.commits.iter().any(|(it, ..)| *it == wanted) {
            return Ok(false);
        }
        if !newest.is_cut {
            return Ok(true);
        }
        self.ask(id, |repo| {
            let reached =
                is_reached(repo, wanted).map_err(|error| MirrorError::git("looking for a commit's branch", &error));
            Ok(!reached?)
        })
    }

    /// Whether somebody wrote, co-wrote or applied a commit that a branch or tag reaches: by one of
    /// their addresses, in lower case, after `.mailmap`. Not by name: anybody may write that. Of
    /// very long histories the newest commits are looked at.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn has_address(&self, id: RepositoryId, is_theirs: impl Fn(&str) -> bool) -> Result<bool, MirrorError> {
        Ok(self.commits_since(id, named, i64::MIN)?.addresses().any(is_theirs))
    }

    /// The address that `.mailmap` says is somebody's, in lower case.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn mapped_address(&self, id: RepositoryId, author: &Author) -> Result<String, MirrorError> {
        let author = self.ask(id, |repo| Ok(resolved(&mailmap_of_head(repo), author)))?;
        Ok(author.email.trim().to_lowercase())
    }
}

/// Whether any commit is held that came by its id.
fn has_pinned(repo: &gix::Repository) -> Result<bool, MirrorError> {
    let failed = |error: gix::Error| MirrorError::git("listing what was fetched by its id", &error);
    let references = repo.references().map_err(failed)?;
    let mut pinned = references.prefixed(BStr::new(PINNED)).map_err(failed)?;
    Ok(pinned.next().is_some())
}

/// Whether a branch or tag reaches a commit, as far as the walk goes.
fn is_reached(repo: &gix::Repository, wanted: gix::ObjectId) -> Result<bool, gix::Error> {
    for info in repo.rev_walk(readable(repo, named(repo)?)?).all()?.take(MOST_WALKED) {
        let info = match info {
            Err(error) if error.is_corrupted() || is_too_large(&error) => continue,
            info => info?,
        };
        if info.id == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}
