//! Bringing an issue's status block up to date: one write, and none where nothing would change.

use super::GitHubWriter;
use super::issues::IssueTracker;
use super::refusal::{About, Missed, github_error, missed};
use super::turn::Turn;
use crate::services::{Attempt, Cause, Failure, settle};
use domain::ids::LineId;
use domain::status::{State, Status, has_block, replace_block};
use domain::timestamp::{HOUR, Timestamp};
use github::IssueUpdate;
use jiff::SignedDuration;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// When an issue is read again whose text GitHub showed as it was before a person edited it: its
/// answers are behind by seconds mostly.
const NEWER_AFTER: SignedDuration = SignedDuration::from_secs(15);
/// How long that may go on: what GitHub shows then is what it has.
const MOST_BEHIND: SignedDuration = SignedDuration::from_mins(10);
/// How long a status that could not be written is left alone: nobody waits for it.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);

impl GitHubWriter {
    /// Writes the status block of a line's issue.
    pub(super) async fn status(&self, turn: &Turn<'_>, id: LineId, now: Timestamp) -> Result<(), Failure> {
        store::statuses::claim(&self.store, id).await?;
        let Some(line) = store::lines::by_id(&self.store, id).await? else { return Ok(()) };
        let Some(row) = store::repositories::by_id(&self.store, line.repository).await? else { return Ok(()) };
        let result = self.write_status(turn, &row, &line, now).await;
        let result = self.heed_of_status(turn, &row, &line, result, now).await;
        let result = self.under_new_name(turn, &row, result).await;
        let attempt = StatusAttempt { store: &self.store, row: &row, line: &line, now };
        settle(&attempt, result, now).await?.done().map(|_| ())
    }

    async fn write_status(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        line: &Line,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if row.is_shadow(now) {
            return Err(Failure::retry("nothing is sent in shadow mode"));
        }
        let tracker = IssueTracker::of(&self.github_app, row)?;
        let Some(number) = line.issue else { return Ok(()) };
        let issue = tracker.present(number).await?;
        if line.issue_missed_at.is_some() {
            store::lines::set_issue_missed(&self.store, line.id, None).await?;
        }
        // What a person wrote or did is not to be written over by an answer from before it.
        let changed_at = store::lines::changed_at(&self.store, line.id).await?;
        let github_now = tracker.github.clock().unwrap_or(now);
        if issue.updated_at.is_some_and(|at| at < changed_at) && github_now.is_within(MOST_BEHIND, changed_at) {
            return Ok(store::statuses::set_due(&self.store, line.id, now + NEWER_AFTER).await?);
        }
        let status = self.status_of(line).await?;
        let total = status.counts.total;
        let block = render::status_block(&status, &row.repository)?;
        let Some(body) = replace_block(&issue.body, &block) else {
            return Ok(store::statuses::record_written(&self.store, line.id, total, true, now).await?);
        };
        if !has_block(&issue.body, &block) {
            turn.take().await?;
            let update = IssueUpdate { body: Some(body), ..IssueUpdate::default() };
            tracker.github.update_issue(&tracker.at, number, &update).await?;
        }
        Ok(store::statuses::record_written(&self.store, line.id, total, false, now).await?)
    }

    /// What a refusal means for a status: it waits for the repository, or to be asked for again.
    async fn heed_of_status(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        line: &Line,
        result: Result<(), Failure>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(error) = github_error(&result) else { return result };
        turn.note_failed();
        if error.is_about_the_content() {
            // It may be a moment's, as any refusal, and nothing less important waits.
            store::statuses::set_due(&self.store, line.id, now + HOUR).await?;
            return Err(turn.next());
        }
        if !error.is_refusal() {
            return result;
        }
        let due_at = match self.about(row, line.issue, error).await? {
            About::Repository(why) => {
                self.refused(turn, row, "the status of an issue", why, now).await?;
                now
            }
            About::GoneIssue => {
                store::lines::record_issue_gone(&self.store, line.id).await?;
                return result;
            }
            About::MissedIssue => match missed(line.issue_missed_at, now) {
                Missed::Gone => {
                    store::lines::record_issue_gone(&self.store, line.id).await?;
                    return result;
                }
                Missed::Note(at) => {
                    store::lines::set_issue_missed(&self.store, line.id, Some(now)).await?;
                    at
                }
                Missed::AskAgain(at) => at,
            },
            About::Unexplained | About::LockedIssue | About::Passing => now + AGAIN_AFTER,
        };
        store::statuses::set_due(&self.store, line.id, due_at).await?;
        Err(turn.next())
    }

    async fn status_of(&self, line: &Line) -> Result<Status, Failure> {
        let state = match (line.known, line.resolved_at) {
            (true, _) => State::Known,
            (false, Some(at)) => State::Resolved { commit: line.resolved_commit.clone(), at },
            (false, None) => State::Open,
        };
        let (counts, days) = store::lines::counts_and_days(&self.store, line).await?;
        Ok(Status { counts, days, state, regressions: line.regressions, owner: line.owner_login.clone() })
    }
}

/// An attempt to write a status.
struct StatusAttempt<'a> {
    store: &'a Store,
    row: &'a RepositoryRow,
    line: &'a Line,
    now: Timestamp,
}

impl Attempt for StatusAttempt<'_> {
    type Error = StoreError;

    fn number(&self) -> u32 {
        1
    }

    async fn give_up(&self, cause: &Cause) -> Result<(), StoreError> {
        let (repository, line) = (&self.row.repository.full_name, self.line);
        tracing::warn!(%repository, line = line.id.0, why = %cause, "an issue's status can't be written");
        store::statuses::record_written(self.store, line.id, line.total, true, self.now).await
    }

    async fn postpone(&self, cause: &Cause, _: Timestamp) -> Result<(), StoreError> {
        let (repository, line) = (&self.row.repository.full_name, self.line);
        tracing::debug!(%repository, line = line.id.0, why = %cause, "an issue's status has to wait");
        store::statuses::set_due(self.store, line.id, self.now + AGAIN_AFTER).await
    }
}
