//! Mending what GitHub made twice: it did not say whether it made it, was asked once more, and did
//! both. What was made in doubt is looked for again later, by its marker.

use super::GitHubWriter;
use super::double_issues::Several;
use super::issues::IssueTracker;
use super::refusal::{About, github_error};
use super::shadow::SHADOW_AGAIN_AFTER;
use super::turn::Turn;
use crate::services::{Attempt, Cause, Failure, settle};
use domain::command::OUR_LABEL;
use domain::delivery::{Channel, DeliveryState};
use domain::double::{Claimant, Doubted, next_look, which_stays};
use domain::ids::{DoubtId, StormId};
use domain::timestamp::Timestamp;
use github::{DUPLICATE, FoundIssue, GitHubError, IssueState, bears};
use jiff::SignedDuration;
use store::deliveries::Delivery;
use store::doubts::Doubt;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// How long a look waits that could not be made, or for what is still to be written there: nobody
/// waits for it.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// What came of a look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// Nothing more is to be done now.
    Done,
    /// Something is still to be written there.
    TooEarly,
}

/// Where the issue is that is known so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    /// It is there.
    There,
    /// It was deleted or moved.
    Gone,
    /// GitHub does not show it: for a moment, or because it is gone.
    Missing,
}

impl GitHubWriter {
    /// Notes that GitHub was asked for something and did not say whether it made it: whatever is
    /// found or made now, there may be two of it some minutes later.
    pub(super) async fn note_doubt(&self, row: &RepositoryRow, what: Doubted, now: Timestamp) -> Result<(), Failure> {
        let due_at = next_look(0, now).unwrap_or(now);
        Ok(store::doubts::record(&self.store, row.repository.id, what, due_at, now).await?)
    }

    /// Looks whether something is there twice, and mends it: one write.
    pub(super) async fn doubt(&self, turn: &Turn<'_>, id: DoubtId, now: Timestamp) -> Result<(), Failure> {
        let Some(doubt) = store::doubts::by_id(&self.store, id).await? else { return Ok(()) };
        let Some(row) = store::repositories::by_id(&self.store, doubt.repository).await? else { return Ok(()) };
        if row.is_shadow(now) {
            return Ok(store::doubts::set_due(&self.store, id, now + SHADOW_AGAIN_AFTER).await?);
        }
        let result = self.look_for_doubles(turn, &row, &doubt, now).await;
        let result = self.heed_of_doubt(turn, &row, result, now).await;
        let result = self.under_new_name(turn, &row, result).await;
        let attempt = DoubtAttempt { store: &self.store, row: &row, doubt: &doubt, now };
        match settle(&attempt, result, now).await?.done()? {
            Some(Looked::Done) => attempt.looked().await?,
            Some(Looked::TooEarly) => store::doubts::set_due(&self.store, id, now + AGAIN_AFTER).await?,
            None => {}
        }
        Ok(())
    }

    async fn look_for_doubles(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        doubt: &Doubt,
        now: Timestamp,
    ) -> Result<Looked, Failure> {
        let tracker = IssueTracker::of(&self.github_app, row)?;
        let delivery = match doubt.what {
            Doubted::Storm(id) => return self.doubles_of_storm(turn, &tracker, row, id, now).await,
            Doubted::Delivery(id) => store::deliveries::by_id(&self.store, id).await?,
        };
        // Its line's issue is gone, and what was said there.
        let Some(delivery) = delivery else { return Ok(Looked::Done) };
        match (delivery.state, delivery.what.channel) {
            (DeliveryState::Pending, _) => Ok(Looked::TooEarly),
            (_, Channel::Issue) => self.doubles_of_line(turn, &tracker, row, &delivery, now).await,
            (_, Channel::Comment) => self.doubles_of_comment(turn, &tracker, &delivery).await,
            (_, Channel::Mail) => Ok(Looked::Done),
        }
    }

    /// What a refusal means: the look waits for the repository, else this one was in vain.
    async fn heed_of_doubt<T>(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        result: Result<T, Failure>,
        now: Timestamp,
    ) -> Result<T, Failure> {
        let Some(error) = github_error(&result) else { return result };
        turn.note_failed();
        if !error.is_refusal() {
            return result;
        }
        match self.about(row, None, error).await? {
            About::Repository(why) => {
                self.refused(turn, row, "something on an issue that is there twice", why, now).await?;
                Err(turn.next())
            }
            _ => result,
        }
    }

