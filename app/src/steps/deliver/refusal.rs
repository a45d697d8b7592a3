//! What a refusal of GitHub's means: the state of the repository, which is waited out; of one
//! issue; or of the one thing that was to be written.

use super::GitHubWriter;
use super::issues::IssueTracker;
use super::turn::Turn;
use crate::services::refusals::{WhyRefused, note, why_refused};
use crate::services::{Failure, attempt_after};
use domain::ids::RepositoryId;
use domain::job::back_off;
use domain::refusal::{PASSING_FOR, look_again_at};
use domain::timestamp::{HOUR, Timestamp};
use github::{GitHubError, IssueState};
use jiff::SignedDuration;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// When GitHub is asked again about an issue that it does not show: what is gone is so both times.
pub(super) const MISSED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// A first time that is so long ago is no proof together with a second.
const MISSED_FOR: SignedDuration = HOUR;
/// How long one thing is refused, while others in its repository are taken, until it is given up.
const ODD_FOR: SignedDuration = HOUR;
/// How often a comment is tried on an issue that is locked, and for how long.
const LOCKED_AGAIN_AFTER: SignedDuration = HOUR;
const LOCKED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a refusal turned out to be about.
pub(super) enum About {
    /// The repository, by what GitHub says of it.
    Repository(WhyRefused),
    /// Nothing that can be read explains it.
    Unexplained,
    /// The issue, which was moved or deleted, as it says itself beside a healthy repository.
    GoneIssue,
    /// The issue, which GitHub does not show: for a moment, or because it is gone.
    MissedIssue,
    /// The issue, on which nobody may comment.
    LockedIssue,
    /// What was refused is there: it was a moment's answer.
    Passing,
}

/// What follows where GitHub did not show an issue.
pub(super) enum Missed {
    /// It is asked again at that moment.
    AskAgain(Timestamp),
    /// That was the second time: it is gone.
    Gone,
    /// It is the first time: it is to be noted, and asked again at that moment.
    Note(Timestamp),
}

/// What a second look at an issue is good for, after it was not shown at `missed_at`.
pub(super) fn missed(missed_at: Option<Timestamp>, now: Timestamp) -> Missed {
    match missed_at.filter(|&at| now.is_within(MISSED_FOR, at)) {
        None => Missed::Note(now + MISSED_AGAIN_AFTER),
        Some(at) if now - at < MISSED_AGAIN_AFTER => Missed::AskAgain(at + MISSED_AGAIN_AFTER),
        Some(_) => Missed::Gone,
    }
}

/// The error of GitHub's for which something was given up.
pub(super) fn github_error<T>(result: &Result<T, Failure>) -> Option<&GitHubError> {
    match result {
        Err(Failure::GiveUp(cause)) => cause.downcast_ref(),
        _ => None,
    }
}

/// The same failure, to be tried again after the usual pause.
pub(super) fn again(failure: Failure) -> Failure {
    match failure {
        Failure::GiveUp(cause) => Failure::Retry { cause, after: None },
        other => other,
    }
}

impl GitHubWriter {
    /// What a refusal is about, as GitHub says when it is asked. `number`: of the issue that was
    /// written to, where it was one.
    ///
    /// # Errors
    /// GitHub does not answer now.
    pub(super) async fn about(
        &self,
        row: &RepositoryRow,
        number: Option<u64>,
        error: &GitHubError,
    ) -> Result<About, Failure> {
        let tracker = IssueTracker::of(&self.github_app, row)?;
        if let Some(why) = why_refused(&tracker.github, row).await? {
            return Ok(About::Repository(why));
        }
        let is_missing = matches!(error, GitHubError::Gone(_));
        let Some(number) = number else {
            return Ok(if is_missing { About::Passing } else { About::Unexplained });
        };
        Ok(match tracker.issue(number).await {
            Ok(IssueState::Deleted | IssueState::Transferred) => About::GoneIssue,
            Ok(IssueState::Missing) => About::MissedIssue,
            Ok(IssueState::Present(issue)) if issue.locked && !is_missing => About::LockedIssue,
            Ok(IssueState::Present(_)) if is_missing => About::Passing,
            Ok(IssueState::Present(_)) => About::Unexplained,
            Err(error) if error.is_refusal() => About::Unexplained,
            Err(error) => return Err(error.into()),
        })
    }

