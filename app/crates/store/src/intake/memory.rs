//! What the writer remembers from one transaction to the next.

use crate::jobs::Costs;
use domain::ids::{IngestKeyId, LineId, RepositoryId};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Facets known to be stored, so that a repeat writes none. Forgotten all at once when there are
/// more.
const REMEMBERED_FACETS: usize = 100_000;

/// Keys whose turns are remembered. Beyond, all begin anew, which costs a moment's fairness.
const REMEMBERED_TURNS: usize = 10_000;

/// How far a report to attribute moves the next one of its key back: about what attributing one
/// takes. So whoever brings many waits behind whoever brings few, and the workers are never idle
/// for it.
const TURN: SignedDuration = SignedDuration::from_millis(50);

/// What a key may bring at once before others go first: 100 reports. What one cause breaks is then
/// attributed before anybody is told of it, and so told of as one storm; nobody waits behind more.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);

/// What the writer remembers from one transaction to the next: facets that it wrote lately, and how
/// much each key has asked for.
#[derive(Debug, Default)]
pub struct WriterMemory {
    facets: HashSet<(i64, u64)>,
    turns: HashMap<IngestKeyId, Timestamp>,
    /// What reports of each repository cost lately.
    pub(super) costs: Arc<Costs>,
}

impl WriterMemory {
    /// Whether this facet is to be written now: new to this process, or not refreshed within the
    /// hour.
    pub(super) fn is_news(&mut self, line: LineId, kind: &'static str, value: &str, at: Timestamp) -> bool {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        if self.facets.len() >= REMEMBERED_FACETS {
            self.facets.clear();
        }
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one((kind, value, at.hour()));
        self.facets.insert((line.0, hash))
    }

    /// What was taken to be written was not.
    pub(super) fn forget_facets(&mut self) {
        self.facets.clear();
    }

    /// The turn of a report of this key that is to be attributed.
    pub(super) fn next_turn(&mut self, key: IngestKeyId, repository: RepositoryId, now: Timestamp) -> Timestamp {
        if self.turns.len() >= REMEMBERED_TURNS {
            self.turns.retain(|_, next| *next > now);
        }
        if self.turns.len() >= REMEMBERED_TURNS {
            self.turns.clear();
        }
        let next = self.turns.entry(key).or_insert(now);
        let own = now.max(*next);
        *next = own + TURN;
        self.costs.turn(repository, now.max(own - AT_ONCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOSITORY: RepositoryId = RepositoryId(1);

    #[test]
    fn whoever_brings_many_waits_behind_whoever_brings_few() {
        let mut memory = WriterMemory::default();
        let now = Timestamp::from_seconds(1_000);
        let (many, few) = (IngestKeyId(1), IngestKeyId(2));
        let turns: Vec<Timestamp> = (0..1_000).map(|_| memory.next_turn(many, REPOSITORY, now)).collect();
        assert!(turns.is_sorted() && turns[100] == now);
        let later = now + SignedDuration::from_millis(120);
        let turn = memory.next_turn(few, REPOSITORY, later);
        assert_eq!(turns.iter().filter(|before| **before < turn).count(), 103, "not behind the other 897");
        let rested = now + SignedDuration::from_mins(1);
        assert_eq!(memory.next_turn(many, REPOSITORY, rested), rested, "what was worked off is forgotten");
    }

    #[test]
    fn no_more_is_remembered_than_has_room() {
        let mut memory = WriterMemory::default();
        let now = Timestamp::from_seconds(1_000);
        for number in 0..REMEMBERED_FACETS + 9 {
            let line = LineId(i64::try_from(number).unwrap());
            assert!(memory.is_news(line, "server", "web-1", now));
            assert!(memory.facets.len() <= REMEMBERED_FACETS);
        }
        for number in 0..REMEMBERED_TURNS + 9 {
            memory.next_turn(IngestKeyId(i64::try_from(number).unwrap()), REPOSITORY, now);
            assert!(memory.turns.len() <= REMEMBERED_TURNS);
        }
    }
}
