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
            // 5.7 are policies: the sender or the content displeased.
            Self::Permanent { code, text, .. } => matches!(code, 550 | 551 | 553) && !text.contains("5.7."),
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
        assert!(refusal(550, "5.1.1 No such user").is_about_the_address());
        assert!(refusal(551, "User not local").is_about_the_address());
        for other in [refusal(550, "5.7.1 Spam"), refusal(552, "Too large"), refusal(554, "No"), refusal(535, "Who?")] {
            assert!(!other.is_about_the_address(), "{other}");
        }
    }
}
