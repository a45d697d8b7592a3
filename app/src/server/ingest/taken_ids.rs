//! The ids of reports that were taken lately, so that one that is sent again counts once.

use domain::ids::IngestKeyId;
use domain::timestamp::{DAY, Timestamp};
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Places for ids in each of two tables, of 8 bytes: 8 MiB in all, a page of them as soon as
/// something is in it.
const PLACES: usize = 1 << 19;
/// Ids in a table, of which three quarters may be full: a look then takes three places or so. At
/// least so many ids are remembered, and twice as many at most; a day's, where there are fewer.
const MOST: usize = PLACES / 4 * 3;

/// Ids that were taken, of all keys, in this process: anew at each start.
///
/// What is remembered of an id is 64 bits of a hash with a secret of this process, so that nobody
/// can make up two that are one. With both tables full, a report is taken for another one by a
/// chance of 1 to 20 million millions.
#[derive(Debug)]
pub(super) struct TakenIds {
    secret: RandomState,
    tables: Mutex<Tables>,
}

/// What an id of a key comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdMark(NonZeroU64);

/// Two tables, of which the older one is given up when the newer is full or a day old.
#[derive(Debug)]
struct Tables {
    newer: Table,
    older: Table,
    /// Since when the newer one is filled.
    began_at: Timestamp,
    /// How many it takes.
    most: usize,
}

#[derive(Debug)]
struct Table {
    /// 0: a free place.
    places: Box<[u64]>,
    /// How many are none.
    count: usize,
}

impl TakenIds {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::of_size(PLACES, MOST)
    }

    /// Both tables have so many places, a power of 2.
    fn of_size(places: usize, most: usize) -> Self {
        // Zeroed by the system, which gives a page once it is written.
        let table = || Table { places: vec![0; places].into_boxed_slice(), count: 0 };
        let tables = Tables { newer: table(), older: table(), began_at: Timestamp::UNIX_EPOCH, most };
        Self { secret: RandomState::new(), tables: Mutex::new(tables) }
    }

    /// What an id (32 digits) of a key comes to; `None`: it says nothing, being nothing but zeros.
    pub(super) fn mark(&self, key: IngestKeyId, id: &str) -> Option<IdMark> {
        if id.bytes().all(|digit| digit == b'0') {
            return None;
        }
        NonZeroU64::new(self.secret.hash_one((key.0, id)).max(1)).map(IdMark)
    }

    /// Whether a report with this id was taken within a day.
    pub(super) fn has(&self, mark: IdMark, now: Timestamp) -> bool {
        let mut tables = self.lock();
        tables.turn(now);
        tables.newer.holds(mark) || tables.older.holds(mark)
    }

    /// Remembers that a report with this id is durable: of one that was refused, or got lost, none
    /// is.
    pub(super) fn taken(&self, mark: IdMark, now: Timestamp) {
        let mut tables = self.lock();
        tables.turn(now);
        tables.put(mark);
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // Nothing under it can panic half-way.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// Begins a new table, where the newer one is full or its day is over.
    fn turn(&mut self, now: Timestamp) {
        // A clock that was set back begins one, too.
        if self.newer.count < self.most && now.is_within(DAY, self.began_at) {
            return;
        }
        std::mem::swap(&mut self.newer, &mut self.older);
        self.newer.clear();
        if !now.is_within(2 * DAY, self.began_at) {
            self.older.clear();
        }
        self.began_at = now;
    }

    fn put(&mut self, mark: IdMark) {
        let place = self.newer.find(mark);
        if self.newer.places[place] == 0 {
            self.newer.places[place] = mark.0.get();
            self.newer.count += 1;
        }
    }
}

impl Table {
    fn holds(&self, mark: IdMark) -> bool {
        self.count > 0 && self.places[self.find(mark)] != 0
    }

    /// The place where an id is, or would be. There always is one, since a quarter is free.
    fn find(&self, mark: IdMark) -> usize {
        let last = self.places.len() - 1;
        let mut place = usize::try_from(mark.0.get() >> 32).unwrap_or(0) & last;
        while self.places[place] != 0 && self.places[place] != mark.0.get() {
            place = (place + 1) & last;
        }
        place
    }

    /// What was never written to is left alone: it takes no memory yet.
    fn clear(&mut self) {
        if std::mem::take(&mut self.count) > 0 {
            self.places.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::timestamp::HOUR;

    const KEY: IngestKeyId = IngestKeyId(1);
    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn id(number: usize) -> String {
        format!("{number:032x}")
    }

    fn mark(ids: &TakenIds, number: usize) -> IdMark {
        ids.mark(KEY, &id(number)).expect("an id")
    }

    #[test]
    fn an_id_is_known_for_a_day_and_to_its_key_alone() {
        let ids = TakenIds::of_size(64, 48);
        let one = mark(&ids, 1);
        assert!(!ids.has(one, NOW));
        ids.taken(one, NOW);
        ids.taken(one, NOW);
        assert!(ids.has(one, NOW) && ids.has(one, NOW + DAY));
        assert!(!ids.has(mark(&ids, 2), NOW));
        assert!(!ids.has(ids.mark(IngestKeyId(2), &id(1)).expect("an id"), NOW), "another key's is another");
        assert_eq!(ids.mark(KEY, &id(0)), None, "none at all");
        assert!(!ids.has(one, NOW + 2 * DAY + HOUR), "not for ever");
    }

    #[test]
    fn an_id_of_the_evening_is_known_in_the_morning() {
        let ids = TakenIds::of_size(64, 48);
        ids.taken(mark(&ids, 1), NOW);
        let late = NOW + 23 * HOUR;
        ids.taken(mark(&ids, 2), late);
        assert!((0..24).all(|hour| ids.has(mark(&ids, 2), late + hour * HOUR)));
    }

    #[test]
    fn after_days_without_any_nothing_is_known() {
        let ids = TakenIds::of_size(64, 48);
        ids.taken(mark(&ids, 1), NOW);
        assert!(!ids.has(mark(&ids, 1), NOW + 10 * DAY));
        assert!(!ids.has(mark(&ids, 1), NOW + 10 * DAY));
    }

    #[test]
    fn however_many_there_are_the_last_ones_are_known() {
        let ids = TakenIds::of_size(64, 48);
        for number in 1..10_000 {
            assert!(!ids.has(mark(&ids, number), NOW), "{number} is taken for another");
            ids.taken(mark(&ids, number), NOW);
            let first = number.saturating_sub(47).max(1);
            assert!((first..=number).all(|known| ids.has(mark(&ids, known), NOW)), "{number}");
        }
        let known = (1..10_000).filter(|number| ids.has(mark(&ids, *number), NOW)).count();
        assert!(known <= 96, "{known}");
    }

    #[test]
    fn a_clock_that_was_set_back_loses_nothing_but_ids() {
        let ids = TakenIds::of_size(64, 48);
        ids.taken(mark(&ids, 1), NOW);
        let back = NOW - 5 * HOUR;
        assert!(!ids.has(mark(&ids, 2), back));
        ids.taken(mark(&ids, 2), back);
        assert!(ids.has(mark(&ids, 2), back));
    }
}
