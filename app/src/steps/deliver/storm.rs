//! The mails of a storm: one for each person, and its end.

use super::storm_issue::storm_text;
use super::{Deliver, MailSender};
use crate::services::messages::mail_content;
use crate::services::repositories::UNNAMED_AGAIN_AFTER;
use crate::services::{Attempt, Cause, Failure, Settled, attempt_after, settle};
use domain::delivery::DeliveryMode;
use domain::ids::{LineId, StormId};
use domain::links::LinkedLine;
use domain::refusal::Refusal;
use domain::storm::{Storm, StormLine};
use domain::timestamp::Timestamp;
use email::{MailError, OutgoingMail};
use render::MailedLine;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Store;
use store::deliveries::Delivery;
use store::repositories::RepositoryRow;

/// The lines of a storm, in the order in which they are listed.
type StormLines = Vec<(LineId, StormLine)>;

/// A storm whose mails are sent.
struct StormMails<'a> {
    store: &'a Store,
    sender: &'a MailSender,
    row: &'a RepositoryRow,
    storm: &'a Storm,
    now: Timestamp,
}

/// What became of the mails of one recipient.
enum Sent {
    /// Nothing is left to do of them.
    Settled,
    /// They are tried again by themselves at that moment.
    Later(Timestamp),
    /// The same, and the mail server did not answer.
    NoAnswer(Cause, Timestamp),
    /// Somebody else is told instead, with the next mails.
    ToAnother,
}

impl Deliver {
    /// Sends the mails of a storm that are due, and ends it once hardly any new line came for a
    /// while.
    ///
    /// # Errors
    /// The storm goes on ([`Failure::Again`]), or the database or the mail server is out of reach.
    pub async fn storm(&self, id: StormId, now: Timestamp) -> Result<(), Failure> {
        let Some(storm) = store::storms::by_id(&self.store, id).await? else { return Ok(()) };
        let Some(row) = store::repositories::by_id(&self.store, storm.repository).await? else { return Ok(()) };
        if row.is_shadow(now) {
            store::storms::keep_waiting_issues(&self.store, id).await?;
        }
        let is_over = self.end_if_over(&row, &storm, now).await?;
        let is_due = storm.mails_at.is_some_and(|at| now >= at);
        let mails = StormMails { store: &self.store, sender: &self.mails, row: &row, storm: &storm, now };
        let retry_at = mails.send(is_due || is_over).await?;
        let ended_at = storm.ended_at.or(is_over.then_some(now));
        self.write_file(&row, &Storm { ended_at, ..storm.clone() }, now).await?;
        let mails_at = store::storms::by_id(&self.store, id).await?.and_then(|storm| storm.mails_at);
        let quiet_at = (!is_over).then(|| quiet_at(&row, &storm));
        let next = [mails_at, retry_at, quiet_at].into_iter().flatten().min();
        next.map_or(Ok(()), |at| Err(Failure::Again { at }))
    }

    /// Whether a storm is over. It is ended before its mails are sent: whoever joins from now on
    /// begins another one, and what was gathered is sent all the same.
    async fn end_if_over(&self, row: &RepositoryRow, storm: &Storm, now: Timestamp) -> Result<bool, Failure> {
        let since = now - row.settings.storm.window();
        let recent = store::lines::count_alerted_since(&self.store, storm.repository, since).await?;
        let is_quiet = now >= quiet_at(row, storm) || row.settings.storm.is_calm(recent);
        let is_over = is_quiet || row.removed_at.is_some();
        if is_over && storm.ended_at.is_none() {
            store::storms::end(&self.store, storm.id, storm.repository, now).await?;
            tracing::info!(repository = %row.repository.full_name, "a storm is over");
        }
        Ok(is_over)
    }

    /// Writes the storm's issue into the outbox directory, while there is no App.
    async fn write_file(&self, row: &RepositoryRow, storm: &Storm, now: Timestamp) -> Result<(), Failure> {
        if row.repository.github.is_some() || self.github_app.get().is_some() || row.is_shadow(now) {
            return Ok(());
        }
        let text = storm_text(&self.store, &self.files.content.site, row, storm).await?;
        if text.lines == 0 {
            // All of them came by a key that was revoked.
            return Ok(());
        }
        let text_of_file = format!("# {}\n\n{}\n", text.title, text.body);
        self.files.write(&format!("storm-{}.md", storm.id), &text_of_file).await?;
        Ok(())
    }
}

