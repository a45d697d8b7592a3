//! What a delivery's row holds beside its line: whom a mail is for, and what a comment says.

use super::Failure;
use domain::alert::{MailContent, Reply};
use domain::delivery::{Channel, Purpose};
use store::deliveries::NewDelivery;

/// Whom a mail is for, and why.
///
/// # Errors
/// The row was written by another version: it will never be readable.
pub fn mail_content(delivery: &NewDelivery) -> Result<MailContent, Failure> {
    serde_json::from_str(&delivery.content).map_err(Failure::give_up)
}

/// What a comment says.
///
/// # Errors
/// The row was written by another version: it will never be readable.
pub fn reply_of(delivery: &NewDelivery) -> Result<Reply, Failure> {
    serde_json::from_str(&delivery.content).map_err(Failure::give_up)
}

/// A comment that is to be sent once for its purpose.
///
/// # Errors
/// It can't be written as JSON.
pub fn comment(purpose: Purpose, reply: &Reply) -> Result<NewDelivery, Failure> {
    let content = serde_json::to_string(reply).map_err(Failure::give_up)?;
    Ok(NewDelivery { channel: Channel::Comment, purpose, recipient: String::new(), content })
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
