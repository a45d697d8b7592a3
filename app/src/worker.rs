//! Background work: claims jobs and runs the step that each names.

use crate::clock::Clock;
use crate::services::github_app::GitHubApp;
use crate::services::mirror_sync::MirrorSync;
use crate::services::rules::RuleBook;
use crate::services::sessions::SESSION_IDLE_MS;
use crate::services::shadow::ShadowMode;
use crate::services::{Attempt, Cause, Failure, Settled, Wake, settle};
use crate::steps::attribute::Attribute;
use crate::steps::decide::Decide;
use crate::steps::deliver::{Deliver, GitHubWriter};
use crate::steps::reconcile::{RECONCILE_EVERY_MS, Reconcile};
use crate::steps::refresh;
use crate::steps::webhook::Webhooks;
use domain::job::Job;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::jobs::{Claim, LEASE_MS};
use store::{Store, StoreError};
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Steps that run at once. They wait for git, mail and GitHub far more than they compute.
const WORKERS: usize = 4;
/// How long an idle worker sleeps when nobody rings: another process on the same database may have
/// put a job there.
const IDLE: Duration = Duration::from_millis(500);
/// Failures after which an error, not a warning, is logged: by then it is no passing trouble.
const PATIENCE: u32 = 6;

/// The background work of one process.
#[derive(Clone)]
pub struct Worker {
    store: Store,
    wake: Wake,
    clock: Clock,
    steps: Arc<Steps>,
    upkeep: Arc<Upkeep>,
    stopping: Arc<AtomicBool>,
}

/// The steps that jobs run.
pub struct Steps {
    /// [`Job::Attribute`].
    pub attribute: Attribute,
    /// [`Job::Decide`].
    pub decide: Decide,
    /// [`Job::Deliver`] and [`Job::Storm`].
    pub deliver: Deliver,
    /// [`Job::Write`].
    pub github_writer: GitHubWriter,
    /// [`Job::Webhook`].
    pub webhooks: Webhooks,
    /// [`Job::Fetch`].
    pub mirror_sync: MirrorSync,
    /// [`Job::Reconcile`].
    pub reconcile: Reconcile,
}

/// What is looked after by the clock.
pub struct Upkeep {
    /// Another process may have made or forgotten the App.
    pub github_app: GitHubApp,
    /// Rules end with their last day.
    pub rules: RuleBook,
    /// Shadows end.
    pub shadow_mode: ShadowMode,
}

impl Worker {
    /// The work that these steps do, by this clock.
    pub fn new(store: Store, wake: Wake, clock: Clock, steps: Steps, upkeep: Upkeep) -> Self {
        Self { store, wake, clock, steps: Arc::new(steps), upkeep: Arc::new(upkeep), stopping: Arc::default() }
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
        self.wake.notify_all();
    }

