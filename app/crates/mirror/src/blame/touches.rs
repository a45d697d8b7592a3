//! Which paths each commit touched, learnt little by little while walking, so that later walks need not look at its trees.

use gix::ObjectId;
use gix::bstr::BStr;
use gix::hashtable::HashMap;
use std::sync::{Mutex, PoisonError};

/// Commits that one question may learn about: that costs some 100 microseconds each, and saves 20 at each later walk.
pub(super) const LESSONS: usize = 2_000;

/// A commit that touches more paths is looked at each time: few do, and they would fill the memory.
const MOST_PATHS: usize = 1_000;

/// Paths that are kept in all, at 8 bytes each; ansible's 54,660 commits have 207,000.
const MOST_KEPT: usize = 2_000_000;

/// What is known of a path at a commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// The commit left it as it is in this one, its first parent.
    No(ObjectId),
    /// It changed it, or another path that looks the same here.
    Perhaps,
    /// Nobody has looked yet.
    Unknown,
}

/// A commit's first parent, and a hash of each path that is not the same there; nothing where there are too many.
type Lesson = (ObjectId, Option<Box<[u64]>>);

/// What was learnt of a repository. It never becomes wrong: a commit is its content.
#[derive(Default)]
pub(crate) struct Touches(Mutex<Learnt>);

#[derive(Default)]
struct Learnt {
    commits: HashMap<ObjectId, Lesson>,
    paths: usize,
}

/// A path as it is looked up.
#[derive(Clone, Copy)]
pub(super) struct PathHash(u64);

impl PathHash {
    pub(super) fn of(path: &BStr) -> Self {
        let mut hash = super::text::Fnv::new();
        path.iter().for_each(|byte| hash.add(*byte));
        Self(hash.take())
    }
}

impl Touches {
    pub(super) fn ask(&self, commit: &ObjectId, path: PathHash) -> Touch {
        let learnt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match learnt.commits.get(commit) {
            Some((parent, Some(paths))) if !paths.contains(&path.0) => Touch::No(*parent),
            Some(_) => Touch::Perhaps,
            None => Touch::Unknown,
        }
    }

    /// Remembers which paths differ between a commit and its first parent.
    pub(super) fn learn<'a>(&self, commit: ObjectId, parent: ObjectId, paths: impl Iterator<Item = &'a BStr>) {
        let paths: Vec<u64> = paths.take(MOST_PATHS + 1).map(|path| PathHash::of(path).0).collect();
        let mut learnt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if learnt.paths > MOST_KEPT {
            *learnt = Learnt::default();
        }
        // A commit costs about as much as a few paths.
        learnt.paths += 8 + paths.len();
        let paths = (paths.len() <= MOST_PATHS).then(|| paths.into_boxed_slice());
        learnt.commits.insert(commit, (parent, paths));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_is_known() {
        let (touches, parent) = (Touches::default(), ObjectId::null(gix::hash::Kind::Sha1));
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let ask = |commit: u8, path: &str| touches.ask(&id(commit), PathHash::of(path.into()));
        assert_eq!(ask(1, "a.py"), Touch::Unknown);
        touches.learn(id(1), parent, [BStr::new("a.py")].into_iter());
        assert_eq!((ask(1, "a.py"), ask(1, "b.py")), (Touch::Perhaps, Touch::No(parent)));
        let many: Vec<String> = (0..=MOST_PATHS).map(|n| n.to_string()).collect();
        touches.learn(id(2), parent, many.iter().map(BStr::new));
        assert_eq!(ask(2, "b.py"), Touch::Perhaps);
    }
}
