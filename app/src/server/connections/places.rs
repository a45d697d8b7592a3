//! Who has a place: how many connections are open, of whom, and which go when there are too many.

use super::progress::{Phase, Progress};
use crate::client_address::{TrustedProxies, group};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Connections in all: each takes some 20 kB, and ten thousand clients that report once a minute
/// need a tenth of them.
const MOST: usize = 4_096;
/// The part of all connections that one client may have: an application on a machine of hundreds of
/// processes fits, and no one client is everybody. Proxies of TRUSTED_PROXIES are.
const CLIENTS_PART: usize = 4;
/// The part of the process's descriptors that is for connections: the rest is for the database, the
/// mirrors' files and what the server itself asks of GitHub.
const DESCRIPTORS_PART: u64 = 2;

/// How long a request's head may take: it is a kilobyte, and comes in one packet.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// How long a connection is kept for its next request: longer than proxies keep theirs (60 s with
/// nginx and with the load balancers of AWS), or they would send into one that is being closed.
const IDLE_TIME: Duration = Duration::from_secs(75);
/// How long a client may take for its answer, of which the kernel holds most in its own buffers.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// In all.
    pub(super) in_all: usize,
    /// Of one client.
    pub(super) of_one: usize,
}

impl Bounds {
    /// For a process that may have so many descriptors.
    fn of(descriptors: u64) -> Self {
        let in_all = usize::try_from(descriptors / DESCRIPTORS_PART).unwrap_or(MOST).min(MOST);
        Self { in_all, of_one: (in_all / CLIENTS_PART).max(1) }
    }
}

/// Why a connection was closed by the server, or not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Closed {
    /// Its head took too long.
    SlowHead,
    /// Nothing came for long.
    Idle,
    /// Its answer was not taken.
    SlowAnswer,
    /// It waited while others had no place.
    MadeRoom,
    /// There was no place for it.
    TurnedAway,
}

impl Closed {
    /// All, with the names that the metrics have for them.
    pub(in crate::server) const NAMES: [(Self, &str); 5] = [
        (Self::SlowHead, "slow_head"),
        (Self::Idle, "idle"),
        (Self::SlowAnswer, "slow_answer"),
        (Self::MadeRoom, "made_room"),
        (Self::TurnedAway, "turned_away"),
    ];
}

/// The connections that are open.
#[derive(Debug)]
pub struct Connections {
    bounds: Bounds,
    proxies: TrustedProxies,
    open: Mutex<Open>,
    closed: [AtomicU64; Closed::NAMES.len()],
    changed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    by_id: HashMap<u64, Connection>,
    by_client: HashMap<IpAddr, usize>,
    next_id: u64,
}

#[derive(Debug)]
struct Connection {
    /// `None`: a proxy, which stands for many.
    client: Option<IpAddr>,
    progress: Arc<Progress>,
    task: Option<AbortHandle>,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    id: u64,
    /// How far the connection is.
    pub(super) progress: Arc<Progress>,
}

impl Connections {
    /// None yet, in a process that may have so many descriptors.
    pub fn new(descriptors: u64, proxies: TrustedProxies) -> Self {
        let (open, closed, changed) = Default::default();
        Self { bounds: Bounds::of(descriptors), proxies, open, closed, changed }
    }

    /// How many there may be.
    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// How many are open.
    pub(in crate::server) fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    /// How many the server closed for this.
    pub(in crate::server) fn closed(&self, why: Closed) -> u64 {
        self.closed[why as usize].load(Ordering::Relaxed)
    }

    /// A place for a connection from there. Where there is none, the one that has been waiting for
    /// its client the longest is closed: of the same client, if that has too many, else of all.
    ///
    /// `None`: nobody waits, all are worked on.
    pub(super) fn place(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let client = (!self.proxies.trusts(peer.to_canonical())).then(|| group(peer));
        let mut open = self.lock();
        let of_client = client.and_then(|client| open.by_client.get(&client)).copied().unwrap_or(0);
        let has_room = if of_client >= self.bounds.of_one {
            self.make_room(&mut open, |connection| connection.client == client)
        } else {
            open.by_id.len() < self.bounds.in_all || self.make_room(&mut open, |_| true)
        };
        if !has_room {
            self.note(Closed::TurnedAway);
            return None;
        }
        let id = open.next_id;
        open.next_id += 1;
        if let Some(client) = client {
            *open.by_client.entry(client).or_default() += 1;
        }
        let progress = Arc::new(Progress::new());
        open.by_id.insert(id, Connection { client, progress: Arc::clone(&progress), task: None });
        Some(Place { connections: Arc::clone(self), id, progress })
    }

    /// Notes the task of a connection, by which it is closed.
    pub(super) fn runs(&self, id: u64, task: AbortHandle) {
        if let Some(connection) = self.lock().by_id.get_mut(&id) {
            connection.task = Some(task);
        }
    }

    fn make_room(&self, open: &mut Open, which: impl Fn(&Connection) -> bool) -> bool {
        let waits =
            |connection: &Connection| matches!(connection.progress.phase(), Phase::Idle | Phase::Head | Phase::Body);
        let waiting = open.by_id.iter().filter(|(_, connection)| waits(connection) && which(connection));
        let Some(id) = waiting.min_by_key(|(_, connection)| connection.progress.since()).map(|(id, _)| *id) else {
            return false;
        };
        open.close(id);
        self.note(Closed::MadeRoom);
        true
    }

