//! Why a mail could not be sent, and whether trying again can help.

use domain::visible::one_line;
use std::error::Error as _;

/// What a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The connection: its greeting, and ours.
    Greeting,
    /// STARTTLS.
    Encryption,
    /// AUTH.
    SignIn,
    /// MAIL: whether we may send as this sender.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA: whether it wants the text.
    Data,
    /// The text, by which a server may have looked into it.
    Text,
}

impl Step {
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::Encryption => "STARTTLS",
            Self::SignIn => "AUTH",
            Self::Sender => "MAIL",
            Self::Recipient => "RCPT",
            Self::Data => "DATA",
            Self::Text => "the mail's text",
        }
    }
}

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
    /// The server says: never (5xx). What of: the address, the mail, or us, to whom an operator's
    /// hand, or another day, may reconcile it.
    #[error("{server} refuses the mail ({code}): {text}")]
    Permanent {
        /// Its name, and port where one is configured.
        server: String,
        /// What it answered.
        step: Step,
        /// SMTP's code, 500 to 599.
        code: u16,
        /// What it said.
        text: String,
    },
    /// No answer, or the conversation broke off before the mail's text was sent. Worth a retry.
    #[error("{server} can't be reached: {reason}")]
    Unreachable {
        /// Its name, and port where one is configured.
        server: String,
        /// What happened.
        reason: String,
    },
    /// The text was sent, and nothing said of it. Worth a retry, but not for days: each may bring
    /// the same mail once more.
    #[error("{server} was sent the mail, which may have arrived, and did not say so: {reason}")]
    Unanswered {
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
    /// Our own address is one that the server does not understand: it takes no mail of ours, to
    /// whomever. Worth a retry, for the setting, or the server, is changed by people.
    #[error(
        "{server} takes no mail from {address:?}, as MAIL_FROM is: it knows ASCII letters only (it has no SMTPUTF8)"
    )]
    BadSender {
        /// Its name, and port where one is configured.
        server: String,
        /// As configured.
        address: String,
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
    /// Whether sending the same mail again later can succeed: always, but where surely this one
    /// address is refused, or what this one mail says. Whatever else a server refuses is a matter
    /// between it and us, and every mail of that time would be lost by it: block lists, who may
    /// send from where and as whom, wrong passwords (530, 535), a mailbox that is full.
    pub fn is_worth_a_retry(&self) -> bool {
        match self {
            Self::Transient { .. }
            | Self::Unreachable { .. }
            | Self::Unanswered { .. }
            | Self::BadSender { .. }
            | Self::Outbox { .. } => true,
            Self::Permanent { step, code, text, .. } => {
                !is_recipient_refused(*step, *code, text) && !is_text_refused(*step, text)
            }
            Self::BadAddress { .. } | Self::Configuration(_) => false,
        }
    }

    /// Whether it is the address that is refused, whatever is sent to it: nobody has it, or not any
    /// more.
    pub fn is_about_the_address(&self) -> bool {
        match self {
            Self::Permanent { step, code, text, .. } => is_recipient_refused(*step, *code, text),
            Self::BadAddress { .. } => true,
            Self::Transient { .. }
            | Self::Unreachable { .. }
            | Self::Unanswered { .. }
            | Self::BadSender { .. }
            | Self::Outbox { .. }
            | Self::Configuration(_) => false,
        }
    }

    /// Whether nobody knows if the mail arrived.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::Unanswered { .. })
    }

    /// lettre's error, in our terms.
    pub(super) fn from_smtp(server: &str, step: Step, error: &lettre::transport::smtp::Error) -> Self {
        let server = server.to_owned();
        let text = error.source().map_or_else(|| error.to_string(), |source| source.to_string());
        let text: String = one_line(&text).chars().take(MOST_WORDS).collect();
        match error.status() {
            Some(code) if error.is_permanent() => Self::Permanent { server, step, code: code.into(), text },
            Some(code) => Self::Transient { server, code: code.into(), text },
            None if step == Step::Text => Self::Unanswered { server, reason: one_line(&whole(error)) },
            // Everything else is on the way: name, route, TLS, a broken line, an answer that is no
            // SMTP.
            None => Self::Unreachable { server, reason: one_line(&whole(error)) },
        }
    }
}

