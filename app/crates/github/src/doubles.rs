//! What we made on GitHub more than once: found by its marker, closed or deleted.

use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::issues::{FoundIssue, IssueAnswer};
use super::markers::bears;
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use serde_json::json;
use std::ops::ControlFlow;

/// GitHub's `state_reason` of an issue that was closed because another one says the same.
pub const DUPLICATE: &str = "duplicate";

/// As what an issue is closed that another one says already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubleReason {
    /// As a duplicate.
    Duplicate,
    /// As not planned, where GitHub knows no duplicates (an Enterprise Server before 3.17).
    NotPlanned,
}

impl GitHub {
    /// All issues of ours with this label whose text holds `marker`, open or closed, oldest first,
    /// among those changed since `since` (some minutes earlier are looked at too). What people
    /// copied of ours, marker and all, is theirs.
    pub async fn issues_by_marker(
        &self,
        repo: &GitHubAddress,
        label: &str,
        marker: &str,
        since: Timestamp,
    ) -> Result<Vec<FoundIssue>, GitHubError> {
        let us = self.bot_login().await?;
        let mut found = Vec::new();
        let (first, what) = self.first_by_label(repo, label, since).await?;
        self.pages(As::Installation(repo.installation), first, &what, |page: Vec<IssueAnswer>| {
            let issues = page.into_iter().filter(|it| !it.is_pull_request()).map(IssueAnswer::found);
            let is_ours = |it: &FoundIssue| it.author.as_ref() == Some(&us) && bears(&it.body, marker);
            found.extend(issues.filter(is_ours));
            ControlFlow::Continue(())
        })
        .await?;
        found.sort_by_key(|issue| issue.number);
        Ok(found)
    }

    /// Closes an issue that another one says already. Doing it twice does no harm.
    /// Source: <https://docs.github.com/en/rest/issues/issues#update-an-issue>.
    pub async fn close_double(
        &self,
        repo: &GitHubAddress,
        number: u64,
        reason: DoubleReason,
    ) -> Result<(), GitHubError> {
        let reason = match reason {
            DoubleReason::Duplicate => DUPLICATE,
            DoubleReason::NotPlanned => "not_planned",
        };
        let closed = json!({ "state": "closed", "state_reason": reason });
        self.patch_issue(repo, number, &closed).await
    }

    /// Deletes a comment of ours. One that is not there (any more) is [`GitHubError::Gone`].
    /// Source: <https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment>.
    pub async fn delete_comment(&self, repo: &GitHubAddress, id: u64) -> Result<(), GitHubError> {
        let what = format!("comment {id} in {repo}");
        let rest = format!("/issues/comments/{id}");
        self.write(repo, Method::Delete, &rest, None, &what).await.map(drop)
    }
}