    /// Closes what keeps the server waiting for too long.
    pub(super) fn sweep(&self, now: Instant) {
        let mut open = self.lock();
        let late = |connection: &Connection| {
            let (why, time) = match connection.progress.phase() {
                Phase::Idle => (Closed::Idle, IDLE_TIME),
                Phase::Head => (Closed::SlowHead, HEAD_TIME),
                Phase::Answer => (Closed::SlowAnswer, ANSWER_TIME),
                // A body has a time of its own, after which it is answered that it took too long.
                Phase::Request | Phase::Body => return None,
            };
            (now.saturating_duration_since(connection.progress.since()) > time).then_some(why)
        };
        let late: Vec<(u64, Closed)> = open.by_id.iter().filter_map(|(id, it)| Some((*id, late(it)?))).collect();
        for (id, why) in late {
            open.close(id);
            self.note(why);
        }
    }

    /// Closes those that wait for their clients, or all; how many.
    pub(super) fn close(&self, all: bool) -> usize {
        let mut open = self.lock();
        let is_meant = |it: &Connection| all || matches!(it.progress.phase(), Phase::Idle | Phase::Head);
        let meant: Vec<u64> = open.by_id.iter().filter(|(_, it)| is_meant(it)).map(|(id, _)| *id).collect();
        meant.iter().for_each(|id| open.close(*id));
        self.changed.notify_waiters();
        meant.len()
    }

    /// Waits until none is open.
    pub(super) async fn none_left(&self) {
        loop {
            let changed = self.changed.notified();
            if self.count() == 0 {
                return;
            }
            changed.await;
        }
    }

    fn note(&self, why: Closed) {
        self.closed[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing under it can panic half-way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Ends the task of a connection, and gives its place away.
    fn close(&mut self, id: u64) {
        if let Some(task) = self.leave(id).and_then(|connection| connection.task) {
            task.abort();
        }
    }

    fn leave(&mut self, id: u64) -> Option<Connection> {
        let connection = self.by_id.remove(&id)?;
        if let Some(client) = connection.client
            && let Some(count) = self.by_client.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                self.by_client.remove(&client);
            }
        }
        Some(connection)
    }
}

impl Place {
    /// By which the connection is known.
    pub(super) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().leave(self.id);
        self.connections.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn connections(descriptors: u64) -> Arc<Connections> {
        Arc::new(Connections::new(descriptors, TrustedProxies::parse(PROXY).expect("an address")))
    }

    fn place(connections: &Arc<Connections>, peer: &str) -> Option<Place> {
        connections.place(peer.parse().expect("an address"))
    }

    #[test]
    fn bounds_stay_below_the_descriptors() {
        assert_eq!(Bounds::of(1_024), Bounds { in_all: 512, of_one: 128 });
        assert_eq!(Bounds::of(u64::MAX), Bounds { in_all: MOST, of_one: MOST / 4 });
    }

    #[test]
    fn who_has_too_many_loses_the_one_that_waits_longest() {
        let connections = connections(32);
        let others = place(&connections, "192.0.2.3").expect("a place, of the one that waits longest of all");
        let mut own: Vec<Place> = (0..4).filter_map(|_| place(&connections, "192.0.2.1")).collect();
        assert_eq!(own.len(), connections.bounds().of_one);
        own.iter().take(3).for_each(|place| place.progress.enter(Phase::Request));
        own.push(place(&connections, "192.0.2.1").expect("the one that waited made room"));
        assert_eq!((connections.count(), connections.closed(Closed::MadeRoom)), (5, 1));
        assert!(connections.lock().by_id.contains_key(&others.id()), "it was another's");
        own.iter().for_each(|place| place.progress.enter(Phase::Request));
        assert!(place(&connections, "192.0.2.1").is_none(), "all are worked on");
        assert!(place(&connections, "192.0.2.2").is_some(), "nobody else is concerned");
        assert_eq!(connections.closed(Closed::TurnedAway), 1);
        drop((own, others));
        assert_eq!(connections.count(), 0);
        assert!(connections.lock().by_client.is_empty());
    }

    #[test]
    fn a_proxy_is_everybody_and_ipv6_is_counted_by_networks() {
        let connections = connections(32);
        let proxy: Vec<Place> = (0..16).filter_map(|_| place(&connections, PROXY)).collect();
        assert_eq!((proxy.len(), connections.count()), (16, connections.bounds().in_all), "none had to go");
        proxy.iter().for_each(|place| place.progress.enter(Phase::Answer));
        assert!(place(&connections, PROXY).is_none());
        drop(proxy);
        let network = |n: usize| place(&connections, &format!("2001:db8::{n}"));
        let own: Vec<Place> = (0..4).filter_map(network).collect();
        own.iter().for_each(|place| place.progress.enter(Phase::Request));
        assert!(network(9).is_none() && place(&connections, "2001:db8:0:1::1").is_some());
    }

    #[test]
    fn what_takes_too_long_is_closed() {
        let connections = connections(1_024);
        let places: Vec<Place> = [Phase::Idle, Phase::Head, Phase::Request, Phase::Answer]
            .into_iter()
            .filter_map(|phase| {
                let place = place(&connections, "192.0.2.1")?;
                place.progress.enter(phase);
                Some(place)
            })
            .collect();
        let began = Instant::now();
        let left = |after: Duration| {
            connections.sweep(began + after);
            connections.count()
        };
        let second = Duration::from_secs(1);
        assert_eq!(left(HEAD_TIME - second), 4);
        assert_eq!(left(HEAD_TIME + second), 3);
        assert_eq!(left(ANSWER_TIME + second), 2);
        assert_eq!(left(IDLE_TIME + second), 1, "what is worked on has time");
        assert_eq!(left(10 * IDLE_TIME), 1);
        drop(places);
    }
}