    /// Runs every job that is due, and those that follow from them, one after another. Returns how
    /// many steps were run.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut steps = 0;
        while let Some(claim) = store::jobs::claim(&self.store, self.clock.now_ms()).await? {
            self.run(&claim).await?;
            steps += 1;
        }
        Ok(steps)
    }

    async fn work(self) {
        while !self.stopping.load(Ordering::Acquire) {
            let next = match store::jobs::claim(&self.store, self.clock.now_ms()).await {
                Ok(Some(claim)) => {
                    // There may be more than one: somebody else looks while this one is worked on.
                    self.wake.notify_one();
                    self.run(&claim).await
                }
                Ok(None) => {
                    self.wake.sleep(IDLE).await;
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

    /// Asks for what no event asks for: fetches of repositories whose pushes were missed, and
    /// reconciliation.
    async fn keep_time(self) {
        let mut reconciled_ms = i64::MIN;
        while !self.stopping.load(Ordering::Acquire) {
            let now_ms = self.clock.now_ms();
            if now_ms.saturating_sub(reconciled_ms) >= RECONCILE_EVERY_MS {
                reconciled_ms = now_ms;
                if let Err(error) = store::jobs::enqueue(&self.store, Job::Reconcile, now_ms, now_ms).await {
                    tracing::error!(%error, "reconciliation could not be asked for");
                }
            }
            if let Err(error) = refresh::ask_for_overdue(&self.store, &self.wake, now_ms).await {
                tracing::error!(%error, "overdue fetches could not be asked for");
            }
            if let Err(error) = self.upkeep.github_app.reload().await {
                tracing::error!(%error, "whether there is a GitHub App could not be looked up");
            }
            if let Err(error) = self.upkeep.rules.end_what_is_over(now_ms).await {
                tracing::error!(%error, "rules whose last day is over could not be ended");
            }
            if let Err(error) = self.upkeep.shadow_mode.end_what_is_over(now_ms).await {
                tracing::error!(%error, "shadows whose time is over could not be ended");
            }
            if let Err(error) = store::statuses::enqueue_due(&self.store, now_ms).await {
                tracing::error!(%error, "issues whose status is old could not be looked up");
            }
            if let Err(error) = store::sessions::delete_old(&self.store, now_ms, now_ms - SESSION_IDLE_MS).await {
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

    /// Runs a job's step, and writes down what came of it. All that is logged meanwhile names the
    /// job.
    async fn run(&self, claim: &Claim) -> Result<(), StoreError> {
        let (kind, id) = claim.job.parts();
        let span = tracing::error_span!("job", kind, id);
        self.run_step(claim.clone()).instrument(span).await
    }

    async fn run_step(&self, mut claim: Claim) -> Result<(), StoreError> {
        let Some(result) = self.renewing(&mut claim).await? else { return Ok(()) };
        let now_ms = self.clock.now_ms();
        match settle(&JobAttempt { store: &self.store, claim: &claim }, result, now_ms).await? {
            Settled::Done(()) | Settled::GivenUp => store::jobs::finish(&self.store, &claim).await,
            Settled::Postponed { .. } => Ok(()),
            Settled::Again(at_ms) => store::jobs::requeue(&self.store, &claim, at_ms, now_ms).await,
        }
    }

    /// Runs a job's step while its lease is renewed: a first clone can take longer than one, and
    /// must not be begun twice.
    /// `None`: this machine slept, and the job is another worker's now.
    async fn renewing(&self, claim: &mut Claim) -> Result<Option<Result<(), Failure>>, StoreError> {
        // A task of its own: a step that panics is a job that failed, and not the end of a worker.
        let mut step = OwnTask(tokio::spawn(self.clone().step(claim.job).in_current_span()));
        let patience = Duration::from_millis(LEASE_MS.unsigned_abs() / 3);
        loop {
            match tokio::time::timeout(patience, &mut step.0).await {
                Ok(Ok(result)) => return Ok(Some(result)),
                Ok(Err(panic)) => {
                    return Ok(Some(Err(Failure::retry(format!("the step ended in a panic: {panic}")))));
                }
                Err(_) if store::jobs::renew(&self.store, claim, self.clock.now_ms()).await? => {}
                Err(_) => {
                    tracing::warn!("a job took longer than its lease, and is another worker's");
                    return Ok(None);
                }
            }
        }
    }

    async fn step(self, job: Job) -> Result<(), Failure> {
        let (steps, now_ms) = (&self.steps, self.clock.now_ms());
        match job {
            Job::Attribute(report) => steps.attribute.attribute(report, now_ms).await,
            Job::Decide(line) => steps.decide.decide(line, now_ms).await,
            Job::Deliver(delivery) => steps.deliver.deliver(delivery, now_ms).await,
            Job::Write(installation) => steps.github_writer.turn(installation, &|| self.clock.now_ms()).await,
            Job::Storm(storm) => steps.deliver.storm(storm, now_ms).await,
            Job::Webhook(hook) => steps.webhooks.process(hook, now_ms).await,
            Job::Fetch(repository) => refresh::refresh(&self.store, &steps.mirror_sync, repository, now_ms).await,
            Job::Reconcile => steps.reconcile.reconcile(now_ms).await,
        }
    }
}

/// An attempt to do a job.
struct JobAttempt<'a> {
    store: &'a Store,
    claim: &'a Claim,
}

impl Attempt for JobAttempt<'_> {
    type Error = StoreError;

    fn number(&self) -> u32 {
        self.claim.attempts
    }

    async fn give_up(&self, cause: &Cause) -> Result<(), StoreError> {
        tracing::error!(why = %cause, "a job was given up");
        match self.claim.job {
            Job::Attribute(report) => store::attributions::record_given_up(self.store, report).await,
            _ => Ok(()),
        }
    }

    async fn postpone(&self, cause: &Cause, due_ms: i64) -> Result<(), StoreError> {
        let attempts = self.claim.attempts;
        if attempts >= PATIENCE {
            tracing::error!(attempts, due_ms, why = %cause, "a job keeps failing");
        } else {
            tracing::warn!(attempts, due_ms, why = %cause, "a job failed and will be tried again");
        }
        store::jobs::record_failed(self.store, self.claim, due_ms, &cause.to_string()).await
    }
}

/// A task that ends with its holder: a step must not go on once nobody renews its lease.
struct OwnTask(JoinHandle<Result<(), Failure>>);

impl Drop for OwnTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}
