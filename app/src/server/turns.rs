//! Turns at work that takes long, shared fairly: who brings much of it waits for their own.

use super::client::ClientGroup;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How many may have a turn, and how many may wait for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Turns at a time.
    pub(super) at_once: usize,
    /// Waiting ones of one lane.
    pub(super) of_lane: usize,
    /// Waiting ones of all lanes.
    pub(super) in_all: usize,
    /// How long one waits.
    pub(super) longest: Duration,
}

/// Turns at a work. Lanes have them one after the other, and in each lane its clients; where too
/// many wait, the last of who waits with most gives way. So a crowd keeps out itself, and nobody
/// else waits for more than one turn of each other lane.
#[derive(Debug)]
pub(super) struct Turns<L: Lane> {
    bounds: Bounds,
    line: Mutex<Line<L>>,
}

/// By what those who wait are told apart first.
pub(super) trait Lane: Copy + Eq + Send + 'static {}

impl<L: Copy + Eq + Send + 'static> Lane for L {}

#[derive(Debug)]
struct Line<L: Lane> {
    free: usize,
    waiting: VecDeque<Waiting<L>>,
    /// Lanes in the order of their turns, at least those in which somebody waits.
    lanes: VecDeque<L>,
    /// Clients of lanes, in the same way.
    clients: VecDeque<(L, ClientGroup)>,
}

