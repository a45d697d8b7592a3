//! What is known of a database that does not answer: who asks while it is away is told so at once,
//! and the log says it once a minute, not once a request.

use crate::error::{StoreError, Trouble};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a database may take to be connected to, or to answer that a connection is alive, before
/// it counts as away: people and clients wait for it.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// How long a database that did not answer is not asked again: a page asks several times, and every
/// time would be waited for.
const LEFT_ALONE: Duration = Duration::from_millis(500);
/// How often the same trouble is logged: it is written for who reads the log, not for each request.
const LOGGED_EVERY: Duration = Duration::from_secs(60);

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    away: Mutex<Option<Away>>,
    logged: Mutex<HashMap<Trouble, Logged>>,
    /// The latest write that the disk did not take.
    refused: Mutex<Option<(Trouble, Instant)>>,
}

#[derive(Debug)]
struct Away {
    why: String,
    /// When somebody may ask again; the others wait for what they learn.
    again_at: Instant,
}

#[derive(Debug)]
struct Logged {
    at: Instant,
    unsaid: u64,
}

impl Outage {
    /// Lets pass who may ask the database.
    pub(crate) fn passes(&self, now: Instant) -> Result<(), StoreError> {
        let mut away = lock(&self.away);
        match &mut *away {
            Some(known) if now < known.again_at => Err(StoreError::away(known.why.clone())),
            Some(known) => {
                known.again_at = now + ANSWERS_WITHIN;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Notes what came of asking.
    pub(crate) fn note(&self, error: Option<&StoreError>, now: Instant) {
        let why = error.map(|error| match error {
            StoreError::Away { why } => why.clone(),
            other => other.to_string(),
        });
        *lock(&self.away) = why.map(|why| Away { why, again_at: now + LEFT_ALONE });
    }

    /// Notes that a statement of a write failed so, where that is the disk's doing.
    pub(crate) fn note_refused(&self, trouble: Trouble, now: Instant) {
        match trouble {
            Trouble::Full | Trouble::ReadOnly | Trouble::Disk | Trouble::Damaged => {
                *lock(&self.refused) = Some((trouble, now));
            }
            Trouble::Away | Trouble::Busy | Trouble::Gone => {}
        }
    }

    /// Why the disk did not take a write within this time.
    pub(crate) fn refused_within(&self, life: Duration, now: Instant) -> Option<Trouble> {
        lock(&self.refused).filter(|(_, at)| now.duration_since(*at) < life).map(|(trouble, _)| trouble)
    }

    /// Whether this trouble is to be logged now: how often it was passed over since it last was.
    pub(crate) fn to_be_logged(&self, trouble: Trouble, now: Instant) -> Option<u64> {
        let mut logged = lock(&self.logged);
        match logged.get_mut(&trouble) {
            Some(before) if now < before.at + LOGGED_EVERY => {
                before.unsaid += 1;
                None
            }
            known => {
                let unsaid = known.map_or(0, |before| before.unsaid);
                logged.insert(trouble, Logged { at: now, unsaid: 0 });
                Some(unsaid)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can panic half-way, so a poisoned one holds what it should.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_while_it_is_away_is_told_so_at_once() {
        let (outage, now) = (Outage::default(), Instant::now());
        assert!(outage.passes(now).is_ok());
        outage.note(Some(&StoreError::away("connection refused")), now);
        assert!(outage.passes(now).unwrap_err().to_string().contains("connection refused"));
        let later = now + LEFT_ALONE;
        assert!(outage.passes(later).is_ok(), "one looks whether it is back");
        assert!(outage.passes(later).is_err(), "the others do not wait for it");
        outage.note(None, later);
        assert!(outage.passes(later).is_ok());
    }

    #[test]
    fn a_write_that_the_disk_did_not_take_is_known_for_a_while() {
        let (outage, now) = (Outage::default(), Instant::now());
        outage.note_refused(Trouble::Busy, now);
        assert_eq!(outage.refused_within(LOGGED_EVERY, now), None, "that is not the disk");
        outage.note_refused(Trouble::Full, now);
        assert_eq!(outage.refused_within(LEFT_ALONE, now), Some(Trouble::Full));
        assert_eq!(outage.refused_within(LEFT_ALONE, now + LEFT_ALONE), None);
    }

    #[test]
    fn a_trouble_is_logged_once_a_minute_with_how_often_it_was_passed_over() {
        let (outage, now) = (Outage::default(), Instant::now());
        assert_eq!(outage.to_be_logged(Trouble::Full, now), Some(0));
        assert_eq!(outage.to_be_logged(Trouble::Away, now), Some(0), "another trouble is its own");
        for _ in 0..7 {
            assert_eq!(outage.to_be_logged(Trouble::Full, now), None);
        }
        assert_eq!(outage.to_be_logged(Trouble::Full, now + LOGGED_EVERY), Some(7));
        assert_eq!(outage.to_be_logged(Trouble::Full, now + LOGGED_EVERY), None);
    }
}
