//! Commits from some tips back, the newest first, whatever their author lines look like.

use super::error::is_too_large;
use super::read::time_of;
use blame::CommitWords;
use domain::timestamp::Timestamp;
use gix::date::Time;
use std::collections::{BinaryHeap, HashSet};

/// A walk by the committers' dates. gix's own ends at commits whose author it can't read; git's
/// does not, and takes a date that is none for the epoch.
pub(super) struct CommitWalk<'repo> {
    repo: &'repo gix::Repository,
    /// By date; of those of one second, the one that was found first.
    queue: BinaryHeap<(i64, std::cmp::Reverse<usize>, gix::ObjectId)>,
    seen: HashSet<gix::ObjectId>,
    /// The last commits of a shallow clone, whose parents are not there.
    shallow: HashSet<gix::ObjectId>,
}

/// A commit on the way.
pub(super) struct Walked<'repo> {
    pub(super) id: gix::ObjectId,
    pub(super) parents: Vec<gix::ObjectId>,
    /// When it was made.
    pub(super) seconds: i64,
    commit: gix::Commit<'repo>,
}

impl Walked<'_> {
    /// What it says.
    pub(super) fn words(&self) -> CommitWords {
        CommitWords::of(&self.commit.data)
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> usize {
        self.commit.data.len()
    }

    /// When it was made.
    pub(super) fn at(&self) -> Timestamp {
        time_of(Time { seconds: self.seconds, offset: 0 })
    }
}

impl<'repo> CommitWalk<'repo> {
    /// A walk that begins at these.
    ///
    /// # Errors
    /// One of them can't be read.
    pub(super) fn new(repo: &'repo gix::Repository, tips: Vec<gix::ObjectId>) -> Result<Self, gix::Error> {
        let shallow = repo.shallow_commits().ok().flatten();
        let shallow = shallow.iter().flat_map(|all| all.iter().copied()).collect();
        let mut walk = Self { repo, queue: BinaryHeap::new(), seen: HashSet::new(), shallow };
        for tip in tips {
            walk.add(tip)?;
        }
        Ok(walk)
    }

    fn add(&mut self, id: gix::ObjectId) -> Result<(), gix::Error> {
        if self.seen.insert(id)
            && let Some(commit) = readable(self.repo, id)?
        {
            let order = std::cmp::Reverse(self.seen.len());
            self.queue.push((CommitWords::commit_seconds(&commit.data), order, id));
        }
        Ok(())
    }
}

impl<'repo> Iterator for CommitWalk<'repo> {
    type Item = Result<Walked<'repo>, gix::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (seconds, _, id) = self.queue.pop()?;
        let commit = match readable(self.repo, id) {
            Ok(commit) => commit?,
            Err(error) => return Some(Err(error)),
        };
        let is_last = self.shallow.contains(&id);
        let parents: Vec<_> = if is_last { Vec::new() } else { commit.parent_ids().map(gix::Id::detach).collect() };
        for parent in &parents {
            if let Err(error) = self.add(*parent) {
                return Some(Err(error));
            }
        }
        Some(Ok(Walked { id, parents, seconds, commit }))
    }
}

/// A commit, if it is none that is too large to be read.
pub(super) fn readable(repo: &gix::Repository, id: gix::ObjectId) -> Result<Option<gix::Commit<'_>>, gix::Error> {
    match repo.find_commit(id) {
        Err(error) if is_too_large(&error) => Ok(None),
        found => found.map(Some),
    }
}
