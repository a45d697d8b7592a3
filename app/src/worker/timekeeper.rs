//! Clocks that were set: what was put off by them goes on all the same.

use crate::clock::Clock;
use crate::services::Epoch;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::clock::UNNOTICED;
use store::{Store, StoreError};
use tokio::time::Instant;

/// How often the latest moment is written down, so that the next process knows of it.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// A machine whose clock is further from the database's than this is worth a word in the log.
const WORTH_A_WORD: SignedDuration = SignedDuration::from_secs(10);

/// How long after a clock was set back it is looked for what was written by the moments of before:
/// whoever was told one may be waiting for a clone, or for a client's body.
const WATCHED_FOR: Duration = Duration::from_mins(15);
/// How often it is looked for that: until then it waits for a moment that does not come soon.
const WATCHED_EVERY: Duration = Duration::from_secs(2);

/// Times that it was set back lately: one is a mistake that was mended, and this many are a clock
/// that nobody can go by.
const MOST_WATCHES: usize = 8;

/// Watches the clock.
#[derive(Clone)]
pub(super) struct Timekeeper {
    store: Store,
    clock: Clock,
    epoch: Epoch,
    /// Whether it was compared with what the last process wrote down.
    compared: Arc<AtomicBool>,
    /// Held while what waits is put right.
    looking: Arc<tokio::sync::Mutex<()>>,
    /// The latest moment that is written down.
    noted: Arc<AtomicI64>,
    /// One for each time that it was set back, the latest last.
    watches: Arc<Mutex<Vec<Watch>>>,
}

/// Looks for what comes late of moments that were told before the clock was set back.
#[derive(Clone, Copy)]
struct Watch {
    /// The latest moment that anybody was told.
    told: Timestamp,
    until: Instant,
    next: Instant,
}

impl Timekeeper {
    pub(super) fn new(store: Store, clock: Clock, epoch: Epoch) -> Self {
        let noted = Arc::new(AtomicI64::new(Timestamp::MIN.as_millis()));
        Self { store, clock, epoch, compared: Arc::default(), looking: Arc::default(), noted, watches: Arc::default() }
    }

    /// Goes by the database's clock, where that is a server's: replicas then agree on what is due,
    /// whatever their machines say.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn follow_the_database(&self) -> Result<(), StoreError> {
        let Some(theirs) = store::clock::of_server(&self.store).await? else { return Ok(()) };
        let ahead = self.clock.follow(theirs);
        if ahead.abs() > WORTH_A_WORD {
            tracing::warn!(
                ?ahead,
                "the database's clock is ahead of this machine's (or behind, if negative), and is followed"
            );
        }
        Ok(())
    }

    /// Looks whether the clock was set back since the latest moment that this process, or the last
    /// one, knew of; then all that was put off until a moment is put off by as much less.
    ///
    /// # Errors
    /// The database is out of reach: the next call finds it again.
    pub(super) async fn notice(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut waited_for = None;
        for told in self.watched(now) {
            if store::clock::is_waited_for(&self.store, told).await? {
                waited_for = waited_for.max(Some(told));
            }
        }
        if self.is_set_back(now, waited_for).is_some() {
            self.look(now, waited_for).await?;
        } else if now - Timestamp::from_millis(self.noted.load(Ordering::Acquire)) >= NOTED_EVERY {
            store::clock::record(&self.store, now).await?;
            self.noted.store(now.as_millis(), Ordering::Release);
        }
        Ok(())
    }

    /// The moments by which it is to be looked now for what came late.
    fn watched(&self, now: Timestamp) -> Vec<Timestamp> {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let at = Instant::now();
        watches.retain(|watch| watch.until > at && watch.told > now + UNNOTICED);
        let due = watches.iter_mut().filter(|watch| watch.next <= at);
        due.map(|watch| {
            watch.next = at + WATCHED_EVERY;
            watch.told
        })
        .collect()
    }

    /// Begins to look for what comes late of a moment that was told.
    fn watch(&self, told: Timestamp) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let at = Instant::now();
        watches.retain(|watch| (watch.told - told).abs() > UNNOTICED);
        if watches.len() == MOST_WATCHES {
            watches.remove(0);
        }
        watches.push(Watch { told, until: at + WATCHED_FOR, next: at + WATCHED_EVERY });
    }

    /// From when the clock was set back, as far as this process knows; also before it was compared
    /// at all.
    fn is_set_back(&self, now: Timestamp, waited_for: Option<Timestamp>) -> Option<Timestamp> {
        let latest = self.clock.latest().max(waited_for).unwrap_or(now);
        (now + UNNOTICED < latest || !self.compared.load(Ordering::Acquire)).then_some(latest)
    }

    async fn look(&self, now: Timestamp, waited_for: Option<Timestamp>) -> Result<(), StoreError> {
        // Of several workers that notice it at once, one puts right what there is.
        let _looking = self.looking.lock().await;
        let Some(latest) = self.is_set_back(now, waited_for) else { return Ok(()) };
        if !self.compared.load(Ordering::Acquire)
            && let Some(set_back) = store::clock::known(&self.store).await?.set_back
        {
            // The process before may have ended before all of it had come.
            self.watch(set_back.until);
        }
        if let Some(by) = store::clock::set_back(&self.store, latest, UNNOTICED, now).await? {
            tracing::warn!(?by, "the clock was set back: what was put off until later goes on as if it had not been");
            self.watch(now + by);
        }
        // Another process may have put the rows right: what this one remembers is void all the
        // same.
        self.epoch.turn();
        self.clock.forget_later(now);
        self.compared.store(true, Ordering::Release);
        self.noted.store(now.as_millis(), Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::timestamp::HOUR;

    #[tokio::test]
    async fn what_a_process_remembers_is_void_once_the_clock_was_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let (clock, epoch) = (Clock::fixed(Timestamp::from_seconds(100_000)), Epoch::default());
        let timekeeper = Timekeeper::new(store, clock.clone(), epoch.clone());
        timekeeper.notice(clock.now()).await.unwrap();
        let before = epoch.now();
        timekeeper.notice(clock.now()).await.unwrap();
        assert_eq!(epoch.now(), before, "nothing happened");
        clock.advance(-HOUR);
        timekeeper.notice(clock.now()).await.unwrap();
        assert!(epoch.now() > before);
    }
}
