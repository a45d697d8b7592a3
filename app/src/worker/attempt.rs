//! How an attempt to do a job ends, written down.

use crate::services::{Attempt, Cause};
use domain::job::{Job, Manner, SET_ASIDE_FOR, back_off};
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use store::jobs::Claim;
use store::{Store, StoreError};

/// Failures after which an error, not a warning, is logged: by then it is no passing trouble.
const PATIENCE: u32 = 6;

/// An attempt to do a job.
pub(super) struct JobAttempt<'a> {
    /// The database as the job's holder writes to it.
    pub(super) store: &'a Store,
    pub(super) claim: &'a Claim,
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
            | Job::Reconcile
            | Job::Redeliver => Ok(()),
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

impl JobAttempt<'_> {
    /// Says how a job is tried that panicked before, or that its process did not outlive.
    pub(super) async fn announce(&self, manner: Manner) -> Result<(), StoreError> {
        let (job, deaths) = (self.claim.job, self.claim.deaths);
        if deaths == 0 {
            return Ok(());
        }
        let repository = self.repository().await?;
        let (what, why) = (job.what(), self.why());
        match manner {
            Manner::Whole => tracing::warn!(
                deaths,
                ?repository,
                what,
                why,
                "a job that ran when the server ended, or that panicked, is tried after all others, by itself"
            ),
            Manner::Lesser => tracing::error!(
                deaths,
                ?repository,
                what,
                why,
                "a job ended the server, or panicked, each time: it is done without what may be at fault. A newer \
                 version may have mended it; else report what the log says before each start"
            ),
            Manner::NotNow => tracing::error!(
                deaths,
                ?repository,
                what,
                why,
                "a job ended the server, or panicked, each time: it is set aside and tried once a day. A newer \
                 version may have mended it; else report what the log says before each start"
            ),
        }
        Ok(())
    }

    /// Leaves the job alone for a day.
    pub(super) async fn set_aside(&self, now: Timestamp) -> Result<(), StoreError> {
        store::jobs::set_aside(self.store, self.claim, now + SET_ASIDE_FOR, self.why(), now).await
    }

    /// Counts a panic like a death of the process, with the pause that all failures have.
    pub(super) async fn panicked(&self, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let due_at = now + back_off(self.claim.attempts, None);
        tracing::error!(deaths = self.claim.deaths + 1, %due_at, why, "a job panicked and will be tried again");
        store::jobs::record_panicked(self.store, self.claim, due_at, why).await
    }

    async fn repository(&self) -> Result<Option<RepositoryName>, StoreError> {
        store::jobs::repository_of(self.store, self.claim.job).await
    }

    fn why(&self) -> &str {
        self.claim.error.as_deref().unwrap_or("the server ended while it ran")
    }
}
