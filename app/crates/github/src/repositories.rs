//! Repositories as GitHub knows them, and what is read and written under one, whatever it is called
//! now.
//!
//! GitHub documents no paths by number, so they go by name; and a name that was given up can be
//! another repository's. What leads to the number that is meant is asked here, for all callers.

use super::answer::Answer;
use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::route;
use domain::names::RepositoryName;
use domain::repository::GitHubAddress;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use std::ops::ControlFlow;

/// How long a name is believed to be the repository's for reading. A rename whose webhook got lost
/// may go unnoticed for so long, and whoever reads a hundred things asks for the name once: of the
/// 5,000 requests that an installation has in an hour, 60 for each repository that is in use.
const TRUSTED_FOR_READING: SignedDuration = SignedDuration::from_mins(1);
/// The same for writing, which can't be taken back: as long as one write takes, with what is read
/// for it. There are 500 writes in an hour at most, so that a request before each can be afforded.
const TRUSTED_FOR_WRITING: SignedDuration = SignedDuration::from_secs(3);

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

    /// A repository as GitHub describes it now, under its present name where it was renamed.
    ///
    /// # Errors
    /// Another one has its name ([`GitHubError::Taken`]); GitHub is out of reach, or refuses.
    pub async fn repository(&self, repo: &GitHubAddress) -> Result<RemoteRepository, GitHubError> {
        match self.look_behind_name(repo).await? {
            Behind::It(found) => Ok(*found),
            Behind::Refusal(answer) => Err(answer.to_error(&repo.to_string(), Some(repo.installation))),
        }
    }

    /// Makes sure that no other repository has its name, as far as GitHub shows what is there:
    /// before something is fetched that goes by name, such as its git repository.
    ///
    /// # Errors
    /// Another one has its name ([`GitHubError::Taken`]); GitHub is out of reach.
    pub async fn has_its_name(&self, repo: &GitHubAddress) -> Result<(), GitHubError> {
        self.name_of(repo, TRUSTED_FOR_READING).await.map(drop)
    }

    /// Reads something under a repository, under its new name where it was renamed. The answer may
    /// be an error still.
    ///
    /// # Errors
    /// Another repository has its name, and nothing was read; GitHub is out of reach.
    pub(super) async fn read(&self, repo: &GitHubAddress, rest: &str) -> Result<Answer, GitHubError> {
        let who = As::Installation(repo.installation);
        let name = match self.name_of(repo, TRUSTED_FOR_READING).await? {
            Ok(name) => name,
            Err(refusal) => return Ok(refusal),
        };
        let answer = self.send(who, Method::Get, &route::repository(&name, rest)?, None).await?;
        if !answer.is_redirect() {
            return Ok(answer);
        }
        // Of the repository, which was renamed meanwhile, or of something in it, such as a
        // transferred issue.
        match self.look_behind_name(repo).await? {
            Behind::It(now) if now.full_name != name => {
                self.send(who, Method::Get, &route::repository(&now.full_name, rest)?, None).await
            }
            Behind::It(_) => Ok(answer),
            Behind::Refusal(refusal) => Ok(refusal),
        }
    }

    /// Writes something under a repository, one write of an installation at a time. `what` names it
    /// in errors.
    ///
    /// # Errors
    /// It is called otherwise, or another repository has its name, and nothing was written; GitHub
    /// is out of reach, or refuses.
    pub(super) async fn write(
        &self,
        repo: &GitHubAddress,
        method: Method,
        rest: &str,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Answer, GitHubError> {
        let path = route::repository(&repo.name, rest)?;
        let _turn = self.turn_to_write(repo.installation).await;
        match self.name_of(repo, TRUSTED_FOR_WRITING).await.map_err(GitHubError::before_a_write)? {
            Ok(name) if name != repo.name => return Err(GitHubError::Moved { from: repo.name.clone(), to: name }),
            Ok(_) => {}
            Err(refusal) => return Err(refusal.to_error(what, Some(repo.installation))),
        }
        let answer = self.send(As::Installation(repo.installation), method, &path, body).await?;
        if !answer.is_redirect() {
            return answer.accepted(what, Some(repo.installation));
        }
        let now = self.repository(repo).await.map_err(GitHubError::before_a_write)?.full_name;
        Err(match now == repo.name {
            true => GitHubError::Gone(format!("{what} (it is in another repository now)")),
            false => GitHubError::Moved { from: repo.name.clone(), to: now },
        })
    }

    /// What the repository with this number is called: the name that is asked for, or the one it
    /// redirects to. What was said not longer ago than that is believed. Where GitHub refuses to
    /// say it, its answer: whatever is asked under the name is answered the same.
    async fn name_of(
        &self,
        repo: &GitHubAddress,
        trusted_for: SignedDuration,
    ) -> Result<Result<RepositoryName, Answer>, GitHubError> {
        let now = self.inner.ours.now();
        if let Some(known) = self.inner.names.of(repo.id, &repo.name, trusted_for, now) {
            return Ok(Ok(known));
        }
        Ok(match self.look_behind_name(repo).await? {
            Behind::It(found) => Ok(found.full_name),
            Behind::Refusal(answer) => Err(answer),
        })
    }

    /// Asks GitHub which repository is behind a name, and remembers that it is the one that is
    /// meant.
    async fn look_behind_name(&self, repo: &GitHubAddress) -> Result<Behind, GitHubError> {
        self.inner.names.forget(repo.id);
        let asked_at = self.inner.ours.now();
        let answer = self.follow(As::Installation(repo.installation), &route::repository(&repo.name, "")?).await?;
        if answer.is_redirect() {
            return Err(GitHubError::Unexpected(format!("{repo} redirects for ever")));
        }
        if !answer.is_success() {
            return match answer.to_error(&repo.to_string(), Some(repo.installation)) {
                // Whether the name is right is not known: nothing can be told by that.
                error if error.is_passing() => Err(error),
                _ => Ok(Behind::Refusal(answer)),
            };
        }
        let found: RemoteRepository = answer.json("the repository")?;
        if found.id != repo.id {
            return Err(GitHubError::Taken { name: repo.name.clone(), meant: repo.id });
        }
        self.inner.names.record(repo.id, &repo.name, &found.full_name, asked_at);
        Ok(Behind::It(Box::new(found)))
    }
}

/// What GitHub says of the repository behind a name.
enum Behind {
    /// It is the one that is meant.
    It(Box<RemoteRepository>),
    /// It does not show it.
    Refusal(Answer),
}
