//! Comments under an issue: written once, found again by their hidden markers.

use super::answer::Answer;
use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::limits;
use super::markers::bears;
use super::people::{Account, AccountAnswer};
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::ops::ControlFlow;

/// A comment as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundComment {
    /// Its number.
    pub id: u64,
    /// Who wrote it; `None` where GitHub does not say.
    pub author: Option<Account>,
    /// Its text.
    pub body: String,
}

#[derive(Deserialize)]
struct CommentAnswer {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<AccountAnswer>,
}

impl CommentAnswer {
    fn found(self) -> FoundComment {
        let author = self.user.and_then(AccountAnswer::account);
        FoundComment { id: self.id, author, body: self.body.unwrap_or_default() }
    }
}

impl GitHub {
    /// Comments on an issue; returns the comment's number.
    pub async fn comment(&self, repo: &GitHubAddress, number: u64, body: &str) -> Result<u64, GitHubError> {
        limits::body(body)?;
        let what = format!("issue #{number} of {repo}");
        let rest = format!("/issues/{number}/comments");
        let answer = self.write(repo, Method::Post, &rest, Some(&json!({ "body": body })), &what).await?;
        Ok(answer.json::<CommentAnswer>("the comment")?.id)
    }

    /// The first comment on the issue whose text holds `marker`, among those changed since `since`
    /// (a few minutes earlier are looked at too, as GitHub's clock is not ours).
    pub async fn find_comment(
        &self,
        repo: &GitHubAddress,
        number: u64,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<u64>, GitHubError> {
        let (first, what) = self.first_comments(repo, number, since).await?;
        let mut found = None;
        self.pages(As::Installation(repo.installation), first, &what, |page: Vec<CommentAnswer>| {
            found = page.into_iter().find(|it| it.body.as_deref().is_some_and(|body| bears(body, marker)));
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
        Ok(found.map(|comment| comment.id))
    }

    /// The comments on an issue, oldest first, among those changed since `since` (some minutes
    /// earlier are looked at too).
    pub async fn comments(
        &self,
        repo: &GitHubAddress,
        number: u64,
        since: Timestamp,
    ) -> Result<Vec<FoundComment>, GitHubError> {
        let mut found = Vec::new();
        let (first, what) = self.first_comments(repo, number, since).await?;
        self.pages(As::Installation(repo.installation), first, &what, |page: Vec<CommentAnswer>| {
            found.extend(page.into_iter().map(CommentAnswer::found));
            ControlFlow::Continue(())
        })
        .await?;
        found.sort_by_key(|comment| comment.id);
        Ok(found)
    }

    /// The first page of the comments on an issue, and what they are called.
    async fn first_comments(
        &self,
        repo: &GitHubAddress,
        number: u64,
        since: Timestamp,
    ) -> Result<(Answer, String), GitHubError> {
        let what = format!("comments on issue #{number} of {repo}");
        let since = self.since_parameter(repo.installation, since).await?;
        let rest = format!("/issues/{number}/comments?since={since}&per_page=100");
        let first = self.read(repo, &rest).await?;
        if first.is_redirect() {
            return Err(GitHubError::Gone(format!("{what} (it is in another repository now)")));
        }
        Ok((first, what))
    }
}
