//! The effects of webhooks: what GitHub tells of repositories, installations and issues.

mod issue;
mod issue_command;

use domain::timestamp::Timestamp;
pub use issue::IssueWebhooks;

use crate::services::repositories::{NamedByGitHub, Repositories};
use crate::services::{Failure, Wake};
use domain::event::{Event, HookRepository};
use domain::ids::HookId;
use domain::job::Job;
use store::Store;
use store::repositories::RepositoryRow;

/// Acts on webhooks.
#[derive(Clone)]
pub struct Webhooks {
    /// The rows.
    pub store: Store,
    /// Begins and ends to watch repositories.
    pub repositories: Repositories,
    /// Acts on what is done to issues.
    pub issues: IssueWebhooks,
    /// What follows waits for a worker.
    pub wake: Wake,
}

impl Webhooks {
    /// Acts on a stored webhook delivery.
    ///
    /// # Errors
    /// The database or GitHub is out of reach: to be tried again.
    pub async fn process(&self, id: HookId, now: Timestamp) -> Result<(), Failure> {
        let Some((event, received_at)) = store::hooks::pending_by_id(&self.store, id).await? else { return Ok(()) };
        match &event {
            Event::Push { repository, git_ref } => {
                if let Some(row) = self.watched(repository).await? {
                    tracing::debug!(repository = %row.repository.full_name, git_ref, "a push was announced");
                    self.pushed(&row, received_at, now).await?;
                    self.wake.notify_one();
                }
            }
            Event::Issue { repository, action, issue, sender } => {
                if let Some(row) = self.watched(repository).await? {
                    self.issues.process(&row, id, action, issue, sender, now).await?;
                }
            }
            Event::Installed { installation, repositories } => {
                self.installed(*installation, repositories, now).await?;
            }
            Event::RepositoriesRemoved { repositories, .. } => {
                for repository in repositories {
                    self.unwatch(repository.id, now).await?;
                }
            }
            Event::Uninstalled { installation } => self.uninstalled(*installation, now).await?,
            Event::Suspended { installation } => {
                store::repositories::set_suspended(&self.store, *installation, now).await?
            }
            Event::RepositoryChanged { repository } => self.changed(repository, received_at, now).await?,
            Event::RepositoryDeleted { repository } => self.unwatch(repository.id, now).await?,
            Event::Ignored => {}
        }
        store::hooks::record_processed(&self.store, id, now).await?;
        Ok(())
    }

    async fn watched(&self, repository: &HookRepository) -> Result<Option<RepositoryRow>, Failure> {
        Ok(self.repositories.named_by_github(&named(repository)).await?)
    }

    async fn pushed(&self, row: &RepositoryRow, received_at: Timestamp, now: Timestamp) -> Result<(), Failure> {
        Ok(store::repositories::record_push(&self.store, row.repository.id, received_at, now).await?)
    }

    async fn installed(
        &self,
        installation: u64,
        repositories: &[HookRepository],
        now: Timestamp,
    ) -> Result<(), Failure> {
        for repository in repositories {
            self.repositories.watch_on_github(installation, &named(repository), now).await?;
        }
        // The payload can be incomplete, or empty after an unsuspension: GitHub is asked as well.
        store::jobs::enqueue(&self.store, Job::Reconcile, now, now).await?;
        self.wake.notify_one();
        Ok(())
    }

    async fn uninstalled(&self, installation: u64, now: Timestamp) -> Result<(), Failure> {
        for row in store::repositories::list(&self.store).await? {
            if row.repository.github.as_ref().is_some_and(|on_github| on_github.installation == installation) {
                self.repositories.unwatch(&row, now).await?;
            }
        }
        Ok(())
    }

    async fn changed(
        &self,
        repository: &HookRepository,
        received_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(row) = self.watched(repository).await? else { return Ok(()) };
        let ours = row.repository.github.as_ref().map(|on_github| on_github.installation);
        if let Some(theirs) = repository.installation.filter(|theirs| Some(*theirs) != ours) {
            // It went to another account that has the App: writes go through that one's queue from
            // now on.
            self.repositories.watch_on_github(theirs, &named(repository), now).await?;
        }
        self.pushed(&row, received_at, now).await
    }

    async fn unwatch(&self, github_id: u64, now: Timestamp) -> Result<(), Failure> {
        if let Some(row) = store::repositories::by_github_id(&self.store, github_id).await?
            && row.removed_at.is_none()
        {
            self.repositories.unwatch(&row, now).await?;
        }
        Ok(())
    }
}

fn named(repository: &HookRepository) -> NamedByGitHub<'_> {
    NamedByGitHub {
        id: repository.id,
        full_name: &repository.full_name,
        public: repository.private.map(|private| !private),
    }
}
