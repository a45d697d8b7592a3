//! Background work: claims jobs and runs the step that each names.

use crate::clock::Clock;
use crate::steps::sign_in::SESSION_IDLE_MS;
use crate::steps::{Failure, Services, attribute, decide, deliver, reconcile, refresh, shadow, webhook};
use domain::job::{Job, back_off_ms};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::StoreError;
use store::jobs::{Claim, LEASE_MS};
use tokio::task::JoinHandle;

/// Steps that run at once. They wait for git, mail and GitHub far more than they compute.
const WORKERS: usize = 4;
/// How long an idle worker sleeps when nobody rings: another process on the same database may have put a job there.
const IDLE: Duration = Duration::from_millis(500);
/// Failures after which an error, not a warning, is logged: by then it is no passing trouble.
const PATIENCE: u32 = 6;

/// The background work of one process.
#[derive(Clone)]
pub struct Worker {
    services: Services,
    clock: Clock,
    stopping: Arc<AtomicBool>,
}

impl Worker {
    /// Work in these services, by this clock.
    pub fn new(services: Services, clock: Clock) -> Self {
        Self { services, clock, stopping: Arc::default() }
    }

    /// Starts working until [`Self::stop`].
    pub fn start(&self) -> Vec<JoinHandle<()>> {
        let mut tasks: Vec<JoinHandle<()>> = (0..WORKERS).map(|_| tokio::spawn(self.clone().work())).collect();
        tasks.push(tokio::spawn(self.clone().keep_time()));
        tasks
    }

    /// Lets each task end after the job that it is at.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.services.wake.notify_waiters();
    }

    /// Runs every job that is due, and those that follow from them, one after another. Returns how many steps were run.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut steps = 0;
        while let Some(claim) = store::jobs::claim(&self.services.store, self.clock.now_ms()).await? {
            self.run(&claim).await?;
            steps += 1;
        }
        Ok(steps)
    }

    async fn work(self) {
        while !self.stopping.load(Ordering::Acquire) {
            let next = match store::jobs::claim(&self.services.store, self.clock.now_ms()).await {
                Ok(Some(claim)) => {
                    // There may be more than one: somebody else looks while this one is worked on.
                    self.services.wake.notify_one();
                    self.run(&claim).await
                }
                Ok(None) => {
                    let _ = tokio::time::timeout(IDLE, self.services.wake.notified()).await;
                    continue;
                }
                Err(error) => Err(error),
            };
            if let Err(error) = next {
                tracing::error!(%error, "the queue of jobs is out of reach");
                tokio::time::sleep(IDLE).await;
            }
        }
    }

    /// Asks for what no event asks for: fetches of repositories whose pushes were missed, and reconciliation.
    async fn keep_time(self) {
        let mut reconciled_ms = i64::MIN;
        while !self.stopping.load(Ordering::Acquire) {
            let now_ms = self.clock.now_ms();
            if now_ms.saturating_sub(reconciled_ms) >= reconcile::RECONCILE_EVERY_MS {
                reconciled_ms = now_ms;
                if let Err(error) = store::jobs::enqueue(&self.services.store, Job::Reconcile, now_ms, now_ms).await {
                    tracing::error!(%error, "reconciliation could not be asked for");
                }
            }
            if let Err(error) = refresh::ask_for_overdue(&self.services, now_ms).await {
                tracing::error!(%error, "overdue fetches could not be asked for");
            }
            if let Err(error) = self.services.look_for_app().await {
                tracing::error!(%error, "whether there is a GitHub App could not be looked up");
            }
            if let Err(error) = webhook::end_what_is_over(&self.services, now_ms).await {
                tracing::error!(%error, "rules whose last day is over could not be ended");
            }
            if let Err(error) = shadow::end_what_is_over(&self.services, now_ms).await {
                tracing::error!(%error, "shadows whose time is over could not be ended");
            }
            if let Err(error) = store::statuses::enqueue_due(&self.services.store, now_ms).await {
                tracing::error!(%error, "issues whose status is old could not be looked up");
            }
            if let Err(error) =
                store::sessions::delete_old(&self.services.store, now_ms, now_ms - SESSION_IDLE_MS).await
            {
                tracing::error!(%error, "sessions that are over could not be deleted");
            }
            for _ in 0..60 {
                if self.stopping.load(Ordering::Acquire) {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    async fn run(&self, claim: &Claim) -> Result<(), StoreError> {
        let claim = &mut claim.clone();
        let result = {
            // A task of its own: a step that panics is a job that failed, and not the end of a worker.
            let mut step = OwnTask(tokio::spawn(self.clone().step(claim.job)));
            loop {
                // A first clone can take longer than a lease, and must not be begun twice.
                match tokio::time::timeout(Duration::from_millis(LEASE_MS.unsigned_abs() / 3), &mut step.0).await {
                    Ok(Ok(result)) => break result,
                    Ok(Err(panic)) => break Err(Failure::retry(format!("the step ended in a panic: {panic}"))),
                    Err(_) => {
                        if !store::jobs::renew(&self.services.store, claim, self.clock.now_ms()).await? {
                            // This machine slept. The step ends here: it is another worker's now.
                            tracing::warn!(job = ?claim.job, "a job took longer than its lease, and is another worker's");
                            return Ok(());
                        }
                    }
                }
            }
        };
        match result {
            Ok(()) => store::jobs::finish(&self.services.store, claim).await,
            Err(Failure::GiveUp(why)) => {
                tracing::error!(job = ?claim.job, why, "a job was given up");
                if let Job::Attribute(report) = claim.job {
                    store::attributions::record_given_up(&self.services.store, report).await?;
                }
                store::jobs::finish(&self.services.store, claim).await
            }
            Err(Failure::Again { at_ms }) => {
                store::jobs::requeue(&self.services.store, claim, at_ms, self.clock.now_ms()).await
            }
            Err(Failure::Retry { why, after_ms }) => {
                let pause_ms = back_off_ms(claim.attempts, after_ms);
                if claim.attempts >= PATIENCE {
                    tracing::error!(job = ?claim.job, attempts = claim.attempts, pause_ms, why, "a job keeps failing");
                } else {
                    tracing::warn!(job = ?claim.job, attempts = claim.attempts, pause_ms, why, "a job failed and will be tried again");
                }
                store::jobs::record_failed(&self.services.store, claim, self.clock.now_ms() + pause_ms, &why).await
            }
        }
    }

    async fn step(self, job: Job) -> Result<(), Failure> {
        let (services, now_ms) = (&self.services, self.clock.now_ms());
        match job {
            Job::Attribute(report) => attribute::attribute(services, report, now_ms).await,
            Job::Decide(line) => decide::decide(services, line, now_ms).await,
            Job::Deliver(delivery) => deliver::deliver(services, delivery, now_ms).await,
            Job::Write(installation) => deliver::turn(services, installation, &|| self.clock.now_ms()).await,
            Job::Storm(storm) => deliver::storm(services, storm, now_ms).await,
            Job::Webhook(hook) => webhook::process(services, hook, now_ms).await,
            Job::Fetch(repository) => refresh::refresh(services, repository, now_ms).await,
            Job::Reconcile => reconcile::reconcile(services, now_ms).await,
        }
    }
}

/// A task that ends with its holder: a step must not go on once nobody renews its lease.
struct OwnTask(JoinHandle<Result<(), Failure>>);

impl Drop for OwnTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}
