//! The bytes of all requests that are in flight, and how many there may be.

use super::client::ClientGroup;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of bodies held at a time, of all requests together: eight reports as large as they may be,
/// or ten thousand usual ones, and it fits into a server of 256 MB beside all else.
pub(super) const IN_FLIGHT: usize = 64 << 20;

/// Those of senders of whom nobody knows yet who they are: a webhook is signed over its whole body.
/// One as large as GitHub makes them fits, and strangers never keep those with a key out.
const OF_STRANGERS: usize = IN_FLIGHT / 2;

/// Longest body that counts as small: any form, what is read of an envelope before its key is
/// known, and nearly every webhook.
pub(super) const SMALL: usize = 512 << 10;

/// What is kept for small bodies of strangers, whoever sends large ones: else a webhook that never
/// ends keeps people from signing in.
const FOR_SMALL: usize = OF_STRANGERS / 8;
/// Small bodies of one stranger: two of the largest, or some fifty webhooks at once; four such
/// clients are needed to fill what is kept.
const SMALL_OF_ONE: usize = FOR_SMALL / 4;

/// Large bodies of all strangers.
const LARGE: usize = OF_STRANGERS - FOR_SMALL;
/// Large bodies of one stranger: one webhook as large as GitHub makes them, and not all there is
/// room for.
pub(super) const LARGE_OF_ONE: usize = 25 << 20;

/// What one client may hold of bodies that arrive or wait to be read, though it showed a key, once
/// half of all is taken: a key is public in a browser, and a body that never ends costs its sender
/// nothing. Two of the largest reports. So one client alone never fills more than the half.
const ARRIVING_OF_ONE: usize = IN_FLIGHT / 4;

/// When to come again after a refusal, in seconds: bodies in flight are worked off within one.
pub(super) const RETRY_AFTER_S: &str = "5";

/// Who sends a body, as far as that is known before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// They showed a key, or are signed in.
    Known(ClientGroup),
    /// It is not known yet, only from where.
    Stranger(ClientGroup),
}

/// What is held now, and what was refused since the start.
#[derive(Debug, Default)]
pub(super) struct Budget {
    held: AtomicUsize,
    strangers: Mutex<Strangers>,
    /// Of bodies that are still arriving, of senders that are known.
    arriving: Mutex<HashMap<ClientGroup, usize>>,
    refused: AtomicU64,
}

/// What strangers hold.
#[derive(Debug, Default)]
struct Strangers {
    in_all: Share,
    /// Of those who hold anything: no more of them than there are connections.
    by_client: HashMap<ClientGroup, Share>,
}

/// Bytes of small bodies and of large ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    small: usize,
    large: usize,
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
    /// What of it counts for a client that is known.
    arriving: usize,
}

impl Budget {
    /// Nothing yet, of this sender.
    pub(super) fn open(self: &Arc<Self>, sender: Sender) -> Held {
        Held { budget: Arc::clone(self), sender, bytes: 0, arriving: 0 }
    }

    /// Bytes held now.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Requests that were refused for want of room.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        // Nothing under it can panic half-way.
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What of this client arrives has grown, or is there; so much of it arrives now.
    fn arrives(&self, client: ClientGroup, from: usize, to: usize) -> usize {
        let mut arriving = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = arriving.entry(client).or_default();
        *of_one = *of_one - from + to;
        let now = *of_one;
        if now == 0 {
            arriving.remove(&client);
        }
        now
    }
}

impl Strangers {
    /// A body of this client has grown, or is gone.
    fn resize(&mut self, client: ClientGroup, from: usize, to: usize) {
        self.in_all.resize(from, to);
        let share = self.by_client.entry(client).or_default();
        share.resize(from, to);
        if *share == Share::default() {
            self.by_client.remove(&client);
        }
    }

    /// Whether there is room for a body of this client, which is counted already.
    fn have_room(&self, client: ClientGroup, bytes: usize) -> bool {
        let of_one = self.by_client.get(&client).copied().unwrap_or_default();
        let in_all = self.in_all;
        let has_share = match bytes > SMALL {
            true => of_one.large <= LARGE_OF_ONE && in_all.large <= LARGE,
            false => of_one.small <= SMALL_OF_ONE,
        };
        has_share && in_all.small + in_all.large <= OF_STRANGERS
    }
}

