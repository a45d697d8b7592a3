//! The effects of webhooks: what GitHub tells of repositories, installations and issues.

mod answers;
mod issue;
mod issue_command;

pub use answers::IssueAnswers;
use domain::timestamp::Timestamp;
pub use issue::IssueWebhooks;

use crate::services::github_app::GitHubApp;
use crate::services::installed::{Among, Heard, Installed, Told};
use crate::services::refusals::{note, why_refused};
use crate::services::repositories::NamedByGitHub;
use crate::services::{Failure, Wake};
use domain::event::{Event, HookRepository};
use domain::ids::HookId;
use domain::job::Job;
use jiff::SignedDuration;
use store::Store;
use store::repositories::RepositoryRow;

/// When GitHub is asked again whose answer was not what a webhook had told: its lists may be behind
/// its webhooks, by seconds mostly.
const ASKED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Acts on webhooks.
#[derive(Clone)]
pub struct Webhooks {
    /// The rows.
    pub store: Store,
    /// GitHub, which is asked what is so.
    pub github_app: GitHubApp,
    /// What is installed, as GitHub says.
    pub installed: Installed,
    /// Acts on what is done to issues.
    pub issues: IssueWebhooks,
    /// What follows waits for a worker.
    pub wake: Wake,
}

impl Webhooks {
    /// Acts on a stored webhook delivery.
    ///
    /// # Errors
    /// The database or GitHub is out of reach, or GitHub's answers do not know yet of what was
    /// done: to be tried again.
    pub async fn process(&self, id: HookId, now: Timestamp) -> Result<(), Failure> {
        let Some((event, received_at)) = store::hooks::pending_by_id(&self.store, id).await? else { return Ok(()) };
        match &event {
            Event::Push { repository, git_ref } => {
                self.pushed(repository.id, received_at, now).await?;
                if let Some(row) = self.heard_of(repository, now).await? {
                    tracing::debug!(repository = %row.repository.full_name, git_ref, "a push was announced");
                    self.wake.notify_one();
                }
            }
            Event::Issue { repository, action, issue, sender } => {
                if let Some(row) = self.heard_of(repository, now).await? {
                    let acted = self.issues.process(&row, received_at, action, issue, sender, now).await;
                    match self.github_app.github() {
                        Some(github) => self.installed.under_new_name(&github, &row, acted, now).await?,
                        None => acted?,
                    }
                }
            }
            Event::Installed { installation, repositories } => {
                if !self.compare(*installation, now).await? {
                    self.watch_unread(*installation, repositories, now).await?;
                }
                self.look_again_unless(self.are_watched(repositories).await?, now).await?;
            }
            Event::RepositoriesRemoved { installation, repositories } => {
                self.compare(*installation, now).await?;
                self.look_again_unless(self.are_not_named(repositories).await?, now).await?;
            }
            Event::Uninstalled { installation } | Event::Suspended { installation } => {
                self.compare(*installation, now).await?;
                self.look_again_unless(self.is_at_rest(*installation).await?, now).await?;
            }
            Event::RepositoryChanged { repository } => {
                let row = self.heard_of(repository, now).await?;
                self.pushed(repository.id, received_at, now).await?;
                if let Some(row) = row {
                    self.look_for_refusal(&row, now).await?;
                }
            }
            Event::RepositoryDeleted { repository } => self.deleted(repository, now).await?,
            Event::Ignored => {}
        }
        store::hooks::record_processed(&self.store, id, now).await?;
        Ok(())
    }

    /// The repository of a webhook, where it is watched, as GitHub says that it is.
    async fn heard_of(&self, repository: &HookRepository, now: Timestamp) -> Result<Option<RepositoryRow>, Failure> {
        let Some(github) = self.github_app.github() else { return Ok(None) };
        let told = Told { named: named(repository), installation: repository.installation };
        let Heard { row, is_in_doubt } = self.installed.heard_of(&github, &told, now).await?;
        self.look_again_unless(!is_in_doubt, now).await?;
        Ok(row)
    }

