//! Row ids, made by the application: portable, in order of time, and known before the row is
//! written.

use domain::timestamp::{Timestamp, millis};
use std::sync::atomic::{AtomicI64, Ordering};

/// Bits below the milliseconds: 10 for the process, 12 for the ids that one process makes within
/// one millisecond.
const LOW_BITS: u32 = 22;
/// Bits that count within one millisecond.
const COUNT_BITS: u32 = 12;
/// 2025-01-01, from which ids count: 41 bits of milliseconds last until 2094.
const EPOCH: Timestamp = Timestamp::from_millis(1_735_689_600_000);

/// Makes ids that grow with time; two processes on one database differ in ten random bits.
#[derive(Debug)]
pub struct Ids {
    last: AtomicI64,
    process: i64,
}

impl Ids {
    /// A source of ids for this process.
    pub fn new() -> Self {
        let random = getrandom::u32().unwrap_or_else(|_| std::process::id());
        Self { last: AtomicI64::new(0), process: i64::from(random % 1024) << COUNT_BITS }
    }

    /// The next id. Each is greater than the one before, also where the clock steps back.
    pub fn next(&self, now: Timestamp) -> i64 {
        let fresh = (millis(now - EPOCH).max(1) << LOW_BITS) | self.process;
        let next = |last: i64| {
            // Counting beyond twelve bits runs into the process bits, which is harmless: uniqueness
            // is all that counts.
            if fresh > last { fresh } else { last + 1 }
        };
        let before = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)))
            .expect("the closure always gives a value");
        next(before)
    }
}

/// The lowest id of a row that was made at this moment or later.
pub(crate) fn first_at(at: Timestamp) -> i64 {
    if at <= EPOCH { 0 } else { millis(at - EPOCH) << LOW_BITS }
}

impl Default for Ids {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn ids_grow_even_when_the_clock_does_not() {
        let ids = Ids::new();
        let now = EPOCH + SignedDuration::from_secs(1000);
        let made: Vec<i64> = (0..10_000).map(|n| ids.next(now - SignedDuration::from_millis(n % 3))).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.next(now + SignedDuration::from_mins(1)) > made[9_999]);
    }
}
