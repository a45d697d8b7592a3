//! Issues: filed, found again by their hidden markers, changed and looked at.

use super::answer::Answer;
use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::labels::LabelAnswer;
use super::limits;
use super::markers::bears;
use super::moment::moment;
use super::people::{Account, AccountAnswer};
use super::route;
use domain::names::Login;
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// An issue to be filed. Without assignees: one who can't be assigned makes GitHub refuse the whole
/// issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewIssue {
    /// At most 256 characters.
    pub title: String,
    /// Markdown, at most 65,536 characters, with the marker by which it is found again.
    pub body: String,
    /// Names of labels. GitHub makes missing ones, in grey.
    pub labels: Vec<String>,
}

/// An issue that was filed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CreatedIssue {
    /// Its number in the repository.
    pub number: u64,
    /// Its page.
    pub html_url: String,
}

/// An issue as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundIssue {
    /// Its number in the repository.
    pub number: u64,
    /// Who filed it; `None` where GitHub does not say.
    pub author: Option<Login>,
    /// Open or closed.
    pub open: bool,
    /// Nobody may comment on it.
    pub locked: bool,
    /// `completed`, `not_planned`, `duplicate` or `reopened`, where GitHub says.
    pub state_reason: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Who has it.
    pub assignees: Vec<Account>,
    /// When it changed last, to the second; `None` where GitHub does not say.
    pub updated_at: Option<Timestamp>,
    /// When it was closed, to the second; `None` where it is open.
    pub closed_at: Option<Timestamp>,
}

/// Where an issue has got to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueState {
    /// It is there.
    Present(FoundIssue),
    /// 410: it was deleted.
    Deleted,
    /// 404: never there, deleted, or out of the installation's sight.
    Missing,
    /// 301: it was transferred to another repository.
    Transferred,
}

/// What is to be changed of an issue's words; `None` changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IssueUpdate {
    /// New title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// New text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct IssueAnswer {
    number: u64,
    #[serde(default)]
    user: Option<AccountAnswer>,
    state: String,
    #[serde(default)]
    locked: bool,
    #[serde(default)]
    state_reason: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    labels: Vec<LabelAnswer>,
    #[serde(default)]
    assignees: Option<Vec<AccountAnswer>>,
    #[serde(default)]
    pull_request: Option<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    closed_at: Option<Timestamp>,
}

impl IssueAnswer {
    /// GitHub's lists of issues mix pull requests in.
    pub(super) fn is_pull_request(&self) -> bool {
        self.pull_request.is_some()
    }

    pub(super) fn found(self) -> FoundIssue {
        FoundIssue {
            number: self.number,
            author: self.user.and_then(AccountAnswer::account).map(|account| account.login),
            open: self.state == "open",
            locked: self.locked,
            state_reason: self.state_reason,
            title: self.title,
            body: self.body.unwrap_or_default(),
            labels: self.labels.into_iter().filter_map(LabelAnswer::name).collect(),
            assignees: self.assignees.unwrap_or_default().into_iter().filter_map(AccountAnswer::account).collect(),
            updated_at: self.updated_at,
            closed_at: self.closed_at,
        }
    }
}

impl GitHub {
    /// Files an issue. Where issues are switched off this is [`GitHubError::Gone`] (410). After a
    /// [`GitHubError::Transient`] it may have been filed: ask [`Self::find_issue`] before doing it
    /// again.
    pub async fn create_issue(&self, repo: &GitHubAddress, issue: &NewIssue) -> Result<CreatedIssue, GitHubError> {
        limits::title(&issue.title)?;
        limits::body(&issue.body)?;
        issue.labels.iter().try_for_each(|label| limits::label(label))?;
        let body = serde_json::to_value(issue).map_err(|error| GitHubError::Argument(error.to_string()))?;
        let what = format!("a new issue in {repo}");
        let answer = self.write(repo, Method::Post, "/issues", Some(&body), &what).await?;
        answer.json(&what)
    }

