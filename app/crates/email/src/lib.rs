//! E-mail by lettre: SMTP, or files in the outbox directory.

mod bounded;
mod error;
mod message;
mod outbox;
mod server;

pub use error::{MailError, Step};
pub use message::OutgoingMail;
pub use outbox::Outbox;

use domain::url_text::without_secrets;
use lettre::message::Mailbox;
use server::SmtpServer;
use std::path::Path;

/// Sends mail by SMTP, or writes it into a directory where no server is configured.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

/// Where mail goes.
#[derive(Debug)]
enum Way {
    Smtp(Box<SmtpServer>),
    Outbox(Outbox),
}

impl Mailer {
    /// A mailer for `smtp://user:pass@host:587?tls=required` or `smtps://…` (each as lettre reads
    /// it); without a URL, mails are written to `outbox_dir` as `.eml` files. `from` is an address
    /// with or without a name.
    ///
    /// # Errors
    /// [`MailError::Configuration`] where the URL or the sender can't be understood; the message
    /// never repeats a password.
    pub fn new(smtp_url: Option<&str>, from: &str, outbox_dir: &Path) -> Result<Self, MailError> {
        let from = from.trim().parse::<Mailbox>().map_err(|reason| {
            MailError::Configuration(format!(
                "MAIL_FROM is {:?}, which is no address ({reason}); write flawless@example.com or Flawless <flawless@example.com>",
                without_secrets(from)
            ))
        })?;
        let way = match smtp_url.map(str::trim).filter(|url| !url.is_empty()) {
            Some(url) => Way::Smtp(Box::new(smtp(url)?)),
            None => Way::Outbox(Outbox::new(outbox_dir)),
        };
        Ok(Self { from, way })
    }

    /// Sends one mail. May be called again with the same mail after an error that
    /// [`MailError::is_worth_a_retry`]: the Message-ID stays the same, so that a mail whose receipt
    /// was lost is recognised as a copy.
    ///
    /// # Errors
    /// [`MailError`] says whether trying again can help.
    pub async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        let message = message::build(&self.from, mail)?;
        match &self.way {
            Way::Smtp(server) => server.send(&message).await,
            Way::Outbox(outbox) => outbox.write_mail(mail.date, &mail.message_id, &message.formatted()).await,
        }
    }

    /// Connects, greets, signs in and names the sender without sending anything, or sees that the
    /// outbox can be written to. Says how it is.
    ///
    /// # Errors
    /// [`MailError`], as when sending.
    pub async fn check(&self) -> Result<String, MailError> {
        match &self.way {
            Way::Smtp(server) => {
                server.check(&self.from.email).await?;
                Ok(format!("{} takes mail from {}", server.name(), self.from.email))
            }
            Way::Outbox(outbox) => {
                outbox.check().await?;
                Ok(format!("no SMTP_URL: mails are written to {}", outbox.directory().display()))
            }
        }
    }
}

/// The server of a URL.
fn smtp(url: &str) -> Result<SmtpServer, MailError> {
    let wrong = |reason: String| {
        // What is said of a URL may quote it, and it holds a password.
        MailError::Configuration(format!(
            "SMTP_URL can't be used: {reason}; write smtp://user:password@host:587?tls=required"
        ))
    };
    let parsed = url::Url::parse(url).map_err(|reason| wrong(reason.to_string()))?;
    // A # or / in a password ends what is before it, and the host is a part of both.
    if url.rsplit_once('@').is_some_and(|(before, _)| is_cut(before)) {
        return Err(wrong("special characters in its user and password must be percent-encoded".to_owned()));
    }
    SmtpServer::of(&parsed).map_err(wrong)
}

/// Whether what should be a scheme, a user and a password ends before the @ of its host.
fn is_cut(before: &str) -> bool {
    before.split_once("://").is_some_and(|(_, user)| user.contains(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(smtp_url: Option<&str>, from: &str) -> String {
        match Mailer::new(smtp_url, from, Path::new("outbox")) {
            Err(error) => error.to_string(),
            Ok(_) => String::new(),
        }
    }

    #[test]
    fn wrong_settings_are_named_without_the_password() {
        assert!(refusal(None, "nobody").starts_with("MAIL_FROM is \"nobody\", which is no address"));
        assert!(refusal(None, "smtp://u:secret@h").starts_with("MAIL_FROM is \"smtp://…@h\", which is no address"));
        for (url, says) in [
            ("mail.example.com", "relative URL"),
            ("http://u:secret@h", "it begins with neither smtp:// nor smtps://"),
            ("smtp://u:secret@h?tls=yes", "its tls is neither required nor opportunistic"),
            ("smtp://u:12#secret@h", "percent-encoded"),
            ("smtp://u:a/secret@h", ""),
            ("secret:x@h", "smtp://"),
            ("smtp://u@h", "a user without a password"),
            ("smtp:secret", "no host"),
        ] {
            let text = refusal(Some(url), "a@example.com");
            assert!(text.contains(says) && !text.contains("secret"), "{url}: {text}");
        }
    }

    #[test]
    fn usual_settings_are_taken() {
        for url in [
            "smtp://localhost:25",
            "smtps://u:p%40ss@h",
            "smtp://u:p@h:587?tls=required",
            "smtp://h?tls=opportunistic",
            " ",
        ] {
            assert_eq!(refusal(Some(url), "Flawless <flawless@example.com>"), "", "{url}");
        }
    }
}
