//! Beginning and ending to watch a repository, which webhooks, reconciliation and the terminal all
//! do.

use super::{Epoch, Failure, Wake, blocking};
use domain::ids::RepositoryId;
use domain::names::RepositoryName;
use domain::repository::GitHubRepository;
use domain::timestamp::{DAY, Timestamp};
use jiff::SignedDuration;
use mirror::Mirrors;
use render::when;
use std::sync::Arc;
use store::repositories::{NewRepository, RepositoryRow};
use store::{Store, StoreError};

/// How long what is known of a repository is kept after GitHub named it for the last time. Lists
/// come back empty or cut off in outages, Apps are taken out by mistake, and what is deleted is
/// gone; an outage of GitHub's is over by then, and a mistake noticed.
pub const NAMED_AGAIN_FOR: SignedDuration = DAY;

/// When it is looked again whether what waits for an unnamed repository may be sent.
pub const UNNAMED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What there is to say of a repository that GitHub does not name any more, in a sentence; `None`:
/// it does.
pub fn why_unnamed(row: &RepositoryRow) -> Option<String> {
    let since = row.unnamed_since?;
    Some(format!(
        "GitHub says since {} that the App is not installed here any more: nothing is fetched or sent. From {} on the \
         mirror and the tracebacks are deleted, unless GitHub names it again by then",
        when(since),
        when(since + NAMED_AGAIN_FOR)
    ))
}

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

    /// GitHub names a repository no more that it named before. Once it has not for
    /// [`NAMED_AGAIN_FOR`], and says so again, it is not watched any more; until then nothing is
    /// fetched or sent.
    ///
    /// # Errors
    /// The database is out of reach, or the mirror can't be deleted.
    pub async fn not_named(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        let repository = &row.repository.full_name;
        match row.unnamed_since {
            None => {
                store::repositories::set_unnamed(&self.store, row.repository.id, now).await?;
                tracing::warn!(
                    %repository,
                    "the App is not installed there any more, says GitHub: nothing is fetched or sent, and its mirror and \
                     tracebacks are deleted in a day, unless it is there again"
                );
                Ok(())
            }
            Some(since) if now - since >= NAMED_AGAIN_FOR => self.end(row, Some(since), now).await,
            Some(_) => Ok(()),
        }
    }

    /// Stops watching a repository: its mirror and tracebacks are deleted, its counts stay.
    ///
    /// # Errors
    /// The database is out of reach, or the mirror can't be deleted.
    pub async fn unwatch(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        self.end(row, None, now).await
    }

    /// The same; with `unnamed_since`, unless GitHub has named it again meanwhile.
    async fn end(&self, row: &RepositoryRow, unnamed_since: Option<Timestamp>, now: Timestamp) -> Result<(), Failure> {
        let id = row.repository.id;
        if !store::repositories::unwatch(&self.store, id, unnamed_since, now).await? {
            return Ok(());
        }
        self.epoch.turn();
        let mirrors = self.mirrors.clone();
        // What is fetched just now is deleted within a minute.
        blocking(move || mirrors.remove(id)).await?;
        tracing::info!(repository = %row.repository.full_name, "not watching a repository any more");
        Ok(())
    }
}
