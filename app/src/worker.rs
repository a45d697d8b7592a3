//! Background work: claims jobs and runs the step that each names.

use crate::clock::Clock;
use crate::services::github_app::GitHubApp;
use crate::services::mirror_sync::MirrorSync;
use crate::services::rules::RuleBook;
use crate::services::sessions::SESSION_IDLE;
use crate::services::shadow::ShadowMode;
use crate::services::{Attempt, Cause, Failure, Settled, Wake, settle};
use crate::steps::attribute::Attribute;
use crate::steps::decide::Decide;
use crate::steps::deliver::{Deliver, GitHubWriter};
use crate::steps::reconcile::{RECONCILE_EVERY, Reconcile};
use crate::steps::refresh;
use crate::steps::webhook::Webhooks;
use domain::job::Job;
use domain::timestamp::Timestamp;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use store::jobs::{Claim, LEASE};
use store::{Store, StoreError};
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Steps that run at once. They wait for git, mail and GitHub far more than they compute.
const WORKERS: usize = 4;
/// How long an idle worker sleeps when nothing wakes it: another process on the same database may
/// have put a job there.
const IDLE: Duration = Duration::from_millis(500);
/// How often it is looked for what is due by time alone.
const TICK_EVERY: Duration = Duration::from_secs(60);
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
    /// When reconciliation was asked for last, Unix milliseconds; [`Timestamp::MIN`] before the
    /// first time.
    reconciled_at: Arc<AtomicI64>,
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
        Self {
            store,
            wake,
            clock,
            steps: Arc::new(steps),
            upkeep: Arc::new(upkeep),
            stopping: Arc::default(),
            reconciled_at: Arc::new(AtomicI64::new(Timestamp::MIN.as_millis())),
        }
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
        while let Some(claim) = store::jobs::claim(&self.store, self.clock.now()).await? {
            self.run(&claim).await?;
            steps += 1;
        }
        Ok(steps)
    }

    async fn work(self) {
        while !self.stopping.load(Ordering::Acquire) {
            let next = match store::jobs::claim(&self.store, self.clock.now()).await {
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

    /// Ticks every [`TICK_EVERY`] until [`Self::stop`].
    async fn keep_time(self) {
        while !self.stopping.load(Ordering::Acquire) {
            self.tick(self.clock.now()).await;
            self.sleep_until_next_tick().await;
        }
    }

    /// Sleeps in short pieces: whoever stops the server does not wait for a tick.
    async fn sleep_until_next_tick(&self) {
        for _ in 0..TICK_EVERY.as_secs() {
            if self.stopping.load(Ordering::Acquire) {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Asks for what no event asks for and is due at `now`.
    ///
    /// That is fetches of repositories whose pushes were missed, reconciliation and statuses. It
    /// also ends what is over. What fails is logged and keeps nothing else back: the next tick
    /// tries it again.
    pub async fn tick(&self, now: Timestamp) {
        let (store, upkeep) = (&self.store, &self.upkeep);
        logged("reconciliation could not be asked for", self.enqueue_reconciliation(now).await);
        let fetches = refresh::ask_for_overdue(store, &self.wake, now).await;
        logged("overdue fetches could not be asked for", fetches);
        logged("whether there is a GitHub App could not be looked up", upkeep.github_app.reload().await);
        let rules = upkeep.rules.end_what_is_over(now).await;
        logged("rules whose last day is over could not be ended", rules);
        let shadows = upkeep.shadow_mode.end_what_is_over(now).await;
        logged("shadow mode that is over could not be ended", shadows);
        let statuses = store::statuses::enqueue_due(store, now).await;
        logged("issues whose status is old could not be looked up", statuses);
        let deleted = store::sessions::delete_old(store, now, now - SESSION_IDLE).await;
        logged("sessions that are over could not be deleted", deleted);
    }

    /// Enqueues reconciliation where this process has not done so within [`RECONCILE_EVERY`].
    async fn enqueue_reconciliation(&self, now: Timestamp) -> Result<(), StoreError> {
        let asked_at = Timestamp::from_millis(self.reconciled_at.load(Ordering::Acquire));
        if now - asked_at >= RECONCILE_EVERY {
            store::jobs::enqueue(&self.store, Job::Reconcile, now, now).await?;
            self.reconciled_at.store(now.as_millis(), Ordering::Release);
        }
        Ok(())
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
        let now = self.clock.now();
        match settle(&JobAttempt { store: &self.store, claim: &claim }, result, now).await? {
            Settled::Done(()) | Settled::GivenUp => store::jobs::finish(&self.store, &claim).await,
            Settled::Postponed { .. } => Ok(()),
            Settled::Again(at) => store::jobs::requeue(&self.store, &claim, at, now).await,
        }
    }

    /// Runs a job's step while its lease is renewed: a first clone can take longer than one, and
    /// must not be begun twice.
    /// `None`: this machine slept, and the job is another worker's now.
    async fn renewing(&self, claim: &mut Claim) -> Result<Option<Result<(), Failure>>, StoreError> {
        // A task of its own: a step that panics is a job that failed, and not the end of a worker.
        let mut step = OwnTask(tokio::spawn(self.clone().step(claim.job).in_current_span()));
        let patience = LEASE.unsigned_abs() / 3;
        loop {
            match tokio::time::timeout(patience, &mut step.0).await {
                Ok(Ok(result)) => return Ok(Some(result)),
                Ok(Err(panic)) => {
                    return Ok(Some(Err(Failure::retry(format!("the step ended in a panic: {panic}")))));
                }
                Err(_) if store::jobs::renew(&self.store, claim, self.clock.now()).await? => {}
                Err(_) => {
                    tracing::warn!("a job took longer than its lease, and is another worker's");
                    return Ok(None);
                }
            }
        }
    }

    async fn step(self, job: Job) -> Result<(), Failure> {
        let (steps, now) = (&self.steps, self.clock.now());
        match job {
            Job::Attribute(report) => steps.attribute.attribute(report, now).await,
            Job::Decide(line) => steps.decide.decide(line, now).await,
            Job::Deliver(delivery) => steps.deliver.deliver(delivery, now).await,
            Job::Write(installation) => steps.github_writer.turn(installation, &|| self.clock.now()).await,
            Job::Storm(storm) => steps.deliver.storm(storm, now).await,
            Job::Webhook(hook) => steps.webhooks.process(hook, now).await,
            Job::Fetch(repository) => refresh::refresh(&self.store, &steps.mirror_sync, repository, now).await,
            Job::Reconcile => steps.reconcile.reconcile(now).await,
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
            Job::Decide(_)
            | Job::Deliver(_)
            | Job::Write(_)
            | Job::Storm(_)
            | Job::Webhook(_)
            | Job::Fetch(_)
            | Job::Reconcile => Ok(()),
        }
    }

    async fn postpone(&self, cause: &Cause, due_at: Timestamp) -> Result<(), StoreError> {
        let attempts = self.claim.attempts;
        if attempts >= PATIENCE {
            tracing::error!(attempts, %due_at, why = %cause, "a job keeps failing");
        } else {
            tracing::warn!(attempts, %due_at, why = %cause, "a job failed and will be tried again");
        }
        store::jobs::record_failed(self.store, self.claim, due_at, &cause.to_string()).await
    }
}

/// A task that ends with its holder: a step must not go on once nobody renews its lease.
struct OwnTask(JoinHandle<Result<(), Failure>>);

impl Drop for OwnTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Logs a failure of what the next tick does again.
fn logged<E: Display>(what: &str, result: Result<(), E>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what}");
    }
}
