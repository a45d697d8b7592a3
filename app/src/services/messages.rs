//! What goes out by each channel, from what its row holds to what its reader gets.

use super::alert_content::AlertContent;
use super::{Failure, Site};
use domain::alert::{MailContent, Recipient, Reply};
use domain::delivery::{Channel, Purpose};
use domain::ids::DeliveryId;
use domain::names::Login;
use domain::timestamp::Timestamp;
use render::{Issue, Mail};
use store::deliveries::{Delivery, NewDelivery};
use store::lines::Line;
use store::repositories::RepositoryRow;

/// A delivery as its reader gets it, whatever the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Subject of the mail, title of the issue; `None`: a comment has none.
    pub title: Option<String>,
    /// The text.
    pub text: String,
}

/// What a delivery of a line says.
///
/// # Errors
/// The database is out of reach, or a row can't be read.
pub async fn rendered(
    content: &AlertContent,
    row: &RepositoryRow,
    line: &Line,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Rendered, Failure> {
    Ok(match delivery.what.channel {
        Channel::Mail => {
            let (_, mail) = rendered_mail(content, row, line, &delivery.what, now).await?;
            Rendered { title: Some(mail.subject), text: mail.text }
        }
        Channel::Issue => {
            let login = row.repository.github.as_ref().and_then(|_| line.logins().next().cloned());
            let issue = rendered_issue(content, row, line, issue_recipient(line, login), now).await?;
            Rendered { title: Some(issue.title), text: issue.body }
        }
        Channel::Comment => Rendered { title: None, text: rendered_comment(&content.site, row, delivery)? },
    })
}

/// A delivery in a few words: `mail to ada@example.com`, `issue for Ada Lovelace`.
pub fn headline(delivery: &NewDelivery, line: &Line, author: &str) -> String {
    match (delivery.channel, line.issue) {
        (Channel::Mail, _) => format!("mail to {}", delivery.recipient),
        (Channel::Issue, _) => format!("issue for {author}"),
        (Channel::Comment, Some(number)) => format!("comment on #{number}"),
        (Channel::Comment, None) => "comment".to_owned(),
    }
}

/// Why it is sent, in a few words; empty where its row can't be read.
pub fn reason(delivery: &NewDelivery) -> String {
    match delivery.channel {
        Channel::Mail => mail_content(delivery).map_or_else(|_| String::new(), |said| said.to.why),
        Channel::Issue => "a new line".to_owned(),
        Channel::Comment => reply_of(delivery).map_or_else(|_| String::new(), |reply| reply.reason()),
    }
}

/// A mail to an address.
///
/// # Errors
/// It can't be written as JSON.
pub fn mail(purpose: Purpose, content: &MailContent) -> Result<NewDelivery, Failure> {
    let recipient = content.to.email.clone().unwrap_or_default();
    let content = serde_json::to_string(content).map_err(Failure::give_up)?;
    Ok(NewDelivery { channel: Channel::Mail, purpose, recipient, content })
}

/// Whom a mail is for, and why.
///
/// # Errors
/// The row was written by another version: it will never be readable.
pub fn mail_content(delivery: &NewDelivery) -> Result<MailContent, Failure> {
    serde_json::from_str(&delivery.content).map_err(Failure::give_up)
}

/// A mail as it is read, and by whom.
///
/// # Errors
/// As [`rendered`].
pub async fn rendered_mail(
    content: &AlertContent,
    row: &RepositoryRow,
    line: &Line,
    delivery: &NewDelivery,
    now: Timestamp,
) -> Result<(Recipient, Mail), Failure> {
    let said = mail_content(delivery)?;
    let mut alert = content.latest(row, line, said.to, now).await?;
    alert.header = said.header;
    let mail = render::mail(&alert)?;
    Ok((alert.told, mail))
}

/// The issue of a new line.
pub fn issue() -> NewDelivery {
    let (recipient, content) = (String::new(), String::new());
    NewDelivery { channel: Channel::Issue, purpose: Purpose::Alert, recipient, content }
}

/// Whose issue it is, as its body says.
pub fn issue_recipient(line: &Line, login: Option<Login>) -> Recipient {
    let person = line.told.as_ref().map(|told| &told.person);
    let author = line.author_name.as_deref();
    let why = match (&line.owner_login, person, author) {
        (Some(owner), ..) => format!("{owner} was given this line."),
        (None, Some(person), author) => person.why_them(author),
        (None, None, Some(author)) => format!("{author} wrote this line."),
        (None, None, None) => "No author of this line could be found.".to_owned(),
    };
    let name = person.map(|person| person.name()).filter(|name| !name.is_empty()).or(author);
    Recipient { name: name.unwrap_or_default().to_owned(), email: None, login, why }
}

/// An issue as it is read.
///
/// # Errors
/// As [`rendered`].
pub async fn rendered_issue(
    content: &AlertContent,
    row: &RepositoryRow,
    line: &Line,
    told: Recipient,
    now: Timestamp,
) -> Result<Issue, Failure> {
    Ok(render::issue(&content.latest(row, line, told, now).await?)?)
}

/// A comment that is to be sent once for its purpose.
///
/// # Errors
/// It can't be written as JSON.
pub fn comment(purpose: Purpose, reply: &Reply) -> Result<NewDelivery, Failure> {
    let content = serde_json::to_string(reply).map_err(Failure::give_up)?;
    Ok(NewDelivery { channel: Channel::Comment, purpose, recipient: String::new(), content })
}

/// What a comment says.
///
/// # Errors
/// The row was written by another version: it will never be readable.
pub fn reply_of(delivery: &NewDelivery) -> Result<Reply, Failure> {
    serde_json::from_str(&delivery.content).map_err(Failure::give_up)
}

/// By what a comment is found again.
fn comment_marker(site: &Site, delivery: &Delivery) -> String {
    format!("{}:{}", site.marker(delivery.line), delivery.id)
}

/// Whether a text bears the marker of this delivery's comment, whichever line it was of then.
pub fn bears_comment(site: &Site, text: &str, delivery: DeliveryId) -> bool {
    let hidden = text.split_once("-->").map_or("", |(hidden, _)| hidden.trim_end());
    hidden.contains(&site.marker_prefix()) && hidden.ends_with(&format!(":{delivery}"))
}

/// A comment as it is read.
///
/// # Errors
/// Its row was written by another version, or a template is faulty.
pub fn rendered_comment(site: &Site, row: &RepositoryRow, delivery: &Delivery) -> Result<String, Failure> {
    Ok(render::reply(&reply_of(&delivery.what)?, &comment_marker(site, delivery), &row.repository)?)
}
