//! What is done to an issue of ours: whether it still stands, and whose line it is about.

use super::answers::{IssueAnswers, Marked};
use super::issue_command::IssueCommand;
use crate::services::github_app::GitHubApp;
use crate::services::mirror_sync::MirrorSync;
use crate::services::rules::RuleBook;
use crate::services::{Epoch, Failure, Site, Wake};
use domain::command::{LabelCommand, OUR_LABEL};
use domain::event::{HookAccount, HookIssue, IssueAction};
use domain::read_lag::{Answer, Judgement, ask_again_at, judge};
use domain::timestamp::Timestamp;
use github::{DUPLICATE, FoundIssue, IssueState};
use store::Store;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Acts on what is done to issues.
#[derive(Clone)]
pub struct IssueWebhooks {
    /// The rows.
    pub store: Store,
    /// Says how an issue is now.
    pub github_app: GitHubApp,
    /// By what our issues are known.
    pub site: Site,
    /// Says which commit has a fix.
    pub mirror_sync: MirrorSync,
    /// Makes and ends the rules of labels.
    pub rules: RuleBook,
    /// To be turned when a line is resolved, or is not any more.
    pub epoch: Epoch,
    /// What GitHub said of issues a moment ago.
    pub answers: IssueAnswers,
    /// A comment waits for a worker.
    pub wake: Wake,
}

impl IssueWebhooks {
    /// Acts on what somebody did to an issue, if the issue is ours and it was not us.
    ///
    /// # Errors
    /// The database or GitHub is out of reach, or GitHub's answers do not know yet of what was
    /// done: to be tried again.
    pub(super) async fn process(
        &self,
        row: &RepositoryRow,
        received_at: Timestamp,
        action: &IssueAction,
        told: &HookIssue,
        sender: &HookAccount,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if told.is_pull_request {
            return Ok(());
        }
        let line = store::lines::by_issue(&self.store, row.repository.id, told.number).await?;
        if self.is_us(sender).await? {
            return match line {
                // For the hourly look, which finds it there, and can't see who did it.
                Some(line) => Ok(store::lines::record_assignment(&self.store, line.id, action).await?),
                None => Ok(()),
            };
        }
        if line.is_none() && !bears(told, OUR_LABEL.name) {
            return Ok(());
        }
        match (action, &line) {
            (IssueAction::Gone, _) => return self.gone(line).await,
            (IssueAction::Edited, line) => return self.edited(line.as_ref(), told).await,
            _ if !may_command(action) => return Ok(()),
            _ => {}
        }
        let ask_again_at = ask_again_at(received_at, now);
        // Webhooks come in any order, and some hours late. What was done counts as far as it still
        // stands.
        let acted_on = match &line {
            Some(line) => store::lines::acted_on(&self.store, line.id).await?.as_of,
            None => Timestamp::UNIX_EPOCH,
        };
        let at = (row.repository.id, told.number);
        let (answer, marked) = match self.answers.serving(at, received_at, (action, told), acted_on, now) {
            Some(known) => (Answer::Is(known.issue), known.marked),
            None => self.answer(row, told.number, now).await?,
        };
        let line = match line {
            Some(line) => Some(line),
            None => self.by_marker(row, told.number, marked).await?,
        };
        let Some(line) = line else {
            // An issue that was made a moment ago may be ours.
            return match ask_again_at.filter(|_| answer == Answer::Missing) {
                Some(at) => Err(Failure::Again { at }),
                None => Ok(()),
            };
        };
        let acted_on = store::lines::acted_on(&self.store, line.id).await?.as_of;
        let issue = match judge(action, told, &answer, acted_on, ask_again_at.is_some()) {
            Judgement::Stands(issue) => issue,
            Judgement::IsOver => return Ok(()),
            Judgement::AskAgain => return Err(Failure::Again { at: ask_again_at.unwrap_or(now) }),
        };
        if !store::lines::record_acted_on(&self.store, line.id, issue.updated_at, action).await? {
            // Another worker acted on something newer in this moment: judged anew by that.
            return Err(Failure::Again { at: now });
        }
        let told_at = told.updated_at.unwrap_or(received_at);
        IssueCommand { with: self, row, line: &line, issue: &issue, sender, told_at, acted_on, ask_again_at, now }
            .run(action)
            .await
    }

    /// What a person wrote is not to be written over by what GitHub shows from before.
    async fn edited(&self, line: Option<&Line>, told: &HookIssue) -> Result<(), Failure> {
        match line.zip(told.updated_at) {
            Some((line, at)) => Ok(store::lines::record_edited(&self.store, line.id, at).await?),
            None => Ok(()),
        }
    }

