//! Where the failures of a delivery are written down.

use super::MailSender;
use crate::services::{Attempt, Cause, Failure, attempt_after};
use domain::delivery::{Channel, DeliveryMode};
use domain::timestamp::Timestamp;
use store::Store;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// An attempt to send a delivery.
pub(super) struct DeliveryAttempt<'a> {
    pub(super) store: &'a Store,
    /// Tells somebody else where a mail does not get to its address; `None` in the queue of writes,
    /// which has no mails.
    pub(super) mails: Option<&'a MailSender>,
    pub(super) row: &'a RepositoryRow,
    pub(super) line: &'a Line,
    pub(super) delivery: &'a Delivery,
    pub(super) now: Timestamp,
}

impl Attempt for DeliveryAttempt<'_> {
    type Error = Failure;

    fn number(&self) -> u32 {
        attempt_after(self.delivery.attempts)
    }

    async fn give_up(&self, cause: &Cause) -> Result<(), Failure> {
        let (repository, what) = (&self.row.repository.full_name, &self.delivery.what);
        tracing::warn!(%repository, channel = ?what.channel, why = %cause, "a delivery was given up");
        // First somebody else: cut off in between, it is tried once more.
        if let Some(mails) = self.mails.filter(|_| what.channel == Channel::Mail) {
            mails.tell_another(self.row, self.line, (what, cause), DeliveryMode::Singly, self.now).await?;
        }
        Ok(store::deliveries::record_given_up(self.store, self.delivery.id, &cause.to_string(), self.now).await?)
    }

    async fn postpone(&self, cause: &Cause, due_at: Timestamp) -> Result<(), Failure> {
        // A delivery that is a job of its own is logged as that: so is when it comes again.
        if self.mails.is_none() {
            let (repository, channel) = (&self.row.repository.full_name, self.delivery.what.channel);
            let attempts = self.number();
            tracing::warn!(%repository, ?channel, attempts, why = %cause, "a delivery failed and will be tried again");
        }
        Ok(store::deliveries::record_failed(self.store, self.delivery.id, &cause.to_string(), due_at, self.now).await?)
    }
}
