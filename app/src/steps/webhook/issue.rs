//! What is done to an issue of ours: whether it still stands, and whose line it is about.

use super::issue_command::IssueCommand;
use crate::services::github_app::GitHubApp;
use crate::services::mirror_sync::MirrorSync;
use crate::services::rules::RuleBook;
use crate::services::{Epoch, Failure, Site, Wake};
use domain::command::OUR_LABEL;
use domain::event::{HookAccount, HookIssue, IssueAction};
use domain::ids::HookId;
use domain::timestamp::Timestamp;
use github::{FoundIssue, IssueState};
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
    /// A comment waits for a worker.
    pub wake: Wake,
}

impl IssueWebhooks {
    /// Acts on what somebody did to an issue, if the issue is ours and it was not us.
    ///
    /// # Errors
    /// The database or GitHub is out of reach: to be tried again.
    pub(super) async fn process(
        &self,
        row: &RepositoryRow,
        hook: HookId,
        action: &IssueAction,
        issue: &HookIssue,
        sender: &HookAccount,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if issue.is_pull_request || self.is_us(sender).await? {
            return Ok(());
        }
        let line = store::lines::by_issue(&self.store, row.repository.id, issue.number).await?;
        if line.is_none() && !bears(issue, OUR_LABEL.name) {
            return Ok(());
        }
        if *action == IssueAction::Gone {
            return self.gone(line).await;
        }
        // Webhooks come in any order, and some hours late. What was done counts as far as it still
        // stands.
        let present = self.present(row, issue.number).await?;
        let line = match line {
            Some(line) => Some(line),
            None => self.by_marker(row, issue.number, present.as_ref()).await?,
        };
        let Some(line) = line else { return Ok(()) };
        let issue = &present.map_or_else(|| issue.clone(), |present| as_told(&present));
        if !still_stands(action, issue) {
            return Ok(());
        }
        IssueCommand { with: self, row, line: &line, issue, sender, hook, now }.run(action).await
    }

    async fn gone(&self, line: Option<Line>) -> Result<(), Failure> {
        match line {
            Some(line) => Ok(store::lines::record_issue_gone(&self.store, line.id).await?),
            None => Ok(()),
        }
    }

    /// The issue as it is now; `None` where GitHub does not say, and the webhook has to be
    /// believed.
    async fn present(&self, row: &RepositoryRow, number: u64) -> Result<Option<FoundIssue>, Failure> {
        let Some((github, on_github)) = self.github_app.github_of(&row.repository) else { return Ok(None) };
        match github.issue(on_github.installation, &row.repository.full_name, number).await {
            Ok(IssueState::Present(issue)) => Ok(Some(issue)),
            Ok(_) => Ok(None),
            Err(error) if error.is_permanent() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The line whose marker the issue bears: it was closed or labelled before its number was
    /// noted.
    async fn by_marker(
        &self,
        row: &RepositoryRow,
        number: u64,
        present: Option<&FoundIssue>,
    ) -> Result<Option<Line>, Failure> {
        let Some(id) = present.and_then(|issue| self.site.line_of_marker(&issue.body)) else { return Ok(None) };
        match store::lines::by_id(&self.store, id).await? {
            Some(line) if line.repository == row.repository.id && line.issue.is_none() => {
                store::lines::set_issue(&self.store, id, Some(number)).await?;
                Ok(store::lines::by_id(&self.store, id).await?)
            }
            _ => Ok(None),
        }
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
    }
}

fn bears(issue: &HookIssue, label: &str) -> bool {
    issue.labels.iter().any(|known| known.eq_ignore_ascii_case(label))
}

/// Whether what was done to the issue has not been taken back since.
fn still_stands(action: &IssueAction, issue: &HookIssue) -> bool {
    let has = |account: &HookAccount| issue.assignees.iter().any(|known| known.login == account.login);
    match action {
        IssueAction::Closed => !issue.open,
        IssueAction::Reopened => issue.open,
        IssueAction::Labeled(label) => bears(issue, label),
        IssueAction::Unlabeled(label) => !bears(issue, label),
        IssueAction::Assigned(to) => has(to),
        IssueAction::Unassigned(from) => !has(from),
        IssueAction::Gone => true,
    }
}