/// Characters of an answer that are kept: servers name a page that says more.
const MOST_WORDS: usize = 1_000;

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

/// Words by which an answer to a text is about what it holds, in lower case.
const ABOUT_THE_TEXT: [&str; 9] =
    ["content", "spam", "virus", "malware", "phish", "too large", "too big", "size limit", "message size"];

/// Words by which it is about us, or the mailbox, after all: who is blocked is told of "spam", too.
const ABOUT_US: [&str; 17] = [
    "sender",
    "client host",
    "blocked using",
    "reputation",
    "permission",
    "relay",
    "quota",
    "mailbox full",
    "spamhaus",
    "spamcop",
    "barracuda",
    "ip address",
    "your ip",
    "unsolicited mail",
    "block list",
    "blocklist",
    "blacklist",
];

/// The same, where they are words of their own: others end like them.
const ABOUT_US_ALONE: [&str; 5] = ["listed", "rate", "rates", "dnsbl", "rbl"];

/// Words by which a mailbox takes nothing at the moment, because much comes to it.
const TOO_MUCH_COMES: [&str; 5] = ["rate", "rates", "limit", "quota", "quickly"];

/// Whether an answer refuses the recipient, and not us, the sender or what the mail says.
///
/// It may come to RCPT or to the text, as a mail has one recipient. A server says 550 and 553 alike
/// where it means the sender or the content (RFC 5321, 4.3.2, and 3.6.2 for policies); 551 it says
/// of a recipient alone. So the enhanced status code decides, where there is one (RFC 3463, 3.2 and
/// 3.3: X.1 is about addresses, of which X.1.7 and X.1.8 are the sender's; X.2.1 is a mailbox that
/// takes nothing any more, unless too much comes to it just now), else the words. What is not clear
/// is no refusal of the address: it would keep mails of every repository from it.
fn is_recipient_refused(step: Step, code: u16, text: &str) -> bool {
    if !matches!(step, Step::Recipient | Step::Text) {
        return false;
    }
    match enhanced_status(text) {
        // Of mailbox, system, syntax or a move: some say 554 then.
        Some((1, 1 | 2 | 3 | 6 | 10)) if code == 554 => true,
        _ if !matches!(code, 550 | 551 | 553) => false,
        Some((1, detail)) => !matches!(detail, 7 | 8),
        Some((2, detail)) => detail == 1 && !has_word(text, &TOO_MUCH_COMES),
        Some(_) => false,
        None if code == 551 => true,
        None => says(text, &NO_SUCH_MAILBOX) && !says(text, &NOT_THEIRS) && !says(text, &ABOUT_US),
    }
}

/// Whether an answer to a mail's text refuses what it holds: by its enhanced status code (X.6,
/// X.2.3 and X.3.4 say that it is too long), else by its words, for X.7 is of policies, which are
/// mostly about us.
fn is_text_refused(step: Step, text: &str) -> bool {
    step == Step::Text
        && match enhanced_status(text) {
            Some((6, _) | (2, 3) | (3, 4)) => true,
            Some((1..=5, _)) => false,
            Some(_) | None => says(text, &ABOUT_THE_TEXT) && !is_about_us(text),
        }
}

fn is_about_us(text: &str) -> bool {
    says(text, &ABOUT_US) || has_word(text, &ABOUT_US_ALONE)
}

fn has_word(text: &str, words: &[&str]) -> bool {
    text.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).any(|word| words.contains(&word))
}

