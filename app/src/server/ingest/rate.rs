//! How many requests a minute each key may send, in this process.

use domain::buckets::Buckets;
use domain::ids::IngestKeyId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::{Mutex, PoisonError};

/// What a key may send within this it may send at once, too: what a deploy breaks comes in a burst,
/// from all servers together.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The rates of all keys.
#[derive(Debug)]
pub(super) struct Rates {
    /// Requests a minute of a key that has no rate of its own.
    default: u32,
    left: Mutex<Buckets<IngestKeyId>>,
}

/// A key has sent as much as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OverRate {
    /// Until it may send one more.
    pub(super) after: SignedDuration,
    /// Requests that it may send in a minute.
    pub(super) most: u32,
}

impl Rates {
    /// So many requests a minute for keys without a rate of their own; 0: without a limit.
    pub(super) fn new(default: u32) -> Self {
        Self { default, left: Mutex::new(Buckets::new(default, MINUTE)) }
    }

    /// Takes one request of a key, which may have a rate of its own.
    ///
    /// # Errors
    /// There is none left.
    pub(super) fn take(&self, key: IngestKeyId, own: Option<u32>, now: Timestamp) -> Result<(), OverRate> {
        // Nothing under it can panic half-way.
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |after| OverRate { after, most: own.unwrap_or(self.default) };
        left.take(key, own, now).map(drop).map_err(over)
    }
}
