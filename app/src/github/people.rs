//! Who is who on GitHub: authors of commits, accounts by number, and who can be assigned.

use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use super::route;
use crate::domain::event::HookAccount;
use serde::Deserialize;
use serde_json::json;

/// An account: number, login now, and `User`, `Bot` or `Organization`.
pub type Account = HookAccount;

/// An account as GitHub sends it, perhaps with nothing in it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AccountAnswer {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    login: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct CommitAnswer {
    #[serde(default)]
    author: Option<AccountAnswer>,
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
    /// The account that GitHub maps a commit's author to, by e-mail address. `None` where it maps to nobody (GitHub says
    /// `null` or `{}`) or knows no such commit.
    pub async fn commit_author(
        &self,
        installation: u64,
        repo: &str,
        sha: &str,
    ) -> Result<Option<Account>, GitHubError> {
        // Without `per_page=1` a big commit comes with hundreds of its files.
        let rest = format!("/commits/{}?per_page=1", route::encode(sha));
        let answer = self.read(installation, repo, &rest).await?;
        // 422 "No commit found for SHA", 409 "Git Repository is empty". A missing repository is a 404.
        if matches!(answer.status, 409 | 422) {
            return Ok(None);
        }
        let what = format!("commit {sha} of {repo}");
        let commit: CommitAnswer = answer.accepted(&what, Some(installation))?.json(&what)?;
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

    /// Whether issues of the repository can be assigned to this login.
    pub async fn is_assignable(&self, installation: u64, repo: &str, login: &str) -> Result<bool, GitHubError> {
        let answer = self.read(installation, repo, &format!("/assignees/{}", route::encode(login))).await?;
        match answer.status {
            204 => Ok(true),
            // Also GitHub's answer where the repository is out of sight; then the write after it says so.
            404 => Ok(false),
            _ => {
                let answer = answer.accepted(&format!("assignee {login} of {repo}"), Some(installation))?;
                Err(GitHubError::Unexpected(format!("status {} for an assignee's check", answer.status)))
            }
        }
    }

    /// Assigns the issue to this login, besides those who have it already. `false` where GitHub would not have it: not
    /// assignable, or dropped from the answer silently (too many assignees, no right to).
    pub async fn assign(&self, installation: u64, repo: &str, number: u64, login: &str) -> Result<bool, GitHubError> {
        if !self.is_assignable(installation, repo, login).await? {
            return Ok(false);
        }
        let what = format!("issue #{number} of {repo}");
        let rest = format!("/issues/{number}/assignees");
        let body = json!({ "assignees": [login] });
        let answer = self.write(installation, repo, (Method::Post, &rest), Some(&body), &what).await?;
        let issue: AssignedAnswer = answer.json(&what)?;
        let mut assigned = issue.assignees.unwrap_or_default().into_iter().filter_map(AccountAnswer::account);
        Ok(assigned.any(|account| account.login.eq_ignore_ascii_case(login)))
    }
}
