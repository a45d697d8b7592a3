//! What happened to an issue, as far as its webhook does not say it.

use super::client::{As, GitHub};
use super::error::GitHubError;
use super::moment::moment;
use domain::commit::CommitId;
use domain::names::RepositoryName;
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

impl GitHub {
    /// How an issue was closed last, as far as GitHub's list of events knows by now; `None` where
    /// it knows of no time. Source:
    /// <https://docs.github.com/en/rest/using-the-rest-api/issue-event-types#closed>.
    ///
    /// # Errors
    /// GitHub is out of reach, or refuses to say.
    pub async fn last_closing(
        &self,
        installation: u64,
        repo: &RepositoryName,
        number: u64,
    ) -> Result<Option<Closing>, GitHubError> {
        let what = format!("events of issue #{number} of {repo}");
        let first = self.read(installation, repo, &format!("/issues/{number}/events?per_page=100")).await?;
        if first.is_redirect() {
            return Err(GitHubError::Gone(format!("{what} (it is in another repository now)")));
        }
        let mut closing = None;
        self.pages(As::Installation(installation), first, &what, |page: Vec<EventAnswer>| {
            for event in page.into_iter().filter(|event| event.event == "closed") {
                closing = Some(Closing { commit: event.commit_id, at: event.created_at });
            }
            ControlFlow::Continue(())
        })
        .await?;
        Ok(closing)
    }
}
