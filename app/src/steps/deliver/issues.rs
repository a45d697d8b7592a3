//! Issues and comments on GitHub.

use super::GitHubWriter;
use super::issue_labels::{labels, leave_labels_out};
use super::turn::Turn;
use super::unanswered::{made_earlier, make};
use crate::services::github_app::GitHubApp;
use crate::services::messages::{bears_comment, issue_recipient, rendered_comment, rendered_issue, reply_of};
use crate::services::recipients::By;
use crate::services::{Cause, Failure};
use domain::alert::{Recipient, Reply};
use domain::command::OUR_LABEL;
use domain::double::Doubted;
use domain::event::{HookAccount, IssueAction};
use domain::names::Login;
use domain::person::ChosenRecipient;
use domain::refusal::PASSING_FOR;
use domain::repository::GitHubAddress;
use domain::timestamp::{DAY, Timestamp};
use github::{FoundComment, FoundIssue, GitHub, GitHubError, IssueState, NewIssue};
use jiff::SignedDuration;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// How long a comment waits for the issue that it belongs under.
const ISSUE_PATIENCE: SignedDuration = DAY;
/// How long an issue waits for GitHub to say who its person is, while it takes issues: then it goes
/// to whom git knows.
const LOOK_UP_PATIENCE: SignedDuration = SignedDuration::from_mins(30);

/// A repository's issues on GitHub.
pub(super) struct IssueTracker {
    pub(super) github: GitHub,
    /// Where.
    pub(super) at: GitHubAddress,
}

impl IssueTracker {
    /// The issues of a repository.
    ///
    /// # Errors
    /// There is no App now, or the repository is not GitHub's.
    pub(super) fn of(github_app: &GitHubApp, row: &RepositoryRow) -> Result<Self, Failure> {
        match (github_app.github(), row.repository.github_address()) {
            (Some(github), Some(at)) => Ok(Self { github, at }),
            // An App that is there again files it.
            (None, _) => Err(Failure::retry("the repository is GitHub's, but there is no App to speak for us")),
            (Some(_), None) => Err(Failure::give_up("a plain git repository has no issues")),
        }
    }

    /// An issue as it is now.
    pub(super) async fn issue(&self, number: u64) -> Result<IssueState, GitHubError> {
        self.github.issue(&self.at, number).await
    }

    /// An issue as it is now, where GitHub shows it.
    ///
    /// # Errors
    /// It does not, which is a [`GitHubError::Gone`], or it is out of reach.
    pub(super) async fn present(&self, number: u64) -> Result<FoundIssue, GitHubError> {
        match self.issue(number).await? {
            IssueState::Present(issue) => Ok(issue),
            IssueState::Deleted | IssueState::Missing | IssueState::Transferred => {
                Err(GitHubError::Gone(format!("issue #{number} of {}", self.at)))
            }
        }
    }

