//! Pull requests: the one that brought a commit, and who merged it.

use super::client::GitHub;
use super::error::GitHubError;
use super::people::{Account, AccountAnswer};
use super::route;
use domain::commit::CommitId;
use domain::pull::Pull;
use domain::repository::GitHubAddress;
use domain::timestamp::Timestamp;
use serde::Deserialize;

/// Pull requests of one commit that are looked at: more than a few have one only where branches are
/// merged into branches.
const MOST_PULLS: usize = 20;

#[derive(Deserialize)]
struct PullAnswer {
    number: u64,
    #[serde(default)]
    title: String,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default)]
    user: Option<AccountAnswer>,
    #[serde(default)]
    base: Option<Base>,
    #[serde(default)]
    merged_by: Option<AccountAnswer>,
}

#[derive(Deserialize)]
struct Base {
    #[serde(default, rename = "ref")]
    branch: String,
}

impl GitHub {
    /// The merged pull request that brought a commit: into `branch` where there is one, else the
    /// one that was merged first. `None`: the commit was pushed without, or GitHub does not have
    /// it.
    pub async fn pull_of_commit(
        &self,
        repo: &GitHubAddress,
        commit: &CommitId,
        branch: Option<&str>,
    ) -> Result<Option<Pull>, GitHubError> {
        let rest = format!("/commits/{}/pulls?per_page={MOST_PULLS}", route::encode(commit.as_str()));
        let answer = self.read(repo, &rest).await?;
        // 422 "No commit found for SHA", 409 "Git Repository is empty", 404 for a commit that is
        // not there any more.
        if matches!(answer.status, 404 | 409 | 422) {
            return Ok(None);
        }
        let what = format!("pull requests of commit {commit} of {repo}");
        let all: Vec<PullAnswer> = answer.accepted(&what, Some(repo.installation))?.json(&what)?;
        let merged = all.into_iter().filter_map(|it| {
            let merged_at = Timestamp::from(it.merged_at.as_deref()?.parse::<jiff::Timestamp>().ok()?);
            let elsewhere = branch.is_some_and(|branch| it.base.is_none_or(|base| base.branch != branch));
            Some((elsewhere, merged_at, it.number, it.title, it.html_url, it.user))
        });
        let first = merged.min_by_key(|(elsewhere, merged_at, ..)| (*elsewhere, *merged_at));
        Ok(first.map(|(_, merged_at, number, title, url, user)| Pull {
            number,
            title,
            url,
            merged_at: Some(merged_at),
            author: user.and_then(AccountAnswer::account),
        }))
    }

    /// Who opened and who merged a pull request. `None` where there is none of this number.
    pub async fn pull_people(
        &self,
        repo: &GitHubAddress,
        number: u64,
    ) -> Result<Option<(Option<Account>, Option<Account>)>, GitHubError> {
        let answer = self.read(repo, &format!("/pulls/{number}")).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let what = format!("pull request #{number} of {repo}");
        let it: PullAnswer = answer.accepted(&what, Some(repo.installation))?.json(&what)?;
        let account = |answer: Option<AccountAnswer>| answer.and_then(AccountAnswer::account);
        Ok(Some((account(it.user), account(it.merged_by))))
    }
}