/// When the storm is over if no line comes until then.
fn quiet_at(row: &RepositoryRow, storm: &Storm) -> Timestamp {
    storm.last_line_at + row.settings.storm.window()
}

impl StormMails<'_> {
    /// One mail for each recipient of what was gathered, where they are due; who has one line gets
    /// the mail that it would have been without a storm. What failed is tried again by itself: the
    /// others neither wait for it nor get more mails because of it. Returns when that is.
    async fn send(&self, is_due: bool) -> Result<Option<Timestamp>, Failure> {
        let gathered = store::storms::gathered_mails(self.store, self.storm.id).await?;
        // Read once something is to be sent: in a large storm they are many.
        let mut lines = None;
        let mut again_at: Vec<Timestamp> = Vec::new();
        let mut more = false;
        let retry_at = |waiting: &&[(Delivery, Timestamp)]| waiting.iter().map(|&(_, at)| at).max();
        let mut by_recipient: Vec<&[(Delivery, Timestamp)]> =
            gathered.chunk_by(|(one, _), (other, _)| one.what.recipient == other.what.recipient).collect();
        // Whom nobody tried to tell goes before whose mail failed.
        by_recipient.sort_by_key(retry_at);
        let last = by_recipient.len().saturating_sub(1);
        for (at, waiting) in by_recipient.into_iter().enumerate() {
            let mails: Vec<&Delivery> = waiting.iter().map(|(mail, _)| mail).collect();
            let retry_at = retry_at(&waiting).unwrap_or(Timestamp::UNIX_EPOCH);
            match self.send_to_one(&mails, &mut lines, is_due, retry_at).await? {
                Sent::Settled => {}
                // The others would wait for it as long, one after another.
                Sent::NoAnswer(cause, _) if at < last => return Err(Failure::retry(cause)),
                Sent::Later(at) | Sent::NoAnswer(_, at) => again_at.push(at),
                Sent::ToAnother => more = true,
            }
        }
        if is_due || more {
            store::storms::record_mails_sent(self.store, self.storm.id, self.now).await?;
        }
        Ok(again_at.into_iter().min())
    }

    /// Sends the mails of one recipient, if they are due.
    async fn send_to_one(
        &self,
        mails: &[&Delivery],
        lines: &mut Option<StormLines>,
        is_due: bool,
        retry_at: Timestamp,
    ) -> Result<Sent, Failure> {
        if self.row.removed_at.is_some() {
            let why = "the repository is not watched any more";
            store::storms::record_mail_settled(self.store, mails, Err(why), self.now).await?;
            return Ok(Sent::Settled);
        }
        if self.row.unnamed_since.is_some() {
            return Ok(Sent::Later(self.now + UNNAMED_AGAIN_AFTER));
        }
        if self.row.is_shadow(self.now) {
            for mail in mails {
                store::shadow::keep_delivery(self.store, mail.id).await?;
            }
            return Ok(Sent::Settled);
        }
        if retry_at > self.now {
            return Ok(Sent::Later(retry_at));
        }
        if !is_due && retry_at == Timestamp::UNIX_EPOCH {
            return Ok(Sent::Settled);
        }
        let lines = match lines {
            Some(known) => known,
            None => lines.insert(store::lines::of_storm(self.store, self.storm.id).await?),
        };
        self.try_to_send(mails, lines).await
    }

    async fn try_to_send(&self, mails: &[&Delivery], lines: &[(LineId, StormLine)]) -> Result<Sent, Failure> {
        let result = self.mail(mails, lines).await;
        let attempt = StormMailAttempt { of: self, mails, has_another: AtomicBool::new(false) };
        match settle(&attempt, result, self.now).await? {
            Settled::Done(receipt) => {
                store::storms::record_mail_settled(self.store, mails, Ok(&receipt), self.now).await?;
                Ok(Sent::Settled)
            }
            Settled::GivenUp if attempt.has_another.into_inner() => Ok(Sent::ToAnother),
            Settled::GivenUp => Ok(Sent::Settled),
            Settled::Postponed { cause, due_at, .. } if is_unanswered(&cause) => Ok(Sent::NoAnswer(cause, due_at)),
            Settled::Postponed { due_at, .. } | Settled::Again(due_at) => Ok(Sent::Later(due_at)),
            Settled::Panicked(why) => Err(Failure::Panicked(why)),
            Settled::NotOurs => Err(Failure::NotOurs),
        }
    }

    /// Sends one recipient's mail. A crash between sending and noting it sends it again, under the
    /// same Message-ID.
    async fn mail(&self, mails: &[&Delivery], lines: &[(LineId, StormLine)]) -> Result<String, Failure> {
        let first = mails[0];
        if mails.len() == 1
            && let Some(line) = store::lines::by_id(self.store, first.line).await?
        {
            return self.sender.alert(self.row, &line, first, self.now).await;
        }
        let mail = self.gathered_mail(mails, lines)?;
        self.sender.send(&mail, first, self.now).await
    }

    /// One mail of several lines.
    fn gathered_mail(&self, mails: &[&Delivery], lines: &[(LineId, StormLine)]) -> Result<OutgoingMail, Failure> {
        let (first, last) = (mails[0], mails[mails.len() - 1]);
        let repository = &self.row.repository;
        let by_line: HashMap<LineId, &Delivery> = mails.iter().map(|mail| (mail.line, *mail)).collect();
        let found = lines.iter().filter_map(|(id, line)| Some((by_line.get(id)?, line)));
        let mailed: Vec<MailedLine> = found.map(|(mail, line)| self.mailed_line(mail, line)).collect();
        let linker = &self.sender.content.site.linker;
        let week = linker.week(Some(&repository.full_name), self.storm.last_line_at);
        let no_issue = self.row.refusal.as_ref().filter(|_| self.storm.issue.is_none()).map(Refusal::no_issue);
        let mail = render::storm_mail(repository, self.storm, &mailed, lines.len(), &week, no_issue.as_deref())?;
        Ok(OutgoingMail {
            // What it holds is its name: a mail that is sent once more with another line in it is
            // another mail, for mail programs show a Message-ID once.
            message_id: self.sender.message_id(&format!("storm.{}.{}", first.id, last.id)),
            to_name: mail_content(&first.what)?.to.name,
            to_email: first.what.recipient.clone(),
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            date: first.created_at,
            reply_to: None,
            list_id: Some(self.sender.list_id(self.row)),
            repository: repository.full_name.to_string(),
            line: None,
        })
    }

    fn mailed_line(&self, mail: &Delivery, line: &StormLine) -> MailedLine {
        let (linker, repository) = (&self.sender.content.site.linker, &self.row.repository);
        let linked = LinkedLine { repository, id: mail.line, place: &line.place };
        MailedLine {
            why: mail_content(&mail.what).map_or_else(|_| String::new(), |said| said.to.why),
            occurrence: linker.traceback(linked, line.last_seen_at, Some(self.now)),
            whitelist: linker.whitelist(linked, Some(self.now)),
            issue: line.issue.and_then(|number| repository.issue_url(number)),
            line: line.clone(),
        }
    }
}

