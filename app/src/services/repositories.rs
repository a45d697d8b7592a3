//! Beginning and ending to watch a repository, which webhooks, reconciliation and the terminal all
//! do.

use super::{Epoch, Failure, Wake, blocking};
use domain::ids::RepositoryId;
use domain::names::RepositoryName;
use domain::repository::GitHubRepository;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::Mirrors;
use std::sync::Arc;
use store::repositories::{NewRepository, RepositoryRow};
use store::{Store, StoreError};

/// Begins and ends to watch repositories.
#[derive(Clone)]
pub struct Repositories {
    /// The rows.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// GitHub's address for people and git.
    pub github_url: Arc<str>,
    /// How long a repository that is new here is in shadow mode; zero: it is not.
    pub shadow_for: SignedDuration,
    /// To be turned when a repository comes or goes.
    pub epoch: Epoch,
    /// A repository that is watched is to be cloned.
    pub wake: Wake,
}

/// A repository as GitHub names it.
pub struct NamedByGitHub<'a> {
    /// GitHub's number of it.
    pub id: u64,
    /// `owner/name`.
    pub full_name: &'a RepositoryName,
    /// Whether it is visible to the public; `None` where GitHub did not say.
    pub public: Option<bool>,
}

impl Repositories {
    /// Watches a repository of an installation of the App, or brings what is known of it up to
    /// date.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn watch_on_github(
        &self,
        installation: u64,
        named: &NamedByGitHub<'_>,
        now: Timestamp,
    ) -> Result<RepositoryId, StoreError> {
        let (html_url, clone_url) = self.urls(named.full_name);
        let new = NewRepository {
            full_name: named.full_name.clone(),
            clone_url,
            github: Some(GitHubRepository { id: named.id, installation, html_url }),
            // What is not known to be public is treated as public: messages carry data.
            public: named.public.unwrap_or(true),
        };
        self.watch(&new, now).await
    }

    /// The watched repository that GitHub names, brought up to date with the name: every webhook
    /// tells it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn named_by_github(&self, named: &NamedByGitHub<'_>) -> Result<Option<RepositoryRow>, StoreError> {
        let Some(row) = store::repositories::by_github_id(&self.store, named.id).await? else { return Ok(None) };
        if row.removed_at.is_some() {
            return Ok(None);
        }
        // A name that is only spelt anew is news, too.
        let is_known = row.repository.full_name.as_str() == named.full_name.as_str()
            && named.public.is_none_or(|public| public == row.repository.public);
        if is_known || named.full_name.is_empty() {
            return Ok(Some(row));
        }
        let (id, (html_url, clone_url)) = (row.repository.id, self.urls(named.full_name));
        store::repositories::record_changed(&self.store, id, named.full_name, &html_url, &clone_url, named.public)
            .await?;
        store::repositories::by_id(&self.store, id).await
    }

    /// Addresses of a repository on GitHub: its page, and where to clone it from.
    fn urls(&self, full_name: &RepositoryName) -> (String, String) {
        let html_url = format!("{}/{full_name}", self.github_url);
        let clone_url = format!("{html_url}.git");
        (html_url, clone_url)
    }

    /// Watches a repository, or brings what is known of it up to date.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn watch(&self, new: &NewRepository, now: Timestamp) -> Result<RepositoryId, StoreError> {
        let (id, is_new) = store::repositories::watch(&self.store, new, now).await?;
        if is_new && self.shadow_for.is_positive() {
            store::shadow::set_first_until(&self.store, id, now, now + self.shadow_for).await?;
        }
        if is_new {
            tracing::info!(repository = %new.full_name, project = id.0, "watching a repository");
            self.epoch.turn();
        }
        self.wake.notify_one();
        Ok(id)
    }

    /// Stops watching a repository: its mirror and tracebacks are deleted, its counts stay.
    ///
    /// # Errors
    /// The database is out of reach, or the mirror can't be deleted.
    pub async fn unwatch(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        let id = row.repository.id;
        store::repositories::unwatch(&self.store, id, now).await?;
        self.epoch.turn();
        let mirrors = self.mirrors.clone();
        blocking(move || mirrors.remove(id)).await?;
        tracing::info!(repository = %row.repository.full_name, "not watching a repository any more");
        Ok(())
    }
}
