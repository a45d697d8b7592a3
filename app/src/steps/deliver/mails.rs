//! Sending mails, and telling somebody else where an address is refused.

use crate::services::alert_content::AlertContent;
use crate::services::messages::{mail_content, rendered_mail};
use crate::services::recipients::{By, Occasion, Recipients, mails};
use crate::services::{Cause, Failure, Wake};
use domain::delivery::{Channel, DeliveryMode, DeliveryState, MAIL_TRIED_FOR, PAUSES_WITHOUT_ANSWER};
use domain::timestamp::{DAY, Timestamp};
use email::{MailError, Mailer, OutgoingMail};
use std::sync::Arc;
use store::Store;
use store::deliveries::{Delivery, DeliveryRow, NewDelivery};
use store::lines::Line;
use store::repositories::RepositoryRow;

/// A mail that was tried for as long, or sent as often, as one is: it is time that somebody hears
/// of the line.
#[derive(Debug, thiserror::Error)]
enum TriedInVain {
    #[error("{0}; it was tried for {days} days", days = MAIL_TRIED_FOR.as_hours() / DAY.as_hours())]
    ForLong(MailError),
    #[error("{0}; it was sent {times} times", times = PAUSES_WITHOUT_ANSWER.len() + 1)]
    Unanswered(MailError),
}

/// Sends mails.
#[derive(Clone)]
pub struct MailSender {
    /// The rows.
    pub store: Store,
    /// The mail server, or the outbox directory.
    pub mailer: Arc<Mailer>,
    /// Says what alerts say, and under which name mails are sent.
    pub content: AlertContent,
    /// Says who is told instead.
    pub recipients: Recipients,
    /// A mail to somebody else waits for a worker.
    pub wake: Wake,
}

impl MailSender {
    /// Sends the mail of a line. A crash between sending and noting it sends it again, under the
    /// same Message-ID, which mail programs and servers show once. The receipt is that id.
    pub(super) async fn alert(
        &self,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let (told, mail) = rendered_mail(&self.content, row, line, &delivery.what, now).await?;
        let mail = OutgoingMail {
            message_id: self.message_id(&delivery.id.to_string()),
            to_name: told.name,
            to_email: delivery.what.recipient.clone(),
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            date: delivery.created_at,
            reply_to: None,
            list_id: Some(self.list_id(row)),
            repository: row.repository.full_name.to_string(),
            line: Some(line.id.0),
        };
        self.send(&mail, delivery, now).await
    }

    /// Sends the mail of a delivery, of the first where it is of several. That its address is
    /// refused is remembered. The receipt is its Message-ID.
    pub(super) async fn send(
        &self,
        mail: &OutgoingMail,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<String, Failure> {
        // A copy that somebody else sent meanwhile can't be taken back.
        self.store.prove_lease().await?;
        let Err(error) = self.mailer.send(mail).await else { return Ok(mail.message_id.clone()) };
        if error.is_about_the_address() {
            store::refused_addresses::record(&self.store, &mail.to_email, &error.to_string(), now).await?;
        }
        if error.may_have_arrived() {
            store::deliveries::count_lost_answer(&self.store, delivery.id).await?;
        }
        Err(match error {
            error if !error.is_worth_a_retry() => Failure::give_up(error),
            error if delivery.failing_for(now) >= MAIL_TRIED_FOR => Failure::give_up(TriedInVain::ForLong(error)),
            error if error.may_have_arrived() => after_no_answer(delivery.lost_answers, error),
            error => Failure::retry(error),
        })
    }

    /// The Message-ID of what has this name here: the same each time it is sent.
    pub(super) fn message_id(&self, name: &str) -> String {
        let site = &self.content.site;
        let (installation, host) = (&site.installation, site.mail_host());
        format!("flawless.{name}.{installation}@{host}")
    }

    /// By what mail programs sort the mails of a repository.
    pub(super) fn list_id(&self, row: &RepositoryRow) -> String {
        format!("{}.{}", row.repository.full_name.as_str().replace('/', "-"), self.content.site.mail_host())
    }

    /// Tells somebody else, after a mail's address was refused, or it was tried in vain: whoever
    /// is chosen now that this is known. Whether anybody is.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn tell_another(
        &self,
        row: &RepositoryRow,
        line: &Line,
        (refused, cause): (&NewDelivery, &Cause),
        mode: DeliveryMode,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let is_refused = cause.downcast_ref().is_some_and(MailError::is_about_the_address);
        if !is_refused && !cause.is::<TriedInVain>() {
            return Ok(false);
        }
        let others = self.others(row, line, refused, now).await?;
        for mail in &others {
            store::deliveries::insert(&self.store, row.repository.id, line.id, mail, mode, now).await?;
        }
        self.wake.notify_one();
        Ok(!others.is_empty())
    }

