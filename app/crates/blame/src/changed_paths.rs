//! Which paths each commit changed, learnt little by little while walking, so that later walks need
//! not look at its trees.

use crate::text::Fnv;
use gix::ObjectId;
use gix::bstr::BStr;
use gix::hashtable::HashMap;
use std::sync::{Mutex, PoisonError};

/// Commits that one question may learn about: that costs some 100 microseconds each, and saves 20
/// at each later walk.
pub(crate) const LEARNT_PER_QUESTION: usize = 2_000;

/// A commit that changes more paths is looked at each time: few do, and they would fill the memory.
const MOST_PATHS_OF_A_COMMIT: usize = 1_000;

/// So many changes tell that there are too many.
pub(crate) const MOST_LEARNT: usize = MOST_PATHS_OF_A_COMMIT + 1;

/// Paths that are kept in all, at 8 bytes each; ansible's 54,660 commits have 207,000.
const MOST_PATHS: usize = 2_000_000;

/// What remembering a commit costs beside its paths, in paths.
const PATHS_PER_COMMIT: usize = 8;

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

/// A commit's first parent, and a hash of each path that is not the same there; nothing where there
/// are too many.
type Learnt = (ObjectId, Option<Box<[u64]>>);

/// A memory of which paths each commit of a repository changed, for several
/// [`Walker`](crate::Walker)s of that repository, of any threads.
///
/// It is what changed-path filters are in git's commit-graph file, but in memory and grown by the
/// walks themselves. It never becomes wrong, as a commit is its content, and takes 16 MB at most.
#[derive(Debug, Default)]
pub struct ChangedPaths(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    commits: HashMap<ObjectId, Learnt>,
    paths: usize,
}

/// A path as it is looked up.
#[derive(Clone, Copy)]
pub(crate) struct PathHash(u64);

impl PathHash {
    pub(crate) fn of(path: &BStr) -> Self {
        let mut hash = Fnv::new();
        path.iter().for_each(|byte| hash.add(*byte));
        Self(hash.take())
    }
}

impl ChangedPaths {
    /// Whether a commit changed a path, compared with its first parent.
    pub(crate) fn ask(&self, commit: &ObjectId, path: PathHash) -> Change {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match memory.commits.get(commit) {
            Some((parent, Some(paths))) if !paths.contains(&path.0) => Change::No(*parent),
            Some(_) => Change::Perhaps,
            None => Change::Unknown,
        }
    }

    /// Remembers which paths differ between a commit and its first parent.
    pub(crate) fn learn<'a>(&self, commit: ObjectId, parent: ObjectId, paths: impl Iterator<Item = &'a BStr>) {
        let paths: Vec<u64> = paths.take(MOST_LEARNT).map(|path| PathHash::of(path).0).collect();
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.paths > MOST_PATHS {
            *memory = Memory::default();
        }
        memory.paths += PATHS_PER_COMMIT + paths.len();
        let paths = (paths.len() <= MOST_PATHS_OF_A_COMMIT).then(|| paths.into_boxed_slice());
        memory.commits.insert(commit, (parent, paths));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_is_known() {
        let (known, parent) = (ChangedPaths::default(), ObjectId::null(gix::hash::Kind::Sha1));
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let ask = |commit: u8, path: &str| known.ask(&id(commit), PathHash::of(path.into()));
        assert_eq!(ask(1, "a.py"), Change::Unknown);
        known.learn(id(1), parent, [BStr::new("a.py")].into_iter());
        assert_eq!((ask(1, "a.py"), ask(1, "b.py")), (Change::Perhaps, Change::No(parent)));
        let many: Vec<String> = (0..=MOST_PATHS_OF_A_COMMIT).map(|n| n.to_string()).collect();
        known.learn(id(2), parent, many.iter().map(BStr::new));
        assert_eq!(ask(2, "b.py"), Change::Perhaps);
    }
}
