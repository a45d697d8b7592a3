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
/// Bytes of a stored report, each of which takes one more of the budget: large reports of SDKs take
/// half as many, packed, and a thousand made-up ones must not be 350 MB of the disk.
const BYTES_OF_ONE: usize = 32 * 1024;

/// The budgets of all keys, in this process. What a key brings is free where it was seen before.
#[derive(Debug)]
pub(super) struct Budgets {
    /// New kinds at once of a key that has no budget of its own; 0: no limit.
    default: u32,
    /// When the budget of a key will be whole again, and how much that is.
    whole_at: Mutex<HashMap<IngestKeyId, (Timestamp, u32)>>,
}

/// What was taken of a budget: how long it takes to grow by as much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Charge(SignedDuration);

impl Budgets {
    /// Budgets of so many new kinds at once, for keys without one of their own; 0: without a limit.
    pub(super) fn new(default: u32) -> Self {
        Self { default, whole_at: Mutex::default() }
    }

    /// Takes one of the budget of a key, which may have one of its own.
    ///
    /// # Errors
    /// It is used up: until there is one more.
    pub(super) fn take(&self, key: IngestKeyId, own: Option<u32>, now: Timestamp) -> Result<Charge, SignedDuration> {
        let most = own.unwrap_or(self.default);
        let Some(one) = growth(most) else { return Ok(Charge::default()) };
        let mut whole_at = lock(&self.whole_at);
        if whole_at.len() >= REMEMBERED_KEYS {
            whole_at.retain(|_, (at, _)| *at > now);
        }
        if whole_at.len() >= REMEMBERED_KEYS {
            whole_at.clear();
        }
        let (at, of) = whole_at.entry(key).or_insert((now, most));
        // Who sets a budget is not to wait for what was used up of the one before. Later than any
        // budget can be whole again is only what a clock said before it was set back: nobody is
        // locked out for that.
        if *of != most || *at < now || *at - now > WHOLE_WITHIN {
            (*at, *of) = (now, most);
        }
        let next = *at + one;
        if next - now > WHOLE_WITHIN {
            return Err(next - now - WHOLE_WITHIN);
        }
        *at = next;
        Ok(Charge(one))
    }

    /// Takes more for a report of so many bytes, as far as there is any: what was begun is not
    /// refused.
    pub(super) fn take_for(&self, key: IngestKeyId, charge: Charge, bytes: usize, now: Timestamp) -> Charge {
        let more = charge.0.saturating_mul(i32::try_from(bytes / BYTES_OF_ONE).unwrap_or(i32::MAX));
        let mut whole_at = lock(&self.whole_at);
        let Some((at, _)) = whole_at.get_mut(&key) else { return charge };
        let left = now + WHOLE_WITHIN - *at;
        let more = more.min(left).max(SignedDuration::ZERO);
        *at += more;
        Charge(charge.0 + more)
    }

    /// Gives back what was taken for what turned out to be known.
    pub(super) fn give_back(&self, key: IngestKeyId, charge: Charge) {
        if let Some((at, _)) = lock(&self.whole_at).get_mut(&key) {
            *at = *at - charge.0;
        }
    }
}

/// How long a budget of so many takes to grow by one; `None`: there is no limit.
fn growth(most: u32) -> Option<SignedDuration> {
    let most = i32::try_from(most).unwrap_or(i32::MAX);
    (most > 0).then(|| (WHOLE_WITHIN / most).max(SignedDuration::from_millis(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: IngestKeyId = IngestKeyId(1);
    /// Of 900.
    const ONE: Charge = Charge(SignedDuration::from_secs(1));

    #[test]
    fn a_budget_is_used_up_and_grows_again() {
        let budgets = Budgets::new(900);
        let now = Timestamp::from_seconds(1_000_000);
        for _ in 0..900 {
            assert_eq!(budgets.take(KEY, None, now), Ok(ONE));
        }
        assert_eq!(budgets.take(KEY, None, now), Err(SignedDuration::from_secs(1)));
        assert_eq!(budgets.take(IngestKeyId(2), None, now), Ok(ONE), "another key has its own");
        budgets.give_back(KEY, ONE);
        assert_eq!(budgets.take(KEY, None, now), Ok(ONE), "what was known is free");
        let later = now + SignedDuration::from_secs(10);
        assert_eq!((0..20).filter(|_| budgets.take(KEY, None, later).is_ok()).count(), 10);
        let whole = later + WHOLE_WITHIN;
        assert_eq!(
            (0..2_000).filter(|_| budgets.take(KEY, None, whole).is_ok()).count(),
            900,
            "and never more than whole"
        );
    }

    #[test]
    fn a_large_report_takes_as_much_as_many_small_ones() {
        let budgets = Budgets::new(900);
        let now = Timestamp::from_seconds(1_000_000);
        let send = |bytes: usize| budgets.take(KEY, None, now).map(|one| budgets.take_for(KEY, one, bytes, now));
        assert_eq!(send(BYTES_OF_ONE - 1), Ok(ONE), "no more than any other");
        let large = send(11 * BYTES_OF_ONE).unwrap();
        assert_eq!(large, Charge(ONE.0 * 12));
        budgets.give_back(KEY, large);
        assert_eq!((0..2_000).filter(|_| send(11 * BYTES_OF_ONE).is_ok()).count(), 75);
        let later = now + ONE.0;
        assert!(budgets.take(KEY, None, now).is_err());
        assert_eq!(
            budgets.take(KEY, None, later),
            Ok(ONE),
            "what the last one took beyond the whole is not waited for"
        );
        let unlimited = Budgets::new(0);
        let large = unlimited.take(KEY, None, now).map(|none| unlimited.take_for(KEY, none, usize::MAX, now));
        assert_eq!(large, Ok(Charge::default()));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let budgets = Budgets::new(900);
        let now = Timestamp::from_seconds(1_000_000);
        assert_eq!(budgets.take(KEY, None, now), Ok(ONE));
        let back = now - SignedDuration::from_hours(5);
        assert_eq!(
            (0..2_000).filter(|_| budgets.take(KEY, None, back).is_ok()).count(),
            900,
            "a whole budget, and no more"
        );
    }

    #[test]
    fn a_budget_of_its_own_goes_before_that_of_all() {
        let budgets = Budgets::new(900);
        let now = Timestamp::from_seconds(1_000_000);
        let sent =
            |key: IngestKeyId, own: u32| (0..2_000).filter(|_| budgets.take(key, Some(own), now).is_ok()).count();
        assert_eq!((sent(KEY, 3), sent(IngestKeyId(2), 0), sent(IngestKeyId(3), 1_800)), (3, 2_000, 1_800));
        assert_eq!((sent(KEY, 900), sent(KEY, 900)), (900, 0), "another budget begins anew");
    }

    #[test]
    fn none_is_no_limit() {
        let budgets = Budgets::new(0);
        assert!((0..100_000).all(|_| budgets.take(KEY, None, Timestamp::UNIX_EPOCH).is_ok()));
    }
}