    /// The mails that go out now that one does not get to its address, but for those that were sent
    /// before. The address stays good for mails about other lines.
    async fn others(
        &self,
        row: &RepositoryRow,
        line: &Line,
        refused: &NewDelivery,
        now: Timestamp,
    ) -> Result<Vec<NewDelivery>, Failure> {
        let header = mail_content(refused)?.header;
        let sent = store::deliveries::of_line(&self.store, line.id).await?;
        let did_not_arrive = |one: &&DeliveryRow| one.channel == Channel::Mail && one.state == DeliveryState::GivenUp;
        let mut unreached = vec![refused.recipient.clone()];
        unreached.extend(sent.iter().filter(did_not_arrive).map(|one| one.recipient.clone()));
        let by = By::MirrorAsItIs { unreached: &unreached };
        let chosen = self.recipients.find_and_record(row, line, by, now).await?;
        let occasion = Occasion { purpose: &refused.purpose, header: header.as_deref(), known: None, operator: None };
        let mut others = mails(row, line, &chosen, occasion)?;
        others.retain(|mail| {
            let is = |address: &str| address.eq_ignore_ascii_case(&mail.recipient);
            let is_told = sent.iter().any(|one| one.channel == Channel::Mail && is(&one.recipient));
            // Who watches was told, or is not to be told of this.
            !is_told && !row.settings.watchers.iter().any(|watcher| is(&watcher.email))
        });
        Ok(others)
    }
}

/// What follows where the mail server did not say whether it took a mail, after so many times.
fn after_no_answer(times_before: u64, error: MailError) -> Failure {
    let pause = usize::try_from(times_before).ok().and_then(|times| PAUSES_WITHOUT_ANSWER.get(times));
    match pause {
        Some(&pause) => Failure::Retry { cause: error.into(), after: Some(pause) },
        None => Failure::give_up(TriedInVain::Unanswered(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::wiring::Handles;
    use domain::delivery::Purpose;
    use domain::ids::{DeliveryId, LineId, RepositoryId};
    use domain::job::Job;
    use jiff::SignedDuration;
    use std::collections::BTreeMap;
    use store::StoreError;
    use store::jobs::{Among, LEASE};

    #[tokio::test]
    async fn a_mail_of_a_job_that_is_anothers_by_now_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let settings = BTreeMap::from([("DATA_DIR".to_owned(), folder.path().display().to_string())]);
        let config = Config::from_parts(None, settings).unwrap();
        let (handles, _) = Handles::open(&config, &Clock::system()).await.unwrap();
        let (store, now) = (&handles.store, Timestamp::from_seconds(1_000));
        store::jobs::enqueue(store, Job::Reconcile, now, now).await.unwrap();
        let lost = store::jobs::claim(store, Among::Ordinary, SignedDuration::ZERO, now).await.unwrap().expect("a job");
        let its = store::jobs::claim(store, Among::Suspects, LEASE, now).await.unwrap().expect("its lease is over");
        let mail = OutgoingMail {
            message_id: "1@flawless.test".to_owned(),
            to_name: "Ada".to_owned(),
            to_email: "ada@example.com".to_owned(),
            subject: "It fails".to_owned(),
            text: "It fails.".to_owned(),
            html: "It fails.".to_owned(),
            date: now,
            reply_to: None,
            repository: "acme/shop".to_owned(),
            line: None,
            list_id: None,
        };
        let delivery = Delivery {
            id: DeliveryId(1),
            repository: RepositoryId(1),
            line: LineId(1),
            what: NewDelivery {
                channel: Channel::Mail,
                purpose: Purpose::Alert,
                recipient: mail.to_email.clone(),
                content: String::new(),
            },
            attempts: 0,
            failing_since: None,
            due_at: Timestamp::UNIX_EPOCH,
            lost_answers: 0,
            unanswered_at: None,
            created_at: now,
            state: DeliveryState::Pending,
        };
        let sender = |claim| MailSender { store: store.held_by(claim), ..handles.mail_sender() };
        let sent = || std::fs::read_dir(config.outbox()).map_or(0, Iterator::count);
        let refused = sender(&lost).send(&mail, &delivery, now).await.map_err(|failure| format!("{failure:?}"));
        assert_eq!(refused, Err(format!("{:?}", Failure::from(StoreError::LeaseLost))));
        assert_eq!(sent(), 0);
        sender(&its).send(&mail, &delivery, now).await.unwrap();
        assert_eq!(sent(), 1);
    }
}