    /// Assigns an issue that was filed at `filed_at`. Where GitHub would not have this one person,
    /// the issue goes on without: `false`.
    pub(super) async fn assign(
        &self,
        turn: &Turn<'_>,
        number: u64,
        login: &Login,
        filed_at: Option<Timestamp>,
    ) -> Result<bool, Failure> {
        let now = turn.take().await?;
        let is_fresh = filed_at.is_some_and(|at| now.is_within(PASSING_FOR, at));
        match self.github.assign(&self.at, number, login).await {
            Ok(true) => return Ok(true),
            Ok(false) => tracing::warn!(repository = %self.at, number, %login, "GitHub did not assign the issue"),
            Err(error) if error.is_about_the_content() && is_fresh => return Err(Failure::retry(error)),
            Err(error) if error.is_permanent() && !error.is_refusal() && !error.is_of_a_name() => {
                tracing::warn!(repository = %self.at, number, %login, %error, "the issue could not be assigned");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }
}

impl GitHubWriter {
    /// Files the line's issue, or finds the one that an earlier attempt filed, and assigns it. The
    /// receipt is its number. Filing and assigning are two writes, so they take two turns.
    pub(super) async fn issue(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let tracker = IssueTracker::of(&self.github_app, row)?;
        let patient_until = delivery.created_at + LOOK_UP_PATIENCE;
        let told = match self.assignee(&tracker, row, line, patient_until, now).await {
            // The issue matters more than whom it is assigned to.
            Err(Failure::GiveUp(why)) if !is_refusal(&why) => {
                tracing::warn!(repository = %tracker.at, %why, "nobody could be found to assign the issue to");
                issue_recipient(line, None)
            }
            other => other?,
        };
        let login = told.login.clone();
        let number = match self.number(&tracker, row, line, delivery, now).await? {
            Some(number) => number,
            None => {
                let new = self.new_issue(row, line, told, now).await?;
                self.file(&tracker, turn, row, delivery, &new).await?
            }
        };
        if line.issue.is_none() {
            store::lines::set_issue(&self.store, line.id, Some(number)).await?;
        }
        if let Some(login) = login {
            let is_theirs = tracker.assign(turn, number, &login, delivery.unanswered_at).await?;
            self.assigned(line, login, is_theirs).await?;
        }
        Ok(number.to_string())
    }

    /// The issue that is there already: an earlier attempt may have filed it and died, or lost the
    /// answer.
    async fn number(
        &self,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Option<u64>, Failure> {
        if line.issue.is_some() {
            return Ok(line.issue);
        }
        if delivery.unanswered_at.is_some() {
            self.note_doubt(row, Doubted::Delivery(delivery.id), now).await?;
        }
        let (marker, since) = (self.content.site.marker(line.id), delivery.created_at);
        let look = tracker.github.find_issue(&tracker.at, OUR_LABEL.name, &marker, since);
        Ok(made_earlier(delivery.unanswered_at, now, look).await?.map(|issue| issue.number))
    }

    /// What the line's issue says.
    async fn new_issue(
        &self,
        row: &RepositoryRow,
        line: &Line,
        told: Recipient,
        now: Timestamp,
    ) -> Result<NewIssue, Failure> {
        // Read again: who is told may just have been found.
        let line = store::lines::by_id(&self.store, line.id).await?.unwrap_or_else(|| line.clone());
        let text = rendered_issue(&self.content, row, &line, told, now).await?;
        Ok(NewIssue { title: text.title, body: text.body, labels: labels(row) })
    }

    /// Files an issue; its number. A label that GitHub refuses is left out in the next turn.
    async fn file(
        &self,
        tracker: &IssueTracker,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        delivery: &Delivery,
        new: &NewIssue,
    ) -> Result<u64, Failure> {
        let asked_at = turn.take().await?;
        let write = tracker.github.create_issue(&tracker.at, new);
        let is_lasting = delivery.failing_for(asked_at) >= PASSING_FOR;
        match make(&self.store, delivery.id, asked_at, write).await? {
            Ok(made) => Ok(made.number),
            Err(error) if leave_labels_out(&self.store, row, &error, is_lasting).await? => Err(turn.next()),
            Err(error) => Err(error.into()),
        }
    }

    /// Comments on the line's issue, unless an earlier attempt did. A regression opens it again
    /// first, in a turn of its own.
    pub(super) async fn comment(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let reply = reply_of(&delivery.what)?;
        let tracker = IssueTracker::of(&self.github_app, row)?;
        let Some(number) = line.issue else { return Err(self.without_issue(delivery, now).await?) };
        if matches!(reply, Reply::Regressed { .. }) {
            reopen(&tracker, turn, number).await?;
        }
        if delivery.unanswered_at.is_some() {
            self.note_doubt(row, Doubted::Delivery(delivery.id), now).await?;
        }
        let look = async { Ok(self.comments_of(&tracker, number, delivery).await?.into_iter().next()) };
        let id = match made_earlier(delivery.unanswered_at, now, look).await? {
            Some(earlier) => earlier.id,
            None => {
                let body = rendered_comment(&self.content.site, row, delivery)?;
                self.say(&tracker, turn, number, delivery, &body).await?
            }
        };
        if matches!(reply, Reply::CarriedOver { .. }) {
            self.hand_on(&tracker, turn, row, line, number, now).await?;
        }
        Ok(id.to_string())
    }

    /// The comments on an issue that a delivery became: none, one, or where GitHub made it once
    /// more several, oldest first. They are known by the delivery alone, for its line may have been
    /// edited since.
    pub(super) async fn comments_of(
        &self,
        tracker: &IssueTracker,
        number: u64,
        delivery: &Delivery,
    ) -> Result<Vec<FoundComment>, GitHubError> {
        let us = tracker.github.bot_login().await?;
        let since = delivery.created_at;
        let mut all = tracker.github.comments(&tracker.at, number, since).await?;
        let is_ours = |it: &FoundComment| it.author.as_ref().is_some_and(|author| author.login == us);
        all.retain(|it| is_ours(it) && bears_comment(&self.content.site, &it.body, delivery.id));
        Ok(all)
    }

    async fn say(
        &self,
        tracker: &IssueTracker,
        turn: &Turn<'_>,
        number: u64,
        delivery: &Delivery,
        body: &str,
    ) -> Result<u64, Failure> {
        let asked_at = turn.take().await?;
        let write = tracker.github.comment(&tracker.at, number, body);
        Ok(make(&self.store, delivery.id, asked_at, write).await??)
    }

    /// What follows for a comment whose line has no issue (yet).
    async fn without_issue(&self, delivery: &Delivery, now: Timestamp) -> Result<Failure, Failure> {
        let may_come = now - delivery.created_at < ISSUE_PATIENCE
            || store::deliveries::is_issue_pending(&self.store, delivery.line).await?;
        Ok(match may_come {
            true => Failure::retry("the line's issue is not filed yet"),
            false => Failure::give_up("the line has no issue"),
        })
    }

    /// Whoever edited the line has it now, unless a person gave it to somebody. Last of all: it is
    /// tried once.
    async fn hand_on(
        &self,
        tracker: &IssueTracker,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        line: &Line,
        number: u64,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let told = self.assignee(tracker, row, line, now, now).await;
        if let Ok(Recipient { login: Some(login), .. }) = told
            && let IssueState::Present(issue) = tracker.issue(number).await?
            && !issue.assignees.iter().any(|account| account.login == login)
        {
            let is_theirs = tracker.assign(turn, number, &login, None).await?;
            self.assigned(line, login, is_theirs).await?;
        }
        Ok(())
    }

    /// Notes that we assigned somebody: that they have the issue is no news to the hourly look, and
    /// that somebody assigns them once more is some.
    async fn assigned(&self, line: &Line, login: Login, is_theirs: bool) -> Result<(), Failure> {
        if is_theirs {
            let action = IssueAction::Assigned(HookAccount::unknown(login.as_str()));
            store::lines::record_assignment(&self.store, line.id, &action).await?;
        }
        Ok(())
    }

    /// Whose issue it is: whom a person gave the line to, else who is told of it, if GitHub lets
    /// the issue be assigned to them.
    async fn assignee(
        &self,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        line: &Line,
        patient_until: Timestamp,
        now: Timestamp,
    ) -> Result<Recipient, Failure> {
        let told = self.told(row, line, patient_until, now).await?;
        let login = line.owner_login.clone().or_else(|| told.person.who.as_ref()?.login.clone());
        let login = match login.filter(|_| row.settings.issues.assign) {
            Some(login) if tracker.github.is_assignable(&tracker.at, &login).await? => Some(login),
            _ => None,
        };
        Ok(issue_recipient(&Line { told: Some(told), ..line.clone() }, login))
    }

    /// Who is told of the line, looked for once more where GitHub had not answered.
    async fn told(
        &self,
        row: &RepositoryRow,
        line: &Line,
        patient_until: Timestamp,
        now: Timestamp,
    ) -> Result<ChosenRecipient, Failure> {
        if let Some(told) = line.told.as_ref().filter(|told| told.is_complete) {
            return Ok(told.clone());
        }
        let chosen = self.recipients.find_and_record(row, line, By::MirrorAsItIs { unreached: &[] }, now).await?;
        match chosen.failure {
            // The mail did without; the issue has time.
            Some(error) if now < patient_until => Err(error.into()),
            _ => Ok(chosen.told),
        }
    }
}

fn is_refusal(why: &Cause) -> bool {
    why.downcast_ref().is_some_and(GitHubError::is_refusal)
}

/// Opens the issue again where it is closed. One that GitHub does not show is refused.
async fn reopen(tracker: &IssueTracker, turn: &Turn<'_>, number: u64) -> Result<(), Failure> {
    if !tracker.present(number).await?.open {
        turn.take().await?;
        tracker.github.reopen_issue(&tracker.at, number).await?;
    }
    Ok(())
}
