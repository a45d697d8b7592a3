//! What time it is: here, and on GitHub, as its answers say it.

use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long what GitHub said of the time is gone by: each hour it is asked what is installed.
const HEARD_FOR: Duration = Duration::from_secs(60 * 60);
/// Clocks that are no further apart are taken for one: a `Date` has whole seconds, and its answer
/// was under way for some more.
pub(super) const SAME: SignedDuration = SignedDuration::from_secs(30);

/// Our clock, as whoever may read it hands it over.
#[derive(Clone)]
pub struct TimeSource(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl TimeSource {
    /// The clock that says this whenever it is asked.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimeSource")
    }
}

/// GitHub's clock, by its latest answer.
#[derive(Default)]
pub(super) struct GitHubTime(Mutex<Option<Heard>>);

#[derive(Clone, Copy)]
struct Heard {
    said: Timestamp,
    /// How far that was ahead of our clock.
    ahead: SignedDuration,
    at: Instant,
}

impl GitHubTime {
    /// Notes what an answer said, and what our clock says at its arrival.
    pub(super) fn hear(&self, said: Timestamp, ours: Timestamp) {
        let heard = Heard { said, ahead: said - ours, at: Instant::now() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(heard);
    }

    /// What GitHub's clock says now; `None`: nothing was heard of it for an hour.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let heard = self.lately()?;
        Some(heard.said + SignedDuration::try_from(heard.at.elapsed()).ok()?)
    }

    /// The earlier one of what both clocks make of a moment of ours.
    pub(super) fn earliest(&self, ours: Timestamp) -> Timestamp {
        let behind = self.lately().map(|heard| heard.ahead).filter(|ahead| *ahead < -SAME);
        ours + behind.unwrap_or_default()
    }

    fn lately(&self) -> Option<Heard> {
        let heard = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.filter(|heard| heard.at.elapsed() < HEARD_FOR)
    }
}
