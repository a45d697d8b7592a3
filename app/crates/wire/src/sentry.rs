//! Framing of Sentry envelopes: a header line, then items of a header line and a payload each.

use crate::WireError;
use crate::encoding::without_bom;
use crate::lenient::{Raw, Text, lenient};
use std::borrow::Cow;

/// What is of use in an envelope.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The event's id in the client's spelling (Rust writes it with hyphens).
    pub event_id: Option<Cow<'a, str>>,
    /// The client's DSN: with a `tunnel`, the only place that names key and project.
    pub dsn: Option<Cow<'a, str>>,
    /// JSON of the first `event` item; `None` for sessions, transactions, client reports and all
    /// else that is dropped.
    pub event: Option<&'a [u8]>,
}

/// One item of an envelope.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// `event`, `session`, `attachment` … An unknown type is none of our business, and no error.
    pub kind: Cow<'a, str>,
    /// Its bytes.
    pub payload: &'a [u8],
}

lenient! {
    struct Header<'a> {
        event_id: Text<'a> = "event_id",
        dsn: Text<'a> = "dsn",
    }
}

lenient! {
    struct ItemHeader<'a> {
        kind: Text<'a> = "type",
        length: Raw<'a> = "length",
    }
}

/// Reads an envelope up to its event: what follows that is dropped anyway, and may as well be
/// broken.
///
/// # Errors
/// [`WireError::Malformed`] with the item (from 1 on) and the offset, for headers that are not JSON
/// objects and for lengths that reach beyond the end.
pub fn envelope(bytes: &[u8]) -> Result<Envelope<'_>, WireError> {
    let (header, items) = split(bytes)?;
    let mut envelope = Envelope { event_id: header.event_id.0, dsn: header.dsn.0, event: None };
    for item in items {
        let item = item?;
        if item.kind == "event" {
            envelope.event = Some(item.payload);
            break;
        }
    }
    Ok(envelope)
}

/// The client's DSN, of an envelope whose items nobody wants to know yet.
///
/// # Errors
/// As [`envelope`], for the envelope's header.
pub fn dsn(bytes: &[u8]) -> Result<Option<Cow<'_, str>>, WireError> {
    split(bytes).map(|(header, _)| header.dsn.0)
}

/// All items of an envelope, in order; stops after the first that is broken.
///
/// # Errors
/// As [`envelope`]: at once for the envelope's header, in the iteration for its items.
pub fn items(bytes: &[u8]) -> Result<Items<'_>, WireError> {
    split(bytes).map(|(_, items)| items)
}

/// Splits off and reads the envelope's header.
fn split(bytes: &[u8]) -> Result<(Header<'_>, Items<'_>), WireError> {
    let (line, next) = line(bytes, 0);
    let header = object(line).map_err(|why| WireError::malformed_at(format!("the envelope's header {why}"), 0))?;
    Ok((header, Items { bytes, at: next, number: 0 }))
}

/// Iterator over the items of an envelope.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    bytes: &'a [u8],
    at: usize,
    number: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Blank lines between items and at the end are allowed by Sentry's own server.
        while self.bytes.get(self.at).is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.at >= self.bytes.len() {
            return None;
        }
        self.number += 1;
        let item = self.item();
        if item.is_err() {
            self.at = self.bytes.len();
        }
        Some(item)
    }
}

impl<'a> Items<'a> {
    /// Reads the item whose header begins here.
    fn item(&mut self) -> Result<Item<'a>, WireError> {
        let (number, begin) = (self.number, self.at);
        let (header, payload) = line(self.bytes, begin);
        let header: ItemHeader<'a> =
            object(header).map_err(|why| WireError::malformed_at(format!("item {number}: the header {why}"), begin))?;
        let length = match header.length {
            None => None,
            Some(raw) => Some(length(raw.get()).ok_or_else(|| {
                WireError::malformed_at(format!("item {number}: `length` is not a number of bytes"), begin)
            })?),
        };
        let payload = match length {
            Some(length) => {
                let rest = self.bytes.get(payload..).unwrap_or_default();
                let content = rest.get(..length).ok_or_else(|| {
                    let what = format!(
                        "item {number}: the payload has {length} bytes by its header, but only {} follow",
                        rest.len()
                    );
                    WireError::malformed_at(what, payload)
                })?;
                self.at = payload + length;
                if self.bytes.get(self.at).is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
                    let what = format!("item {number}: the payload does not end in a line break after {length} bytes");
                    return Err(WireError::malformed_at(what, self.at));
                }
                content
            }
            None => {
                let (content, next) = line(self.bytes, payload);
                self.at = next;
                content
            }
        };
        Ok(Item { kind: header.kind.0.unwrap_or_default(), payload })
    }
}

