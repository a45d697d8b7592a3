//! How many kinds of errors that were never seen before one key may bring.

use super::lock;
use domain::ids::IngestKeyId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Mutex;

/// Within this a budget that was used up is whole again, and so its pace: a deploy that breaks a
/// thousand things does so once in a quarter of an hour at most.
const WHOLE_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// Keys that are remembered, some 50 bytes each; those with a whole budget are forgotten first.
const REMEMBERED_KEYS: usize = 10_000;

/// The budgets of all keys, in this process. What a key brings is free where it was seen before.
#[derive(Debug)]
pub(super) struct Budgets {
    /// How long the budget takes to grow by one; `None`: there is no limit.
    one: Option<SignedDuration>,
    /// When the budget of a key will be whole again.
    whole_at: Mutex<HashMap<IngestKeyId, Timestamp>>,
}

impl Budgets {
    /// Budgets of so many new kinds at once; 0: without a limit.
    pub(super) fn new(most: u32) -> Self {
        let one = (most > 0)
            .then(|| (WHOLE_WITHIN / i32::try_from(most).unwrap_or(i32::MAX)).max(SignedDuration::from_millis(1)));
        Self { one, whole_at: Mutex::default() }
    }

    /// Takes one of a key's budget.
    ///
    /// # Errors
    /// It is used up: until there is one more.
    pub(super) fn take(&self, key: IngestKeyId, now: Timestamp) -> Result<(), SignedDuration> {
        let Some(one) = self.one else { return Ok(()) };
        let mut whole_at = lock(&self.whole_at);
        if whole_at.len() >= REMEMBERED_KEYS {
            whole_at.retain(|_, at| *at > now);
        }
        if whole_at.len() >= REMEMBERED_KEYS {
            whole_at.clear();
        }
        let at = whole_at.entry(key).or_insert(now);
        // Later than any budget can be whole again is only what a clock said before it was set
        // back: nobody is locked out for that.
        if *at < now || *at - now > WHOLE_WITHIN {
            *at = now;
        }
        let next = *at + one;
        if next - now > WHOLE_WITHIN {
            return Err(next - now - WHOLE_WITHIN);
        }
        *at = next;
        Ok(())
    }

    /// Gives one back that was taken for what turned out to be known.
    pub(super) fn give_back(&self, key: IngestKeyId) {
        let Some(one) = self.one else { return };
        if let Some(at) = lock(&self.whole_at).get_mut(&key) {
            *at = *at - one;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: IngestKeyId = IngestKeyId(1);

    #[test]
    fn a_budget_is_used_up_and_grows_again() {
        let budgets = Budgets::new(900);
        let now = Timestamp::from_seconds(1_000_000);
        for _ in 0..900 {
            assert_eq!(budgets.take(KEY, now), Ok(()));
        }
        assert_eq!(budgets.take(KEY, now), Err(SignedDuration::from_secs(1)));
        assert_eq!(budgets.take(IngestKeyId(2), now), Ok(()), "another key has its own");
        budgets.give_back(KEY);
        assert_eq!(budgets.take(KEY, now), Ok(()), "what was known is free");
        let later = now + SignedDuration::from_secs(10);
        assert_eq!((0..20).filter(|_| budgets.take(KEY, later).is_ok()).count(), 10);
        let whole = later + WHOLE_WITHIN;
        assert_eq!((0..2_000).filter(|_| budgets.take(KEY, whole).is_ok()).count(), 900, "and never more than whole");
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let budgets = Budgets::new(900);
        let now = Timestamp::from_seconds(1_000_000);
        assert_eq!(budgets.take(KEY, now), Ok(()));
        let back = now - SignedDuration::from_hours(5);
        assert_eq!((0..2_000).filter(|_| budgets.take(KEY, back).is_ok()).count(), 900, "a whole budget, and no more");
    }

    #[test]
    fn none_is_no_limit() {
        let budgets = Budgets::new(0);
        assert!((0..100_000).all(|_| budgets.take(KEY, Timestamp::UNIX_EPOCH).is_ok()));
    }
}
