//! Who is who on GitHub: authors of commits, accounts by number, their addresses, teams, and who
//! can be assigned.

use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::route;
use domain::blame::Author;
use domain::commit::CommitId;
use domain::event::HookAccount;
use domain::names::Login;
use domain::repository::GitHubAddress;
use serde::Deserialize;
use serde_json::json;

/// Members of a team that are read: more are too many to ask one after another whether they are
/// there.
const MOST_MEMBERS: usize = 30;

/// An account: number, login now, and `User`, `Bot` or `Organization`.
pub type Account = HookAccount;

/// An account as GitHub sends it, perhaps with nothing in it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AccountAnswer {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    login: Option<Login>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct CommitAnswer {
    /// Every commit has one: what comes without is no answer.
    #[serde(rename = "sha")]
    _sha: CommitId,
    #[serde(default)]
    author: Option<AccountAnswer>,
}

#[derive(Deserialize)]
struct WrittenAnswer {
    commit: WrittenCommit,
}

#[derive(Deserialize)]
struct WrittenCommit {
    #[serde(default)]
    author: Option<AuthorAnswer>,
}

/// A name and an address: of a commit, or as an account shows them.
#[derive(Deserialize)]
struct AuthorAnswer {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

#[derive(Deserialize)]
struct AssignedAnswer {
    #[serde(default)]
    assignees: Option<Vec<AccountAnswer>>,
}

impl AccountAnswer {
    /// The account, unless GitHub left it empty.
    pub(super) fn account(self) -> Option<Account> {
        let (id, login) = (self.id?, self.login?);
        Some(Account { id, login, kind: self.kind.unwrap_or_else(|| "User".to_owned()) })
    }
}

impl GitHub {
    /// The account that GitHub maps a commit's author to, by e-mail address. `None` where it maps
    /// to nobody (GitHub says `null` or `{}`) or knows no such commit.
    pub async fn commit_author(&self, repo: &GitHubAddress, id: &CommitId) -> Result<Option<Account>, GitHubError> {
        // Without `per_page=1` a big commit comes with hundreds of its files.
        let rest = format!("/commits/{}?per_page=1", route::encode(id.as_str()));
        let answer = self.read(repo, &rest).await?;
        // 422 "No commit found for SHA", 409 "Git Repository is empty". A missing repository is
        // a 404.
        if matches!(answer.status, 409 | 422) {
            return Ok(None);
        }
        let what = format!("commit {id} of {repo}");
        let commit: CommitAnswer = answer.accepted(&what, Some(repo.installation))?.json(&what)?;
        Ok(commit.author.and_then(AccountAnswer::account))
    }

    /// The account with this number, whatever its login is now. `None` where it was deleted.
    pub async fn user_by_id(&self, installation: u64, id: u64) -> Result<Option<Account>, GitHubError> {
        let answer = self.send(As::Installation(installation), Method::Get, &format!("/user/{id}"), None).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let what = format!("account {id}");
        let account: AccountAnswer = answer.accepted(&what, Some(installation))?.json(&what)?;
        Ok(account.account())
    }

    /// The name and address that an account writes commits of the repository with, else those that
    /// it shows to everybody; the address may be one that mail can't be sent to, or empty. `None`
    /// where there is no such account.
    pub async fn author_of_login(&self, repo: &GitHubAddress, login: &Login) -> Result<Option<Author>, GitHubError> {
        let author =
            |it: AuthorAnswer| Author { name: it.name.unwrap_or_default(), email: it.email.unwrap_or_default() };
        let rest = format!("/commits?author={}&per_page=1", route::encode(login.as_str()));
        let answer = self.read(repo, &rest).await?;
        // 409 "Git Repository is empty".
        if !matches!(answer.status, 404 | 409 | 422) {
            let what = format!("commits of {login} in {repo}");
            let commits: Vec<WrittenAnswer> = answer.accepted(&what, Some(repo.installation))?.json(&what)?;
            let written = commits.into_iter().next().and_then(|it| it.commit.author).map(author);
            if let Some(author) = written.filter(|author| author.deliverable_email().is_some()) {
                return Ok(Some(author));
            }
        }
        let path = format!("/users/{}", route::encode(login.as_str()));
        let answer = self.send(As::Installation(repo.installation), Method::Get, &path, None).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let what = format!("account {login}");
        Ok(Some(author(answer.accepted(&what, Some(repo.installation))?.json(&what)?)))
    }

    /// The members of a team. `None` where there is no such team, or the App may not see it, which
    /// takes a permission of its own.
    pub async fn team_members(
        &self,
        installation: u64,
        org: &Login,
        slug: &str,
    ) -> Result<Option<Vec<Account>>, GitHubError> {
        let path = format!(
            "/orgs/{}/teams/{}/members?per_page={MOST_MEMBERS}",
            route::encode(org.as_str()),
            route::encode(slug)
        );
        let answer = self.send(As::Installation(installation), Method::Get, &path, None).await?;
        let what = format!("team {org}/{slug}");
        match answer.accepted(&what, Some(installation)) {
            Ok(answer) => {
                let members: Vec<AccountAnswer> = answer.json(&what)?;
                Ok(Some(members.into_iter().filter_map(AccountAnswer::account).collect()))
            }
            Err(GitHubError::Gone(_) | GitHubError::Refused { status: 403, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether issues of the repository can be assigned to this login.
    pub async fn is_assignable(&self, repo: &GitHubAddress, login: &Login) -> Result<bool, GitHubError> {
        let answer = self.read(repo, &format!("/assignees/{}", route::encode(login.as_str()))).await?;
        match answer.status {
            204 => Ok(true),
            // Also GitHub's answer where the repository is out of sight; then the write after it
            // says so.
            404 => Ok(false),
            _ => {
                let answer = answer.accepted(&format!("assignee {login} of {repo}"), Some(repo.installation))?;
                Err(GitHubError::Unexpected(format!("status {} for an assignee's check", answer.status)))
            }
        }
    }

    /// Assigns the issue to this login, besides those who have it already. `false` where GitHub
    /// would not have it: not assignable, or dropped from the answer silently (too many assignees,
    /// no right to).
    pub async fn assign(&self, repo: &GitHubAddress, number: u64, login: &Login) -> Result<bool, GitHubError> {
        if !self.is_assignable(repo, login).await? {
            return Ok(false);
        }
        let what = format!("issue #{number} of {repo}");
        let rest = format!("/issues/{number}/assignees");
        let body = json!({ "assignees": [login] });
        let answer = self.write(repo, Method::Post, &rest, Some(&body), &what).await?;
        let issue: AssignedAnswer = answer.json(&what)?;
        let mut assigned = issue.assignees.unwrap_or_default().into_iter().filter_map(AccountAnswer::account);
        Ok(assigned.any(|account| account.login == *login))
    }
}
