//! Which paths each commit changed: what walks learn little by little, and what is known of a whole
//! history, so that later walks need not look at its trees.

use crate::Error;
use crate::budget::answered;
use crate::index_growth;
use crate::path_index::{self, Entry, PathIndex};
use crate::path_prints::{PathPrint, prints};
use crate::trees::Changes;
use gix::ObjectId;
use gix::hashtable::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Commits that one question may learn about: that costs some 100 microseconds each, and saves 20
/// at each later walk.
pub(crate) const LEARNT_PER_QUESTION: usize = 2_000;

/// Paths of commits that walks learnt about and the index does not have, at 2 bytes each: 4 MB in
/// all.
const MOST_PATHS: usize = 2_000_000;

/// What remembering such a commit costs beside its paths, in paths.
const PATHS_PER_COMMIT: usize = 40;

/// What is known of a path at a commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The commit left it as it is in this one, its first parent.
    No(ObjectId),
    /// It changed it, or another path that looks the same here.
    Perhaps,
    /// Nobody has looked yet.
    Unknown,
}

/// A commit's first parent, and the print of each path that is not the same there; nothing where
/// there are too many.
type Learnt = (ObjectId, Option<Box<[u16]>>);

/// A memory of which paths each commit of a repository changed, for several
/// [`Walker`](crate::Walker)s of that repository, of any threads.
///
/// It is what changed-path filters are in git's commit-graph file. Walks add what they find to it,
/// and [`ChangedPaths::catch_up`] adds all of a history, in a form that a file can hold
/// ([`ChangedPaths::to_bytes`], [`ChangedPaths::from_bytes`]). It never becomes wrong, whatever
/// becomes of branches, as a commit is its content, and takes 16 MB at most.
#[derive(Debug, Default)]
pub struct ChangedPaths(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    index: Arc<PathIndex>,
    /// What walks learnt of others.
    commits: HashMap<ObjectId, Learnt>,
    paths: usize,
}

