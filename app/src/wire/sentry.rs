//! Envelope framing of the Sentry protocol: `{header}\n`, then items of `{item header}\npayload\n`.
//!
//! Source: <https://develop.sentry.dev/sdk/foundations/envelopes/>, and what real clients were recorded to send.

use super::WireError;
use super::lenient::Text;
use serde::Deserialize;

/// What an envelope holds for us.
#[derive(Debug, Default)]
pub struct Envelope<'a> {
    /// The event's id by the envelope header; some clients write it with hyphens.
    pub event_id: Option<String>,
    /// The DSN by the envelope header: all that tells whose it is when a client uses a tunnel.
    pub dsn: Option<String>,
    /// Payload of the event item, where there is one (there is at most one).
    pub event: Option<&'a [u8]>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow, default)]
    event_id: Text<'a>,
    #[serde(borrow, default)]
    dsn: Text<'a>,
}

#[derive(Deserialize)]
struct ItemHeader<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(default)]
    length: Option<u64>,
}

/// Reads the first line of an envelope only: cheap enough to refuse by.
///
/// # Errors
/// It is no JSON object.
pub fn header(bytes: &[u8]) -> Result<Envelope<'static>, WireError> {
    let (line, _) = first_line(bytes);
    let header: Header<'_> = serde_json::from_slice(line)
        .map_err(|error| WireError::Malformed(format!("the envelope's header (line 1) is no JSON object: {error}")))?;
    Ok(Envelope { event_id: header.event_id.owned(), dsn: header.dsn.owned(), event: None })
}

/// Reads an envelope. Items other than the event, and of types that nobody knows yet, are passed over.
///
/// # Errors
/// A header is no JSON object, or a length goes beyond the end.
pub fn envelope(bytes: &[u8]) -> Result<Envelope<'_>, WireError> {
    let mut found = header(bytes)?;
    let (_, mut rest) = first_line(bytes);
    let mut number = 0;
    loop {
        while let Some((b'\n' | b'\r', after)) = rest.split_first() {
            rest = after;
        }
        if rest.is_empty() {
            return Ok(found);
        }
        number += 1;
        let at = bytes.len() - rest.len();
        let (line, after) = first_line(rest);
        let item: ItemHeader<'_> = serde_json::from_slice(line).map_err(|error| {
            WireError::Malformed(format!("the header of item {number} (byte {at}) is no JSON object: {error}"))
        })?;
        let payload = match item.length {
            // The payload may hold line ends, and lines that look like headers: the length wins.
            Some(length) => {
                let end = usize::try_from(length).ok().filter(|&end| end <= after.len()).ok_or_else(|| {
                    WireError::Malformed(format!(
                        "item {number} (byte {at}) says that it is {length} bytes long, but {} follow",
                        after.len()
                    ))
                })?;
                rest = &after[end..];
                &after[..end]
            }
            None => {
                let (payload, after) = first_line(after);
                rest = after;
                payload
            }
        };
        if found.event.is_none() && item.kind.as_str() == Some("event") {
            found.event = Some(payload);
        }
    }
}

/// The first line without its end, and what follows.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&byte| byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_wins_over_line_ends() {
        let bytes = b"{\"dsn\":\"x\"}\n{\"type\":\"attachment\",\"length\":20}\n{\"type\":\"event\"}\n{}\n\n{\"type\":\"event\"}\n{\"a\":1}";
        let found = envelope(bytes).expect("reads");
        assert_eq!(found.event, Some(b"{\"a\":1}".as_slice()));
        assert_eq!(found.dsn.as_deref(), Some("x"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let said = |bytes: &[u8]| envelope(bytes).expect_err("malformed").to_string();
        assert!(said(b"hello").contains("line 1"));
        assert!(said(b"").contains("line 1"));
        assert!(said(b"{}\nhello").contains("item 1 (byte 3)"));
        assert!(said(b"{}\n{\"type\":\"event\",\"length\":99}\n{}").contains("99 bytes long, but 2"));
        assert!(envelope(b"{}").expect("an empty envelope").event.is_none());
    }
}
