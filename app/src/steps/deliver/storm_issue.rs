//! The one issue of a storm, kept up to date.

use super::GitHubWriter;
use super::issue_labels::{labels, leave_labels_out};
use super::issues::IssueTracker;
use super::refusal::{About, Missed, again, github_error, missed};
use super::shadow::SHADOW_AGAIN_AFTER;
use super::turn::Turn;
use super::unanswered::{made_earlier, may_be_done};
use crate::services::refusals::WhyRefused;
use crate::services::{Attempt, Cause, Failure, Site, attempt_after, settle};
use domain::command::OUR_LABEL;
use domain::double::Doubted;
use domain::ids::StormId;
use domain::refusal::PASSING_FOR;
use domain::storm::{Storm, StormLine};
use domain::timestamp::Timestamp;
use github::{IssueUpdate, NewIssue};
use jiff::SignedDuration;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// How often the issue of a storm that goes on is brought up to date at most: it shares its writes
/// with the lines' own issues.
const UPDATE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The same once it is over, when nothing but the numbers of the lines' own issues is added.
const COMPLETE_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// How often a storm's issue is tried to be filed with which GitHub finds fault: by the usual
/// pauses that takes some minutes, in which what is passing has passed.
const PASSING_TRIES: u64 = 8;

/// What a storm's issue says.
pub(super) struct StormText {
    pub(super) title: String,
    pub(super) body: String,
    /// Lines that it tells of.
    pub(super) lines: usize,
    /// By which it is found again.
    marker: String,
}

/// What the issue of a storm says now.
///
/// # Errors
/// The database is out of reach.
pub(super) async fn storm_text(
    store: &Store,
    site: &Site,
    row: &RepositoryRow,
    storm: &Storm,
) -> Result<StormText, Failure> {
    let marker = site.storm_marker(storm.id);
    let lines: Vec<StormLine> =
        store::lines::of_storm(store, storm.id).await?.into_iter().map(|(_, line)| line).collect();
    let week = site.linker.week(Some(&row.repository.full_name), storm.last_line_at);
    let issue = render::storm_issue(&row.repository, storm, &lines, &marker, &week)?;
    Ok(StormText { title: issue.title, body: issue.body, lines: lines.len(), marker })
}

impl GitHubWriter {
    /// Files the storm's issue, or brings it up to date: one write.
    pub(super) async fn storm_issue(&self, turn: &Turn<'_>, id: StormId, now: Timestamp) -> Result<(), Failure> {
        let Some(storm) = store::storms::by_id(&self.store, id).await? else { return Ok(()) };
        let Some(row) = store::repositories::by_id(&self.store, storm.repository).await? else { return Ok(()) };
        if row.is_shadow(now) {
            return Ok(store::storms::set_due(&self.store, id, now + SHADOW_AGAIN_AFTER).await?);
        }
        let result = self.write_storm(turn, &row, &storm, now).await;
        let result = self.heed_of_storm(turn, &row, &storm, result, now).await;
        let result = self.under_new_name(turn, &row, result).await;
        let attempt = StormAttempt { store: &self.store, row: &row, storm: &storm };
        if settle(&attempt, result, now).await?.done()?.is_none() {
            return Ok(());
        }
        if storm.missed_at.is_some() {
            store::storms::set_missed(&self.store, id, None).await?;
        }
        let pause = if storm.ended_at.is_some() { COMPLETE_EVERY } else { UPDATE_EVERY };
        Ok(store::storms::record_written(&self.store, id, storm.changed_at, now + pause).await?)
    }

