//! How many kinds of errors that were never seen before one key may bring.

use super::lock;
use domain::buckets::{Buckets, Taken};
use domain::ids::IngestKeyId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::Mutex;

/// Within this a budget that was used up is whole again, and so its pace: a deploy that breaks a
/// thousand things does so once in a quarter of an hour at most.
const WHOLE_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// Bytes of a stored report, each of which takes one more of the budget: large reports of SDKs take
/// half as many, packed, and a thousand made-up ones must not be 350 MB of the disk.
const BYTES_OF_ONE: usize = 32 * 1024;

/// The budgets of all keys, in this process. What a key brings is free where it was seen before.
#[derive(Debug)]
pub(super) struct Budgets(Mutex<Buckets<IngestKeyId>>);

impl Budgets {
    /// Budgets of so many new kinds at once, for keys without one of their own; 0: without a limit.
    pub(super) fn new(default: u32) -> Self {
        Self(Mutex::new(Buckets::new(default, WHOLE_WITHIN)))
    }

    /// Takes one of the budget of a key, which may have one of its own.
    ///
    /// # Errors
    /// It is used up: until there is one more.
    pub(super) fn take(&self, key: IngestKeyId, own: Option<u32>, now: Timestamp) -> Result<Taken, SignedDuration> {
        lock(&self.0).take(key, own, now)
    }

    /// Takes more for a report of so many bytes, as far as there is any: what was begun is not
    /// refused.
    pub(super) fn take_for(&self, key: IngestKeyId, taken: Taken, bytes: usize, now: Timestamp) -> Taken {
        lock(&self.0).take_more(&key, taken, bytes / BYTES_OF_ONE, now)
    }

    /// Gives back what was taken for what turned out to be known.
    pub(super) fn give_back(&self, key: IngestKeyId, taken: Taken) {
        lock(&self.0).give_back(&key, taken);
    }
}
