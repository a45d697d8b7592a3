//! Several issues of ours that say the same: all but the one that stays are closed, with a comment
//! that links it.

use super::GitHubWriter;
use super::issues::IssueTracker;
use super::turn::Turn;
use super::unanswered::{made_earlier, may_be_done};
use crate::services::Failure;
use domain::alert::Reply;
use domain::event::{HookAccount, IssueAction};
use domain::timestamp::Timestamp;
use github::{DoubleReason, FoundIssue, GitHubError, IssueState};
use store::doubles::Double;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// What GitHub calls the account of a program: what one says is no word of a person's.
const BOT: &str = "Bot";

/// What several issues are about.
pub(super) struct Several<'a> {
    /// By which they are found.
    pub(super) marker: String,
    /// From when on they can have been made.
    pub(super) since: Timestamp,
    /// All of ours, oldest first.
    pub(super) issues: &'a [FoundIssue],
    /// The one that stays.
    pub(super) stays: u64,
    /// Whose they are, if not a storm's.
    pub(super) line: Option<&'a Line>,
}

impl GitHubWriter {
    /// Links the issue that stays on all others and closes them, each write in a turn of its own.
    pub(super) async fn mend(
        &self,
        turn: &Turn<'_>,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        several: &Several<'_>,
    ) -> Result<(), Failure> {
        let id = row.repository.id;
        for other in several.issues.iter().filter(|it| it.number != several.stays) {
            store::doubles::insert(&self.store, id, other.number).await?;
            let Some(double) = store::doubles::by_issue(&self.store, id, other.number).await? else { continue };
            if double.is_settled {
                continue;
            }
            // Asked for by itself: lists are behind.
            let issue = match tracker.issue(other.number).await? {
                IssueState::Present(issue) if issue.open => issue,
                // For a moment, maybe: the next look sees more.
                IssueState::Missing => continue,
                // Whoever closed or deleted it needs no word of ours.
                IssueState::Present(_) | IssueState::Deleted | IssueState::Transferred => {
                    store::doubles::record_settled(&self.store, id, other.number, (turn.now)()).await?;
                    continue;
                }
            };
            if let Some(line) = several.line {
                self.hand_assignment_on(turn, tracker, line, &issue, several.stays).await?;
            }
            if !double.is_said {
                self.say_double(turn, tracker, row, &double, several).await?;
            }
            // Who talks there is answered by that comment, and closes it or does not: a program
            // that closes an issue under people who talk is a nuisance.
            if !tracker.has_words_of_people(issue.number, several.since).await? {
                self.close_double(turn, tracker, row, &double).await?;
            }
            let (repository, number, stays) = (&row.repository.full_name, issue.number, several.stays);
            tracing::warn!(%repository, number, stays, "GitHub made an issue twice: this one leads to the other");
            store::doubles::record_settled(&self.store, id, issue.number, (turn.now)()).await?;
        }
        Ok(())
    }

    /// Whoever has an issue that is about to be closed has the one that stays, unless somebody has
    /// that. It is tried once.
    async fn hand_assignment_on(
        &self,
        turn: &Turn<'_>,
        tracker: &IssueTracker,
        line: &Line,
        from: &FoundIssue,
        to: u64,
    ) -> Result<(), Failure> {
        let Some(account) = from.assignees.first() else { return Ok(()) };
        let known = store::lines::acted_on(&self.store, line.id).await?.assignees.unwrap_or_default();
        if known.contains(&account.login) {
            return Ok(());
        }
        let there = tracker.present(to).await?;
        // Of one that is closed nobody has to hear.
        if !there.open || !there.assignees.is_empty() {
            return Ok(());
        }
        tracker.assign(turn, to, &account.login, None).await?;
        let action = IssueAction::Assigned(HookAccount::unknown(account.login.as_str()));
        Ok(store::lines::record_assignment(&self.store, line.id, &action).await?)
    }

    /// Comments which issue stays, once.
    async fn say_double(
        &self,
        turn: &Turn<'_>,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        double: &Double,
        several: &Several<'_>,
    ) -> Result<(), Failure> {
        let (store, id, number) = (&self.store, row.repository.id, double.issue);
        let marker = format!("{}:double:{number}", several.marker);
        let github = &tracker.github;
        let look = github.find_comment(&tracker.at, number, &marker, several.since);
        if made_earlier(double.unanswered_at, (turn.now)(), look).await?.is_none() {
            let body = render::reply(&Reply::Double { stays: several.stays }, &marker, &row.repository)?;
            let asked_at = turn.take().await?;
            store::doubles::set_unanswered(store, id, number, Some(asked_at)).await?;
            let said = github.comment(&tracker.at, number, &body).await;
            if said.as_ref().is_err_and(|error| !may_be_done(error)) {
                store::doubles::set_unanswered(store, id, number, None).await?;
            }
            said?;
        }
        Ok(store::doubles::record_said(store, id, number, (turn.now)()).await?)
    }

    async fn close_double(
        &self,
        turn: &Turn<'_>,
        tracker: &IssueTracker,
        row: &RepositoryRow,
        double: &Double,
    ) -> Result<(), Failure> {
        let reason = if double.not_planned { DoubleReason::NotPlanned } else { DoubleReason::Duplicate };
        turn.take().await?;
        match tracker.github.close_double(&tracker.at, double.issue, reason).await {
            Err(GitHubError::Refused { status: 422, .. }) if !double.not_planned => {
                store::doubles::set_not_planned(&self.store, row.repository.id, double.issue).await?;
                Err(turn.next())
            }
            closed => Ok(closed?),
        }
    }
}

impl IssueTracker {
    /// Whether a person commented on an issue.
    pub(super) async fn has_words_of_people(&self, number: u64, since: Timestamp) -> Result<bool, GitHubError> {
        let comments = self.github.comments(&self.at, number, since).await?;
        Ok(comments.iter().any(|it| it.author.as_ref().is_some_and(|author| author.kind != BOT)))
    }
}