    async fn write_storm(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        storm: &Storm,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let tracker = IssueTracker::of(&self.github_app, row)?;
        let text = storm_text(&self.store, &self.content.site, row, storm).await?;
        // One that an earlier attempt filed says what was known then.
        if let Some(number) = self.filed_storm(&tracker, row, storm, &text.marker, now).await? {
            turn.take().await?;
            let update = IssueUpdate { title: Some(text.title), body: Some(text.body) };
            return Ok(tracker.github.update_issue(&tracker.at, number, &update).await?);
        }
        let asked_at = turn.take().await?;
        store::storms::claim_issue_attempt(&self.store, storm.id, asked_at).await?;
        let new = NewIssue { title: text.title, body: text.body, labels: labels(row) };
        let made = tracker.github.create_issue(&tracker.at, &new).await;
        if made.as_ref().is_err_and(|error| !may_be_done(error)) {
            store::storms::set_unanswered(&self.store, storm.id, None).await?;
        }
        let is_lasting = storm.attempts >= PASSING_TRIES;
        let made = match made {
            Err(error) if leave_labels_out(&self.store, row, &error, is_lasting).await? => return Err(turn.next()),
            made => made?,
        };
        tracing::info!(repository = %tracker.at, number = made.number, now = now.as_millis(), "the issue of a storm was filed");
        Ok(store::storms::set_issue(&self.store, storm.id, made.number).await?)
    }

    /// What a refusal means for a storm's issue: it waits for the repository, or to be asked for
    /// again.
    async fn heed_of_storm(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        storm: &Storm,
        result: Result<(), Failure>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(error) = github_error(&result) else { return result };
        turn.note_failed();
        if storm.issue.is_some() && error.is_about_the_content() {
            store::storms::set_due(&self.store, storm.id, now + COMPLETE_EVERY).await?;
            return Err(turn.next());
        }
        if storm.issue.is_none() && storm.attempts < PASSING_TRIES && error.is_about_the_content() {
            return result.map_err(again);
        }
        if !error.is_refusal() {
            return result;
        }
        let what = "the issue of a storm";
        let due_at = match self.about(row, storm.issue, error).await? {
            About::Repository(why) => {
                self.refused(turn, row, what, why, now).await?;
                now
            }
            About::Unexplained | About::Passing => {
                self.refused(turn, row, what, WhyRefused::unexplained(error), now).await?;
                now + PASSING_FOR
            }
            About::GoneIssue | About::LockedIssue => return result,
            About::MissedIssue => match missed(storm.missed_at, now) {
                Missed::Gone => return result,
                Missed::Note(at) => {
                    store::storms::set_missed(&self.store, storm.id, Some(now)).await?;
                    at
                }
                Missed::AskAgain(at) => at,
            },
        };
        store::storms::set_due(&self.store, storm.id, due_at).await?;
        Err(turn.next())
    }

    /// The issue that is there already, maybe by an attempt whose answer was lost.
    async fn filed_storm(
        &self,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        storm: &Storm,
        marker: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, Failure> {
        if storm.issue.is_some() {
            return Ok(storm.issue);
        }
        if storm.unanswered_at.is_some() {
            self.note_doubt(row, Doubted::Storm(storm.id), now).await?;
        }
        let (github, since) = (&tracker.github, storm.began_at);
        let look = github.find_issue(&tracker.at, OUR_LABEL.name, marker, since);
        let found = made_earlier(storm.unanswered_at, now, look).await?;
        if let Some(found) = &found {
            store::storms::set_issue(&self.store, storm.id, found.number).await?;
        }
        Ok(found.map(|issue| issue.number))
    }
}

/// An attempt to write a storm's issue.
struct StormAttempt<'a> {
    store: &'a Store,
    row: &'a RepositoryRow,
    storm: &'a Storm,
}

impl Attempt for StormAttempt<'_> {
    type Error = StoreError;

    fn number(&self) -> u32 {
        attempt_after(self.storm.attempts)
    }

    async fn give_up(&self, cause: &Cause) -> Result<(), StoreError> {
        let repository = &self.row.repository.full_name;
        tracing::warn!(%repository, why = %cause, "the issue of a storm could not be written");
        // Its lines stand on the pages and in the mails: the list is left as it is.
        store::storms::record_given_up(self.store, self.storm.id).await
    }

    async fn postpone(&self, cause: &Cause, due_at: Timestamp) -> Result<(), StoreError> {
        let repository = &self.row.repository.full_name;
        tracing::warn!(%repository, why = %cause, "the issue of a storm will be tried again");
        store::storms::set_due(self.store, self.storm.id, due_at).await
    }
}
