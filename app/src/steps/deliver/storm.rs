//! Telling of a storm: its one issue, kept up to date, and one mail for each person.

use super::forge::{forge_of, labels};
use super::turn::Turn;
use super::{files, host_of, unsent};
use crate::steps::{Failure, SHADOW_AGAIN_AFTER_MS, Services};
use domain::alert::MailContent;
use domain::command::OUR_LABEL;
use domain::ids::{LineId, StormId};
use domain::job::back_off_ms;
use domain::storm::{Storm, StormLine};
use email::OutgoingMail;
use github::{IssueUpdate, NewIssue};
use render::{self, MailedLine};
use std::collections::HashMap;
use store::deliveries::{Delivery, DeliveryMode};
use store::repositories::RepositoryRow;

/// How often the issue of a storm that goes on is brought up to date at most: it shares its writes with the lines' own issues.
const UPDATE_EVERY_MS: i64 = 60_000;
/// The same once it is over, when nothing but the numbers of the lines' own issues is added.
const COMPLETE_EVERY_MS: i64 = 10 * 60_000;

/// Sends the mails of a storm that are due, and ends it once hardly any new line came for a while.
///
/// # Errors
/// The storm goes on ([`Failure::Again`]), or the database or the mail server is out of reach.
pub async fn storm(services: &Services, id: StormId, now_ms: i64) -> Result<(), Failure> {
    let Some(storm) = store::storms::by_id(&services.store, id).await? else { return Ok(()) };
    let Some(row) = store::repositories::by_id(&services.store, storm.repository).await? else { return Ok(()) };
    let quiet_at_ms = storm.last_line_at_ms + row.settings.storm.window_ms();
    let since_ms = now_ms - row.settings.storm.window_ms();
    let recent = store::lines::count_alerted_since(&services.store, storm.repository, since_ms).await?;
    let is_over = now_ms >= quiet_at_ms || row.settings.storm.is_calm(recent) || row.removed_at_ms.is_some();
    // Ended first: whoever joins from now on begins another one, and what was gathered is sent all the same.
    if is_over && storm.ended_at_ms.is_none() {
        store::storms::end(&services.store, id, storm.repository, now_ms).await?;
        tracing::info!(repository = %row.repository.full_name, "a storm is over");
    }
    let is_due = storm.mails_at_ms.is_some_and(|at| now_ms >= at);
    let retry_ms = mails(services, &row, &storm, (is_due || is_over, now_ms)).await?;
    if row.repository.forge.is_none() && services.app.get().is_none() && !row.is_shadow(now_ms) {
        let ended_at_ms = storm.ended_at_ms.or(is_over.then_some(now_ms));
        let (title, body, _) = text(services, &row, &Storm { ended_at_ms, ..storm.clone() }).await?;
        files::write(&services.outbox, &format!("storm-{id}.md"), &format!("# {title}\n\n{body}\n")).await?;
    }
    let mails_ms = store::storms::by_id(&services.store, id).await?.and_then(|storm| storm.mails_at_ms);
    let next_ms = [mails_ms, retry_ms, (!is_over).then_some(quiet_at_ms)].into_iter().flatten().min();
    next_ms.map_or(Ok(()), |at_ms| Err(Failure::Again { at_ms }))
}

