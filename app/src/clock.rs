//! The one place that reads the system clock: time is an argument everywhere else.

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

    /// A clock that stands at this moment (Unix milliseconds).
    pub fn fixed(now_ms: i64) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now_ms))))
    }

    /// Now, in Unix milliseconds.
    #[allow(clippy::disallowed_methods, reason = "the one place")]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Some(fixed) => fixed.load(Ordering::SeqCst),
            None => std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
        }
    }

    /// Moves a fixed clock on by this many milliseconds; the system's clock moves by itself.
    pub fn advance(&self, by_ms: i64) {
        if let Some(fixed) = &self.0 {
            fixed.fetch_add(by_ms, Ordering::SeqCst);
        }
    }
}