    /// Of an issue that may be there twice, the look for that says what follows.
    async fn gone(&self, line: Option<Line>) -> Result<(), Failure> {
        match line {
            Some(line) if store::doubts::is_issue_in_doubt(&self.store, line.id).await? => Ok(()),
            Some(line) => Ok(store::lines::record_issue_gone(&self.store, line.id).await?),
            None => Ok(()),
        }
    }

    /// What GitHub says of the issue, and whose marker it bears.
    async fn answer(
        &self,
        row: &RepositoryRow,
        number: u64,
        now: Timestamp,
    ) -> Result<(Answer, Option<Marked>), Failure> {
        let nothing = (Answer::Nothing, None);
        let Some((github, address)) = self.github_app.github_of(&row.repository) else { return Ok(nothing) };
        match github.issue(&address, number).await {
            Ok(IssueState::Present(issue)) => {
                let told = as_told(&issue);
                let line = self.site.line_of_marker(&issue.body);
                let is_duplicate = issue.state_reason.as_deref() == Some(DUPLICATE);
                let marked = line.map(|line| Marked { line, author: issue.author, is_duplicate });
                self.answers.record((row.repository.id, number), told.clone(), marked.clone(), now);
                Ok((Answer::Is(told), marked))
            }
            Ok(IssueState::Missing) => Ok((Answer::Missing, None)),
            Ok(IssueState::Deleted | IssueState::Transferred) => Ok(nothing),
            Err(error) if error.is_permanent() => Ok(nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// The line whose marker the issue bears: it was closed or labelled before its number was
    /// noted, or GitHub made the line's issue twice and people use this one.
    async fn by_marker(
        &self,
        row: &RepositoryRow,
        number: u64,
        marked: Option<Marked>,
    ) -> Result<Option<Line>, Failure> {
        let Some(Marked { line: id, author, is_duplicate }) = marked else { return Ok(None) };
        let Some(line) = store::lines::by_id(&self.store, id).await? else { return Ok(None) };
        let us = match self.github_app.github() {
            Some(github) => github.bot_login().await?,
            None => return Ok(None),
        };
        // A copy that a person made is theirs.
        if line.repository != row.repository.id || author.is_some_and(|author| author != us) {
            return Ok(None);
        }
        match line.issue {
            None => store::lines::set_issue(&self.store, id, Some(number)).await?,
            // Who closes it as a duplicate means the other one to stay.
            Some(_) if is_duplicate => return Ok(None),
            Some(other) => {
                if !self.is_used_double(row, &line, number).await?
                    || !store::lines::move_issue(&self.store, id, other, number).await?
                {
                    return Ok(None);
                }
            }
        }
        Ok(store::lines::by_id(&self.store, id).await?)
    }

    /// Whether an issue beside the line's is one that GitHub made twice, and what is commanded
    /// there counts: nobody was told otherwise, and no command stands on the line's.
    async fn is_used_double(&self, row: &RepositoryRow, line: &Line, number: u64) -> Result<bool, Failure> {
        let is_free = line.resolved_at.is_none() && !line.known;
        if !is_free
            || !store::doubts::is_issue_in_doubt(&self.store, line.id).await?
            || store::doubles::by_issue(&self.store, row.repository.id, number).await?.is_some()
        {
            return Ok(false);
        }
        let rules = store::rules::in_force(&self.store, row.repository.id).await?;
        Ok(rules.iter().all(|rule| rule.line != Some(line.id)))
    }

    /// Our own actions come back as webhooks, sent by `SLUG[bot]`.
    async fn is_us(&self, sender: &HookAccount) -> Result<bool, Failure> {
        match self.github_app.github() {
            Some(github) => Ok(sender.login == github.bot_login().await?),
            None => Ok(false),
        }
    }
}

fn as_told(issue: &FoundIssue) -> HookIssue {
    let account = |it: &github::Account| HookAccount { id: it.id, login: it.login.clone(), kind: String::new() };
    HookIssue {
        number: issue.number,
        open: issue.open,
        labels: issue.labels.clone(),
        assignees: issue.assignees.iter().map(account).collect(),
        is_pull_request: false,
        updated_at: issue.updated_at,
        closed_at: issue.closed_at,
    }
}

/// Whether anything could follow from what was done, however the issue is: of the labels that
/// people use for their own ends, nothing does.
fn may_command(action: &IssueAction) -> bool {
    match action {
        IssueAction::Labeled(label) => {
            LabelCommand::from_label(label).is_some() || LabelCommand::nearly(label).is_some()
        }
        IssueAction::Unlabeled(label) => LabelCommand::from_label(label).is_some(),
        IssueAction::Closed
        | IssueAction::Reopened
        | IssueAction::Assigned(_)
        | IssueAction::Unassigned(_)
        | IssueAction::Edited
        | IssueAction::Gone => true,
    }
}

fn bears(issue: &HookIssue, label: &str) -> bool {
    issue.labels.iter().any(|known| known.eq_ignore_ascii_case(label))
}
