//! What is said by mail because its issue takes no comments: it is locked, or it is not there any
//! more.

use super::GitHubWriter;
use crate::services::Failure;
use crate::services::messages::reply_of;
use crate::services::recipients::{By, Occasion, mails};
use domain::alert::Reply;
use domain::delivery::{Channel, DeliveryMode};
use domain::timestamp::Timestamp;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

impl GitHubWriter {
    /// Mails to whoever is told of the line what a comment was to say, where it is news of the line
    /// that no mail says yet. Whether it is: a reply is for whom it answers, a count stands in the
    /// issue's status, and that a line is back is mailed in any case.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn say_by_mail(
        &self,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        // Of what somebody answered nobody wants to hear by mail.
        if delivery.what.channel != Channel::Comment || line.known || line.resolved_at.is_some() {
            return Ok(false);
        }
        let Reply::NewException { exception, release } = reply_of(&delivery.what)? else { return Ok(false) };
        let seen = release.map_or_else(String::new, |release| format!(", seen in the release {release}"));
        let header =
            format!("This line raises {exception} as well{seen}. Its issue takes no comments, so you read it here.");
        let chosen = self.recipients.told_of(row, line, By::MirrorAsItIs { unreached: &[] }, now).await?;
        let occasion = Occasion { purpose: &delivery.what.purpose, header: Some(&header), known: None, operator: None };
        let mails = mails(row, line, &chosen, occasion)?;
        for mail in &mails {
            store::deliveries::insert(&self.store, row.repository.id, line.id, mail, DeliveryMode::Singly, now).await?;
        }
        Ok(!mails.is_empty())
    }
}
