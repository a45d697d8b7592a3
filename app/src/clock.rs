//! The one place that reads the system clock: time is an argument everywhere else.

use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A source of the current time; a fixed one stands still until it is moved.
#[derive(Clone, Debug)]
pub struct Clock(Source);

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
        Self(Source::System(Arc::default()))
    }

    /// A clock that stands at this moment.
    pub fn fixed(now: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(now.as_millis()))))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Fixed(now) => Timestamp::from_millis(now.load(Ordering::SeqCst)),
            Source::System(offset) => system_now() + SignedDuration::from_millis(offset.load(Ordering::Relaxed)),
        }
    }

    /// Goes by another clock from now on, which all replicas share, and which says `theirs` now; by
    /// how much it was ahead of this machine's. A fixed clock goes by nobody's.
    pub fn follow(&self, theirs: Timestamp) -> SignedDuration {
        let Source::System(offset) = &self.0 else { return SignedDuration::ZERO };
        let ahead = theirs - system_now();
        offset.store(domain::timestamp::millis(ahead), Ordering::Relaxed);
        ahead
    }

    /// Moves a fixed clock on by this much, or back; the system's clock moves by itself.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Fixed(now) = &self.0 {
            now.fetch_add(domain::timestamp::millis(by), Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place")]
fn system_now() -> Timestamp {
    jiff::Timestamp::now().into()
}
