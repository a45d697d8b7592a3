//! Turns to write: handed out in order, and in fair shares to those who wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// On whose behalf something is written. Each side that waits gets every second or third turn,
/// however long the queue of another one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Reports that arrive, and wait for their answer.
    Reports,
    /// People and GitHub, who wait for a page or an answer; and the commands of the terminal.
    Requests,
    /// Background work, whose mails nobody should have to wait for all day.
    Work,
}

const SIDES: usize = 3;

/// The turns of a database. SQLite has one writer; waiting here in order is fair, SQLite's own
/// waiting is by polling, and starves.
#[derive(Clone, Debug)]
pub(crate) struct Turns(Arc<Mutex<Queues>>);

#[derive(Debug)]
struct Queues {
    free: usize,
    /// How many turns a side may still take at once, so that none takes all.
    left: [usize; SIDES],
    waiting: [VecDeque<oneshot::Sender<Turn>>; SIDES],
    /// Whose turn it was last.
    last: usize,
}

/// A turn. It is the next one's when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    side: Side,
    /// Whether dropping it gives it back: not where it never got to who had asked for it.
    held: bool,
}

impl Turns {
    /// So many turns at once, of which one side has so many at most.
    pub(crate) fn new(turns: usize, most_of_a_side: usize) -> Self {
        Self(Arc::new(Mutex::new(Queues {
            free: turns,
            left: [most_of_a_side; SIDES],
            waiting: Default::default(),
            last: SIDES - 1,
        })))
    }

    /// Waits for a turn. Who stops waiting gives up their place.
    pub(crate) async fn next(&self, side: Side) -> Turn {
        let waits = {
            let mut queues = self.lock();
            if queues.free > 0 && queues.left[side as usize] > 0 {
                queues.take(side as usize);
                return Turn { turns: self.clone(), side, held: true };
            }
            let (sender, receiver) = oneshot::channel();
            queues.waiting[side as usize].push_back(sender);
            receiver
        };
        waits.await.expect("who waits is answered as long as the queue is there, which `self` holds")
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        // Nothing under this lock can panic half-way, so a poisoned one holds what it should.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a turn back, and hands out what is free.
    fn give_back(&self, side: Side) {
        let mut queues = self.lock();
        queues.free += 1;
        queues.left[side as usize] += 1;
        while let Some((next, waits)) = queues.pop() {
            queues.take(next);
            let turn = Turn { turns: self.clone(), side: SIDES_IN_ORDER[next], held: true };
            if let Err(mut turn) = waits.send(turn) {
                // Nobody waits there any more.
                turn.held = false;
                queues.free += 1;
                queues.left[next] += 1;
            }
        }
    }
}

const SIDES_IN_ORDER: [Side; SIDES] = [Side::Reports, Side::Requests, Side::Work];

impl Queues {
    fn take(&mut self, side: usize) {
        self.free -= 1;
        self.left[side] -= 1;
        self.last = side;
    }

    /// Who is next, if there is a turn for them: the sides one after another, each in the order in
    /// which they came.
    fn pop(&mut self) -> Option<(usize, oneshot::Sender<Turn>)> {
        if self.free == 0 {
            return None;
        }
        let sides = (1..=SIDES).map(|step| (self.last + step) % SIDES);
        let side = sides.into_iter().find(|side| self.left[*side] > 0 && !self.waiting[*side].is_empty())?;
        Some((side, self.waiting[side].pop_front()?))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.held {
            self.turns.give_back(self.side);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::JoinHandle;

    /// Lets so many of a side ask for a turn, which note that they had it.
    fn ask(turns: &Turns, side: Side, count: usize, had: &Arc<Mutex<Vec<Side>>>) -> Vec<JoinHandle<()>> {
        let one = |_| {
            let (turns, had) = (turns.clone(), Arc::clone(had));
            tokio::spawn(async move {
                let turn = turns.next(side).await;
                had.lock().unwrap().push(side);
                tokio::task::yield_now().await;
                drop(turn);
            })
        };
        (0..count).map(one).collect()
    }

    /// Which sides had the turns, where so many of each ask at once while one turn is taken.
    async fn order(asked: [(Side, usize); SIDES]) -> Vec<Side> {
        let (turns, had) = (Turns::new(1, 1), Arc::default());
        let first = turns.next(Side::Work).await;
        let asking: Vec<_> = asked.iter().flat_map(|(side, count)| ask(&turns, *side, *count, &had)).collect();
        tokio::task::yield_now().await;
        drop(first);
        for task in asking {
            task.await.unwrap();
        }
        had.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn each_side_that_waits_gets_its_share_of_the_turns() {
        let had = order([(Side::Work, 100), (Side::Requests, 100), (Side::Reports, 10)]).await;
        let first: Vec<Side> = had.iter().take(30).copied().collect();
        for side in SIDES_IN_ORDER {
            assert_eq!(first.iter().filter(|had| **had == side).count(), 10, "{side:?}");
        }
        // Where only two wait, they halve them; what is left over is nobody's loss.
        let rest: Vec<Side> = had.iter().skip(30).take(20).copied().collect();
        assert_eq!(rest.iter().filter(|had| **had == Side::Work).count(), 10);
        assert_eq!(had.len(), 210);
    }

    #[tokio::test]
    async fn who_waits_alone_gets_every_turn() {
        assert_eq!(order([(Side::Work, 0), (Side::Requests, 0), (Side::Reports, 5)]).await, [Side::Reports; 5]);
    }

    #[tokio::test]
    async fn no_side_takes_all_turns() {
        let turns = Turns::new(3, 2);
        let _work = (turns.next(Side::Work).await, turns.next(Side::Work).await);
        let third = turns.clone();
        let waits = tokio::spawn(async move { third.next(Side::Work).await });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished(), "one is left for the others");
        drop(turns.next(Side::Reports).await);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        drop(_work);
        waits.await.unwrap();
    }

    #[tokio::test]
    async fn who_stopped_waiting_holds_nobody_up() {
        let turns = Turns::new(1, 1);
        let first = turns.next(Side::Work).await;
        let gone = tokio::time::timeout(std::time::Duration::from_millis(1), turns.next(Side::Reports)).await;
        assert!(gone.is_err());
        drop(first);
        drop(turns.next(Side::Reports).await);
        drop(turns.next(Side::Work).await);
    }
}