    /// The oldest issue with this label whose text holds `marker`, open or closed, among those
    /// changed since `since` (some minutes earlier are looked at too). The
    /// oldest, since GitHub's "duplicate issue" copies text and labels. A list is asked, not the
    /// search, whose index lags behind.
    pub async fn find_issue(
        &self,
        repo: &GitHubAddress,
        label: &str,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<FoundIssue>, GitHubError> {
        let (first, what) = self.first_by_label(repo, label, since).await?;
        let mut found = None;
        self.pages(As::Installation(repo.installation), first, &what, |page: Vec<IssueAnswer>| {
            let ours = |it: &IssueAnswer| it.body.as_deref().is_some_and(|body| bears(body, marker));
            found = page.into_iter().filter(|it| !it.is_pull_request()).find(ours);
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
        Ok(found.map(IssueAnswer::found))
    }

    /// The first page of the issues with a label that changed since `since`, oldest first, and what
    /// they are called.
    pub(super) async fn first_by_label(
        &self,
        repo: &GitHubAddress,
        label: &str,
        since: Timestamp,
    ) -> Result<(Answer, String), GitHubError> {
        limits::label(label)?;
        if label.contains(',') {
            return Err(GitHubError::Argument("GitHub's list takes a comma in a label for two labels".to_owned()));
        }
        let what = format!("issues of {repo}");
        let rest = format!(
            "/issues?state=all&labels={}&sort=created&direction=asc&since={}&per_page=100",
            route::encode(label),
            self.since_parameter(repo.installation, since).await?
        );
        Ok((self.read(repo, &rest).await?, what))
    }

    /// The issues with this label that changed since `since` (some minutes
    /// earlier are looked at too).
    pub async fn changed_issues(
        &self,
        repo: &GitHubAddress,
        label: &str,
        since: Timestamp,
    ) -> Result<Vec<FoundIssue>, GitHubError> {
        let what = format!("issues of {repo}");
        let rest = format!(
            "/issues?state=all&labels={}&sort=updated&direction=asc&since={}&per_page=100",
            route::encode(label),
            self.since_parameter(repo.installation, since).await?
        );
        let first = self.read(repo, &rest).await?;
        let mut found = Vec::new();
        self.pages(As::Installation(repo.installation), first, &what, |page: Vec<IssueAnswer>| {
            found.extend(page.into_iter().filter(|it| !it.is_pull_request()).map(IssueAnswer::found));
            ControlFlow::Continue(())
        })
        .await?;
        Ok(found)
    }

    /// The issue as it is now, or what became of it.
    pub async fn issue(&self, repo: &GitHubAddress, number: u64) -> Result<IssueState, GitHubError> {
        let answer = self.read(repo, &format!("/issues/{number}")).await?;
        match answer.status {
            404 => return Ok(IssueState::Missing),
            // So it says also where all issues are switched off, which is no deletion.
            410 if answer.body.contains("disabled") => return Ok(IssueState::Missing),
            410 => return Ok(IssueState::Deleted),
            _ if answer.is_redirect() => return Ok(IssueState::Transferred),
            _ => {}
        }
        let what = format!("issue #{number} of {repo}");
        let issue: IssueAnswer = answer.accepted(&what, Some(repo.installation))?.json(&what)?;
        Ok(IssueState::Present(issue.found()))
    }

    /// Changes an issue's words, in one request. Doing it twice does no harm.
    pub async fn update_issue(
        &self,
        repo: &GitHubAddress,
        number: u64,
        update: &IssueUpdate,
    ) -> Result<(), GitHubError> {
        update.title.as_deref().map_or(Ok(()), limits::title)?;
        update.body.as_deref().map_or(Ok(()), limits::body)?;
        if *update == IssueUpdate::default() {
            return Ok(());
        }
        self.patch_issue(repo, number, &json!(update)).await
    }

    /// Opens a closed issue again.
    pub async fn reopen_issue(&self, repo: &GitHubAddress, number: u64) -> Result<(), GitHubError> {
        let open = json!({ "state": "open", "state_reason": "reopened" });
        self.patch_issue(repo, number, &open).await
    }

    pub(super) async fn patch_issue(
        &self,
        repo: &GitHubAddress,
        number: u64,
        patch: &Value,
    ) -> Result<(), GitHubError> {
        let what = format!("issue #{number} of {repo}");
        let rest = format!("/issues/{number}");
        self.write(repo, Method::Patch, &rest, Some(patch), &what).await.map(drop)
    }
}
