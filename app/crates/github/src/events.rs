//! What happened to an issue, as far as its webhook does not say it.

use super::client::{As, GitHub};
use super::error::GitHubError;
use domain::commit::CommitId;
use domain::names::RepositoryName;
use serde::Deserialize;
use std::ops::ControlFlow;

#[derive(Deserialize)]
struct EventAnswer {
    #[serde(default)]
    event: String,
    #[serde(default)]
    commit_id: Option<CommitId>,
}

impl GitHub {
    /// The commit by which an issue was closed last ("fixes #12" in its message, or a merged pull
    /// request); `None` where a person closed it. Source:
    /// <https://docs.github.com/en/rest/using-the-rest-api/issue-event-types#closed>.
    pub async fn closing_commit(
        &self,
        installation: u64,
        repo: &RepositoryName,
        number: u64,
    ) -> Result<Option<CommitId>, GitHubError> {
        let what = format!("events of issue #{number} of {repo}");
        let first = self.read(installation, repo, &format!("/issues/{number}/events?per_page=100")).await?;
        if first.is_redirect() {
            return Err(GitHubError::Gone(format!("{what} (it is in another repository now)")));
        }
        let mut commit = None;
        self.pages(As::Installation(installation), first, &what, |page: Vec<EventAnswer>| {
            for event in page.into_iter().filter(|event| event.event == "closed") {
                commit = event.commit_id;
            }
            ControlFlow::Continue(())
        })
        .await?;
        Ok(commit)
    }
}
