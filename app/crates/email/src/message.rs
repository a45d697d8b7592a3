//! One mail as it goes over the wire.

use super::error::MailError;
use domain::address::is_address;
use domain::timestamp::Timestamp;
use domain::visible::one_line;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::{Address, message::MessageBuilder};
use std::time::SystemTime;

/// Last moment that a mail's Date can say: the end of the year 9999.
const LAST_DATE: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// Longest value of our own headers: RFC 5322 allows lines of 998 characters.
const MOST_HEADER_CHARS: usize = 900;

/// A mail to one person, ready to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Message-ID without angle brackets, `line-12.to-7@flawless.example.com`: the same for every
    /// try of the same mail.
    pub message_id: String,
    /// Display name; may be empty.
    pub to_name: String,
    /// Address.
    pub to_email: String,
    /// One line; line ends become spaces.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Date of the mail.
    pub date: Timestamp,
    /// Where answers go, where not to the sender.
    pub reply_to: Option<String>,
    /// `owner/name`, for the reader's filters.
    pub repository: String,
    /// Our number of the line, for the reader's filters; `None` where the mail is about no line.
    pub line: Option<i64>,
    /// Identifier of the list (RFC 2919) without angle brackets, `acme-shop.flawless.example.com`:
    /// readers filter by it.
    pub list_id: Option<String>,
}

/// The message. Whatever the fields hold, it has these headers and no others.
pub(super) fn build(from: &Mailbox, mail: &OutgoingMail) -> Result<Message, MailError> {
    let to = mailbox(&mail.to_name, &mail.to_email)?;
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()])
        .map_err(|error| MailError::BadAddress { address: mail.to_email.clone(), reason: error.to_string() })?;
    let mut builder = Message::builder()
        .envelope(envelope)
        .from(from.clone())
        .to(to)
        .subject(one_line(&mail.subject))
        .message_id(Some(format!("<{}>", token(&mail.message_id))))
        .date(date(mail.date));
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(mailbox("", reply_to)?);
    }
    // RFC 3834: answering machines keep quiet. Exchange needs a header of its own for that.
    builder = header(builder, "Auto-Submitted", "auto-generated");
    builder = header(builder, "X-Auto-Response-Suppress", "All");
    builder = header(builder, "X-Flawless-Repository", &mail.repository);
    if let Some(line) = mail.line {
        builder = header(builder, "X-Flawless-Line", &line.to_string());
    }
    if let Some(list) = &mail.list_id {
        builder = header(builder, "List-Id", &format!("<{}>", token(list)));
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    builder
        .multipart(body)
        .map_err(|error| MailError::Configuration(format!("the mail can't be put together: {error}")))
}

fn mailbox(name: &str, address: &str) -> Result<Mailbox, MailError> {
    let bad = |reason: String| MailError::BadAddress { address: address.to_owned(), reason };
    let parsed = address.trim().parse::<Address>().map_err(|error| bad(error.to_string()))?;
    // The library would send to a machine by its number, too.
    if !is_address(address.trim()) {
        return Err(bad("there has to be a domain's name behind the @".to_owned()));
    }
    let name = one_line(name);
    Ok(Mailbox::new((!name.is_empty()).then_some(name), parsed))
}

fn header(builder: MessageBuilder, name: &'static str, value: &str) -> MessageBuilder {
    let value: String = one_line(value).chars().take(MOST_HEADER_CHARS).collect();
    builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value))
}

/// What may stand between angle brackets: no white space, no brackets, ASCII only.
fn token(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>')).take(MOST_HEADER_CHARS).collect()
}

fn date(at: Timestamp) -> SystemTime {
    let since = at.clamp(Timestamp::UNIX_EPOCH, LAST_DATE) - Timestamp::UNIX_EPOCH;
    SystemTime::UNIX_EPOCH + since.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(mail: &OutgoingMail) -> String {
        let from = "Flawless <flawless@example.com>".parse().expect("an address");
        String::from_utf8(build(&from, mail).expect("a mail").formatted()).expect("ASCII")
    }

    fn mail() -> OutgoingMail {
        OutgoingMail {
            message_id: "line-12@flawless.example.com".to_owned(),
            to_name: "Ada".to_owned(),
            to_email: "ada@example.engineering".to_owned(),
            subject: "Hello".to_owned(),
            text: "text".to_owned(),
            html: "<p>html</p>".to_owned(),
            date: Timestamp::from_millis(1_795_347_060_000),
            repository: "acme/shop".to_owned(),
            line: Some(12),
            ..OutgoingMail::default()
        }
    }

    #[test]
    fn whatever_counts_as_an_address_can_be_sent_to() {
        let characters = (0..0x3000).chain(0x1f600..0x1f610).filter_map(char::from_u32);
        let mut taken = 0;
        for c in characters {
            for address in [
                format!("a{c}b@x.com"),
                format!("{c}b@x.com"),
                format!("a{c}@x.com"),
                format!("a@x{c}y.com"),
                format!("a@{c}.com"),
                format!("a@x{c}.com"),
                format!("a@x.{c}com"),
            ] {
                if is_address(&address) {
                    mailbox("", &address).unwrap_or_else(|error| panic!("{address:?}: {error}"));
                    taken += 1;
                }
            }
        }
        assert!(taken > 10_000, "most of them are letters");
    }

    #[test]
    fn no_field_can_add_a_header() {
        let inject = "x\r\nBcc: eve@example.com\r\n\r\nbody\n\u{85}\u{2028}\0";
        let hostile = OutgoingMail {
            message_id: format!("id{inject}@h"),
            to_name: inject.to_owned(),
            subject: inject.to_owned(),
            repository: inject.to_owned(),
            list_id: Some(inject.to_owned()),
            ..mail()
        };
        let raw = raw(&hostile);
        let head = raw.split("\r\n\r\n").next().unwrap_or_default();
        assert!(!head.to_lowercase().contains("\nbcc:"), "{head}");
        assert!(head.contains("\r\nSubject: x Bcc: eve@example.com body"), "one line when it is decoded, too: {head}");
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        let expected = [
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Date",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "X-Flawless-Repository",
            "X-Flawless-Line",
            "List-Id",
            "MIME-Version",
            "Content-Type",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn addresses_are_checked() {
        let from = "flawless@example.com".parse().expect("an address");
        for bad in [
            "",
            "ada",
            "ada@",
            "a b@example.com",
            "a@example.com, b@example.com",
            "a@example.com\r\nX: y",
            "x@[127.0.0.1]",
        ] {
            let error = build(&from, &OutgoingMail { to_email: bad.to_owned(), ..mail() }).expect_err(bad);
            assert!(matches!(error, MailError::BadAddress { .. }) && !error.is_worth_a_retry(), "{bad}: {error}");
        }
        assert!(build(&from, &OutgoingMail { reply_to: Some("nobody".to_owned()), ..mail() }).is_err());
    }

    #[test]
    fn the_same_mail_is_the_same_message() {
        let raw = raw(&mail());
        assert!(raw.contains("Message-ID: <line-12@flawless.example.com>\r\n"), "{raw}");
        assert!(raw.contains("Date: Sun, 22 Nov 2026 11:31:00 +0000\r\n"), "{raw}");
    }

    #[test]
    fn no_date_is_too_strange() {
        for date in [i64::MIN, -1, 0, i64::MAX].map(Timestamp::from_millis) {
            assert!(raw(&OutgoingMail { date, ..mail() }).contains("\r\nDate: "));
        }
    }
}
