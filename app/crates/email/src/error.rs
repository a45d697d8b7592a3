//! Why a mail could not be sent, and whether trying again can help.

use std::error::Error as _;

/// Why a mail could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server says: not now (4xx). Worth a retry.
    #[error("{server} does not take the mail now ({code}): {text}")]
    Transient {
        /// Its name, and port where one is configured.
        server: String,
        /// SMTP's code, 400 to 499.
        code: u16,
        /// What it said.
        text: String,
    },
    /// The server says: never (5xx). The same mail would be refused again; a wrong password (535)
    /// too, until it is changed.
    #[error("{server} refuses the mail ({code}): {text}")]
    Permanent {
        /// Its name, and port where one is configured.
        server: String,
        /// SMTP's code, 500 to 599.
        code: u16,
        /// What it said.
        text: String,
    },
    /// No answer, or the conversation broke off. The mail may have arrived all the same. Worth a
    /// retry.
    #[error("{server} can't be reached: {reason}")]
    Unreachable {
        /// Its name, and port where one is configured.
        server: String,
        /// What happened.
        reason: String,
    },
    /// An address that no mail can be sent to.
    #[error("{address:?} is no address that mail can be sent to: {reason}")]
    BadAddress {
        /// As given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The outbox directory can't be written to. Worth a retry: disks fill up and are emptied.
    #[error("the mail can't be written to {path}: {reason}")]
    Outbox {
        /// The file or directory.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// Settings that can't be used.
    #[error("{0}")]
    Configuration(String),
}

impl MailError {
    /// Whether sending the same mail again later can succeed.
    pub fn is_worth_a_retry(&self) -> bool {
        match self {
            Self::Transient { .. } | Self::Unreachable { .. } | Self::Outbox { .. } => true,
            // Credentials (530, 534, 535, 538) are the server's opinion of us, not of the mail: an
            // operator repairs them.
            Self::Permanent { code, .. } => matches!(code, 530 | 534 | 535 | 538),
            Self::BadAddress { .. } | Self::Configuration(_) => false,
        }
    }

    /// Whether it is the address that is refused, whatever is sent to it: nobody has it, or not any
    /// more.
    pub fn is_about_the_address(&self) -> bool {
        match self {
            Self::Permanent { code, text, .. } => is_recipient_refused(*code, text),
            Self::BadAddress { .. } => true,
            Self::Transient { .. } | Self::Unreachable { .. } | Self::Outbox { .. } | Self::Configuration(_) => false,
        }
    }

    /// lettre's error, in our terms.
    pub(super) fn from_smtp(server: &str, error: &lettre::transport::smtp::Error) -> Self {
        let server = server.to_owned();
        let text = error.source().map_or_else(|| error.to_string(), |source| source.to_string());
        match error.status() {
            Some(code) if error.is_permanent() => Self::Permanent { server, code: code.into(), text },
            Some(code) => Self::Transient { server, code: code.into(), text },
            // Everything else is on the way: name, route, TLS, a broken line, an answer that is no
            // SMTP.
            None => Self::Unreachable { server, reason: whole(error) },
        }
    }
}

/// Words by which a server without enhanced status codes says that there is no such mailbox, in
/// lower case: what Exim, qmail, Sendmail and others say to RCPT, and RFC 5321's own for 550.
const NO_SUCH_MAILBOX: [&str; 13] = [
    "user unknown",
    "unknown user",
    "no such user",
    "user not found",
    "mailbox unavailable",
    "mailbox not found",
    "no mailbox here",
    "unknown recipient",
    "invalid recipient",
    "recipient address rejected",
    "unrouteable address",
    "does not exist",
    "no such recipient",
];

/// Words by which the same answers are about somebody or something else.
const NOT_THEIRS: [&str; 4] = ["sender", "policy", "content", "spam"];

/// Whether an answer refuses the recipient, and not the sender or what the mail says.
///
/// It would be one to RCPT, but lettre does not tell to which command an answer was. A server says
/// 550 and 553 to MAIL, RCPT and at the end of DATA alike, where it means the sender or the content
/// (RFC 5321, 4.3.2, and 3.6.2 for policies); 551 it says of a recipient alone. So the enhanced
/// status code decides, where there is one (RFC 3463, 3.2 and 3.3: X.1 is about addresses, of which
/// X.1.7 and X.1.8 are the sender's; X.2.1 is a mailbox that takes nothing any more), else the
/// words. What is not clear is no refusal of the address: it would keep mails of every repository
/// from it.
fn is_recipient_refused(code: u16, text: &str) -> bool {
    if !matches!(code, 550 | 551 | 553) {
        return false;
    }
    match enhanced_status(text) {
        Some((1, detail)) => !matches!(detail, 7 | 8),
        Some((2, detail)) => detail == 1,
        Some(_) => false,
        None if code == 551 => true,
        None => {
            let text = text.to_lowercase();
            let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
            says(&NO_SUCH_MAILBOX) && !says(&NOT_THEIRS)
        }
    }
}

/// Subject and detail of the enhanced status code that a refusal begins with: `(1, 1)` of
/// `5.1.1 No such user`.
fn enhanced_status(text: &str) -> Option<(u16, u16)> {
    let word = text.split_whitespace().next()?;
    let (class, rest) = word.trim_start_matches('#').split_once('.')?;
    let (subject, detail) = rest.split_once('.')?;
    let detail = detail.trim_end_matches([':', ';', ',', '-']);
    (class == "5").then_some(())?;
    subject.parse().ok().zip(detail.parse().ok())
}

/// The error with what caused it, each cause once.
fn whole(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = deeper.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::MailError;

    #[test]
    fn an_address_that_nobody_has_is_told_from_a_mail_that_displeases() {
        let refusal = |code: u16, text: &str| MailError::Permanent { server: "mx".into(), code, text: text.into() };
        for theirs in [
            refusal(550, "5.1.1 No such user"),
            refusal(550, "5.1.1: <ada@x.com>: Recipient address rejected: User unknown"),
            refusal(550, "#5.1.0 Address rejected."),
            refusal(550, "5.2.1 The mailbox is disabled"),
            refusal(553, "5.1.2 No such domain"),
            refusal(551, "User not local"),
            refusal(550, "No such user here"),
            refusal(550, "Requested action not taken: mailbox unavailable"),
            refusal(553, "Sorry, no mailbox here by that name"),
        ] {
            assert!(theirs.is_about_the_address(), "{theirs}");
        }
        for other in [
            refusal(550, "5.7.1 Spam"),
            refusal(550, "Message content rejected as spam"),
            refusal(550, "This message was classified as SPAM and may not be delivered"),
            refusal(550, "Administrative prohibition"),
            refusal(550, "5.6.0 Bad header; no such user"),
            refusal(550, "5.2.3 Longer than the mailbox takes"),
            refusal(550, "5.1.8 Sender address rejected: Domain not found"),
            refusal(553, "5.1.7 Bad sender's address"),
            refusal(553, "Sender address rejected: not owned by user"),
            refusal(550, "Sender's domain does not exist"),
            refusal(550, "Requested action not taken: mailbox unavailable. Reject due to policy restrictions."),
            refusal(552, "Too large"),
            refusal(554, "No"),
            refusal(535, "Who?"),
        ] {
            assert!(!other.is_about_the_address(), "{other}");
        }
    }
}
