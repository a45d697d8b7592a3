//! The one place that reads the system clock: time is an argument everywhere else.

use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A source of the current time; a fixed one stands still until it is moved.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    /// The latest moment that anybody was told, Unix milliseconds.
    latest: Arc<AtomicI64>,
}

#[derive(Clone, Debug)]
enum Source {
    /// The system's clock, put right by so many milliseconds.
    System(Arc<AtomicI64>),
    /// It stands at this moment.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::of(Source::System(Arc::default()))
    }

    /// A clock that stands at this moment.
    pub fn fixed(now: Timestamp) -> Self {
        Self::of(Source::Fixed(Arc::new(AtomicI64::new(now.as_millis()))))
    }

    fn of(source: Source) -> Self {
        Self { source, latest: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let now = match &self.source {
            Source::Fixed(now) => Timestamp::from_millis(now.load(Ordering::SeqCst)),
            Source::System(offset) => system_now() + SignedDuration::from_millis(offset.load(Ordering::Relaxed)),
        };
        self.latest.fetch_max(now.as_millis(), Ordering::Relaxed);
        now
    }

    /// The latest moment that anybody was told; later than now where the clock was set back, were
    /// it only after a leap that nobody else saw. `None`: nobody asked yet.
    pub fn latest(&self) -> Option<Timestamp> {
        match self.latest.load(Ordering::Relaxed) {
            i64::MIN => None,
            latest => Some(Timestamp::from_millis(latest)),
        }
    }

    /// Forgets moments later than this one: what came of them was put right.
    pub fn forget_later(&self, now: Timestamp) {
        self.latest.fetch_min(now.as_millis(), Ordering::Relaxed);
    }

    /// What this machine's own clock says, whosever clock is gone by.
    pub fn machine(&self) -> Timestamp {
        match &self.source {
            Source::Fixed(_) => self.now(),
            Source::System(_) => system_now(),
        }
    }

    /// Goes by another clock from now on, which all replicas share, and which says `theirs` now; by
    /// how much it was ahead of this machine's. A fixed clock goes by nobody's.
    pub fn follow(&self, theirs: Timestamp) -> SignedDuration {
        let Source::System(offset) = &self.source else { return SignedDuration::ZERO };
        let ahead = theirs - system_now();
        offset.store(domain::timestamp::millis(ahead), Ordering::Relaxed);
        ahead
    }

    /// Moves a fixed clock on by this much, or back; the system's clock moves by itself.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Fixed(now) = &self.source {
            now.fetch_add(domain::timestamp::millis(by), Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place")]
fn system_now() -> Timestamp {
    jiff::Timestamp::now().into()
}
