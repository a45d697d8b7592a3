//! A step runs while its job's lease is renewed, and no longer than the job is this worker's.

use super::held::Place;
use super::lease::{Guarded, Lease};
use crate::clock::Clock;
use crate::services::{Failure, log_store_error};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::jobs::LEASE;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument;

/// How often a lease is renewed: twice before it ends may fail.
const RENEW_EVERY: Duration = Duration::from_secs(LEASE.unsigned_abs().as_secs() / 3);
/// The pause after which a lease that could not be renewed is to be renewed again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long a job has its place in the room: what kills mostly does so sooner. Whoever waits for a
/// git server that says nothing must not keep all others waiting where it is to be alone, and none
/// of those that are to be alone where it is not.
const IN_THE_ROOM_AT_MOST: Duration = Duration::from_secs(5);

/// Jobs whose lease is renewed: one, or those that were claimed together.
pub(super) struct Renewal<'a> {
    /// The database as their holder writes to it.
    store: &'a Store,
    clock: &'a Clock,
    renew_every: Duration,
    in_the_room_at_most: Duration,
}

impl<'a> Renewal<'a> {
    /// Of jobs that were just claimed, in whose name this store writes.
    pub(super) fn new(store: &'a Store, clock: &'a Clock) -> Self {
        Self { store, clock, renew_every: RENEW_EVERY, in_the_room_at_most: IN_THE_ROOM_AT_MOST }
    }

    /// Runs their step, which writes to the database it is given, while their lease is renewed: a
    /// first clone can take longer than one, and must not be begun twice.
    pub(super) async fn run<F, T>(self, place: Place, step: impl FnOnce(Store) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let lease = Lease::new(self.clock.clone(), self.store.clone());
        let step = Guarded::new(step(self.store.clone()), Arc::clone(&lease));
        // A task of its own: a step that panics is a job that failed, and not the end of a worker.
        let mut step = OwnTask(tokio::spawn(step.in_current_span()));
        let leaves_at = Instant::now() + self.in_the_room_at_most;
        let (mut place, mut _mail) = (Some(place), None);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(leaves_at), if place.is_some() => {
                    _mail = place.take().and_then(Place::without_room);
                    continue;
                }
                ended = &mut step.0 => return ended.unwrap_or_else(|ended| Err(Failure::ended("the step", ended))),
                () = lease.doubted.notified() => {}
                () = tokio::time::sleep(self.renew_every) => {}
            }
            match store::jobs::renew(self.store, LEASE).await {
                Ok(true) => lease.prove(),
                Ok(false) => return Err(Failure::NotOurs),
                Err(error) => {
                    // The step stands still before its lease can have ended, and may do so already:
                    // it is tried again at once.
                    log_store_error(self.store, &error, "the lease of a job could not be renewed, and will be");
                    tokio::time::sleep(AGAIN_AFTER).await;
                    lease.doubted.notify_one();
                }
            }
        }
    }
}

/// A task that ends with its holder: a step must not go on once nobody renews its lease.
struct OwnTask<T>(JoinHandle<Result<T, Failure>>);

impl<T> Drop for OwnTask<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::fetches::Fetches;
    use crate::worker::held::Held;
    use domain::job::Job;
    use domain::timestamp::Timestamp;
    use jiff::SignedDuration;
    use std::future::pending;
    use store::jobs::{Among, Claim};
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    /// Waited for in vain, or not: what is to come comes within milliseconds.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// A database with a job that is claimed, and whose lease is over at once.
    async fn with_a_job() -> (tempfile::TempDir, Store, Clock, Claim) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let clock = Clock::fixed(Timestamp::from_seconds(1_000));
        let now = clock.now();
        store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
        let claim = store::jobs::claim(&store, Among::Ordinary, SignedDuration::ZERO, now).await.unwrap();
        (folder, store, clock, claim.expect("a job"))
    }

    /// The lease of a job, renewed each few milliseconds.
    fn often<'a>(store: &'a Store, clock: &'a Clock) -> Renewal<'a> {
        Renewal { renew_every: Duration::from_millis(5), ..Renewal::new(store, clock) }
    }

    #[tokio::test]
    async fn a_lease_is_renewed_while_its_step_runs() {
        let (_folder, store, clock, claim) = with_a_job().await;
        let its_store = store.held_by(&claim);
        let is_free = async || store::jobs::is_suspect_due(&store, clock.now()).await.unwrap();
        assert!(is_free().await, "whoever looks may take it");
        let renewed = async {
            while is_free().await {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let place = Held::default().shared().await;
        tokio::select! {
            ended = often(&its_store, &clock).run(place, |_| pending::<Result<(), Failure>>()) => panic!("{ended:?}"),
            renewed = timeout(PATIENCE, renewed) => renewed.expect("it is renewed"),
        }
    }

    #[tokio::test]
    async fn a_step_ends_as_soon_as_its_job_is_known_to_be_anothers() {
        let (_folder, store, clock, claim) = with_a_job().await;
        let its_store = store.held_by(&claim);
        let other = store::jobs::claim(&store, Among::Suspects, LEASE, clock.now()).await.unwrap();
        assert!(other.is_some_and(|other| other.id == claim.id));
        let (runs, ended) = oneshot::channel::<()>();
        let step = async move |_| {
            let _runs = runs;
            pending::<Result<(), Failure>>().await
        };
        let place = Held::default().shared().await;
        let renewal = timeout(PATIENCE, often(&its_store, &clock).run(place, step)).await;
        assert!(matches!(renewal.expect("it is noticed"), Err(Failure::NotOurs)));
        timeout(PATIENCE, ended).await.expect("the step ends").expect_err("it does not get further");
    }

    #[tokio::test]
    async fn a_job_that_killed_before_does_not_keep_the_others_waiting_for_ever() {
        let (_folder, store, clock, claim) = with_a_job().await;
        let its_store = store.held_by(&claim);
        let held = Held::default();
        let renewal = Renewal { in_the_room_at_most: Duration::ZERO, ..often(&its_store, &clock) };
        let alone = held.alone().expect("nothing runs");
        tokio::select! {
            ended = renewal.run(alone, |_| pending::<Result<(), Failure>>()) => panic!("{ended:?}"),
            place = timeout(PATIENCE, held.shared()) => drop(place.expect("others go on beside it")),
        }
    }

    #[tokio::test]
    async fn a_job_that_goes_on_mailing_stays_among_those_that_mail() {
        let (_folder, store, clock, claim) = with_a_job().await;
        let its_store = store.held_by(&claim);
        let (held, fetches) = (Held::default(), Fetches::default());
        let renewal = Renewal { in_the_room_at_most: Duration::ZERO, ..often(&its_store, &clock) };
        let place = held.shared().await.among_mails(fetches.mail_place());
        let alone = async {
            while held.alone().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let mails = [fetches.mail_place(), fetches.mail_place()];
            assert!(mails[0].is_some() && mails[1].is_none(), "it has one of the two");
        };
        tokio::select! {
            ended = renewal.run(place, |_| pending::<Result<(), Failure>>()) => panic!("{ended:?}"),
            room = timeout(PATIENCE, alone) => room.expect("the room is given back"),
        }
    }
}
