//! Comments under an issue: written once, found again by their hidden markers.

use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::limits;
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::ops::ControlFlow;

#[derive(Deserialize)]
struct CommentAnswer {
    id: u64,
    #[serde(default)]
    body: Option<String>,
}

impl GitHub {
    /// Comments on an issue; returns the comment's number.
    pub async fn comment(
        &self,
        installation: u64,
        repo: &RepositoryName,
        number: u64,
        body: &str,
    ) -> Result<u64, GitHubError> {
        limits::body(body)?;
        let what = format!("issue #{number} of {repo}");
        let rest = format!("/issues/{number}/comments");
        let answer = self.write(installation, repo, Method::Post, &rest, Some(&json!({ "body": body })), &what).await?;
        Ok(answer.json::<CommentAnswer>("the comment")?.id)
    }

    /// The first comment on the issue whose text holds `marker`, among those changed since `since`
    /// (a few minutes earlier are looked at too, as GitHub's clock is not ours).
    pub async fn find_comment(
        &self,
        installation: u64,
        repo: &RepositoryName,
        number: u64,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<u64>, GitHubError> {
        let what = format!("comments on issue #{number} of {repo}");
        let since = self.since_parameter(installation, since).await?;
        let rest = format!("/issues/{number}/comments?since={since}&per_page=100");
        let first = self.read(installation, repo, &rest).await?;
        if first.is_redirect() {
            return Err(GitHubError::Gone(format!("{what} (it is in another repository now)")));
        }
        let mut found = None;
        self.pages(As::Installation(installation), first, &what, |page: Vec<CommentAnswer>| {
            found = page.into_iter().find(|it| it.body.as_deref().is_some_and(|body| body.contains(marker)));
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
        Ok(found.map(|comment| comment.id))
    }
}