/// The line that begins at `at`, without its end, and where the next one begins.
fn line(bytes: &[u8], at: usize) -> (&[u8], usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(length) => (&rest[..length], at + length + 1),
        None => (rest, bytes.len()),
    }
}

/// Reads a header, or says what is wrong with it.
fn object<'a, T: serde::Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
    let line = without_bom(line);
    match line.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(line).map_err(|error| format!("is not valid JSON: {error}")),
        Some(_) => Err("is not a JSON object".to_owned()),
        None => Err("is missing".to_owned()),
    }
}

/// A number of bytes, 0 included, also as a string.
fn length(json: &str) -> Option<usize> {
    json.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(bytes: &[u8]) -> Vec<(String, String)> {
        items(bytes)
            .unwrap()
            .map(|item| item.unwrap())
            .map(|item| (item.kind.into_owned(), String::from_utf8_lossy(item.payload).into_owned()))
            .collect()
    }

    #[test]
    fn length_wins_over_line_breaks() {
        let bytes = b"{\"event_id\":\"x\"}\n{\"type\":\"attachment\",\"length\":30}\nfirst\n{\"type\":\"event\"}\n{\"a\":1}\n{\"type\":\"event\",\"length\":\"2\"}\n{}";
        assert_eq!(kinds(bytes).len(), 2);
        let envelope = envelope(bytes).unwrap();
        assert_eq!(envelope.event, Some(&b"{}"[..]));
        assert_eq!(envelope.event_id.as_deref(), Some("x"));
    }

    #[test]
    fn without_length_a_payload_ends_with_its_line() {
        let bytes = b"{}\n{\"type\":\"session\"}\n{\"sid\":1}\n\n{\"type\":\"event\",\"length\":null}\n{\"a\":1}";
        let expected = [("session", "{\"sid\":1}"), ("event", "{\"a\":1}")];
        assert_eq!(kinds(bytes), expected.map(|(kind, payload)| (kind.to_owned(), payload.to_owned())));
        assert_eq!(envelope(b"{\"dsn\":\"http://k@h/1\"}").unwrap().dsn.as_deref(), Some("http://k@h/1"));
        assert_eq!(kinds(b"{}\n{\"type\":\"x\",\"length\":0}\n"), [("x".to_owned(), String::new())]);
        assert_eq!(kinds(b"{}\n{\"type\":\"x\",\"length\":0}"), [("x".to_owned(), String::new())]);
    }

    #[test]
    fn a_byte_order_mark_before_a_header_is_passed_over() {
        let bytes = "\u{feff}{\"event_id\":\"x\"}\n\u{feff}{\"type\":\"event\",\"length\":2}\n{}\n".as_bytes();
        let envelope = envelope(bytes).unwrap();
        assert_eq!((envelope.event_id.as_deref(), envelope.event), (Some("x"), Some(&b"{}"[..])));
        assert_eq!(dsn("\u{feff}{\"dsn\":\"http://k@h/1\"}\n".as_bytes()).unwrap().as_deref(), Some("http://k@h/1"));
    }

    #[test]
    fn what_follows_the_event_may_be_broken() {
        let envelope = envelope(b"{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"attachment\",\"length\":99}\ncut").unwrap();
        assert_eq!(envelope.event, Some(&b"{}"[..]));
    }

    #[test]
    fn errors_name_item_and_offset() {
        for (bytes, expected) in [
            (&b""[..], "the envelope's header is missing (at byte 0)"),
            (b"garbage", "the envelope's header is not a JSON object (at byte 0)"),
            (b"[]\n", "the envelope's header is not a JSON object (at byte 0)"),
            (b"{}\nx", "item 1: the header is not a JSON object (at byte 3)"),
            (
                b"{}\n{\"type\":\"session\"}\n{}\n{\"type\":\"event\",\"length\":9}\n{}",
                "item 2: the payload has 9 bytes by its header, but only 2 follow (at byte 53)",
            ),
            (b"{}\n{\"length\":-1}\n{}", "item 1: `length` is not a number of bytes (at byte 3)"),
            (
                b"{}\n{\"type\":\"event\",\"length\":1}\n{}",
                "item 1: the payload does not end in a line break after 1 bytes (at byte 32)",
            ),
        ] {
            assert_eq!(envelope(bytes).unwrap_err().to_string(), expected);
        }
    }
}