    /// Watches what an installation names that GitHub refuses to list: it is said not to be
    /// fetched. What is watched already stays as it is known, and nothing is believed to be
    /// private.
    async fn watch_unread(
        &self,
        installation: u64,
        repositories: &[HookRepository],
        now: Timestamp,
    ) -> Result<(), Failure> {
        for repository in repositories {
            if self.watched(repository.id).await?.is_none() {
                let named = NamedByGitHub { public: None, ..named(repository) };
                self.installed.repositories.watch_on_github(installation, &named, now).await?;
            }
        }
        Ok(())
    }

    /// Whether GitHub could be asked.
    async fn compare(&self, installation: u64, now: Timestamp) -> Result<bool, Failure> {
        match self.github_app.github() {
            Some(github) => self.installed.compare(&github, Among::One(installation), now).await,
            None => Ok(true),
        }
    }

    /// Notes that GitHub takes no issues in a repository before any is refused, so that the first
    /// mail says it; where it took none, it is looked at once whether it does now.
    async fn look_for_refusal(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        if row.refusal.is_some() {
            return Ok(store::repositories::set_look_at(&self.store, row.repository.id, now, now).await?);
        }
        let Some((github, _)) = self.github_app.github_of(&row.repository) else { return Ok(()) };
        match why_refused(&github, row).await {
            // What GitHub does not show may be there in a moment.
            Ok(Some(why)) if why.is_a_state() => Ok(note(&self.store, row, "", why, now).await?),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::info!(repository = %row.repository.full_name, %error, "whether issues are taken is not known");
                Ok(())
            }
        }
    }

    /// Has everything compared once more, soon, unless GitHub said what the webhook had told.
    async fn look_again_unless(&self, is_settled: bool, now: Timestamp) -> Result<(), Failure> {
        if is_settled {
            return Ok(());
        }
        Ok(store::jobs::enqueue(&self.store, Job::Reconcile, now + ASKED_AGAIN_AFTER, now).await?)
    }

    async fn pushed(&self, github_id: u64, received_at: Timestamp, now: Timestamp) -> Result<(), Failure> {
        if let Some(row) = self.watched(github_id).await? {
            store::repositories::record_push(&self.store, row.repository.id, received_at, now).await?;
        }
        Ok(())
    }

    async fn deleted(&self, repository: &HookRepository, now: Timestamp) -> Result<(), Failure> {
        let Some(row) = self.watched(repository.id).await? else { return Ok(()) };
        if let Some(on_github) = &row.repository.github {
            self.compare(on_github.installation, now).await?;
        }
        self.look_again_unless(self.are_not_named(std::slice::from_ref(repository)).await?, now).await
    }

    async fn watched(&self, github_id: u64) -> Result<Option<RepositoryRow>, Failure> {
        let row = store::repositories::by_github_id(&self.store, github_id).await?;
        Ok(row.filter(|row| row.removed_at.is_none()))
    }

    async fn are_watched(&self, repositories: &[HookRepository]) -> Result<bool, Failure> {
        for repository in repositories {
            if self.watched(repository.id).await?.is_none_or(|row| row.unnamed_since.is_some()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether GitHub names none of these any more.
    async fn are_not_named(&self, repositories: &[HookRepository]) -> Result<bool, Failure> {
        for repository in repositories {
            if self.watched(repository.id).await?.is_some_and(|row| row.unnamed_since.is_none()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether nothing is done for an installation, as it is suspended or not there any more.
    async fn is_at_rest(&self, installation: u64) -> Result<bool, Failure> {
        let rows = store::repositories::list(&self.store).await?;
        let mut theirs =
            rows.iter().filter(|row| row.repository.github.as_ref().is_some_and(|it| it.installation == installation));
        Ok(theirs.all(|row| row.suspended_at.is_some() || row.unnamed_since.is_some()))
    }
}

fn named(repository: &HookRepository) -> NamedByGitHub<'_> {
    NamedByGitHub {
        id: repository.id,
        full_name: &repository.full_name,
        public: repository.private.map(|private| !private),
    }
}
