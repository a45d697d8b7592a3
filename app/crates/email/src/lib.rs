//! E-mail by lettre: SMTP, or files in the outbox directory.

mod error;
mod message;
mod outbox;

pub use error::MailError;
pub use message::OutgoingMail;
pub use outbox::Outbox;

use domain::url_text::without_secrets;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::path::Path;
use std::time::Duration;

/// How long one step of a conversation may take. RFC 5321 allows minutes, but a mail that waits is
/// tried again anyway.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one mail may take in all, so that a very slow server can't hold a worker for ever.
const MAIL_TIMEOUT: Duration = Duration::from_secs(120);

/// Sends mail by SMTP, or writes it into a directory where no server is configured.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

/// Where mail goes.
#[derive(Debug)]
enum Way {
    Smtp { transport: AsyncSmtpTransport<Tokio1Executor>, host: String },
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
            Some(url) => smtp(url)?,
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
            Way::Smtp { transport, host } => match tokio::time::timeout(MAIL_TIMEOUT, transport.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                // lettre refuses by itself what the server could not take: the address has signs
                // that need SMTPUTF8.
                Ok(Err(error)) if error.is_client() && !mail.to_email.is_ascii() => {
                    Err(MailError::BadAddress { address: mail.to_email.clone(), reason: error.to_string() })
                }
                Ok(Err(error)) => Err(MailError::from_smtp(host, &error)),
                Err(_) => Err(MailError::Unreachable {
                    server: host.clone(),
                    reason: format!("no end after {} seconds", MAIL_TIMEOUT.as_secs()),
                }),
            },
            Way::Outbox(outbox) => outbox.write_mail(mail.date, &mail.message_id, &message.formatted()).await,
        }
    }

    /// Connects, greets and signs in without sending anything, or sees that the outbox can be
    /// written to. Says how it is.
    ///
    /// # Errors
    /// [`MailError`], as when sending.
    pub async fn check(&self) -> Result<String, MailError> {
        match &self.way {
            Way::Smtp { transport, host } => {
                let answer = tokio::time::timeout(MAIL_TIMEOUT, transport.test_connection()).await;
                let unreachable =
                    |reason: &str| MailError::Unreachable { server: host.clone(), reason: reason.to_owned() };
                match answer {
                    Ok(Ok(true)) => Ok(format!("{host} takes mail from {}", self.from.email)),
                    Ok(Ok(false)) => Err(unreachable("the server greets, but refuses to go on")),
                    Ok(Err(error)) => Err(MailError::from_smtp(host, &error)),
                    Err(_) => Err(unreachable("it does not answer in time")),
                }
            }
            Way::Outbox(outbox) => {
                outbox.check().await?;
                Ok(format!("no SMTP_URL: mails are written to {}", outbox.directory().display()))
            }
        }
    }
}

/// The transport of a URL. Its host is kept for messages: lettre's own errors don't name it.
fn smtp(url: &str) -> Result<Way, MailError> {
    let wrong = |reason: String| {
        // What lettre says may quote the URL, which holds a password.
        MailError::Configuration(format!(
            "SMTP_URL can't be used: {reason}; write smtp://user:password@host:587?tls=required"
        ))
    };
    let parsed = url::Url::parse(url).map_err(|reason| wrong(reason.to_string()))?;
    let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host".to_owned()))?;
    if !matches!(parsed.scheme(), "smtp" | "smtps") {
        return Err(wrong("it begins with neither smtp:// nor smtps://".to_owned()));
    }
    let tls = parsed.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    if tls.is_some_and(|value| !matches!(value.as_str(), "required" | "opportunistic")) {
        return Err(wrong("its tls is neither required nor opportunistic".to_owned()));
    }
    // A # or / in a password ends what is before it, and the host is a part of both.
    if url.rsplit_once('@').is_some_and(|(before, _)| is_cut(before)) {
        return Err(wrong("special characters in its user and password must be percent-encoded".to_owned()));
    }
    if !parsed.username().is_empty() && parsed.password().is_none() {
        return Err(wrong("it names a user without a password".to_owned()));
    }
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
        .map_err(|_| wrong("special characters in its user and password must be percent-encoded".to_owned()))?;
    let shown = parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok(Way::Smtp { transport: builder.timeout(Some(STEP_TIMEOUT)).build(), host: shown })
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
