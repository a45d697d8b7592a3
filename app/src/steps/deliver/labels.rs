//! Making a repository's labels, one write at a time.

use super::GitHubWriter;
use super::issues::IssueTracker;
use super::refusal::{About, github_error};
use super::turn::Turn;
use crate::services::{Attempt, Cause, Failure, settle};
use domain::command::labels;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// How long labels that could not be made are left alone: issues can do without, GitHub makes what
/// they name in grey.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);

impl GitHubWriter {
    /// Makes one of the labels that the repository lacks, or notes that it has all of them.
    pub(super) async fn label(&self, turn: &Turn<'_>, id: RepositoryId, now: Timestamp) -> Result<(), Failure> {
        let Some(row) = store::repositories::by_id(&self.store, id).await? else { return Ok(()) };
        if row.is_shadow(now) {
            return Ok(store::repositories::set_labels_due(&self.store, id, now + AGAIN_AFTER).await?);
        }
        let result = self.make_label(turn, &row, now).await;
        let result = self.heed_of_labels(turn, &row, result, now).await;
        let result = self.under_new_name(turn, &row, result).await;
        let attempt = LabelAttempt { store: &self.store, row: &row, now };
        match settle(&attempt, result, now).await?.done()? {
            Some(()) => Ok(()),
            // Where GitHub refuses one, the next fares no better: a second apart.
            None => Err(turn.next()),
        }
    }

    /// Notes where GitHub refuses a label because it takes nothing in the repository: they are made
    /// once it does.
    async fn heed_of_labels(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        result: Result<(), Failure>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(error) = github_error(&result) else { return result };
        turn.note_failed();
        if !error.is_refusal() {
            return result;
        }
        let About::Repository(why) = self.about(row, None, error).await? else { return result };
        self.refused(turn, row, "a label", why, now).await?;
        Err(turn.next())
    }

    async fn make_label(&self, turn: &Turn<'_>, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        let tracker = IssueTracker::of(&self.github_app, row)?;
        let missing = tracker.github.missing_labels(&tracker.at, &labels()).await?;
        if let Some(label) = missing.first() {
            turn.take().await?;
            tracker.github.create_label(&tracker.at, label).await?;
        }
        if missing.len() <= 1 {
            store::repositories::record_labelled(&self.store, row.repository.id, now).await?;
        }
        Ok(())
    }
}

/// An attempt to make a label: one that can never be made is tried again as well, for somebody may
/// allow it.
struct LabelAttempt<'a> {
    store: &'a Store,
    row: &'a RepositoryRow,
    now: Timestamp,
}

impl Attempt for LabelAttempt<'_> {
    type Error = StoreError;

    fn number(&self) -> u32 {
        1
    }

    async fn give_up(&self, cause: &Cause) -> Result<(), StoreError> {
        self.postpone(cause, self.now).await
    }

    async fn postpone(&self, cause: &Cause, _: Timestamp) -> Result<(), StoreError> {
        tracing::warn!(repository = %self.row.repository.full_name, why = %cause, "the labels could not be made");
        store::repositories::set_labels_due(self.store, self.row.repository.id, self.now + AGAIN_AFTER).await
    }
}