impl ChangedPaths {
    /// What [`ChangedPaths::to_bytes`] wrote. `None`: it is of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let index = Arc::new(PathIndex::from_bytes(bytes)?);
        Some(Self(Mutex::new(Memory { index, ..Memory::default() })))
    }

    /// What was found by [`ChangedPaths::catch_up`], for a file: about 40 bytes for each commit,
    /// and [`ChangedPaths::MOST_BYTES`] at most.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.index().to_bytes()
    }

    /// The most bytes that [`ChangedPaths::to_bytes`] writes.
    pub const MOST_BYTES: usize = path_index::MOST_BYTES;

    /// How many commits a file has, by what it begins with: these bytes, or more. `None`: it is no
    /// such file, or of another version.
    pub fn announced(beginning: &[u8]) -> Option<usize> {
        path_index::announced(beginning).map(|(commits, _)| commits)
    }

    /// Bytes that [`ChangedPaths::announced`] needs.
    pub const BEGINNING: usize = 16;

    /// Of how many commits [`ChangedPaths::to_bytes`] would tell.
    pub fn commits(&self) -> usize {
        self.index().len()
    }

    /// Takes what another one knows by [`ChangedPaths::catch_up`], if that is more.
    pub fn adopt(&self, other: &Self) {
        let index = other.index();
        if index.len() > self.commits() {
            self.put(index);
        }
    }

    /// Looks at the commits that can be reached from some others and that it does not know yet, but
    /// for the oldest where they are too many. Returns how many it looked at.
    ///
    /// That takes some 100 microseconds for each, and some 100 bytes of memory until it is done;
    /// what it found is known then. After some commits each time it asks `go_on`, which may wait,
    /// or end it.
    /// Those that it did not come to are looked at the next time. A shallow clone is not looked at.
    ///
    /// Give `repo` a cache of objects, as for a [`Walker`](crate::Walker).
    ///
    /// # Errors
    /// [`Error::Git`]: many commits or trees can't be read. Nothing is known then that was not.
    pub fn catch_up(
        &self,
        repo: &gix::Repository,
        tips: impl IntoIterator<Item = ObjectId>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<usize, Error> {
        let mut index = PathIndex::clone(&self.index());
        let looked_at = index_growth::grow(&mut index, repo, tips.into_iter().collect(), go_on);
        let looked_at = answered(looked_at)?.unwrap_or(0);
        if looked_at > 0 {
            self.put(Arc::new(index));
        }
        Ok(looked_at)
    }

    /// Goes back from a commit for as long as it is known that a path is the same in the first
    /// parent. Returns how many commits that were, and where it ended.
    pub(crate) fn pass(&self, commit: &ObjectId, path: PathPrint) -> (u64, ObjectId) {
        self.index().pass(commit, path).unwrap_or((0, *commit))
    }

    /// Whether a commit changed a path, compared with its first parent.
    pub(crate) fn ask(&self, commit: &ObjectId, path: PathPrint) -> Change {
        let memory = self.memory();
        match memory.index.find(commit).map(|at| memory.index.entry(at)) {
            Some(Entry::Changed(first, prints)) if !prints.contains(&path.0) => {
                return Change::No(memory.index.id(first));
            }
            Some(Entry::Changed(..) | Entry::Many) => return Change::Perhaps,
            Some(Entry::Unknown) | None => {}
        }
        match memory.commits.get(commit) {
            Some((parent, Some(prints))) if !prints.contains(&path.0) => Change::No(*parent),
            Some(_) => Change::Perhaps,
            None => Change::Unknown,
        }
    }

    /// Remembers which paths differ between a commit and its first parent.
    pub(crate) fn learn(&self, commit: ObjectId, parent: ObjectId, changes: &Changes) {
        let prints = prints(changes).map(Vec::into_boxed_slice);
        let mut memory = self.memory();
        if memory.paths > MOST_PATHS {
            memory.forget(|_, _| true);
        }
        memory.paths += PATHS_PER_COMMIT + prints.as_ref().map_or(0, |prints| prints.len());
        memory.commits.insert(commit, (parent, prints));
    }

    fn index(&self) -> Arc<PathIndex> {
        Arc::clone(&self.memory().index)
    }

    fn put(&self, index: Arc<PathIndex>) {
        let mut memory = self.memory();
        memory.index = index;
        memory.forget(|index, commit| index.find(commit).is_some_and(|at| index.entry(at) != Entry::Unknown));
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Forgets some of what walks learnt.
    fn forget(&mut self, which: impl Fn(&PathIndex, &ObjectId) -> bool) {
        let (index, commits) = (&self.index, &mut self.commits);
        commits.retain(|commit, _| !which(index, commit));
        let paths = |learnt: &Learnt| PATHS_PER_COMMIT + learnt.1.as_ref().map_or(0, |prints| prints.len());
        self.paths = commits.values().map(paths).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path_prints::MOST_LEARNT;
    use gix::diff::tree::recorder::Change as TreeChange;
    use gix::objs::tree::EntryKind;

    fn added(path: &str) -> TreeChange {
        let (entry_mode, oid) = (EntryKind::Blob.into(), ObjectId::null(gix::hash::Kind::Sha1));
        TreeChange::Addition { entry_mode, oid, path: path.into(), relation: None }
    }

    fn changes(records: impl IntoIterator<Item = TreeChange>) -> Changes {
        Changes { records: records.into_iter().collect(), is_cut: false }
    }

    #[test]
    fn what_was_learnt_is_known() {
        let (known, parent) = (ChangedPaths::default(), ObjectId::null(gix::hash::Kind::Sha1));
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let ask = |commit: u8, path: &str| known.ask(&id(commit), PathPrint::of(path.into()));
        assert_eq!(ask(1, "a.py"), Change::Unknown);
        known.learn(id(1), parent, &changes([added("a.py")]));
        assert_eq!((ask(1, "a.py"), ask(1, "b.py")), (Change::Perhaps, Change::No(parent)));
        let many = changes((0..MOST_LEARNT).map(|n| added(&n.to_string())));
        known.learn(id(2), parent, &many);
        assert_eq!(ask(2, "b.py"), Change::Perhaps);
    }
}