#[derive(Debug)]
struct Waiting<L: Lane> {
    lane: L,
    client: ClientGroup,
    calls: oneshot::Sender<Turn<L>>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<L: Lane>(Arc<Turns<L>>);

/// Too many wait, or it took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoTurn;

impl<L: Lane> Turns<L> {
    /// All of them free.
    pub(super) fn new(bounds: Bounds) -> Self {
        let (waiting, lanes, clients) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { bounds, line: Mutex::new(Line { free: bounds.at_once, waiting, lanes, clients }) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// Too many others wait, or it is nobody's turn for too long.
    pub(super) async fn take(self: &Arc<Self>, lane: L, client: ClientGroup) -> Result<Turn<L>, NoTurn> {
        let called = {
            let mut line = self.line();
            if line.free > 0 {
                line.free -= 1;
                return Ok(Turn(Arc::clone(self)));
            }
            line.join(lane, client, &self.bounds)?
        };
        // One that is called too late is given on as it is dropped.
        timeout(self.bounds.longest, called).await.ok().and_then(Result::ok).ok_or(NoTurn)
    }

    fn line(&self) -> MutexGuard<'_, Line<L>> {
        // Nothing under it can panic half-way.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a turn on to who is next.
    fn give_on(self: &Arc<Self>) {
        let mut line = self.line();
        let Some(next) = line.next() else {
            line.free += 1;
            return;
        };
        drop(line);
        // Who has gone meanwhile drops it, so that it comes by here again.
        drop(next.calls.send(Turn(Arc::clone(self))));
    }
}

impl<L: Lane> Line<L> {
    fn join(&mut self, lane: L, client: ClientGroup, bounds: &Bounds) -> Result<oneshot::Receiver<Turn<L>>, NoTurn> {
        // Those who hung up need none.
        self.waiting.retain(|one| !one.calls.is_closed());
        if self.count(|one| one.lane == lane) >= bounds.of_lane {
            self.make_room(lane, Some(client))?;
        } else if self.waiting.len() >= bounds.in_all {
            let crowd = self.waiting.iter().map(|one| one.lane).max_by_key(|lane| self.count(|one| one.lane == *lane));
            let crowd = crowd.ok_or(NoTurn)?;
            if self.count(|one| one.lane == crowd) <= self.count(|one| one.lane == lane) + 1 {
                self.make_room(lane, Some(client))?;
            } else {
                self.make_room(crowd, None)?;
            }
        }
        let (calls, called) = oneshot::channel();
        self.waiting.push_back(Waiting { lane, client, calls });
        if !self.lanes.contains(&lane) {
            self.lanes.push_back(lane);
        }
        if !self.clients.contains(&(lane, client)) {
            self.clients.push_back((lane, client));
        }
        Ok(called)
    }

    /// Refuses the last of the client of this lane who waits with most; unless that is no more
    /// than `newcomer` would wait with.
    fn make_room(&mut self, lane: L, newcomer: Option<ClientGroup>) -> Result<(), NoTurn> {
        let of = |client: ClientGroup| self.count(|one| one.lane == lane && one.client == client);
        let clients = self.waiting.iter().filter(|one| one.lane == lane).map(|one| one.client);
        let (most, client) = clients.map(|client| (of(client), client)).max_by_key(|(most, _)| *most).ok_or(NoTurn)?;
        if newcomer.is_some_and(|newcomer| most <= of(newcomer) + 1) {
            return Err(NoTurn);
        }
        let last = self.waiting.iter().rposition(|one| one.lane == lane && one.client == client).ok_or(NoTurn)?;
        // It is told by its end of the channel.
        self.waiting.remove(last);
        Ok(())
    }

    /// The next one, whose lane and client come last from now on.
    fn next(&mut self) -> Option<Waiting<L>> {
        while let Some(lane) = self.lanes.pop_front() {
            let Some(at) = self.clients.iter().position(|(of, _)| *of == lane) else { continue };
            let (_, client) = self.clients.remove(at)?;
            // Where it has gone, its lane may have others.
            self.lanes.push_back(lane);
            let Some(at) = self.waiting.iter().position(|one| one.lane == lane && one.client == client) else {
                continue;
            };
            self.clients.push_back((lane, client));
            return self.waiting.remove(at);
        }
        None
    }

    fn count(&self, which: impl Fn(&Waiting<L>) -> bool) -> usize {
        self.waiting.iter().filter(|one| which(one)).count()
    }
}

impl<L: Lane> Drop for Turn<L> {
    fn drop(&mut self) {
        self.0.give_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::net::IpAddr;
    use std::pin::Pin;

    const BOUNDS: Bounds = Bounds { at_once: 1, of_lane: 4, in_all: 8, longest: Duration::from_secs(10) };

    type Taken = Pin<Box<dyn Future<Output = Result<Turn<u8>, NoTurn>>>>;

    /// Those who wait for a turn, by lane and client, in the order in which they came.
    struct Crowd {
        turns: Arc<Turns<u8>>,
        waiting: Vec<(u8, u8, Taken)>,
    }

    impl Crowd {
        fn new() -> Self {
            Self { turns: Arc::new(Turns::new(BOUNDS)), waiting: Vec::new() }
        }

        fn client(number: u8) -> ClientGroup {
            ClientGroup(IpAddr::from([192, 0, 2, number]))
        }

        async fn comes(&mut self, lane: u8, client: u8) {
            let turns = Arc::clone(&self.turns);
            let taken: Taken = Box::pin(async move { turns.take(lane, Self::client(client)).await });
            self.waiting.push((lane, client, taken));
            assert!(self.ready().await.is_empty(), "nobody's turn is over");
        }

        /// Those who are told something now.
        async fn ready(&mut self) -> Vec<(u8, u8, Result<Turn<u8>, NoTurn>)> {
            let mut told = Vec::new();
            let mut at = 0;
            while at < self.waiting.len() {
                match futures_ready(&mut self.waiting[at].2).await {
                    Some(result) => {
                        let (lane, client, _) = self.waiting.remove(at);
                        told.push((lane, client, result));
                    }
                    None => at += 1,
                }
            }
            told
        }

        /// In which order all have their turns, once the one that is taken is over.
        async fn order(&mut self, first: Turn<u8>) -> Vec<(u8, u8)> {
            let (mut order, mut turn) = (Vec::new(), Some(first));
            while let Some(over) = turn.take() {
                drop(over);
                for (lane, client, result) in self.ready().await {
                    order.push((lane, client));
                    turn = Some(result.expect("a turn"));
                }
            }
            order
        }
    }

    /// What is ready at once.
    async fn futures_ready(taken: &mut Taken) -> Option<Result<Turn<u8>, NoTurn>> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match taken.as_mut().poll(context) {
                std::task::Poll::Ready(result) => Some(result),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test]
    async fn lanes_have_their_turns_in_turn_and_so_have_their_clients() {
        let mut crowd = Crowd::new();
        let first = crowd.turns.take(1, Crowd::client(1)).await.expect("a free one");
        for (lane, client) in [(1, 1), (1, 1), (1, 1), (1, 2), (2, 3), (2, 3), (3, 1)] {
            crowd.comes(lane, client).await;
        }
        let order = crowd.order(first).await;
        assert_eq!(order, [(1, 1), (2, 3), (3, 1), (1, 2), (2, 3), (1, 1), (1, 1)]);
        assert_eq!(crowd.turns.line().free, 1);
        assert!(crowd.turns.line().lanes.is_empty() && crowd.turns.line().clients.is_empty());
    }

    #[tokio::test]
    async fn who_waits_with_most_gives_way() {
        let mut crowd = Crowd::new();
        let first = crowd.turns.take(1, Crowd::client(1)).await.expect("a free one");
        for _ in 0..4 {
            crowd.comes(1, 1).await;
        }
        assert_eq!(crowd.turns.take(1, Crowd::client(1)).await.err(), Some(NoTurn), "its lane is full");
        // Another client of this lane has a place, in that of the one that came last.
        let turns = Arc::clone(&crowd.turns);
        let mut second: Taken = Box::pin(async move { turns.take(1, Crowd::client(2)).await });
        assert!(futures_ready(&mut second).await.is_none());
        let refused = crowd.ready().await;
        assert!(matches!(refused[..], [(1, 1, Err(NoTurn))]), "{refused:?}");
        crowd.waiting.push((1, 2, second));
        // Now of all lanes.
        for _ in 0..4 {
            crowd.comes(2, 3).await;
        }
        let turns = Arc::clone(&crowd.turns);
        let mut third: Taken = Box::pin(async move { turns.take(3, Crowd::client(4)).await });
        assert!(futures_ready(&mut third).await.is_none());
        let refused = crowd.ready().await;
        assert!(matches!(refused[..], [(1 | 2, _, Err(NoTurn))]), "{refused:?}");
        crowd.waiting.push((3, 4, third));
        let mut places: HashMap<u8, usize> = HashMap::new();
        for (lane, _) in crowd.order(first).await {
            *places.entry(lane).or_default() += 1;
        }
        let mut places: Vec<usize> = places.into_values().collect();
        places.sort_unstable();
        assert_eq!(places, [1, 3, 4]);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever_and_who_has_gone_takes_no_turn() {
        let turns = Arc::new(Turns::new(Bounds { longest: Duration::from_millis(10), ..BOUNDS }));
        let crowd = Crowd { turns, waiting: Vec::new() };
        let first = crowd.turns.take(1, Crowd::client(1)).await.expect("a free one");
        assert_eq!(crowd.turns.take(2, Crowd::client(2)).await.err(), Some(NoTurn));
        let mut gone: Taken = {
            let turns = Arc::clone(&crowd.turns);
            Box::pin(async move { turns.take(2, Crowd::client(2)).await })
        };
        assert!(futures_ready(&mut gone).await.is_none());
        drop(gone);
        drop(first);
        assert_eq!(crowd.turns.line().free, 1);
        assert!(crowd.turns.take(2, Crowd::client(2)).await.is_ok());
    }
}
