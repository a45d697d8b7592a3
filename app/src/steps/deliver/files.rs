//! Issues and comments as files of the outbox directory, for repositories that are not on GitHub.

use crate::services::Failure;
use crate::services::alert_content::AlertContent;
use crate::services::messages::rendered;
use domain::timestamp::Timestamp;
use email::Outbox;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Writes to the outbox directory.
#[derive(Clone)]
pub struct OutboxFiles {
    /// The directory.
    pub outbox: Outbox,
    /// Says what alerts say.
    pub content: AlertContent,
}

impl OutboxFiles {
    /// Writes what a delivery says, under its channel's name. The receipt is the file's name.
    pub(super) async fn delivery(
        &self,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let said = rendered(&self.content, row, line, delivery, now).await?;
        let title = said.title.map(|title| format!("# {title}\n\n")).unwrap_or_default();
        let name = format!("{}-{}.md", delivery.what.channel.as_str(), delivery.id);
        self.write(&name, &format!("{title}{}\n", said.text)).await
    }

    /// Writes a file; a second attempt writes the same file again.
    pub(super) async fn write(&self, name: &str, text: &str) -> Result<String, Failure> {
        match self.outbox.write(name, text.as_bytes()).await {
            Ok(()) => Ok(name.to_owned()),
            Err(error) => Err(Failure::retry(error)),
        }
    }
}
