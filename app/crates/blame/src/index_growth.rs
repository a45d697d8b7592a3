//! Adding the commits of a history to an index of changed paths.

use crate::budget::{Abort, Budget};
use crate::path_index::{COMMIT, MOST_BYTES, PathIndex};
use crate::path_prints::{MOST_LEARNT, prints};
use crate::trees::compare;
use crate::{CommitWords, Error};
use gix::ObjectId;
use gix::hashtable::HashMap;
use std::collections::BinaryHeap;

/// Commits that are added in one go, of the newest: more have no place.
const MOST_ADDED: usize = MOST_BYTES / COMMIT;

/// After so many commits it is asked whether to go on.
const AT_ONCE: usize = 50;

/// Commits and trees that can't be read in one go: so many tell that it is the repository that
/// can't, now, and nothing is to be kept of that.
const MOST_UNREADABLE: usize = 100;

/// Units of work in one go, of about a microsecond of one core each: the whole of a history of
/// 250,000 commits takes some 30 seconds. What is left then comes with the next one.
const MOST_WORK: u64 = 300_000_000;

/// A commit that is not in the index yet.
struct Missing {
    tree: ObjectId,
    first: Option<ObjectId>,
    time: u32,
    /// Where it stands, once it does.
    at: Option<u32>,
}

/// The commits that are missing, and in which order they were found: the newest first.
struct Found {
    commits: HashMap<ObjectId, Missing>,
    order: Vec<ObjectId>,
}

struct Growth<'a, 'repo> {
    index: &'a mut PathIndex,
    repo: &'repo gix::Repository,
    budget: Budget<'repo>,
    go_on: &'a mut dyn FnMut() -> bool,
    steps: usize,
    unreadable: usize,
}

/// Adds the commits that are reached from some others and are not there yet. Returns how many were
/// added.
///
/// # Errors
/// Too much of the repository can't be read: the index is not to be used then.
pub(crate) fn grow(
    index: &mut PathIndex,
    repo: &gix::Repository,
    tips: Vec<ObjectId>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<usize, Abort> {
    // What is cut off there would be taken for the beginning for ever.
    if repo.is_shallow().unwrap_or(true) {
        return Ok(0);
    }
    let mut budget = Budget::default();
    budget.set_limit(MOST_WORK);
    let mut growth = Growth { index, repo, budget, go_on, steps: 0, unreadable: 0 };
    let Some(found) = growth.missing(tips)? else { return Ok(0) };
    let added = growth.add_all(found)?;
    growth.index.settle();
    Ok(added)
}

impl Growth<'_, '_> {
    /// The commits that are not there yet, from the tips back to what is. Nothing where it was
    /// ended.
    fn missing(&mut self, tips: Vec<ObjectId>) -> Result<Option<Found>, Abort> {
        let begins_at = self.index.begins_at();
        let mut found = Found { commits: HashMap::default(), order: Vec::new() };
        let mut queue = BinaryHeap::new();
        let mut next = tips;
        loop {
            for id in next.drain(..) {
                if found.commits.contains_key(&id) || self.index.find(&id).is_some() {
                    continue;
                }
                let Some((missing, parents)) = self.read(id)? else { continue };
                if missing.time >= begins_at {
                    queue.push((missing.time, id, parents));
                    found.commits.insert(id, missing);
                }
            }
            let Some((_, id, parents)) = queue.pop() else { break };
            found.order.push(id);
            if found.commits.len() >= MOST_ADDED {
                self.index.cut();
                break;
            }
            next = parents;
            if self.is_over() {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    fn read(&mut self, id: ObjectId) -> Result<Option<(Missing, Vec<ObjectId>)>, Abort> {
        let read = self.repo.find_commit(id).ok().and_then(|commit| {
            let tree = commit.tree_id().ok()?.detach();
            let parents: Vec<ObjectId> = commit.parent_ids().map(gix::Id::detach).collect();
            let time = CommitWords::commit_seconds(&commit.data).clamp(0, i64::from(u32::MAX)) as u32;
            Some((Missing { tree, first: parents.first().copied(), time, at: None }, parents))
        });
        match read {
            Some(read) => Ok(Some(read)),
            None => self.note_unreadable().map(|()| None),
        }
    }

    fn note_unreadable(&mut self) -> Result<(), Abort> {
        self.unreadable += 1;
        if self.unreadable <= MOST_UNREADABLE {
            return Ok(());
        }
        let why = std::io::Error::other(format!("{} commits or trees can't be read", self.unreadable));
        let failed = Error::git(|| "looking at which paths commits changed".to_owned());
        Err(failed(gix::Error::from_error(why)).into())
    }

    /// Adds what was found, the oldest first, and each after its first parent, whatever their dates
    /// say. What there is no time for any more is left.
    fn add_all(&mut self, Found { mut commits, mut order }: Found) -> Result<usize, Abort> {
        let mut added = 0;
        while let Some(id) = order.pop() {
            let mut line = vec![id];
            while let Some(first) = line.last().and_then(|id| waits(&commits, id)) {
                line.push(first);
            }
            for id in line.into_iter().rev() {
                if commits.get(&id).is_none_or(|commit| commit.at.is_some()) {
                    continue;
                }
                match self.add(id, &mut commits) {
                    Ok(()) => added += 1,
                    Err(Abort::BudgetSpent) => return Ok(added),
                    Err(failed) => return Err(failed),
                }
                if self.is_over() {
                    return Ok(added);
                }
            }
        }
        Ok(added)
    }

    fn add(&mut self, id: ObjectId, commits: &mut HashMap<ObjectId, Missing>) -> Result<(), Abort> {
        let Some(&Missing { tree, first, time, .. }) = commits.get(&id) else { return Ok(()) };
        // Where it stands, and its tree.
        let parent = match first.map(|first| (first, commits.get(&first))) {
            None => None,
            Some((_, Some(parent))) => parent.at.map(|at| (at, parent.tree)),
            Some((first, None)) => match self.index.find(&first) {
                None => None,
                Some(at) => self.read(first)?.map(|(parent, _)| (at, parent.tree)),
            },
        };
        let changed = match parent {
            None => None,
            Some((at, before)) => match compare(self.repo, &self.budget, before, tree, MOST_LEARNT) {
                Ok(changes) => Some((at, prints(&changes))),
                Err(Abort::Failed(_)) => {
                    self.note_unreadable()?;
                    None
                }
                Err(spent) => return Err(spent),
            },
        };
        let (at, prints) = changed.unzip();
        let at = self.index.push(&id, time, at, prints.flatten().as_deref());
        commits.entry(id).and_modify(|commit| commit.at = Some(at));
        Ok(())
    }

    /// Whether it is to end, asked now and then.
    fn is_over(&mut self) -> bool {
        self.steps += 1;
        self.steps.is_multiple_of(AT_ONCE) && !(self.go_on)()
    }
}

/// A commit's first parent, if that is to be added, too, and was not yet.
fn waits(commits: &HashMap<ObjectId, Missing>, id: &ObjectId) -> Option<ObjectId> {
    let first = commits.get(id)?.first?;
    commits.get(&first).filter(|parent| parent.at.is_none()).map(|_| first)
}
