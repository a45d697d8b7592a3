//! Which paths the commits of a history changed, small enough to be kept in a file.

use crate::path_prints::PathPrint;
use gix::ObjectId;
use std::ops::Range;

/// Bytes of an index, in memory as in its file: of some 250,000 commits. From then on the oldest
/// are left out.
pub(crate) const MOST_BYTES: usize = 12 << 20;

/// How much is left when the oldest are left out, so that this is not done for each new commit.
const KEPT_OF_MOST: usize = MOST_BYTES / 4 * 3;

/// What a commit takes beside its paths, in bytes: each list of [`PathIndex`] but the prints.
pub(crate) const COMMIT: usize = size_of::<Id>() + 4 * size_of::<u32>();

/// What a file begins with, and which form it has. Another one is no index.
const MAGIC: [u8; 8] = *b"paths\0\0\x01";

/// Magic, three numbers.
const HEADER: usize = MAGIC.len() + 3 * size_of::<u32>();

/// A checksum of all that comes before it (CRC-32).
const TRAILER: usize = size_of::<u32>();

/// Nothing is known of a commit: it has no parent, or none that is in the index.
const UNKNOWN: u32 = u32::MAX;

/// A commit changed so many paths that it is looked at each time.
const MANY: u32 = u32::MAX - 1;

/// Of how many of the oldest commits the earliest date says where a cut index begins: one of them
/// may have any date.
const OLDEST: usize = 100;

type Id = [u8; 20];

/// What is known of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// Where its first parent stands, and the prints of all paths that differ from there.
    Changed(u32, &'a [u16]),
    /// It changed too many.
    Many,
    /// Nothing.
    Unknown,
}

/// The commits of a history, each after its first parent, and the paths that differ between the
/// two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathIndex {
    ids: Vec<Id>,
    /// Where a commit's first parent stands, [`UNKNOWN`] or [`MANY`].
    firsts: Vec<u32>,
    /// When they were made, in seconds since the epoch.
    times: Vec<u32>,
    /// Where the prints of a commit end; they begin where those of the one before it end.
    ends: Vec<u32>,
    prints: Vec<u16>,
    /// Where the commits stand, in the order of their ids.
    order: Vec<u32>,
    /// Whether older ones were left out.
    is_cut: bool,
}

fn key(id: &ObjectId) -> Option<Id> {
    id.as_slice().try_into().ok()
}

impl PathIndex {
    /// How many commits it has.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        HEADER + self.ids.len() * COMMIT + self.prints.len() * size_of::<u16>() + TRAILER
    }

    /// Where a commit stands.
    pub(crate) fn find(&self, commit: &ObjectId) -> Option<u32> {
        let key = key(commit)?;
        let found = self.order.binary_search_by(|at| self.ids[*at as usize].cmp(&key)).ok()?;
        self.order.get(found).copied()
    }

    /// What is known of the commit that stands there.
    pub(crate) fn entry(&self, at: u32) -> Entry<'_> {
        match self.firsts[at as usize] {
            UNKNOWN => Entry::Unknown,
            MANY => Entry::Many,
            first => Entry::Changed(first, &self.prints[self.prints_of(at as usize)]),
        }
    }

    fn prints_of(&self, at: usize) -> Range<usize> {
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        begin as usize..self.ends[at] as usize
    }

    /// The id of the commit that stands there.
    pub(crate) fn id(&self, at: u32) -> ObjectId {
        ObjectId::from(self.ids[at as usize])
    }

    /// Goes from a commit to first parents for as long as they have the same at a path. Returns how
    /// far that was, and where it ended; `None`: it does not know the commit.
    pub(crate) fn pass(&self, commit: &ObjectId, path: PathPrint) -> Option<(u64, ObjectId)> {
        let mut at = self.find(commit)?;
        let mut passed = 0;
        while let Entry::Changed(first, prints) = self.entry(at)
            && !prints.contains(&path.0)
        {
            (at, passed) = (first, passed + 1);
        }
        Some((passed, self.id(at)))
    }

    /// Commits older than this many seconds since the epoch were left out.
    pub(crate) fn begins_at(&self) -> u32 {
        let oldest = self.times.iter().take(OLDEST).copied().min();
        oldest.filter(|_| self.is_cut).unwrap_or(0)
    }

    /// Notes that there are older ones than it gets.
    pub(crate) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Adds a commit, which has to come after its first parent, without putting it in order, and
    /// returns where it stands. `prints` are of the paths that differ from the parent; `None`: they
    /// are too many.
    pub(crate) fn push(&mut self, commit: &ObjectId, time: u32, first: Option<u32>, prints: Option<&[u16]>) -> u32 {
        let at = self.ids.len() as u32;
        let Some(key) = key(commit) else { return UNKNOWN };
        let first = match (first.filter(|first| *first < at), prints) {
            (None, _) => UNKNOWN,
            (Some(_), None) => MANY,
            (Some(first), Some(prints)) => {
                self.prints.extend_from_slice(prints);
                first
            }
        };
        self.ids.push(key);
        self.firsts.push(first);
        self.times.push(time);
        self.ends.push(self.prints.len() as u32);
        at
    }

    /// Puts in order what was added, and leaves out the oldest if there is too much.
    pub(crate) fn settle(&mut self) {
        if self.size() > MOST_BYTES {
            let mut over = self.size() - KEPT_OF_MOST;
            let size = |at: &usize| COMMIT + self.prints_of(*at).len() * size_of::<u16>();
            let oldest = (0..self.ids.len()).take_while(|at| {
                let is_left_out = over > 0;
                over = over.saturating_sub(size(at));
                is_left_out
            });
            self.leave_out(oldest.count());
        }
        self.order.extend(self.order.len() as u32..self.ids.len() as u32);
        // Two runs in order: a stable sort joins them at once.
        let ids = &self.ids;
        self.order.sort_by(|a, b| ids[*a as usize].cmp(&ids[*b as usize]));
    }

    fn leave_out(&mut self, oldest: usize) {
        let prints = oldest.checked_sub(1).map_or(0, |last| self.ends[last]);
        self.ids.drain(..oldest);
        self.firsts.drain(..oldest);
        self.times.drain(..oldest);
        self.ends.drain(..oldest);
        self.prints.drain(..prints as usize);
        self.ends.iter_mut().for_each(|end| *end -= prints);
        let oldest = oldest as u32;
        for first in self.firsts.iter_mut().filter(|first| **first < MANY) {
            *first = first.checked_sub(oldest).unwrap_or(UNKNOWN);
        }
        self.order.clear();
        self.is_cut = true;
    }

    /// What a file of it holds.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size());
        bytes.extend(MAGIC);
        let numbers = [self.ids.len() as u32, self.prints.len() as u32, u32::from(self.is_cut)];
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self.ids.iter().for_each(|id| bytes.extend_from_slice(id));
        for list in [&self.firsts, &self.times, &self.ends, &self.order] {
            list.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        }
        self.prints.iter().for_each(|print| bytes.extend_from_slice(&print.to_le_bytes()));
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// What a file holds, if that is an index and nothing of it is damaged.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (content, sum) = bytes.split_last_chunk::<TRAILER>()?;
        let (commits, prints) = announced(content)?;
        let (header, lists) = content.split_at_checked(HEADER)?;
        if lists.len() != commits.checked_mul(COMMIT)?.checked_add(prints.checked_mul(2)?)?
            || crc32fast::hash(content).to_le_bytes() != *sum
        {
            return None;
        }
        let (ids, lists) = lists.split_at_checked(commits * size_of::<Id>())?;
        let (numbers, prints) = lists.split_at_checked(commits * 4 * size_of::<u32>())?;
        let mut numbers = numbers.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number));
        let mut list = || numbers.by_ref().take(commits).collect::<Vec<u32>>();
        let (firsts, times, ends, order) = (list(), list(), list(), list());
        let index = Self {
            ids: ids.as_chunks::<20>().0.to_vec(),
            firsts,
            times,
            ends,
            prints: prints.as_chunks::<2>().0.iter().map(|print| u16::from_le_bytes(*print)).collect(),
            order,
            is_cut: header.last_chunk::<4>().is_some_and(|flag| u32::from_le_bytes(*flag) != 0),
        };
        index.is_sound().then_some(index)
    }

    /// Whether each number leads somewhere, and parents come before their children: else a walk
    /// could fail or go round.
    fn is_sound(&self) -> bool {
        let commits = self.ids.len() as u32;
        let firsts = self.firsts.iter().zip(0..).all(|(first, at)| *first >= MANY || *first < at);
        let ends = self.ends.is_sorted() && self.ends.last().map_or(0, |end| *end as usize) == self.prints.len();
        firsts && ends && self.order.iter().all(|at| *at < commits)
    }
}

