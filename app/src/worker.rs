//! Background work: claims jobs and runs the step that each names.

mod abreast;
mod attempt;
mod held;
mod lease;
mod renewal;
mod running;
mod timekeeper;

use crate::clock::Clock;
use crate::services::fetches::{Fetches, WAITING_AT_ONCE};
use crate::services::github_app::GitHubApp;
use crate::services::mirror_sync::MirrorSync;
use crate::services::rules::RuleBook;
use crate::services::sessions::SESSION_IDLE;
use crate::services::shadow::ShadowMode;
use crate::services::{Counts, Crew, Epoch, OnDuty, Wake, begin_anew_after, caught, log_store_error};
use crate::steps::attribute::Attribute;
use crate::steps::decide::Decide;
use crate::steps::deliver::{Deliver, GitHubWriter};
use crate::steps::reconcile::{RECONCILE_EVERY, Reconcile};
use crate::steps::refresh;
use crate::steps::retain::Retain;
use crate::steps::webhook::Webhooks;
use domain::job::Job;
use domain::timestamp::Timestamp;
use held::{Held, Place};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use store::jobs::{Among, Claim, LEASE};
use store::{Store, StoreError};
use timekeeper::Timekeeper;
use tokio::task::JoinHandle;

/// Steps that run at once. They wait for git, mail and GitHub far more than they compute.
const WORKERS: usize = 4;
const _: () = assert!(WAITING_AT_ONCE < WORKERS, "nothing else waits for git servers and mail servers");
/// How long an idle worker sleeps when nothing wakes it: another process on the same database may
/// have put a job there.
const IDLE: Duration = Duration::from_millis(500);
/// How often it is looked for what is due by time alone.
const TICK_EVERY: Duration = Duration::from_secs(60);

/// The background work of one process.
#[derive(Clone)]
pub struct Worker {
    store: Store,
    wake: Wake,
    clock: Clock,
    steps: MakeSteps,
    fetches: Fetches,
    upkeep: Arc<Upkeep>,
    held: Arc<Held>,
    claiming: Arc<tokio::sync::Mutex<()>>,
    timekeeper: Timekeeper,
    stopping: Arc<AtomicBool>,
    crew: Crew,
    /// When reconciliation was asked for last, Unix milliseconds; [`Timestamp::MIN`] before the
    /// first time.
    reconciled_at: Arc<AtomicI64>,
}

/// Makes the steps of one job, which write to the database in its name only.
pub type MakeSteps = Arc<dyn Fn(Store) -> Steps + Send + Sync>;

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
    /// To be turned where the clock was set back.
    pub epoch: Epoch,
    /// Mirrors of what is not watched any more are deleted.
    pub mirror_sync: MirrorSync,
    /// What was counted is added to lines.
    pub counts: Counts,
    /// What is old is deleted.
    pub retain: Retain,
}

/// What is known of the workers, and of what they wait for.
pub struct Hands {
    /// Which of them run.
    pub crew: Crew,
    /// How many of them fetch, or send mails.
    pub fetches: Fetches,
}

impl Worker {
    /// The work that these steps do, by this clock.
    pub fn new(store: Store, wake: Wake, clock: Clock, steps: MakeSteps, upkeep: Upkeep, hands: Hands) -> Self {
        Self {
            wake,
            steps,
            held: Arc::default(),
            claiming: Arc::default(),
            timekeeper: Timekeeper::new(store.clone(), clock.clone(), upkeep.epoch.clone()),
            store,
            clock,
            upkeep: Arc::new(upkeep),
            stopping: Arc::default(),
            crew: hands.crew,
            fetches: hands.fetches,
            reconciled_at: Arc::new(AtomicI64::new(Timestamp::MIN.as_millis())),
        }
    }

