//! How much each of many may bring within a time: a bucket of tokens for each, which fills up
//! steadily.

use crate::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::hash::Hash;

/// Buckets that are remembered, some 50 bytes each; those that are full are forgotten first.
const REMEMBERED: usize = 10_000;

/// The buckets of all, of which each begins full.
#[derive(Clone, Debug)]
pub struct Buckets<K> {
    /// What a bucket holds that has no size of its own; 0: there is no limit.
    default: u32,
    /// How long an empty one takes to fill up.
    full_within: i64,
    buckets: HashMap<K, Bucket>,
}

/// Moments and times are in nanoseconds: a million tokens a minute are 60 µs apart.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it will be full again.
    full_at: i64,
    /// How much it holds.
    most: u32,
}

/// What was taken of a bucket, as the time that it takes to fill up by as much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken(i64);

impl<K: Eq + Hash> Buckets<K> {
    /// Full buckets of so many tokens, which fill up within this time; 0: without a limit.
    pub fn new(default: u32, full_within: SignedDuration) -> Self {
        Self { default, full_within: nanos(full_within).max(1), buckets: HashMap::new() }
    }

    /// Takes a token of a bucket, which may have a size of its own.
    ///
    /// # Errors
    /// There is none left: until there is one more.
    pub fn take(&mut self, whose: K, own: Option<u32>, now: Timestamp) -> Result<Taken, SignedDuration> {
        let most = own.unwrap_or(self.default);
        if most == 0 {
            return Ok(Taken::default());
        }
        let (one, now) = (self.full_within / i64::from(most), nanos(now - Timestamp::UNIX_EPOCH));
        if self.buckets.len() >= REMEMBERED && !self.buckets.contains_key(&whose) {
            self.buckets.retain(|_, bucket| bucket.full_at > now);
            if self.buckets.len() >= REMEMBERED {
                self.buckets.clear();
            }
        }
        let full = Bucket { full_at: now, most };
        let bucket = self.buckets.entry(whose).or_insert(full);
        // Who sets a size is not to wait for what was taken of the one before. Later than any
        // bucket can be full again is only what a clock said before it was set back: nobody is
        // locked out for that.
        if bucket.most != most || bucket.full_at < now || bucket.full_at - now > self.full_within {
            *bucket = full;
        }
        let wait = bucket.full_at + one - now - self.full_within;
        if wait > 0 {
            return Err(SignedDuration::from_nanos(wait));
        }
        bucket.full_at += one;
        Ok(Taken(one))
    }

    /// Takes so many times as much more as was taken, as far as there is any: what was begun is not
    /// refused. What was taken in all.
    pub fn take_more(&mut self, whose: &K, taken: Taken, times: usize, now: Timestamp) -> Taken {
        let Some(bucket) = self.buckets.get_mut(whose) else { return taken };
        let left = nanos(now - Timestamp::UNIX_EPOCH) + self.full_within - bucket.full_at;
        let more = taken.0.saturating_mul(i64::try_from(times).unwrap_or(i64::MAX)).min(left).max(0);
        bucket.full_at += more;
        Taken(taken.0 + more)
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, whose: &K, taken: Taken) {
        if let Some(bucket) = self.buckets.get_mut(whose) {
            bucket.full_at -= taken.0;
        }
    }
}

fn nanos(duration: SignedDuration) -> i64 {
    // What is added to half of the range stays within it: 146 years from the epoch.
    const MOST: i64 = i64::MAX / 2;
    i64::try_from(duration.as_nanos()).unwrap_or(MOST).clamp(-MOST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);
    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// How many of so many are let in.
    fn let_in(buckets: &mut Buckets<u32>, own: Option<u32>, sent: usize, now: Timestamp) -> usize {
        (0..sent).filter(|_| buckets.take(1, own, now).is_ok()).count()
    }

    #[test]
    fn a_bucket_is_emptied_at_once_and_fills_up_steadily() {
        let mut buckets = Buckets::new(60_000, MINUTE);
        assert_eq!(let_in(&mut buckets, None, 70_000, NOW), 60_000);
        assert_eq!(buckets.take(1, None, NOW), Err(SignedDuration::from_millis(1)));
        assert!(buckets.take(2, None, NOW).is_ok(), "another one has its own");
        assert_eq!(let_in(&mut buckets, None, 70_000, NOW + SignedDuration::from_secs(1)), 1_000);
        assert_eq!(let_in(&mut buckets, None, 200_000, NOW + MINUTE * 10), 60_000, "and never more than full");
    }

    #[test]
    fn a_size_of_its_own_goes_before_that_of_all() {
        let mut buckets = Buckets::new(0, MINUTE);
        assert_eq!(let_in(&mut buckets, None, 200_000, NOW), 200_000, "0 is no limit");
        assert_eq!(let_in(&mut buckets, Some(2), 10, NOW), 2);
        assert_eq!(buckets.take(1, Some(2), NOW), Err(SignedDuration::from_secs(30)));
        assert_eq!(let_in(&mut buckets, Some(4), 10, NOW), 4, "another size begins anew");
        assert_eq!(let_in(&mut buckets, Some(4), 10, NOW), 0);
        let most = 1_000_000;
        assert_eq!(let_in(&mut buckets, Some(most), 2 * most as usize, NOW), most as usize);
        assert_eq!(let_in(&mut buckets, Some(0), 10, NOW), 10);
    }

    #[test]
    fn what_is_large_takes_more_and_what_was_in_vain_is_given_back() {
        let mut buckets = Buckets::new(900, MINUTE * 15);
        let one = buckets.take(1, None, NOW).unwrap();
        let large = buckets.take_more(&1, one, 11, NOW);
        assert_eq!(large, Taken(12 * one.0));
        buckets.give_back(&1, large);
        let large =
            |buckets: &mut Buckets<u32>| buckets.take(1, None, NOW).map(|one| buckets.take_more(&1, one, 11, NOW));
        assert_eq!((0..2_000).filter(|_| large(&mut buckets).is_ok()).count(), 75);
        let later = NOW + SignedDuration::from_secs(1);
        assert_eq!(buckets.take(1, None, later), Ok(one), "what was taken beyond the whole is not waited for");
        let mut unlimited = Buckets::new(0, MINUTE);
        let none = unlimited.take(1, None, NOW).unwrap();
        assert_eq!(unlimited.take_more(&1, none, usize::MAX, NOW), Taken::default());
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let mut buckets = Buckets::new(10, MINUTE);
        assert_eq!(let_in(&mut buckets, None, 20, NOW), 10);
        assert_eq!(let_in(&mut buckets, None, 20, NOW - SignedDuration::from_hours(5)), 10, "a whole one, and no more");
        for odd in [Timestamp::MIN, Timestamp::MAX] {
            assert!(buckets.take(1, None, odd).is_ok());
        }
    }

    #[test]
    fn a_crowd_takes_no_memory_without_end() {
        let mut buckets = Buckets::new(10, MINUTE);
        for number in 0..30_000 {
            assert!(buckets.take(number, None, NOW).is_ok());
            assert!(buckets.buckets.len() <= REMEMBERED);
        }
    }
}
