//! Delivering: one e-mail, issue or comment, sent once however often the step runs.

mod attempt;
mod by_mail;
mod double_issues;
mod doubles;
mod files;
mod issue_labels;
mod issues;
mod labels;
mod mails;
mod refusal;
mod shadow;
mod status;
mod storm;
mod storm_issue;
mod turn;
mod unanswered;

use domain::timestamp::Timestamp;
pub use files::OutboxFiles;
pub use mails::MailSender;
pub use turn::GitHubWriter;

use crate::services::github_app::GitHubApp;
use crate::services::repositories::UNNAMED_AGAIN_AFTER;
use crate::services::{Failure, settle};
use attempt::DeliveryAttempt;
use domain::delivery::{Channel, DeliveryState};
use domain::ids::DeliveryId;
use domain::job::Job;
use shadow::{SHADOW_AGAIN_AFTER, hold_back};
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// Sends mails, and writes what goes to the outbox directory. What goes to GitHub is
/// [`GitHubWriter`]'s.
#[derive(Clone)]
pub struct Deliver {
    /// The rows.
    pub store: Store,
    /// Says whether issues go to GitHub.
    pub github_app: GitHubApp,
    /// Sends the mails.
    pub mails: MailSender,
    /// Writes issues and comments while there is no App.
    pub files: OutboxFiles,
}

impl Deliver {
    /// Sends a delivery.
    ///
    /// # Errors
    /// The mail server, GitHub or the database is out of reach: to be tried again. What can never
    /// be sent is noted as given up, and is no error.
    pub async fn deliver(&self, id: DeliveryId, now: Timestamp) -> Result<(), Failure> {
        let Some(delivery) = store::deliveries::claim_attempt(&self.store, id)
            .await?
            .filter(|delivery| delivery.state == DeliveryState::Pending)
        else {
            return Ok(());
        };
        let Some((line, row)) = about(&self.store, &delivery, now).await? else { return Ok(()) };
        if row.removed_at.is_some() {
            return Ok(store::deliveries::record_given_up(
                &self.store,
                id,
                "the repository is not watched any more",
                now,
            )
            .await?);
        }
        if row.unnamed_since.is_some() {
            return Err(Failure::Again { at: now + UNNAMED_AGAIN_AFTER });
        }
        if row.is_shadow(now) {
            return match hold_back(&self.store, &delivery, now).await? {
                true => Err(Failure::Again { at: now + SHADOW_AGAIN_AFTER }),
                false => Ok(()),
            };
        }
        match &row.repository.github {
            // It was decided before the repository was GitHub's.
            Some(on_github) if delivery.what.channel.is_written_to_github() => {
                Ok(store::jobs::enqueue(&self.store, Job::Write(on_github.installation), now, now).await?)
            }
            _ => self.send(&row, &line, &delivery, now).await,
        }
    }

    async fn send(&self, row: &RepositoryRow, line: &Line, delivery: &Delivery, now: Timestamp) -> Result<(), Failure> {
        let channel = delivery.what.channel;
        let result = match channel {
            Channel::Mail => self.mails.alert(row, line, delivery, now).await,
            Channel::Issue | Channel::Comment if self.github_app.get().is_some() => {
                Err(Failure::give_up("a plain git repository has no issues"))
            }
            Channel::Issue | Channel::Comment => self.files.delivery(row, line, delivery, now).await,
        };
        let attempt = DeliveryAttempt { store: &self.store, mails: Some(&self.mails), row, line, delivery, now };
        let Some(receipt) = settle(&attempt, result, now).await?.done()? else { return Ok(()) };
        store::deliveries::record_sent(&self.store, delivery.id, &receipt, now).await?;
        tracing::info!(repository = %row.repository.full_name, ?channel, receipt, "delivered");
        Ok(())
    }
}

/// What a delivery is about. Without it, it is given up.
async fn about(
    store: &Store,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Option<(Line, RepositoryRow)>, StoreError> {
    let line = store::lines::by_id(store, delivery.line).await?;
    let found = line.zip(store::repositories::by_id(store, delivery.repository).await?);
    if found.is_none() {
        store::deliveries::record_given_up(store, delivery.id, "its line is not there any more", now).await?;
    }
    Ok(found)
}
