//! The one place that reads the system clock: time is an argument everywhere else.

use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A source of the current time; a fixed one stands still until it is moved.
#[derive(Clone, Debug)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at this moment.
    pub fn fixed(now: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now.as_millis()))))
    }

    /// Now.
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(fixed) => Timestamp::from_millis(fixed.load(Ordering::SeqCst)),
            None => jiff::Timestamp::now().into(),
        }
    }

    /// Moves a fixed clock on by this much; the system's clock moves by itself.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(fixed) = &self.0 {
            fixed.fetch_add(domain::timestamp::millis(by), Ordering::SeqCst);
        }
    }
}