fn says(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
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
    use super::{MailError, Step};

    fn refusal(step: Step, code: u16, text: &str) -> MailError {
        MailError::Permanent { server: "mx".into(), step, code, text: text.into() }
    }

    #[test]
    fn an_address_that_nobody_has_is_told_from_a_mail_that_displeases() {
        for (code, text) in [
            (550, "5.1.1 No such user"),
            (550, "5.1.1: <ada@x.com>: Recipient address rejected: User unknown"),
            (550, "#5.1.0 Address rejected."),
            (550, "5.2.1 The mailbox is disabled"),
            (553, "5.1.2 No such domain"),
            (554, "5.1.1 No such user"),
            (551, "User not local"),
            (550, "No such user here"),
            (550, "Requested action not taken: mailbox unavailable"),
            (553, "Sorry, no mailbox here by that name"),
        ] {
            for step in [Step::Recipient, Step::Text] {
                let theirs = refusal(step, code, text);
                assert!(theirs.is_about_the_address() && !theirs.is_worth_a_retry(), "{theirs}");
            }
            let ours = refusal(Step::Sender, code, text);
            assert!(!ours.is_about_the_address() && ours.is_worth_a_retry(), "to MAIL: {ours}");
        }
        for (code, text) in [
            (550, "5.7.1 Spam"),
            (550, "Message content rejected as spam"),
            (550, "This message was classified as SPAM and may not be delivered"),
            (550, "Administrative prohibition"),
            (550, "5.6.0 Bad header; no such user"),
            (550, "5.2.3 Longer than the mailbox takes"),
            (550, "5.1.8 Sender address rejected: Domain not found"),
            (553, "5.1.7 Bad sender's address"),
            (553, "Sender address rejected: not owned by user"),
            (550, "Sender's domain does not exist"),
            (550, "Requested action not taken: mailbox unavailable. Reject due to policy restrictions."),
            (552, "Too large"),
            (554, "No"),
            (554, "5.1.0 Sender denied"),
            (535, "Who?"),
            (550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more"),
            (550, "Requested action not taken: mailbox unavailable. Your IP address is on a block list"),
        ] {
            let other = refusal(Step::Recipient, code, text);
            assert!(!other.is_about_the_address() && other.is_worth_a_retry(), "{other}");
        }
    }

    #[test]
    fn a_mail_that_displeases_is_told_from_a_server_that_refuses_us() {
        for (code, text) in [
            (550, "Message content rejected as spam"),
            (550, "5.7.1 Spam"),
            (554, "5.6.0 Bad header"),
            (552, "5.3.4 Message too big for system"),
            (552, "Message size exceeds fixed limit"),
            (554, "5.7.1 A virus was found in it"),
            (554, "5.7.1 Spam, as separated from corporate mail by moderate filters"),
        ] {
            let its = refusal(Step::Text, code, text);
            assert!(!its.is_worth_a_retry() && !its.is_about_the_address(), "{its}");
        }
        for (step, code, text) in [
            (Step::Greeting, 554, "5.7.1 Service unavailable; Client host [10.0.0.1] blocked using zen.example"),
            (Step::Encryption, 554, "5.7.3 Unable to initialize security subsystem"),
            (Step::SignIn, 535, "5.7.8 Authentication credentials invalid"),
            (Step::Sender, 550, "5.7.60 Client does not have permissions to send as this sender"),
            (Step::Sender, 530, "5.7.0 Sign in first"),
            (Step::Recipient, 554, "5.7.1 <ada@example.com>: Relay access denied"),
            (Step::Recipient, 550, "5.7.1 Client host rejected: no such user on your network"),
            (Step::Recipient, 552, "5.2.2 mailbox full"),
            (Step::Data, 554, "No valid recipients"),
            (Step::Text, 550, "5.7.60 Client does not have permissions to send as this sender"),
            (Step::Text, 550, "5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy"),
            (Step::Text, 552, "5.2.2 mailbox full"),
            (Step::Text, 554, "Transaction failed"),
            (Step::Text, 554, "5.7.1 Service unavailable; Client host [10.0.0.1] blocked using Spamhaus"),
            (
                Step::Text,
                550,
                "5.7.1 [10.0.0.1 12] Our system has detected an unusual rate of unsolicited mail originating from your \
                 IP address. To protect our users from spam, mail sent from your IP address has been blocked.",
            ),
            (Step::Text, 554, "5.7.1 Spam source; see https://www.spamcop.net/bl.shtml?10.0.0.1"),
            (Step::Text, 550, "10.0.0.1 is listed as a source of spam"),
            (Step::Text, 554, "Blocked for spam: http://www.barracudanetworks.com/reputation"),
            (Step::Text, 550, "5.7.1 Too high a rate of spam"),
            (Step::Text, 550, "5.7.1 Spam: we have you on our block list"),
        ] {
            let ours = refusal(step, code, text);
            assert!(ours.is_worth_a_retry() && !ours.is_about_the_address(), "{ours}");
        }
    }
}
