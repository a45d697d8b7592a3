//! The ids of reports that were taken lately, so that one that is sent again counts once.

use domain::ids::IngestKeyId;
use domain::timestamp::{DAY, Timestamp};
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

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
    /// A report is not under way any more.
    ended: Notify,
}

/// What an id of a key comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdMark(NonZeroU64);

/// What is known of the id of a report that comes in.
#[derive(Debug)]
pub enum Begun {
    /// Nothing.
    First(UnderWay),
    /// A report with it was taken within a day.
    Taken,
    /// One with it came before, and what becomes of that is not known yet.
    UnderWay,
}

/// The id of a report that is under way, until that is durable or given up, whoever waits for it.
#[derive(Debug)]
pub struct UnderWay {
    ids: Arc<TakenIds>,
    mark: IdMark,
    now: Timestamp,
    is_durable: bool,
}

impl UnderWay {
    /// The report is durable.
    pub fn taken(mut self) {
        self.is_durable = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut tables = self.ids.lock();
        tables.under_way.remove(&self.mark);
        // Of one that was refused, or got lost, nothing is remembered: it may be sent again.
        if self.is_durable {
            tables.turn(self.now);
            tables.put(self.mark);
        }
        drop(tables);
        self.ids.ended.notify_waiters();
    }
}

/// Two tables, of which the older one is given up when the newer is full or a day old.
#[derive(Debug)]
struct Tables {
    newer: Table,
    older: Table,
    /// Of reports that are not durable yet: as many as there are requests at a time, and reports
    /// that wait for the writer.
    under_way: HashSet<IdMark>,
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
        let (newer, older, under_way) = (table(), table(), HashSet::new());
        let tables = Tables { newer, older, under_way, began_at: Timestamp::UNIX_EPOCH, most };
        Self { secret: RandomState::new(), tables: Mutex::new(tables), ended: Notify::new() }
    }

    /// What an id (32 digits) of a key comes to; `None`: it says nothing, being nothing but zeros.
    pub(super) fn mark(&self, key: IngestKeyId, id: &str) -> Option<IdMark> {
        if id.bytes().all(|digit| digit == b'0') {
            return None;
        }
        NonZeroU64::new(self.secret.hash_one((key.0, id)).max(1)).map(IdMark)
    }

    /// Begins a report with this id, unless one was taken or is under way.
    pub(super) fn begin(self: &Arc<Self>, mark: IdMark, now: Timestamp) -> Begun {
        let mut tables = self.lock();
        tables.turn(now);
        if tables.newer.holds(mark) || tables.older.holds(mark) {
            return Begun::Taken;
        }
        if !tables.under_way.insert(mark) {
            return Begun::UnderWay;
        }
        drop(tables);
        Begun::First(UnderWay { ids: Arc::clone(self), mark, now, is_durable: false })
    }

    /// The same once none with this id is under way. `None`: one was taken.
    pub(super) async fn begin_after_others(self: &Arc<Self>, mark: IdMark, now: Timestamp) -> Option<UnderWay> {
        loop {
            // Of whatever ends from here on.
            let ended = self.ended.notified();
            match self.begin(mark, now) {
                Begun::First(under_way) => return Some(under_way),
                Begun::Taken => return None,
                Begun::UnderWay => ended.await,
            }
        }
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

    fn mark(ids: &Arc<TakenIds>, number: usize) -> IdMark {
        ids.mark(KEY, &id(number)).expect("an id")
    }

    fn has(ids: &Arc<TakenIds>, mark: IdMark, now: Timestamp) -> bool {
        matches!(ids.begin(mark, now), Begun::Taken)
    }

    fn take(ids: &Arc<TakenIds>, mark: IdMark, now: Timestamp) {
        if let Begun::First(under_way) = ids.begin(mark, now) {
            under_way.taken();
        }
    }

    #[tokio::test]
    async fn who_comes_while_one_is_under_way_learns_what_became_of_that() {
        let ids = Arc::new(TakenIds::of_size(64, 48));
        let one = mark(&ids, 1);
        for is_durable in [false, true] {
            let Begun::First(first) = ids.begin(one, NOW) else { panic!("nothing is known of it") };
            assert!(matches!(ids.begin(one, NOW), Begun::UnderWay));
            assert!(matches!(ids.begin(mark(&ids, 2), NOW), Begun::First(_)), "another one goes on");
            let (again, then) = (Arc::clone(&ids), Arc::clone(&ids));
            let second = tokio::spawn(async move { again.begin_after_others(one, NOW).await.is_some() });
            let third = tokio::spawn(async move { then.begin_after_others(one, NOW).await.is_some() });
            tokio::task::yield_now().await;
            assert!(!second.is_finished() && !third.is_finished(), "they wait");
            if is_durable {
                first.taken();
            } else {
                drop(first);
            }
            assert_eq!((second.await.unwrap(), third.await.unwrap()), (!is_durable, !is_durable));
        }
        assert!(ids.lock().under_way.is_empty());
    }

    #[test]
    fn an_id_is_known_for_a_day_and_to_its_key_alone() {
        let ids = Arc::new(TakenIds::of_size(64, 48));
        let one = mark(&ids, 1);
        assert!(!has(&ids, one, NOW));
        take(&ids, one, NOW);
        take(&ids, one, NOW);
        assert!(has(&ids, one, NOW) && has(&ids, one, NOW + DAY));
        assert!(!has(&ids, mark(&ids, 2), NOW));
        assert!(!has(&ids, ids.mark(IngestKeyId(2), &id(1)).expect("an id"), NOW), "another key's is another");
        assert_eq!(ids.mark(KEY, &id(0)), None, "none at all");
        assert!(!has(&ids, one, NOW + 2 * DAY + HOUR), "not for ever");
    }

    #[test]
    fn an_id_of_the_evening_is_known_in_the_morning() {
        let ids = Arc::new(TakenIds::of_size(64, 48));
        take(&ids, mark(&ids, 1), NOW);
        let late = NOW + 23 * HOUR;
        take(&ids, mark(&ids, 2), late);
        assert!((0..24).all(|hour| has(&ids, mark(&ids, 2), late + hour * HOUR)));
    }

    #[test]
    fn after_days_without_any_nothing_is_known() {
        let ids = Arc::new(TakenIds::of_size(64, 48));
        take(&ids, mark(&ids, 1), NOW);
        assert!(!has(&ids, mark(&ids, 1), NOW + 10 * DAY));
        assert!(!has(&ids, mark(&ids, 1), NOW + 10 * DAY));
    }

    #[test]
    fn however_many_there_are_the_last_ones_are_known() {
        let ids = Arc::new(TakenIds::of_size(64, 48));
        for number in 1..10_000 {
            assert!(!has(&ids, mark(&ids, number), NOW), "{number} is taken for another");
            take(&ids, mark(&ids, number), NOW);
            let first = number.saturating_sub(47).max(1);
            assert!((first..=number).all(|known| has(&ids, mark(&ids, known), NOW)), "{number}");
        }
        let known = (1..10_000).filter(|number| has(&ids, mark(&ids, *number), NOW)).count();
        assert!(known <= 96, "{known}");
    }

    #[test]
    fn a_clock_that_was_set_back_loses_nothing_but_ids() {
        let ids = Arc::new(TakenIds::of_size(64, 48));
        take(&ids, mark(&ids, 1), NOW);
        let back = NOW - 5 * HOUR;
        assert!(!has(&ids, mark(&ids, 2), back));
        take(&ids, mark(&ids, 2), back);
        assert!(has(&ids, mark(&ids, 2), back));
    }
}