    /// The issues of a line. The one that stays is the line's from now on.
    async fn doubles_of_line(
        &self,
        turn: &Turn<'_>,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Looked, Failure> {
        let (marker, since) = (self.content.site.marker(delivery.line), delivery.created_at);
        let mut issues = tracker.by_marker(&marker, since).await?;
        let Some(line) = self.line_of(row, &issues, delivery).await? else { return Ok(Looked::Done) };
        // What is still to be said goes where the line's issue is known to be by then.
        if store::deliveries::is_writing_pending(&self.store, line.id).await? {
            return Ok(Looked::TooEarly);
        }
        let current = match self.add_known(tracker, row, &mut issues, line.issue, &marker).await? {
            Current::There => line.issue,
            Current::Gone if issues.is_empty() => {
                store::lines::record_issue_gone(&self.store, line.id).await?;
                return Ok(Looked::Done);
            }
            Current::Gone => None,
            Current::Missing => return Ok(Looked::Done),
        };
        let is_used = store::lines::acted_on(&self.store, line.id).await?.as_of > Timestamp::UNIX_EPOCH;
        let Some(stays) = self.which_stays(tracker, row, &issues, current, is_used, since).await? else {
            return Ok(Looked::Done);
        };
        match line.issue {
            Some(from) if from == stays => {}
            // Whoever moved it meanwhile had a reason: the next turn sees it.
            Some(from) if !store::lines::move_issue(&self.store, line.id, from, stays).await? => {
                return Err(turn.next());
            }
            Some(_) => store::storms::record_line_changed(&self.store, line.id, now).await?,
            None => store::lines::set_issue(&self.store, line.id, Some(stays)).await?,
        }
        let several = Several { marker, since, issues: &issues, stays, line: Some(&line) };
        self.mend(turn, tracker, row, &several).await?;
        Ok(Looked::Done)
    }

    /// Whose the issues are: the line's that one of them is known to be of. Once it was edited that
    /// is another than the one that they were filed for.
    async fn line_of(
        &self,
        row: &RepositoryRow,
        issues: &[FoundIssue],
        delivery: &Delivery,
    ) -> Result<Option<Line>, Failure> {
        for issue in issues {
            if let Some(line) = store::lines::by_issue(&self.store, row.repository.id, issue.number).await? {
                return Ok(Some(line));
            }
        }
        Ok(store::lines::by_id(&self.store, delivery.line).await?)
    }

    async fn doubles_of_storm(
        &self,
        turn: &Turn<'_>,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        id: StormId,
        now: Timestamp,
    ) -> Result<Looked, Failure> {
        let Some(storm) = store::storms::by_id(&self.store, id).await? else { return Ok(Looked::Done) };
        // It was given up, or is asked for once more, which is another doubt.
        let Some(current) = storm.issue else { return Ok(Looked::Done) };
        let (marker, since) = (self.content.site.storm_marker(id), storm.began_at);
        let mut issues = tracker.by_marker(&marker, since).await?;
        let known = match self.add_known(tracker, row, &mut issues, Some(current), &marker).await? {
            Current::There => Some(current),
            Current::Gone => None,
            Current::Missing => return Ok(Looked::Done),
        };
        // A storm's issue is for reading: of one that is closed nobody hears any more.
        let open: Vec<FoundIssue> = issues.iter().filter(|issue| issue.open).cloned().collect();
        let known = known.filter(|&known| open.is_empty() || open.iter().any(|issue| issue.number == known));
        let among = if open.is_empty() { &issues } else { &open };
        let Some(stays) = self.which_stays(tracker, row, among, known, false, since).await? else {
            return Ok(Looked::Done);
        };
        if stays != current {
            store::storms::move_issue(&self.store, id, stays, now).await?;
        }
        let several = Several { marker, since, issues: &issues, stays, line: None };
        self.mend(turn, tracker, row, &several).await?;
        Ok(Looked::Done)
    }

