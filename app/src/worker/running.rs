//! Running what was claimed, and writing down what came of it.

use super::attempt::JobAttempt;
use super::held::Place;
use super::renewal::Renewal;
use super::{Steps, Worker};
use crate::services::{Ended, Failure, Settled, log_store_error, settle};
use crate::steps::refresh;
use domain::ids::{LineId, ReportId};
use domain::job::{Job, Manner};
use domain::timestamp::Timestamp;
use store::jobs::Claim;
use store::{Store, StoreError};
use tracing::Instrument;

/// What the log says of a job that this process held for too long without being heard of.
const TAKEN_OVER: &str =
    "a job was not renewed in time, and is another worker's: nothing more of it was written or sent";

impl Worker {
    /// Runs the step of a job, or of several of one kind together, and writes down what came of
    /// each. All that is logged meanwhile names it.
    pub(super) async fn run(&self, claims: Vec<Claim>, place: Place) -> Result<(), StoreError> {
        let Some(first) = claims.first() else { return Ok(()) };
        let ((kind, id), jobs) = (first.job.parts(), claims.len());
        let span = match jobs {
            1 => tracing::error_span!("job", kind, id),
            _ => tracing::error_span!("jobs", kind, jobs),
        };
        for claim in &claims {
            self.held.begin(claim);
        }
        let store = self.store.held_by_all(&claims);
        let written = match claims.as_slice() {
            [claim] => vec![self.run_one(&store, claim, place).instrument(span.clone()).await],
            _ => self.run_together(&store, &claims, place).instrument(span.clone()).await,
        };
        let mut result = Ok(());
        for (claim, mut written) in claims.into_iter().zip(written) {
            if let Err(StoreError::LeaseLost) = written {
                span.in_scope(|| tracing::warn!("{TAKEN_OVER}"));
                written = Ok(());
            }
            self.held.end(claim, written.is_ok());
            result = result.and(written);
        }
        result
    }

    async fn run_one(&self, store: &Store, claim: &Claim, place: Place) -> Result<(), StoreError> {
        let attempt = JobAttempt { store, claim };
        let manner = Manner::after(claim.job, claim.deaths);
        attempt.announce(manner).await?;
        if manner == Manner::NotNow {
            return attempt.set_aside(self.clock.now()).await;
        }
        let step = |store| self.clone().step((self.steps)(store), claim.job, manner);
        let result = Renewal::new(store, &self.clock).run(place, step).await;
        self.write_end(store, claim, result).await
    }

    /// Runs the step of several jobs that never did harm. Where it panicked, nobody knows by which
    /// of them: each is tried by itself.
    async fn run_together(&self, store: &Store, claims: &[Claim], place: Place) -> Vec<Result<(), StoreError>> {
        let jobs: Vec<Job> = claims.iter().map(|claim| claim.job).collect();
        let step = |store| together((self.steps)(store), jobs, self.clock.now());
        let ended = match Renewal::new(store, &self.clock).run(place, step).await {
            Ok(ended) => ended,
            Err(failure) => claims.iter().map(|_| Ended::Over(Err(same(&failure)))).collect(),
        };
        let mut written = Vec::new();
        let (mut unbegun, mut longer) = (Vec::new(), None);
        for (index, (claim, ended)) in claims.iter().zip(ended).enumerate() {
            match ended {
                Ended::Over(result) => written.push(self.write_end(&store.of_one(claim), claim, result).await),
                Ended::NotBegun => {
                    written.push(Ok(()));
                    unbegun.push(index);
                }
                Ended::TakesLonger => {
                    written.push(Ok(()));
                    longer = Some((index, claim));
                }
            }
        }
        self.put_back_unbegun(claims, &unbegun, &mut written).await;
        if let Some((index, claim)) = longer {
            let place = self.held.shared().await;
            written[index] = self.run_one(&store.of_one(claim), claim, place).await;
        }
        written
    }

