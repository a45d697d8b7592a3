//! What a delivery that was held back in shadow mode would have said.

use super::Failure;
use super::alert_content::AlertContent;
use super::messages::{mail_content, reply_of};
use domain::alert::Recipient;
use domain::delivery::Channel;
use domain::timestamp::Timestamp;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// What would have been sent, as its reader would have got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Subject of the mail, title of the issue; `None`: a comment has none.
    pub title: Option<String>,
    /// The text.
    pub text: String,
}

/// What a delivery of a line that was never sent would have said.
///
/// # Errors
/// The database is out of reach, or a row can't be read.
pub async fn preview(
    content: &AlertContent,
    row: &RepositoryRow,
    line: &Line,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Preview, Failure> {
    match delivery.what.channel {
        Channel::Comment => {
            let marker = content.site.marker(line.id);
            let text = render::reply(&reply_of(&delivery.what)?, &marker, &row.repository)?;
            Ok(Preview { title: None, text })
        }
        Channel::Issue => {
            let login = line.logins().next().cloned();
            let told = Recipient { login, ..Recipient::default() };
            let issue = render::issue(&content.latest(row, line, told, now).await?)?;
            Ok(Preview { title: Some(issue.title), text: issue.body })
        }
        Channel::Mail => {
            let said = mail_content(&delivery.what)?;
            let mut alert = content.latest(row, line, said.to, now).await?;
            alert.header = said.header;
            let mail = render::mail(&alert)?;
            Ok(Preview { title: Some(mail.subject), text: mail.text })
        }
    }
}