/// One mail for each recipient of what was gathered, where they are due; who has one line gets the mail that it would have
/// been without a storm. What failed is tried again by itself: the others neither wait for it nor get more mails because of
/// it. Returns when that is, Unix milliseconds.
async fn mails(
    services: &Services,
    row: &RepositoryRow,
    storm: &Storm,
    (due, now_ms): (bool, i64),
) -> Result<Option<i64>, Failure> {
    let gathered = store::storms::gathered_mails(&services.store, storm.id).await?;
    let mut again_ms: Vec<i64> = Vec::new();
    // Somebody else is told instead of one whose address is refused, with the next mails.
    let mut more = false;
    let mut lines: Option<HashMap<LineId, StormLine>> = None;
    for waiting in gathered.chunk_by(|(one, _), (other, _)| one.what.recipient == other.what.recipient) {
        let mails: Vec<&Delivery> = waiting.iter().map(|(mail, _)| mail).collect();
        let retry_ms = waiting.iter().map(|&(_, at)| at).max().unwrap_or(0);
        if row.removed_at_ms.is_some() {
            store::storms::record_mail_settled(
                &services.store,
                &mails,
                Err("the repository is not watched any more"),
                now_ms,
            )
            .await?;
            continue;
        }
        if row.is_shadow(now_ms) {
            for mail in mails {
                store::shadow::keep_delivery(&services.store, mail.id).await?;
            }
            continue;
        }
        if retry_ms > now_ms {
            again_ms.push(retry_ms);
            continue;
        }
        if !due && retry_ms == 0 {
            continue;
        }
        let lines = match &mut lines {
            Some(lines) => lines,
            none => none.insert(store::lines::of_storm(&services.store, storm.id).await?.into_iter().collect()),
        };
        match send_mail(services, row, storm, &mails, lines, now_ms).await {
            Ok(receipt) => store::storms::record_mail_settled(&services.store, &mails, Ok(&receipt), now_ms).await?,
            Err(Failure::GiveUp(why)) => {
                for mail in &mails {
                    if let Some(line) = store::lines::by_id(&services.store, mail.line).await? {
                        let mode = DeliveryMode::Storm(storm.id);
                        more |= services.mail_another(row, &line, &mail.what, mode, now_ms).await?;
                    }
                }
                store::storms::record_mail_settled(&services.store, &mails, Err(&why), now_ms).await?;
            }
            Err(failed) => {
                let attempts = u32::try_from(mails[0].attempts + 1).unwrap_or(u32::MAX);
                let retry_ms = now_ms + back_off_ms(attempts, None);
                let why = failed.to_string();
                tracing::warn!(repository = %row.repository.full_name, attempts, why, "a storm's mail will be tried again");
                store::storms::record_mail_failed(&services.store, &mails, &why, retry_ms).await?;
                again_ms.push(retry_ms);
            }
        }
    }
    if due || more {
        store::storms::record_mails_sent(&services.store, storm.id, now_ms).await?;
    }
    Ok(again_ms.into_iter().min())
}

/// Sends one recipient's mail. A crash between sending and noting it sends it again, under the same Message-ID.
async fn send_mail(
    services: &Services,
    row: &RepositoryRow,
    storm: &Storm,
    mails: &[&Delivery],
    lines: &HashMap<LineId, StormLine>,
    now_ms: i64,
) -> Result<String, Failure> {
    let (first, last) = (mails[0], mails[mails.len() - 1]);
    if mails.len() == 1
        && let Some(line) = store::lines::by_id(&services.store, first.line).await?
    {
        return super::mail(services, row, &line, first, now_ms).await;
    }
    let content: MailContent =
        serde_json::from_str(&first.what.content).map_err(|error| Failure::GiveUp(error.to_string()))?;
    let name = &row.repository.full_name;
    let mailed: Vec<MailedLine> = mails
        .iter()
        .filter_map(|mail| Some((mail, lines.get(&mail.line)?)))
        .map(|(mail, line)| MailedLine {
            why: serde_json::from_str(&mail.what.content).map_or_else(|_| String::new(), |it: MailContent| it.to.why),
            occurrence: services.linker.traceback(name, &line.place, line.last_seen_ms, Some(now_ms)),
            whitelist: services.linker.whitelist(name, &line.place, Some(now_ms)),
            issue: line.issue.and_then(|number| row.repository.issue_url(number)),
            line: line.clone(),
        })
        .collect();
    let week = services.linker.week(Some(name), storm.last_line_at_ms);
    let mail = render::storm_mail(&row.repository, storm, &mailed, (lines.len(), &week))?;
    let host = host_of(services.linker.base());
    // What it holds is its name: a mail that is sent once more with another line in it is another mail, for mail programs
    // show a Message-ID once.
    let message_id = format!("flawless.storm.{}.{}.{}@{host}", first.id, last.id, services.installation);
    let outgoing = OutgoingMail {
        message_id: message_id.clone(),
        to_name: content.to.name.clone(),
        to_email: first.what.recipient.clone(),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        date_ms: first.created_at_ms,
        reply_to: None,
        list_id: Some(format!("{}.{host}", name.replace('/', "-"))),
        repository: name.clone(),
        line: None,
    };
    match services.mailer.send(&outgoing).await {
        Ok(()) => Ok(message_id),
        Err(error) => Err(unsent(services, &outgoing.to_email, &error, now_ms).await?),
    }
}