    /// Adds what the list does not show yet: the issue that is known, and what is being mended.
    /// Says where the known one is.
    async fn add_known(
        &self,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        issues: &mut Vec<FoundIssue>,
        current: Option<u64>,
        marker: &str,
    ) -> Result<Current, Failure> {
        let begun = store::doubles::unsettled(&self.store, row.repository.id).await?;
        let mut known = Current::There;
        for number in current.into_iter().chain(begun) {
            if issues.iter().any(|issue| issue.number == number) {
                continue;
            }
            let state = match tracker.issue(number).await? {
                IssueState::Present(issue) => {
                    issues.extend(Some(issue).filter(|issue| bears(&issue.body, marker)));
                    Current::There
                }
                IssueState::Deleted | IssueState::Transferred => Current::Gone,
                IssueState::Missing => Current::Missing,
            };
            if current == Some(number) {
                known = state;
            }
        }
        issues.sort_by_key(|issue| issue.number);
        Ok(known)
    }

    /// Which of several issues stays. `is_used`: people commanded something on the one that is
    /// known.
    async fn which_stays(
        &self,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        issues: &[FoundIssue],
        current: Option<u64>,
        is_used: bool,
        since: Timestamp,
    ) -> Result<Option<u64>, Failure> {
        // It does not look like ours any more, and is known all the same.
        if let Some(current) = current.filter(|&current| issues.iter().all(|issue| issue.number != current)) {
            return Ok(Some(current));
        }
        if let [one] = issues {
            return Ok(Some(one.number));
        }
        let mut claimants = Vec::new();
        for issue in issues {
            let number = issue.number;
            // What was mended once is not turned round.
            if store::doubles::by_issue(&self.store, row.repository.id, number).await?.is_some() {
                continue;
            }
            let is_current = current == Some(number) && is_used;
            // Whoever closed it as a duplicate means another one to stay.
            let is_answered = !issue.open && issue.state_reason.as_deref() != Some(DUPLICATE);
            let has_people = is_current || is_answered || tracker.has_words_of_people(number, since).await?;
            claimants.push(Claimant { number, has_people });
        }
        Ok(which_stays(&claimants, current).or(current))
    }

    /// The copies of a comment: all but the oldest are deleted.
    async fn doubles_of_comment(
        &self,
        turn: &Turn<'_>,
        tracker: &IssueTracker,
        delivery: &Delivery,
    ) -> Result<Looked, Failure> {
        let line = store::lines::by_id(&self.store, delivery.line).await?;
        let Some(number) = line.and_then(|line| line.issue) else { return Ok(Looked::Done) };
        for copy in self.comments_of(tracker, number, delivery).await?.iter().skip(1) {
            turn.take().await?;
            match tracker.github.delete_comment(&tracker.at, copy.id).await {
                Ok(()) => {
                    tracing::warn!(repository = %tracker.at, number, "GitHub made a comment twice: one was deleted")
                }
                // Its list is behind: what else there is the next look sees.
                Err(GitHubError::Gone(_)) => return Ok(Looked::Done),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Looked::Done)
    }
}

impl IssueTracker {
    /// Issues of ours by their marker, oldest first.
    async fn by_marker(&self, marker: &str, since: Timestamp) -> Result<Vec<FoundIssue>, GitHubError> {
        self.github.issues_by_marker(&self.at, OUR_LABEL.name, marker, since).await
    }
}

/// A look for doubles.
struct DoubtAttempt<'a> {
    store: &'a Store,
    row: &'a RepositoryRow,
    doubt: &'a Doubt,
    now: Timestamp,
}

impl DoubtAttempt<'_> {
    async fn looked(&self) -> Result<(), StoreError> {
        store::doubts::record_looked(self.store, self.doubt.id, next_look(self.doubt.looks + 1, self.now)).await
    }
}

impl Attempt for DoubtAttempt<'_> {
    type Error = StoreError;

    fn number(&self) -> u32 {
        1
    }

    async fn give_up(&self, cause: &Cause) -> Result<(), StoreError> {
        let (repository, what) = (&self.row.repository.full_name, self.doubt.what);
        tracing::warn!(%repository, ?what, why = %cause, "what may be there twice can't be mended now");
        self.looked().await
    }

    async fn postpone(&self, cause: &Cause, _: Timestamp) -> Result<(), StoreError> {
        let (repository, what) = (&self.row.repository.full_name, self.doubt.what);
        tracing::warn!(%repository, ?what, why = %cause, "what may be there twice is looked at later");
        store::doubts::set_due(self.store, self.doubt.id, self.now + AGAIN_AFTER).await
    }
}