fn is_unanswered(cause: &Cause) -> bool {
    matches!(cause.downcast_ref(), Some(MailError::Unreachable { .. } | MailError::Unanswered { .. }))
}

/// An attempt to send one recipient's mail.
struct StormMailAttempt<'a> {
    of: &'a StormMails<'a>,
    mails: &'a [&'a Delivery],
    /// Somebody else is told of one of the lines, where it was given up.
    has_another: AtomicBool,
}

impl Attempt for StormMailAttempt<'_> {
    type Error = Failure;

    fn number(&self) -> u32 {
        attempt_after(self.mails[0].attempts)
    }

    async fn give_up(&self, cause: &Cause) -> Result<(), Failure> {
        let StormMails { store, sender, row, storm, now } = *self.of;
        for mail in self.mails {
            if let Some(line) = store::lines::by_id(store, mail.line).await? {
                let mode = DeliveryMode::Storm(storm.id);
                let has_another = sender.tell_another(row, &line, (&mail.what, cause), mode, now).await?;
                self.has_another.fetch_or(has_another, Ordering::Relaxed);
            }
        }
        Ok(store::storms::record_mail_settled(store, self.mails, Err(&cause.to_string()), now).await?)
    }

    async fn postpone(&self, cause: &Cause, due_at: Timestamp) -> Result<(), Failure> {
        let (repository, attempts) = (&self.of.row.repository.full_name, self.number());
        tracing::warn!(%repository, attempts, why = %cause, "a storm's mail will be tried again");
        Ok(store::storms::record_mail_failed(self.of.store, self.mails, &cause.to_string(), due_at, self.of.now)
            .await?)
    }
}