/// Files the storm's issue, or brings it up to date: one write.
pub(super) async fn issue(services: &Services, turn: &Turn<'_>, id: StormId, now_ms: i64) -> Result<(), Failure> {
    let Some(storm) = store::storms::by_id(&services.store, id).await? else { return Ok(()) };
    let Some(row) = store::repositories::by_id(&services.store, storm.repository).await? else { return Ok(()) };
    if row.is_shadow(now_ms) {
        return Ok(store::storms::set_due(&services.store, id, now_ms.saturating_add(SHADOW_AGAIN_AFTER_MS)).await?);
    }
    match write(services, turn, &row, &storm, now_ms).await {
        Ok(()) => {
            let pause_ms = if storm.ended_at_ms.is_some() { COMPLETE_EVERY_MS } else { UPDATE_EVERY_MS };
            Ok(store::storms::record_written(&services.store, id, now_ms, now_ms + pause_ms).await?)
        }
        Err(Failure::GiveUp(why)) => {
            tracing::warn!(repository = %row.repository.full_name, why, "the issue of a storm could not be written");
            // Nobody misses a list of lines that have their own issues: it is left as it is.
            Ok(store::storms::record_written(&services.store, id, i64::MAX, i64::MAX).await?)
        }
        Err(Failure::Retry { why, after_ms }) => {
            let attempts = u32::try_from(storm.attempts + 1).unwrap_or(u32::MAX);
            store::storms::set_due(&services.store, id, now_ms + back_off_ms(attempts, after_ms)).await?;
            tracing::warn!(repository = %row.repository.full_name, why, "the issue of a storm will be tried again");
            Err(Failure::Retry { why, after_ms })
        }
        Err(again @ Failure::Again { .. }) => Err(again),
    }
}

async fn write(
    services: &Services,
    turn: &Turn<'_>,
    row: &RepositoryRow,
    storm: &Storm,
    now_ms: i64,
) -> Result<(), Failure> {
    let (github, forge) = forge_of(services, row)?;
    let name = &row.repository.full_name;
    let (title, body, marker) = text(services, row, storm).await?;
    let mut filed = storm.issue;
    if filed.is_none() && storm.attempts > 0 {
        let since = storm.began_at_ms;
        if let Some(found) = github.find_issue(forge.installation, name, OUR_LABEL.name, &marker, since).await? {
            store::storms::set_issue(&services.store, storm.id, found.number).await?;
            filed = Some(found.number);
        }
    }
    // One that an earlier attempt filed says what was known then.
    if let Some(number) = filed {
        turn.take().await?;
        let update = IssueUpdate { title: Some(title), body: Some(body) };
        return Ok(github.update_issue(forge.installation, name, number, &update).await?);
    }
    store::storms::claim_issue_attempt(&services.store, storm.id).await?;
    turn.take().await?;
    let new = NewIssue { title, body, labels: labels(row) };
    let made = github.create_issue(forge.installation, name, &new).await?;
    tracing::info!(repository = %name, number = made.number, now_ms, "the issue of a storm was filed");
    Ok(store::storms::set_issue(&services.store, storm.id, made.number).await?)
}

/// Title, body and marker of a storm's issue.
async fn text(services: &Services, row: &RepositoryRow, storm: &Storm) -> Result<(String, String, String), Failure> {
    let marker = format!("flawless:{}:storm:{}", services.installation, storm.id);
    let lines: Vec<StormLine> =
        store::lines::of_storm(&services.store, storm.id).await?.into_iter().map(|(_, line)| line).collect();
    let week = services.linker.week(Some(&row.repository.full_name), storm.last_line_at_ms);
    let issue = render::storm_issue(&row.repository, storm, &lines, (&marker, &week))?;
    Ok((issue.title, issue.body, marker))
}