    /// Starts working until [`Self::stop`].
    pub fn start(&self) -> Vec<JoinHandle<()>> {
        let worker = |_| tokio::spawn(self.clone().work_on(self.crew.begin()));
        let mut tasks: Vec<JoinHandle<()>> = (0..WORKERS).map(worker).collect();
        self.crew.want(WORKERS);
        tasks.push(tokio::spawn(self.clone().keep_time_on()));
        tasks.push(tokio::spawn(self.clone().keep_counts_on()));
        tasks.push(tokio::spawn(self.clone().keep_abreast_on()));
        tasks
    }

    /// Lets each task end after the job that it is at.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.crew.want(0);
        self.wake.notify_all();
        self.upkeep.counts.look();
    }

    /// Puts back the jobs that are still under way, as the process ends: that they did not get to
    /// their end is not their doing.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn put_back(&self) -> Result<(), StoreError> {
        self.held.put_back_all(&self.store).await
    }

    /// Brings counts up to date, and runs every job that is due, and those that follow from them,
    /// one after another. Returns how many steps were run.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut steps = 0;
        self.upkeep.counts.bring_up_to_date(self.clock.now()).await?;
        while let Some(next) = self.next(Waiting::No).await? {
            steps += next.claims.len();
            self.run(next.claims, next.place).await?;
        }
        Ok(steps)
    }

    /// Works until [`Self::stop`], whatever panics.
    async fn work_on(self, mut on_duty: OnDuty) {
        while let Err(panic) = caught(self.work(on_duty)).await {
            begin_anew_after(&panic, "a worker").await;
            on_duty = self.crew.begin();
        }
    }

    async fn work(&self, _on_duty: OnDuty) {
        while !self.stopping.load(Ordering::Acquire) {
            if let Err(error) = self.work_once().await {
                log_store_error(&self.store, &error, "the queue of jobs is out of reach");
                tokio::time::sleep(IDLE).await;
            }
        }
    }

    /// Runs the next job, or sleeps until there may be one.
    async fn work_once(&self) -> Result<(), StoreError> {
        let Some(next) = self.next(Waiting::ForAMoment).await? else {
            self.wake.sleep(IDLE).await;
            return Ok(());
        };
        if next.is_more {
            // Somebody else looks while these are worked on.
            self.wake.notify_one();
        }
        self.run(next.claims, next.place).await
    }

    /// Claims what is next: jobs that never did harm, beside others; else one that did, alone.
    async fn next(&self, waiting: Waiting) -> Result<Option<Next>, StoreError> {
        self.held.put_back_unsettled(&self.store).await?;
        let now = self.clock.now();
        self.timekeeper.notice(now).await?;
        let place = self.held.shared().await;
        let may_fetch = !self.fetches.are_full();
        // Taken before it is known whether it is needed: another worker may be as far.
        let mail = self.fetches.mail_place();
        let among = match (may_fetch, mail.is_some()) {
            (true, true) => Among::Ordinary,
            (false, true) => Among::AllButFetches,
            (true, false) => Among::AllButMails,
            (false, false) => Among::AllButFetchesAndMails,
        };
        let batch = {
            // One after another: those who look at once see the same jobs, and all but one in vain.
            let _claiming = self.claiming.lock().await;
            store::jobs::claim_batch(&self.store, among, LEASE, now).await?
        };
        if let Some(first) = batch.claims.first() {
            let place = place.among_mails(mail.filter(|_| sends_mails(first.job)));
            return Ok(Some(Next { claims: batch.claims, place, is_more: batch.is_more }));
        }
        drop(mail);
        drop(place);
        if waiting == Waiting::ForAMoment && !self.held.may_look() {
            return Ok(None);
        }
        let is_due = store::jobs::is_suspect_due(&self.store, now).await?;
        self.held.looked(is_due);
        if !is_due {
            return Ok(None);
        }
        let place = match (self.held.alone(), waiting) {
            (None, Waiting::ForAMoment) => self.held.alone_soon().await,
            (place, _) => place,
        };
        let Some(place) = place else { return Ok(None) };
        let claim = store::jobs::claim(&self.store, Among::Suspects, LEASE, now).await?;
        Ok(claim.map(|claim| Next { claims: vec![claim], place, is_more: true }))
    }

    /// Keeps time until [`Self::stop`], whatever panics.
    async fn keep_time_on(self) {
        while let Err(panic) = caught(self.keep_time()).await {
            begin_anew_after(&panic, "what keeps time").await;
        }
    }

    /// Ticks every [`TICK_EVERY`] until [`Self::stop`].
    async fn keep_time(&self) {
        while !self.stopping.load(Ordering::Acquire) {
            logged("the database's clock could not be read", self.timekeeper.follow_the_database().await);
            if let Err(panic) = caught(self.tick(self.clock.now())).await {
                tracing::error!(%panic, "what is due by time alone panicked, and is tried again");
            }
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
    /// That is fetches of repositories whose pushes were missed, reconciliation, statuses, and
    /// looks for what GitHub made twice. It also ends what is over. What fails is logged and keeps
    /// nothing else back: the next tick tries it again.
    pub async fn tick(&self, now: Timestamp) {
        let (store, upkeep) = (&self.store, &self.upkeep);
        logged("the clocks could not be compared", self.timekeeper.notice(now).await);
        logged("reconciliation could not be asked for", self.enqueue_reconciliation(now).await);
        let fetches = refresh::ask_for_overdue(store, &self.wake, now).await;
        logged("overdue fetches could not be asked for", fetches);
        let unwatched = refresh::delete_unwatched(store, &upkeep.mirror_sync.mirrors).await;
        logged("mirrors of repositories that are not watched any more could not be deleted", unwatched);
        logged("whether there is a GitHub App could not be looked up", upkeep.github_app.reload().await);
        let rules = upkeep.rules.end_what_is_over(now).await;
        logged("rules whose last day is over could not be ended", rules);
        let shadows = upkeep.shadow_mode.end_what_is_over(now).await;
        logged("shadow mode that is over could not be ended", shadows);
        let statuses = store::statuses::enqueue_due(store, now).await;
        logged("issues whose status is old could not be looked up", statuses);
        let doubts = store::doubts::enqueue_due(store, now).await;
        logged("what GitHub may have made twice could not be looked up", doubts);
        let deleted = store::sessions::delete_old(store, now, now - SESSION_IDLE).await;
        logged("sessions that are over could not be deleted", deleted);
        let old = upkeep.retain.turn(now, || !self.stopping.load(Ordering::Acquire)).await;
        logged("what is old could not be deleted", old);
    }

    /// Enqueues reconciliation where this process has not done so within [`RECONCILE_EVERY`].
    async fn enqueue_reconciliation(&self, now: Timestamp) -> Result<(), StoreError> {
        let asked_at = Timestamp::from_millis(self.reconciled_at.load(Ordering::Acquire));
        if !now.is_within(RECONCILE_EVERY, asked_at) {
            store::jobs::enqueue(&self.store, Job::Reconcile, now, now).await?;
            self.reconciled_at.store(now.as_millis(), Ordering::Release);
        }
        Ok(())
    }
}

/// Whether a job waits for the mail server.
fn sends_mails(job: Job) -> bool {
    match job {
        Job::Deliver(_) | Job::Storm(_) => true,
        Job::Attribute(_)
        | Job::Decide(_)
        | Job::Write(_)
        | Job::Webhook(_)
        | Job::Fetch(_)
        | Job::Reconcile
        | Job::Redeliver => false,
    }
}

/// What a worker does next.
struct Next {
    /// One job, or several of one kind that are done together.
    claims: Vec<Claim>,
    place: Place,
    /// Whether more are due.
    is_more: bool,
}

/// Whether a place alone is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    No,
    ForAMoment,
}

/// Logs a failure of what the next tick does again.
fn logged<E: Display>(what: &str, result: Result<(), E>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what}");
    }
}

#[cfg(test)]
mod tests;
