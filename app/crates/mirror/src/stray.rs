//! Commits that came by their id alone, as a report named it, and who of their people has to do
//! with the repository.
//!
//! A forge gives away by its id any commit of any fork, and whoever makes a fork writes what they
//! want into it, names of others included.

use super::error::{MirrorError, is_too_large};
use super::fetch::PINNED;
use super::people::resolved;
use super::read::find_commit;
use super::tips::{named, readable};
use super::{Mirrors, wanted};
use blame::mailmap_of_head;
use domain::blame::Author;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use gix::bstr::BStr;
use std::collections::HashSet;

/// Commits that are walked in search of an old one, where those that are remembered
/// ([`people`](super::people)) are not all there are, and once more of those that came by their
/// ids: some seconds. The largest histories have more; a commit that is not found by then counts as
/// a stray one.
const MOST_WALKED: usize = 500_000;

impl Mirrors {
    /// Whether a commit came by its id alone: what was fetched so reaches it, and no branch or tag
    /// does; or it is not here at all. What else no branch reaches was on one once.
    ///
    /// # Errors
    /// [`MirrorError::Git`].
    pub fn is_stray(&self, id: RepositoryId, commit: &CommitId) -> Result<bool, MirrorError> {
        if !self.exists(id) {
            return Ok(true);
        }
        let Some((wanted, pinned)) = self.ask(id, |repo| held(repo, commit))? else { return Ok(true) };
        if pinned.is_empty() {
            return Ok(false);
        }
        let newest = self.commits_since(id, named, i64::MIN)?;
        let known: HashSet<_> = newest.commits.iter().map(|(it, ..)| *it).collect();
        if known.contains(&wanted) {
            return Ok(false);
        }
        self.ask(id, |repo| {
            let failed = |error: gix::Error| MirrorError::git("looking for a commit's branch", &error);
            if newest.is_cut {
                let tips = named(repo).map_err(failed)?;
                if walk(repo, tips, |_| true, wanted).map_err(failed)? == Walked::Found {
                    return Ok(false);
                }
            }
            // What branches reach needs no second look: it leads to nothing but the like.
            let found = walk(repo, pinned, move |id| !known.contains(id), wanted).map_err(failed)?;
            Ok(found != Walked::Missed)
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

/// A commit, with what came by its id; `None` where the commit is not here.
fn held(repo: &gix::Repository, commit: &CommitId) -> Result<Option<(gix::ObjectId, Vec<gix::ObjectId>)>, MirrorError> {
    let failed = |error: gix::Error| MirrorError::git("listing what was fetched by its id", &error);
    let Some(commit) = find_commit(repo, commit)? else { return Ok(None) };
    Ok(Some((commit.id, pinned(repo).map_err(failed)?)))
}

/// The commits that came by their ids, or are coming.
fn pinned(repo: &gix::Repository) -> Result<Vec<gix::ObjectId>, gix::Error> {
    let mut tips = Vec::new();
    for id in wanted::noted(repo.git_dir()) {
        match repo.find_object(id).and_then(|object| object.peel_to_kind(gix::object::Kind::Commit)) {
            Ok(commit) => tips.push(commit.id),
            // It may lead to any commit.
            Err(error) if is_too_large(&error) => tips.push(id),
            // It has not arrived, or is a file.
            Err(_) => {}
        }
    }
    for reference in repo.references()?.prefixed(BStr::new(PINNED))? {
        let mut reference = reference?;
        let id = reference.target().try_id().map(|id| id.to_owned());
        match reference.peel_to_commit() {
            Ok(commit) => tips.push(commit.id),
            // It may have led to any commit.
            Err(error) if is_too_large(&error) => tips.extend(id),
            // A file has an id as well: it leads to no commit.
            Err(_) => {}
        }
    }
    Ok(tips)
}

/// How a search for a commit ended.
#[derive(PartialEq, Eq)]
enum Walked {
    Found,
    /// It is not among them.
    Missed,
    /// There was more than is walked, or can be read.
    Cut,
}

/// Looks for a commit among those that `tips` reach by way of what `follows` says.
fn walk<'repo>(
    repo: &'repo gix::Repository,
    tips: Vec<gix::ObjectId>,
    follows: impl Fn(&gix::oid) -> bool + 'repo,
    wanted: gix::ObjectId,
) -> Result<Walked, gix::Error> {
    let from = readable(repo, tips.clone())?;
    let read: HashSet<_> = from.iter().collect();
    let mut is_cut = tips.iter().any(|tip| !read.contains(tip));
    for (at, info) in repo.rev_walk(from).selected(follows)?.enumerate() {
        if at == MOST_WALKED {
            return Ok(Walked::Cut);
        }
        match info {
            Ok(info) if info.id == wanted => return Ok(Walked::Found),
            Ok(_) => {}
            Err(error) if error.is_corrupted() || is_too_large(&error) => is_cut = true,
            Err(error) => return Err(error),
        }
    }
    Ok(if is_cut { Walked::Cut } else { Walked::Missed })
}