    /// Notes what GitHub refuses in the repository; nothing more is written there for now.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn refused(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        what: &str,
        why: WhyRefused,
        now: Timestamp,
    ) -> Result<(), Failure> {
        turn.note_refused();
        Ok(note(&self.store, row, what, why, now).await?)
    }

    /// What became of a delivery, where GitHub refused it: it waits where the repository is at
    /// fault, or the issue for now, and is given up where it is by itself.
    ///
    /// # Errors
    /// Those that it had; it goes on later ([`Failure::Again`]); GitHub or the database is out of
    /// reach.
    pub(super) async fn heed<T>(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        result: Result<T, Failure>,
        now: Timestamp,
    ) -> Result<T, Failure> {
        let Some(error) = github_error(&result).cloned() else { return result };
        let is_young = delivery.failing_for(now) < PASSING_FOR;
        let is_content = error.is_about_the_content();
        if !error.is_refusal() && !is_content {
            return result;
        }
        turn.note_failed();
        if is_content && is_young {
            return result.map_err(again);
        }
        // Read again: the issue may just have been filed.
        let line = store::lines::by_id(&self.store, line.id).await?.unwrap_or_else(|| line.clone());
        let what = match line.issue {
            Some(number) => format!("something on issue #{number}"),
            None => "a new issue".to_owned(),
        };
        let (id, store) = (delivery.id, &self.store);
        match self.about(row, line.issue, &error).await? {
            About::Repository(why) => {
                store::deliveries::record_put_off(store, id, &error.to_string(), now).await?;
                self.refused(turn, row, &what, why, now).await?;
            }
            About::Passing if is_young => return result.map_err(again),
            About::Passing | About::Unexplained => {
                // Others in the repository were taken since it was refused first.
                if row.refusal.is_none() && delivery.failing_for(now) >= ODD_FOR {
                    return result;
                }
                // Others are tried before it: it must not hold them up.
                let due_at = now + back_off(attempt_after(delivery.attempts), Some(PASSING_FOR));
                store::deliveries::record_failed(store, id, &error.to_string(), due_at, now).await?;
                self.refused(turn, row, &what, WhyRefused::unexplained(&error), now).await?;
            }
            About::GoneIssue => {
                self.say_by_mail(row, &line, delivery, now).await?;
                store::lines::record_issue_gone(store, line.id).await?;
                return result;
            }
            About::MissedIssue => match missed(line.issue_missed_at, now) {
                Missed::Gone => {
                    self.say_by_mail(row, &line, delivery, now).await?;
                    store::lines::record_issue_gone(store, line.id).await?;
                    return result;
                }
                Missed::Note(at) => {
                    store::lines::set_issue_missed(store, line.id, Some(now)).await?;
                    store::deliveries::record_put_off(store, id, &error.to_string(), at).await?;
                }
                Missed::AskAgain(at) => {
                    store::deliveries::record_put_off(store, id, &error.to_string(), at).await?;
                }
            },
            About::LockedIssue if self.say_by_mail(row, &line, delivery, now).await? => return result,
            About::LockedIssue if now - delivery.created_at < LOCKED_FOR => {
                let why = "its issue is locked on GitHub";
                store::deliveries::record_put_off(store, id, why, now + LOCKED_AGAIN_AFTER).await?;
            }
            About::LockedIssue => return result,
        }
        Err(turn.next())
    }

    /// Looks whether GitHub takes what is written in a repository again: asks it, and where nothing
    /// speaks against it, tries the one write that is most important.
    ///
    /// # Errors
    /// GitHub or the database is out of reach; there is more ([`Failure::Again`]).
    pub(super) async fn look(&self, turn: &Turn<'_>, id: RepositoryId, now: Timestamp) -> Result<(), Failure> {
        let Some(row) = store::repositories::by_id(&self.store, id).await? else { return Ok(()) };
        let Some(refusal) = &row.refusal else { return Ok(()) };
        // Whatever comes of it, and where GitHub does not answer: the next one comes later.
        let next_at = look_again_at(refusal.since, now);
        store::repositories::set_look_at(&self.store, id, next_at, now).await?;
        let tracker = IssueTracker::of(&self.github_app, &row)?;
        let why = why_refused(&tracker.github, &row).await.map_err(Failure::from);
        let why = self.under_new_name(turn, &row, why).await;
        if matches!(why, Err(Failure::Again { .. })) {
            store::repositories::set_look_at(&self.store, id, now, now).await?;
        }
        if let Some(why) = why? {
            return self.refused(turn, &row, &refusal.what, why, now).await;
        }
        if row.is_shadow(now) {
            return self.taken(&row).await;
        }
        store::repositories::keep_newest_comments(&self.store, id).await?;
        let Some(first) = store::writes::next_of_repository(&self.store, id, now).await? else {
            return self.taken(&row).await;
        };
        let tried = self.write(turn, first.what, now).await;
        if turn.is_refused() {
            return tried;
        }
        match &tried {
            // Only what GitHub took proves it: of a label, a status or an issue by itself that was
            // refused once more nothing else is noted.
            Ok(()) | Err(Failure::Again { .. }) if turn.is_taken() => self.taken(&row).await?,
            // Nothing was to be written after all: the next one tells.
            Ok(()) if !turn.is_spent() => {
                store::repositories::set_look_at(&self.store, id, now, now).await?;
            }
            _ => {}
        }
        tried
    }

    async fn taken(&self, row: &RepositoryRow) -> Result<(), Failure> {
        tracing::info!(repository = %row.repository.full_name, "GitHub takes what is written there again");
        Ok(store::repositories::record_taken(&self.store, row.repository.id).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_gone_once_github_says_so_twice_some_minutes_apart() {
        let first = Timestamp::from_seconds(1_000);
        let at = |minutes: i64| first + SignedDuration::from_mins(minutes);
        assert!(matches!(missed(None, first), Missed::Note(again) if again == at(5)));
        assert!(matches!(missed(Some(first), at(1)), Missed::AskAgain(again) if again == at(5)));
        assert!(matches!(missed(Some(first), at(5)), Missed::Gone));
        assert!(matches!(missed(Some(first), at(60 * 25)), Missed::Note(_)), "long ago is no proof");
    }
}
