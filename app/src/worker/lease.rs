//! A step runs only while its job is surely this worker's.

use crate::clock::Clock;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use store::Store;
use store::jobs::LEASE;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long after a proof nobody else can have claimed the job: well below the lease, for clocks
/// run unevenly.
const SURE_FOR: SignedDuration = SignedDuration::from_secs(LEASE.as_secs() - 30);

/// What a worker knows of the lease of the job that it is at.
pub(super) struct Lease {
    clock: Clock,
    /// The database as the step writes to it.
    store: Store,
    state: Mutex<State>,
    /// Told when it is to be proven before its time.
    pub(super) doubted: Notify,
}

struct State {
    /// When it was proven last, by the processor's clock, which nobody sets, and by the system's,
    /// which goes on while the machine is suspended: one of them notices.
    proven_at: (Instant, Timestamp),
    /// Wakes the step that waits for the proof.
    waiting: Option<Waker>,
}

impl Lease {
    /// A lease that was just taken, of a job whose step writes to this store.
    pub(super) fn new(clock: Clock, store: Store) -> Arc<Self> {
        let state = State { proven_at: (Instant::now(), clock.now()), waiting: None };
        Arc::new(Self { clock, store, state: Mutex::new(state), doubted: Notify::new() })
    }

    /// It was proven: the step goes on.
    pub(super) fn prove(&self) {
        let waiting = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.proven_at = (Instant::now(), self.clock.now());
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Whether it may have ended; whoever asks is woken once it is proven.
    fn is_doubtful(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, by_system) = state.proven_at;
        if is_sure(at.elapsed(), self.clock.now() - by_system) {
            return false;
        }
        state.waiting = Some(cx.waker().clone());
        drop(state);
        self.doubted.notify_one();
        true
    }
}

/// Whether nobody else can have claimed a job, so long after its lease was proven: by the
/// processor's clock and by the system's. One that was set back says nothing, and is not trusted.
fn is_sure(by_processor: Duration, by_system: SignedDuration) -> bool {
    by_processor <= SURE_FOR.unsigned_abs() && by_system.abs() <= SURE_FOR
}

/// A step that stands still as soon as its lease is in doubt. A process that was stopped, or whose
/// machine slept, goes on in the middle of a request: it must not send the rest of it before it is
/// known whether somebody else has done so meanwhile.
///
/// Only in the middle of a write transaction it goes on, to that transaction's end: the proof has
/// to be written, too, and on SQLite would wait for its turn for ever.
pub(super) struct Guarded<F> {
    step: Pin<Box<F>>,
    lease: Arc<Lease>,
}

impl<F: Future> Guarded<F> {
    pub(super) fn new(step: F, lease: Arc<Lease>) -> Self {
        Self { step: Box::pin(step), lease }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.lease.is_doubtful(cx) && !self.lease.store.is_writing() {
            return Poll::Pending;
        }
        self.step.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Failure;
    use domain::job::Job;
    use domain::timestamp::HOUR;
    use std::sync::atomic::{AtomicU32, Ordering};
    use store::jobs::{Among, Claim};

    #[test]
    fn either_clock_brings_a_lease_into_doubt() {
        let sure =
            |processor: u64, system: i64| is_sure(Duration::from_secs(processor), SignedDuration::from_secs(system));
        assert!(sure(0, 0) && sure(90, 90) && sure(89, -90), "well below the lease");
        assert!(!sure(91, 0), "the system's clock was set back meanwhile, or stands still");
        assert!(!sure(0, 91), "the machine was suspended, which the processor's clock may not count");
        assert!(!sure(0, -91), "it was set back: how long it really was, it can't say");
        assert!(Duration::from_secs(91) < LEASE.unsigned_abs());
    }

    /// A store with a job that is held.
    async fn with_a_job(now: Timestamp) -> (tempfile::TempDir, Store, Claim) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
        let claim = store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
        (folder, store, claim)
    }

    #[tokio::test]
    async fn a_step_stands_still_while_its_lease_is_in_doubt() {
        let clock = Clock::fixed(Timestamp::from_seconds(1_000));
        let (_folder, store, claim) = with_a_job(clock.now()).await;
        let lease = Lease::new(clock.clone(), store.held_by(&claim));
        let steps = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&steps);
        let step = async move {
            loop {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let task = tokio::spawn(Guarded::new(step, Arc::clone(&lease)));
        let made = async || {
            let before = steps.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            steps.load(Ordering::SeqCst) - before
        };
        assert!(made().await > 1);
        // The machine slept: its clock says so.
        clock.advance(HOUR);
        tokio::time::timeout(Duration::from_secs(1), lease.doubted.notified()).await.expect("a proof is asked for");
        assert_eq!(made().await, 0);
        lease.prove();
        assert!(made().await > 1, "it goes on");
        task.abort();
    }

    #[tokio::test]
    async fn a_lease_that_is_in_doubt_in_the_middle_of_a_transaction_is_proven_all_the_same() {
        let clock = Clock::fixed(Timestamp::from_seconds(1_000));
        let (_folder, store, claim) = with_a_job(clock.now()).await;
        let its_store = store.held_by(&claim);
        let lease = Lease::new(clock.clone(), its_store.clone());
        let goes_on = Arc::new(AtomicU32::new(0));
        let noted = Arc::clone(&goes_on);
        let machine = clock.clone();
        let step = async move {
            let begun = its_store.begin().await.map_err(Failure::from)?;
            // It is suspended here.
            machine.advance(HOUR);
            tokio::task::yield_now().await;
            begun.commit().await?;
            noted.fetch_add(1, Ordering::SeqCst);
            Ok::<(), Failure>(())
        };
        let mut task = tokio::spawn(Guarded::new(step, Arc::clone(&lease)));
        tokio::time::timeout(Duration::from_secs(1), lease.doubted.notified()).await.expect("a proof is asked for");
        let renewed =
            tokio::time::timeout(Duration::from_secs(5), store::jobs::renew(&store.held_by(&claim), LEASE)).await;
        assert!(renewed.expect("the transaction was not waited for in vain").unwrap());
        assert_eq!(goes_on.load(Ordering::SeqCst), 0, "nothing follows the transaction before the proof");
        lease.prove();
        tokio::time::timeout(Duration::from_secs(5), &mut task).await.expect("it ends").unwrap().unwrap();
        assert_eq!(goes_on.load(Ordering::SeqCst), 1);
    }
}
