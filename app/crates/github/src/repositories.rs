//! Repositories as GitHub knows them, and what is read and written under one, whatever it is called
//! now.

use super::answer::Answer;
use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::route;
use domain::names::RepositoryName;
use serde::Deserialize;
use serde_json::Value;
use std::ops::ControlFlow;

/// A repository as GitHub describes it to an installation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RemoteRepository {
    /// GitHub's number, which survives renames.
    pub id: u64,
    /// `owner/name` now.
    pub full_name: RepositoryName,
    /// Not visible to the public. Internal repositories of enterprises are private here too.
    pub private: bool,
    /// Default branch; `None` where GitHub doesn't say.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Where to clone from, without credentials; `None` where GitHub doesn't say.
    #[serde(default)]
    pub clone_url: Option<String>,
    /// For reading only.
    #[serde(default)]
    pub archived: bool,
    /// Whether it has issues; `None` where GitHub doesn't say.
    #[serde(default)]
    pub has_issues: Option<bool>,
    /// Page of the repository.
    #[serde(default)]
    pub html_url: String,
}

#[derive(Deserialize)]
struct RepositoriesAnswer {
    repositories: Vec<RemoteRepository>,
}

impl GitHub {
    /// All repositories that the installation sees.
    pub async fn repositories(&self, installation: u64) -> Result<Vec<RemoteRepository>, GitHubError> {
        let mut all = Vec::new();
        let who = As::Installation(installation);
        let first = self.send(who, Method::Get, "/installation/repositories?per_page=100", None).await?;
        self.pages(who, first, "the installation's repositories", |page: RepositoriesAnswer| {
            all.extend(page.repositories);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(all)
    }

    /// One repository by name, under its present name where it was renamed.
    pub async fn repository(&self, installation: u64, repo: &RepositoryName) -> Result<RemoteRepository, GitHubError> {
        let answer = self.follow(As::Installation(installation), &route::repository(repo, "")?).await?;
        answer.accepted(repo.as_str(), Some(installation))?.json("the repository")
    }

    /// Reads something under a repository, under its new name where it was renamed. The answer may
    /// be an error still.
    pub(super) async fn read(
        &self,
        installation: u64,
        repo: &RepositoryName,
        rest: &str,
    ) -> Result<Answer, GitHubError> {
        let who = As::Installation(installation);
        let answer = self.send(who, Method::Get, &route::repository(repo, rest)?, None).await?;
        if !answer.is_redirect() {
            return Ok(answer);
        }
        match self.renamed(installation, repo).await? {
            Some(now) => self.send(who, Method::Get, &route::repository(&now.full_name, rest)?, None).await,
            None => Ok(answer),
        }
    }

    /// Writes something under a repository, one write of an installation at a time. `what` names it
    /// in errors.
    pub(super) async fn write(
        &self,
        installation: u64,
        repo: &RepositoryName,
        method: Method,
        rest: &str,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Answer, GitHubError> {
        let path = route::repository(repo, rest)?;
        let answer = self.send_in_turn(installation, method, &path, body).await?;
        if !answer.is_redirect() {
            return answer.accepted(what, Some(installation));
        }
        match self.renamed(installation, repo).await? {
            Some(now) => Err(GitHubError::Moved { from: repo.clone(), to: now.full_name, id: now.id }),
            None => Err(GitHubError::Gone(format!("{what} (it is in another repository now)"))),
        }
    }

    /// The repository, where it is called otherwise now; `None` where the name is right and the
    /// redirect was about something in it, such as a transferred issue.
    async fn renamed(&self, installation: u64, repo: &RepositoryName) -> Result<Option<RemoteRepository>, GitHubError> {
        let now = self.repository(installation, repo).await?;
        Ok((now.full_name != *repo).then_some(now))
    }
}
