//! How many requests a minute each key may send: a bucket of tokens for each, in this process.

use domain::ids::IngestKeyId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What a key may send within this it may send at once, too: what a deploy breaks comes in a burst,
/// from all servers together.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Keys that are remembered, some 50 bytes each; those whose bucket is full are forgotten first.
const REMEMBERED_KEYS: usize = 10_000;

/// The buckets of all keys.
#[derive(Debug)]
pub(super) struct Rates {
    /// Requests a minute of a key that has no rate of its own; 0: no limit.
    default: u32,
    buckets: Mutex<HashMap<IngestKeyId, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it will be full again, in nanoseconds.
    full_at: i64,
    /// How much it holds.
    most: u32,
}

/// A key has sent as much as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OverRate {
    /// Until there is one more token.
    pub(super) after: SignedDuration,
    /// Requests that it may send in a minute.
    pub(super) most: u32,
}

impl Rates {
    /// Full buckets, of so many requests for keys without a rate of their own.
    pub(super) fn new(default: u32) -> Self {
        Self { default, buckets: Mutex::default() }
    }

    /// Takes a token of a key, which may have a rate of its own.
    ///
    /// # Errors
    /// There is none left.
    pub(super) fn take(&self, key: IngestKeyId, own: Option<u32>, now: Timestamp) -> Result<(), OverRate> {
        let most = own.unwrap_or(self.default);
        if most == 0 {
            return Ok(());
        }
        let minute = nanos(MINUTE);
        let one = minute / i64::from(most);
        let now = nanos(now - Timestamp::UNIX_EPOCH);
        // Nothing under it can panic half-way.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| bucket.full_at > now);
            if buckets.len() >= REMEMBERED_KEYS {
                buckets.clear();
            }
        }
        let full = Bucket { full_at: now, most };
        let bucket = buckets.entry(key).or_insert(full);
        // Who sets a limit is not to wait for what was used up by the one before. Later than any
        // bucket can be full again is only what a clock said before it was set back.
        if bucket.most != most || bucket.full_at < now || bucket.full_at - now > minute {
            *bucket = full;
        }
        let wait = bucket.full_at + one - now - minute;
        if wait > 0 {
            return Err(OverRate { after: SignedDuration::from_nanos(wait), most });
        }
        bucket.full_at += one;
        Ok(())
    }
}

fn nanos(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: IngestKeyId = IngestKeyId(1);
    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// How many of so many requests are let in.
    fn let_in(rates: &Rates, own: Option<u32>, sent: usize, now: Timestamp) -> usize {
        (0..sent).filter(|_| rates.take(KEY, own, now).is_ok()).count()
    }

    #[test]
    fn a_bucket_is_emptied_at_once_and_fills_up_within_a_minute() {
        let rates = Rates::new(60_000);
        assert_eq!(let_in(&rates, None, 70_000, NOW), 60_000);
        assert_eq!(rates.take(KEY, None, NOW), Err(OverRate { after: SignedDuration::from_millis(1), most: 60_000 }));
        assert_eq!(rates.take(IngestKeyId(2), None, NOW), Ok(()), "another key has its own");
        assert_eq!(let_in(&rates, None, 70_000, NOW + SignedDuration::from_secs(1)), 1_000);
        assert_eq!(let_in(&rates, None, 200_000, NOW + 10 * MINUTE), 60_000, "and never more than a minute's");
    }

    #[test]
    fn a_rate_of_its_own_goes_before_that_of_all() {
        let rates = Rates::new(0);
        assert_eq!(let_in(&rates, None, 200_000, NOW), 200_000, "0 is no limit");
        assert_eq!(let_in(&rates, Some(2), 10, NOW), 2);
        let over = rates.take(KEY, Some(2), NOW).expect_err("used up");
        assert_eq!((over.after, over.most), (SignedDuration::from_secs(30), 2));
        assert_eq!(let_in(&rates, Some(4), 10, NOW), 4, "another limit begins anew");
        assert_eq!(let_in(&rates, Some(4), 10, NOW), 0);
        let most = domain::key_limits::MOST_RATE;
        let rates = Rates::new(most);
        assert_eq!(let_in(&rates, None, 2 * most as usize, NOW), most as usize);
        assert_eq!(let_in(&rates, Some(0), 10, NOW), 10);
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let rates = Rates::new(10);
        assert_eq!(let_in(&rates, None, 20, NOW), 10);
        assert_eq!(let_in(&rates, None, 20, NOW - SignedDuration::from_hours(5)), 10);
    }

    #[test]
    fn a_crowd_of_keys_takes_no_memory_without_end() {
        let rates = Rates::new(10);
        for key in 0..3 * i64::try_from(REMEMBERED_KEYS).expect("some") {
            assert!(rates.take(IngestKeyId(key), None, NOW).is_ok());
        }
        assert!(rates.buckets.lock().expect("nothing panicked").len() <= REMEMBERED_KEYS);
    }
}
