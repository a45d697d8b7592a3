//! The bytes of all requests that are in flight, and how many there may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bytes of bodies held at a time, of all requests together: eight reports as large as they may be,
/// or ten thousand usual ones, and it fits into a server of 256 MB beside all else.
pub(super) const IN_FLIGHT: usize = 64 << 20;

/// Those of senders of whom nobody knows yet who they are: a webhook is signed over its whole body.
/// One as large as GitHub makes them fits, and strangers never keep those with a key out.
const OF_STRANGERS: usize = IN_FLIGHT / 2;

/// When to come again after a refusal, in seconds: bodies in flight are worked off within one.
pub(super) const RETRY_AFTER_S: &str = "5";

/// Who sends a body, as far as that is known before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// They showed a key, or are signed in.
    Known,
    /// It is not known yet.
    Stranger,
}

/// What is held now, and what was refused since the start.
#[derive(Debug, Default)]
pub(super) struct Budget {
    held: AtomicUsize,
    strangers: AtomicUsize,
    refused: AtomicU64,
}

/// There is no room for more bytes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// Bytes that one request holds; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    budget: Arc<Budget>,
    sender: Sender,
    bytes: usize,
}

impl Budget {
    /// Nothing yet, of this sender.
    pub(super) fn open(self: &Arc<Self>, sender: Sender) -> Held {
        Held { budget: Arc::clone(self), sender, bytes: 0 }
    }

    /// Bytes held now.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Requests that were refused for want of room.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Held {
    /// Holds so many bytes more.
    ///
    /// # Errors
    /// There is no room for them.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        self.add(bytes);
        let of_strangers =
            self.sender == Sender::Stranger && self.budget.strangers.load(Ordering::Relaxed) > OF_STRANGERS;
        if of_strangers || self.budget.held() > IN_FLIGHT {
            self.budget.refused.fetch_add(1, Ordering::Relaxed);
            return Err(NoRoom);
        }
        Ok(())
    }

    /// Holds so many bytes more, whether there is room or not: of what is unpacked, whose number is
    /// bounded otherwise.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        if self.sender == Sender::Stranger {
            self.budget.strangers.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Who sends it is known now.
    pub(super) fn is_known(&mut self) {
        if self.sender == Sender::Stranger {
            self.budget.strangers.fetch_sub(self.bytes, Ordering::Relaxed);
            self.sender = Sender::Known;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
        if self.sender == Sender::Stranger {
            self.budget.strangers.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_given_back_and_strangers_keep_nobody_out() {
        let budget = Arc::<Budget>::default();
        let mut stranger = budget.open(Sender::Stranger);
        assert_eq!(stranger.grow(OF_STRANGERS), Ok(()));
        assert_eq!(budget.open(Sender::Stranger).grow(1), Err(NoRoom));
        let mut known = budget.open(Sender::Known);
        assert_eq!(known.grow(IN_FLIGHT - OF_STRANGERS), Ok(()));
        assert_eq!(budget.open(Sender::Known).grow(1), Err(NoRoom));
        assert_eq!((budget.held(), budget.refused()), (IN_FLIGHT, 2));
        drop(known);
        stranger.is_known();
        assert_eq!(budget.open(Sender::Stranger).grow(1), Ok(()));
        drop(stranger);
        assert_eq!((budget.held(), budget.strangers.load(Ordering::Relaxed)), (0, 0));
    }
}