/// How many commits and prints what a file begins with announces.
pub(crate) fn announced(bytes: &[u8]) -> Option<(usize, usize)> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (commits, rest) = rest.split_first_chunk::<4>()?;
    let prints = rest.first_chunk::<4>()?;
    let number = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
    (*magic == MAGIC).then(|| (number(commits), number(prints)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ObjectId {
        let mut bytes = [7; 20];
        // Not in order.
        bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_le_bytes());
        ObjectId::from(bytes)
    }

    #[test]
    fn the_oldest_are_left_out_where_there_are_too_many() {
        let (mut index, commits) = (PathIndex::default(), 150_000);
        let prints: Vec<u16> = (100..140).collect();
        let mut first = None;
        for number in 0..commits {
            first = Some(index.push(&id(number), 1_000 + number, first, Some(&prints)));
            if number == commits / 2 {
                index.settle();
                assert!(!index.is_cut);
            }
        }
        let all = index.size();
        index.settle();
        assert!(all > MOST_BYTES && index.size() <= KEPT_OF_MOST && index.size() > MOST_BYTES / 2);
        let oldest = commits - index.len() as u32;
        assert_eq!((index.find(&id(oldest - 1)), index.find(&id(oldest))), (None, Some(0)));
        assert_eq!(index.begins_at(), 1_000 + oldest, "what is older is not taken in again");
        // It goes back to the oldest, of whose parent it knows nothing; a path that all change is
        // found at once.
        let newest = id(commits - 1);
        assert_eq!(index.pass(&newest, PathPrint(0)), Some((index.len() as u64 - 1, id(oldest))));
        assert_eq!(index.pass(&newest, PathPrint(100)), Some((0, newest)));
        assert_eq!(index.entry(0), Entry::Unknown);
        assert_eq!(PathIndex::from_bytes(&index.to_bytes()).as_ref(), Some(&index));
    }

    #[test]
    fn numbers_that_lead_nowhere_are_not_followed() {
        let mut index = PathIndex::default();
        let first = index.push(&id(1), 0, None, None);
        index.push(&id(2), 0, Some(first), Some(&[5]));
        index.settle();
        type Spoil = fn(&mut PathIndex);
        let spoil: [Spoil; 4] = [
            |index| index.firsts[1] = 1,
            |index| index.ends[1] = 9,
            |index| index.ends[0] = 1_000,
            |index| index.order[0] = 2,
        ];
        assert!(PathIndex::from_bytes(&index.to_bytes()).is_some());
        for spoil in spoil {
            let mut spoilt = index.clone();
            spoil(&mut spoilt);
            assert_eq!(PathIndex::from_bytes(&spoilt.to_bytes()), None);
        }
    }
}
