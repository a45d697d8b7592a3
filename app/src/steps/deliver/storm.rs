//! The mails of a storm: one for each person, and its end.

use super::storm_issue::storm_text;
use super::{Deliver, MailSender};
use crate::services::messages::mail_content;
use crate::services::{Attempt, Cause, Failure, Settled, attempt_after, settle};
use domain::ids::{LineId, StormId};
use domain::storm::{Storm, StormLine};
use email::OutgoingMail;
use render::MailedLine;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Store;
use store::deliveries::{Delivery, DeliveryMode};
use store::repositories::RepositoryRow;

/// A storm whose mails are sent.
struct StormMails<'a> {
    store: &'a Store,
    sender: &'a MailSender,
    row: &'a RepositoryRow,
    storm: &'a Storm,
    now_ms: i64,
}

/// What became of the mails of one recipient.
enum Sent {
    /// Nothing is left to do of them.
    Settled,
    /// They are tried again by themselves at that moment, Unix milliseconds.
    Later(i64),
    /// Somebody else is told instead, with the next mails.
    ToAnother,
}

impl Deliver {
    /// Sends the mails of a storm that are due, and ends it once hardly any new line came for a
    /// while.
    ///
    /// # Errors
    /// The storm goes on ([`Failure::Again`]), or the database or the mail server is out of reach.
    pub async fn storm(&self, id: StormId, now_ms: i64) -> Result<(), Failure> {
        let Some(storm) = store::storms::by_id(&self.store, id).await? else { return Ok(()) };
        let Some(row) = store::repositories::by_id(&self.store, storm.repository).await? else { return Ok(()) };
        let is_over = self.end_if_over(&row, &storm, now_ms).await?;
        let is_due = storm.mails_at_ms.is_some_and(|at| now_ms >= at);
        let mails = StormMails { store: &self.store, sender: &self.mails, row: &row, storm: &storm, now_ms };
        let retry_ms = mails.send(is_due || is_over).await?;
        let ended_at_ms = storm.ended_at_ms.or(is_over.then_some(now_ms));
        self.write_file(&row, &Storm { ended_at_ms, ..storm.clone() }, now_ms).await?;
        let mails_ms = store::storms::by_id(&self.store, id).await?.and_then(|storm| storm.mails_at_ms);
        let quiet_ms = (!is_over).then(|| quiet_at_ms(&row, &storm));
        let next_ms = [mails_ms, retry_ms, quiet_ms].into_iter().flatten().min();
        next_ms.map_or(Ok(()), |at_ms| Err(Failure::Again { at_ms }))
    }

    /// Whether a storm is over. It is ended before its mails are sent: whoever joins from now on
    /// begins another one, and what was gathered is sent all the same.
    async fn end_if_over(&self, row: &RepositoryRow, storm: &Storm, now_ms: i64) -> Result<bool, Failure> {
        let since_ms = now_ms - row.settings.storm.window_ms();
        let recent = store::lines::count_alerted_since(&self.store, storm.repository, since_ms).await?;
        let is_quiet = now_ms >= quiet_at_ms(row, storm) || row.settings.storm.is_calm(recent);
        let is_over = is_quiet || row.removed_at_ms.is_some();
        if is_over && storm.ended_at_ms.is_none() {
            store::storms::end(&self.store, storm.id, storm.repository, now_ms).await?;
            tracing::info!(repository = %row.repository.full_name, "a storm is over");
        }
        Ok(is_over)
    }

    /// Writes the storm's issue into the outbox directory, while there is no App.
    async fn write_file(&self, row: &RepositoryRow, storm: &Storm, now_ms: i64) -> Result<(), Failure> {
        if row.repository.forge.is_some() || self.github_app.get().is_some() || row.is_shadow(now_ms) {
            return Ok(());
        }
        let text = storm_text(&self.store, &self.files.content.site, row, storm).await?;
        let text_of_file = format!("# {}\n\n{}\n", text.title, text.body);
        self.files.write(&format!("storm-{}.md", storm.id), &text_of_file).await?;
        Ok(())
    }
}

/// When the storm is over if no line comes until then, Unix milliseconds.
fn quiet_at_ms(row: &RepositoryRow, storm: &Storm) -> i64 {
    storm.last_line_at_ms + row.settings.storm.window_ms()
}