impl Share {
    fn resize(&mut self, from: usize, to: usize) {
        *self.of_size(from) -= from;
        *self.of_size(to) += to;
    }

    /// Those among which a body of this size counts.
    fn of_size(&mut self, bytes: usize) -> &mut usize {
        if bytes > SMALL { &mut self.large } else { &mut self.small }
    }
}

impl Held {
    /// Holds so many bytes more.
    ///
    /// # Errors
    /// There is no room for them.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        self.add(bytes);
        let (has_share, in_all) = match self.sender {
            // Those who have a key leave room for strangers' small bodies.
            Sender::Known(client) => {
                let of_one = self.arrives(client);
                (of_one <= ARRIVING_OF_ONE || self.budget.held() <= IN_FLIGHT / 2, IN_FLIGHT - FOR_SMALL)
            }
            Sender::Stranger(client) => (self.budget.strangers().have_room(client, self.bytes), IN_FLIGHT),
        };
        if !has_share || self.budget.held() > in_all {
            self.budget.refused.fetch_add(1, Ordering::Relaxed);
            return Err(NoRoom);
        }
        Ok(())
    }

    /// Holds so many bytes more, whether there is room or not: of what is unpacked, whose number is
    /// bounded otherwise.
    pub(super) fn add(&mut self, bytes: usize) {
        let before = self.bytes;
        self.bytes += bytes;
        self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        if let Sender::Stranger(client) = self.sender {
            self.budget.strangers().resize(client, before, self.bytes);
        }
    }

    /// Holds so many bytes from now on, in place of those before.
    pub(super) fn keep(&mut self, bytes: usize) {
        let before = std::mem::replace(&mut self.bytes, bytes);
        self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        self.budget.held.fetch_sub(before, Ordering::Relaxed);
        match self.sender {
            Sender::Stranger(client) => self.budget.strangers().resize(client, before, bytes),
            Sender::Known(_) => self.arrived(),
        }
    }

    /// Who sends it is known now.
    pub(super) fn is_known(&mut self) {
        if let Sender::Stranger(client) = self.sender {
            self.budget.strangers().resize(client, self.bytes, 0);
            self.sender = Sender::Known(client);
            self.arrives(client);
        }
    }

    /// All of it is there, and is read now: it is held for as long as the server takes, not its
    /// sender.
    pub(super) fn arrived(&mut self) {
        if let Sender::Known(client) = self.sender
            && self.arriving > 0
        {
            self.budget.arrives(client, std::mem::take(&mut self.arriving), 0);
        }
    }

    /// Counts all of it that arrived for its client, who is known; what arrives of that client now.
    fn arrives(&mut self, client: ClientGroup) -> usize {
        let from = std::mem::replace(&mut self.arriving, self.bytes);
        self.budget.arrives(client, from, self.bytes)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
        match self.sender {
            Sender::Stranger(client) => self.budget.strangers().resize(client, self.bytes, 0),
            Sender::Known(_) => self.arrived(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn stranger(number: u32) -> Sender {
        Sender::Stranger(ClientGroup(IpAddr::V4(Ipv4Addr::from_bits(number))))
    }

    fn known(number: u32) -> Sender {
        Sender::Known(ClientGroup(IpAddr::V4(Ipv4Addr::from_bits(number))))
    }

    #[test]
    fn all_is_given_back_and_strangers_keep_nobody_out() {
        let budget = Arc::<Budget>::default();
        let mut one = budget.open(stranger(1));
        let mut other = budget.open(stranger(2));
        assert_eq!(one.grow(LARGE_OF_ONE), Ok(()));
        assert_eq!(other.grow(LARGE - LARGE_OF_ONE), Ok(()));
        assert_eq!(budget.open(stranger(3)).grow(SMALL + 1), Err(NoRoom));
        let mut of_known = budget.open(known(9));
        assert_eq!(of_known.grow(ARRIVING_OF_ONE), Ok(()));
        let mut of_another = budget.open(known(8));
        assert_eq!(of_another.grow(IN_FLIGHT - OF_STRANGERS - ARRIVING_OF_ONE), Ok(()));
        assert_eq!(budget.open(known(9)).grow(1), Err(NoRoom));
        assert_eq!(budget.open(stranger(3)).grow(SMALL), Ok(()), "what is kept for small ones");
        assert_eq!((budget.held(), budget.refused()), (IN_FLIGHT - FOR_SMALL, 2));
        drop((of_known, of_another));
        one.is_known();
        assert_eq!(budget.open(stranger(3)).grow(SMALL + 1), Ok(()));
        drop((one, other));
        assert_eq!((budget.held(), budget.strangers().in_all), (0, Share::default()));
        assert!(budget.strangers().by_client.is_empty());
    }

    #[test]
    fn who_has_a_key_and_never_ends_keeps_no_other_out() {
        let budget = Arc::<Budget>::default();
        let grown = |number: u32, bytes: usize| {
            let mut held = budget.open(known(number));
            held.grow(bytes).map(|()| held)
        };
        let mut all: Vec<Held> = (0..4).map(|_| grown(1, IN_FLIGHT / 8).expect("the half of all is free")).collect();
        assert_eq!(grown(1, SMALL).err(), Some(NoRoom), "it has more than its share");
        all.push(grown(2, ARRIVING_OF_ONE).expect("another one"));
        assert_eq!(grown(2, 1).err(), Some(NoRoom));
        // What is there counts no longer for who sent it.
        for held in &mut all {
            held.arrived();
        }
        let more = grown(1, SMALL).expect("nothing of it arrives any more");
        drop((all, more));
        assert!(budget.arriving.lock().expect("nothing panicked").is_empty());
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn what_is_kept_of_a_body_goes_on_counting() {
        let budget = Arc::<Budget>::default();
        for sender in [known(1), stranger(2)] {
            let mut held = budget.open(sender);
            assert_eq!(held.grow(SMALL), Ok(()));
            held.keep(10);
            assert_eq!(budget.held(), 10, "{sender:?}");
            held.keep(2 * SMALL);
            assert_eq!(budget.held(), 2 * SMALL, "{sender:?}");
            drop(held);
            assert_eq!((budget.held(), budget.strangers().in_all), (0, Share::default()));
        }
    }

    #[test]
    fn many_strangers_have_no_more_than_the_half() {
        let budget = Arc::<Budget>::default();
        let mut held = Vec::new();
        let mut grow = |number: u32, bytes: usize| {
            let mut one = budget.open(stranger(number));
            let grown = one.grow(bytes);
            held.extend(grown.is_ok().then_some(one));
            grown
        };
        assert_eq!((grow(1, LARGE_OF_ONE), grow(2, LARGE - LARGE_OF_ONE)), (Ok(()), Ok(())));
        for number in 3..7 {
            assert_eq!((grow(number, SMALL), grow(number, SMALL)), (Ok(()), Ok(())), "{number}");
        }
        assert_eq!(grow(7, 1), Err(NoRoom), "a share of its own is no room");
        assert_eq!(budget.held(), OF_STRANGERS);
    }

    #[test]
    fn each_stranger_has_a_share() {
        let budget = Arc::<Budget>::default();
        let mut large = budget.open(stranger(1));
        assert_eq!(large.grow(LARGE_OF_ONE), Ok(()));
        assert_eq!(large.grow(1), Err(NoRoom));
        drop(large);
        let small: Vec<Held> = (0..2)
            .map(|_| {
                let mut held = budget.open(stranger(1));
                assert_eq!(held.grow(SMALL), Ok(()));
                held
            })
            .collect();
        assert_eq!(budget.open(stranger(1)).grow(1), Err(NoRoom));
        assert_eq!(budget.open(stranger(2)).grow(SMALL), Ok(()), "nobody else is concerned");
        drop(small);
        assert_eq!(budget.open(stranger(1)).grow(SMALL), Ok(()));
    }
}