    /// Puts back what was claimed with others and not begun.
    async fn put_back_unbegun(&self, claims: &[Claim], unbegun: &[usize], written: &mut [Result<(), StoreError>]) {
        let left: Vec<&Claim> = unbegun.iter().map(|index| &claims[*index]).collect();
        if left.is_empty() {
            return;
        }
        if let Err(error) = store::jobs::put_back_unbegun(&self.store, &left).await {
            log_store_error(&self.store, &error, "jobs that were not begun could not be put back");
            for index in unbegun {
                written[*index] = store::jobs::put_back(&self.store, &claims[*index]).await;
            }
        }
        self.wake.notify_one();
    }

    /// Writes down what came of a job's step.
    async fn write_end(&self, store: &Store, claim: &Claim, result: Result<(), Failure>) -> Result<(), StoreError> {
        let attempt = JobAttempt { store, claim };
        let now = self.clock.now();
        match settle(&attempt, result, now).await? {
            Settled::Done(()) | Settled::GivenUp => store::jobs::finish(store, claim).await,
            Settled::Postponed { .. } => Ok(()),
            Settled::Again(at) => store::jobs::requeue(store, claim, at, now).await,
            Settled::Panicked(why) => attempt.panicked(&why, now).await,
            Settled::NotOurs => Err(StoreError::LeaseLost),
        }
    }

    async fn step(self, steps: Steps, job: Job, manner: Manner) -> Result<(), Failure> {
        let now = self.clock.now();
        match job {
            Job::Attribute(report) if manner == Manner::Whole => {
                match steps.attribute.attribute_all(&[report], now).await.pop() {
                    Some(Ended::Over(result)) => result,
                    Some(Ended::NotBegun | Ended::TakesLonger) | None => {
                        steps.attribute.attribute(report, manner, now).await
                    }
                }
            }
            Job::Attribute(report) => steps.attribute.attribute(report, manner, now).await,
            Job::Decide(line) => steps.decide.decide(line, manner, now).await,
            Job::Deliver(delivery) => steps.deliver.deliver(delivery, now).await,
            Job::Write(installation) if manner == Manner::Lesser => {
                steps.github_writer.turn_without_first(installation, now).await
            }
            Job::Write(installation) => steps.github_writer.turn(installation, &|| self.clock.now()).await,
            Job::Storm(storm) => steps.deliver.storm(storm, now).await,
            Job::Webhook(hook) => steps.webhooks.process(hook, now).await,
            Job::Fetch(repository) => {
                refresh::refresh(&steps.attribute.store, &steps.mirror_sync, repository, now).await
            }
            Job::Reconcile => steps.reconcile.reconcile(now).await,
            Job::Redeliver => steps.reconcile.redeliver(now).await,
        }
    }
}

/// Runs the step of jobs of one kind that are done several at a time (`domain::job::is_batched`).
async fn together(steps: Steps, jobs: Vec<Job>, now: Timestamp) -> Result<Vec<Ended>, Failure> {
    let report = |job: &Job| if let Job::Attribute(report) = job { Some(*report) } else { None };
    let line = |job: &Job| if let Job::Decide(line) = job { Some(*line) } else { None };
    let reports: Vec<ReportId> = jobs.iter().filter_map(report).collect();
    let lines: Vec<LineId> = jobs.iter().filter_map(line).collect();
    Ok(if lines.is_empty() {
        steps.attribute.attribute_all(&reports, now).await
    } else {
        steps.decide.decide_all(&lines, now).await
    })
}

/// The failure of all that were done together, once more.
fn same(failure: &Failure) -> Failure {
    match failure {
        Failure::Panicked(why) => Failure::Panicked(why.clone()),
        Failure::NotOurs => Failure::NotOurs,
        Failure::Again { at } => Failure::Again { at: *at },
        Failure::GiveUp(why) => Failure::give_up(why.to_string()),
        Failure::Retry { cause, after } => Failure::Retry { cause: cause.to_string().into(), after: *after },
    }
}
