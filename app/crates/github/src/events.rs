//! What happened to an issue, as far as its webhook does not say it.

use super::client::{As, GitHub};
use super::error::GitHubError;
use super::labels::LabelAnswer;
use super::moment::moment;
use super::people::{Account, AccountAnswer};
use domain::commit::CommitId;
use domain::event::IssueAction;
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use serde::Deserialize;
use std::ops::ControlFlow;

#[derive(Deserialize)]
struct EventAnswer {
    #[serde(default)]
    event: String,
    #[serde(default)]
    commit_id: Option<CommitId>,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default)]
    assignee: Option<AccountAnswer>,
    #[serde(default)]
    assigner: Option<AccountAnswer>,
    #[serde(default)]
    actor: Option<AccountAnswer>,
    #[serde(default)]
    label: Option<LabelAnswer>,
}

/// How an issue was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The commit by which it was ("fixes #12" in its message, or a merged pull request); `None`
    /// where a person closed it.
    pub commit: Option<CommitId>,
    /// When, to the second; `None` where GitHub does not say.
    pub at: Option<Timestamp>,
}

/// Something that was done to an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueEvent {
    /// What.
    pub action: IssueAction,
    /// By whom.
    pub by: Account,
    /// When, to the second.
    pub at: Timestamp,
}

impl EventAnswer {
    fn event(self) -> Option<IssueEvent> {
        let account = |answer: Option<AccountAnswer>| answer.and_then(AccountAnswer::account);
        let label = self.label.and_then(LabelAnswer::name);
        let action = match self.event.as_str() {
            "closed" => IssueAction::Closed,
            "reopened" => IssueAction::Reopened,
            "labeled" => IssueAction::Labeled(label?),
            "unlabeled" => IssueAction::Unlabeled(label?),
            "assigned" => IssueAction::Assigned(account(self.assignee)?),
            "unassigned" => IssueAction::Unassigned(account(self.assignee)?),
            _ => return None,
        };
        Some(IssueEvent { action, by: account(self.assigner).or_else(|| account(self.actor))?, at: self.created_at? })
    }
}

impl GitHub {
    /// What was done to an issue of all that webhooks tell, the oldest first, as far as GitHub's
    /// list of events knows by now. Source:
    /// <https://docs.github.com/en/rest/using-the-rest-api/issue-event-types>.
    ///
    /// # Errors
    /// GitHub is out of reach, or refuses to say.
    pub async fn issue_events(&self, repo: &GitHubAddress, number: u64) -> Result<Vec<IssueEvent>, GitHubError> {
        let mut all = Vec::new();
        self.events(repo, number, |event| all.extend(event.event())).await?;
        Ok(all)
    }

    /// How an issue was closed last, as far as GitHub's list of events knows by now; `None` where
    /// it knows of no time. Source:
    /// <https://docs.github.com/en/rest/using-the-rest-api/issue-event-types#closed>.
    ///
    /// # Errors
    /// GitHub is out of reach, or refuses to say.
    pub async fn last_closing(&self, repo: &GitHubAddress, number: u64) -> Result<Option<Closing>, GitHubError> {
        let mut closing = None;
        self.events(repo, number, |event| {
            if event.event == "closed" {
                closing = Some(Closing { commit: event.commit_id, at: event.created_at });
            }
        })
        .await?;
        Ok(closing)
    }

    /// Reads what happened to an issue, the oldest first.
    async fn events(
        &self,
        repo: &GitHubAddress,
        number: u64,
        mut each: impl FnMut(EventAnswer) + Send,
    ) -> Result<(), GitHubError> {
        let what = format!("events of issue #{number} of {repo}");
        let first = self.read(repo, &format!("/issues/{number}/events?per_page=100")).await?;
        if first.is_redirect() {
            return Err(GitHubError::Gone(format!("{what} (it is in another repository now)")));
        }
        self.pages(As::Installation(repo.installation), first, &what, |page: Vec<EventAnswer>| {
            page.into_iter().for_each(&mut each);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(())
    }
}