impl StormMails<'_> {
    /// One mail for each recipient of what was gathered, where they are due; who has one line gets
    /// the mail that it would have been without a storm. What failed is tried again by itself: the
    /// others neither wait for it nor get more mails because of it. Returns when that is, Unix
    /// milliseconds.
    async fn send(&self, is_due: bool) -> Result<Option<i64>, Failure> {
        let gathered = store::storms::gathered_mails(self.store, self.storm.id).await?;
        let lines: HashMap<LineId, StormLine> = match gathered.is_empty() {
            true => HashMap::new(),
            false => store::lines::of_storm(self.store, self.storm.id).await?.into_iter().collect(),
        };
        let mut again_ms: Vec<i64> = Vec::new();
        let mut more = false;
        for waiting in gathered.chunk_by(|(one, _), (other, _)| one.what.recipient == other.what.recipient) {
            let mails: Vec<&Delivery> = waiting.iter().map(|(mail, _)| mail).collect();
            let retry_ms = waiting.iter().map(|&(_, at)| at).max().unwrap_or(0);
            match self.send_to_one(&mails, &lines, is_due, retry_ms).await? {
                Sent::Settled => {}
                Sent::Later(at_ms) => again_ms.push(at_ms),
                Sent::ToAnother => more = true,
            }
        }
        if is_due || more {
            store::storms::record_mails_sent(self.store, self.storm.id, self.now_ms).await?;
        }
        Ok(again_ms.into_iter().min())
    }

    /// Sends the mails of one recipient, if they are due.
    async fn send_to_one(
        &self,
        mails: &[&Delivery],
        lines: &HashMap<LineId, StormLine>,
        is_due: bool,
        retry_ms: i64,
    ) -> Result<Sent, Failure> {
        if self.row.removed_at_ms.is_some() {
            let why = "the repository is not watched any more";
            store::storms::record_mail_settled(self.store, mails, Err(why), self.now_ms).await?;
            return Ok(Sent::Settled);
        }
        if self.row.is_shadow(self.now_ms) {
            for mail in mails {
                store::shadow::keep_delivery(self.store, mail.id).await?;
            }
            return Ok(Sent::Settled);
        }
        if retry_ms > self.now_ms {
            return Ok(Sent::Later(retry_ms));
        }
        if !is_due && retry_ms == 0 {
            return Ok(Sent::Settled);
        }
        self.try_to_send(mails, lines).await
    }

    async fn try_to_send(&self, mails: &[&Delivery], lines: &HashMap<LineId, StormLine>) -> Result<Sent, Failure> {
        let result = self.mail(mails, lines).await;
        let attempt = StormMailAttempt { of: self, mails, has_another: AtomicBool::new(false) };
        match settle(&attempt, result, self.now_ms).await? {
            Settled::Done(receipt) => {
                store::storms::record_mail_settled(self.store, mails, Ok(&receipt), self.now_ms).await?;
                Ok(Sent::Settled)
            }
            Settled::GivenUp if attempt.has_another.into_inner() => Ok(Sent::ToAnother),
            Settled::GivenUp => Ok(Sent::Settled),
            Settled::Postponed { due_ms, .. } | Settled::Again(due_ms) => Ok(Sent::Later(due_ms)),
        }
    }

    /// Sends one recipient's mail. A crash between sending and noting it sends it again, under the
    /// same Message-ID.
    async fn mail(&self, mails: &[&Delivery], lines: &HashMap<LineId, StormLine>) -> Result<String, Failure> {
        let first = mails[0];
        if mails.len() == 1
            && let Some(line) = store::lines::by_id(self.store, first.line).await?
        {
            return self.sender.alert(self.row, &line, first, self.now_ms).await;
        }
        let mail = self.gathered_mail(mails, lines)?;
        self.sender.send(&mail, self.now_ms).await
    }

    /// One mail of several lines.
    fn gathered_mail(&self, mails: &[&Delivery], lines: &HashMap<LineId, StormLine>) -> Result<OutgoingMail, Failure> {
        let (first, last) = (mails[0], mails[mails.len() - 1]);
        let repository = &self.row.repository;
        let found = mails.iter().filter_map(|mail| Some((mail, lines.get(&mail.line)?)));
        let mailed: Vec<MailedLine> = found.map(|(mail, line)| self.mailed_line(mail, line)).collect();
        let linker = &self.sender.content.site.linker;
        let week = linker.week(Some(&repository.full_name), self.storm.last_line_at_ms);
        let mail = render::storm_mail(repository, self.storm, &mailed, (lines.len(), &week))?;
        Ok(OutgoingMail {
            // What it holds is its name: a mail that is sent once more with another line in it is
            // another mail, for mail programs show a Message-ID once.
            message_id: self.sender.message_id(&format!("storm.{}.{}", first.id, last.id)),
            to_name: mail_content(&first.what)?.to.name,
            to_email: first.what.recipient.clone(),
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            date_ms: first.created_at_ms,
            reply_to: None,
            list_id: Some(self.sender.list_id(self.row)),
            repository: repository.full_name.clone(),
            line: None,
        })
    }

    fn mailed_line(&self, mail: &Delivery, line: &StormLine) -> MailedLine {
        let (linker, repository) = (&self.sender.content.site.linker, &self.row.repository);
        let name = &repository.full_name;
        MailedLine {
            why: mail_content(&mail.what).map_or_else(|_| String::new(), |said| said.to.why),
            occurrence: linker.traceback(name, &line.place, line.last_seen_ms, Some(self.now_ms)),
            whitelist: linker.whitelist(name, &line.place, Some(self.now_ms)),
            issue: line.issue.and_then(|number| repository.issue_url(number)),
            line: line.clone(),
        }
    }
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
        let StormMails { store, sender, row, storm, now_ms } = *self.of;
        for mail in self.mails {
            if let Some(line) = store::lines::by_id(store, mail.line).await? {
                let mode = DeliveryMode::Storm(storm.id);
                let has_another = sender.tell_another(row, &line, &mail.what, mode, now_ms).await?;
                self.has_another.fetch_or(has_another, Ordering::Relaxed);
            }
        }
        Ok(store::storms::record_mail_settled(store, self.mails, Err(&cause.to_string()), now_ms).await?)
    }

    async fn postpone(&self, cause: &Cause, due_ms: i64) -> Result<(), Failure> {
        let (repository, attempts) = (&self.of.row.repository.full_name, self.number());
        tracing::warn!(%repository, attempts, why = %cause, "a storm's mail will be tried again");
        Ok(store::storms::record_mail_failed(self.of.store, self.mails, &cause.to_string(), due_ms).await?)
    }
}
