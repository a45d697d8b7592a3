//! The envelope in which Sentry's SDKs send events: its framing.

use super::encoding::inflate;
use super::lenient::{Text, Whole, object};
use super::{WireError, sentry_event};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Items of one envelope. SDKs send a handful; attachments of one event are not known to come by the hundred.
pub const MAX_ITEMS: usize = 1_000;

/// An envelope, taken apart (<https://develop.sentry.dev/sdk/data-model/envelopes/>).
#[derive(Clone, Debug, Default)]
pub struct Envelope<'a> {
    /// The event's id by the envelope's own header, 32 lower-case hexadecimal digits.
    pub event_id: Option<String>,
    /// The DSN that the client was configured with: how requests through a tunnel say whose they are.
    pub dsn: Option<Cow<'a, str>>,
    /// What it holds, in order.
    pub items: Vec<Item<'a>>,
}

/// One item of an envelope.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// `event`, `session`, `attachment` or any other word.
    pub kind: Cow<'a, str>,
    /// The payload's bytes, as sent.
    pub payload: &'a [u8],
}

object! {
    #[derive(Debug)]
    struct EnvelopeHeader<'a> {
        event_id: Text<'a> = "event_id",
        dsn: Text<'a> = "dsn",
    }
}

object! {
    #[derive(Debug)]
    struct ItemHeader<'a> {
        kind: Text<'a> = "type",
        length: Whole = "length",
    }
}

impl<'a> Envelope<'a> {
    /// Takes an envelope apart without copying: a header's line, then items, each a header's line and a payload of as many
    /// bytes as its header says, or else up to the end of the line.
    ///
    /// # Errors
    /// Headers that are not JSON objects, items without a type or cut short, more than [`MAX_ITEMS`] items: says which
    /// item, and at which byte.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let (line, mut at) = line(body, 0);
        let header: EnvelopeHeader<'_> =
            header(line).map_err(|problem| WireError::malformed("envelope header", problem))?;
        let mut envelope =
            Self { event_id: header.event_id.as_deref().and_then(event_id), dsn: header.dsn.0, items: Vec::new() };
        while let Some(start) = next_item(body, at) {
            let number = envelope.items.len() + 1;
            let (item, end) = item(body, start).map_err(|problem| {
                WireError::malformed(format!("item {number} of the envelope, byte {start}"), problem)
            })?;
            if number > MAX_ITEMS {
                return Err(WireError::malformed("envelope", format!("more than {MAX_ITEMS} items")));
            }
            envelope.items.push(item);
            at = end;
        }
        Ok(envelope)
    }

    /// The payload of its event. SDKs send one at most; of several the first is taken.
    pub fn event(&self) -> Option<&'a [u8]> {
        self.items.iter().find(|item| item.kind == "event").map(|item| item.payload)
    }
}

/// An event's id as we keep it: SDKs send 32 hexadecimal digits, with or without hyphens.
pub fn event_id(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|&c| c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

/// The event's JSON in the body of a `/store/` request: as it is, or zlib in base64, as the first clients sent it
/// without saying so in a header.
///
/// # Errors
/// Neither of both, or more than `limit` bytes once unpacked.
pub fn store_body(body: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, WireError> {
    let trimmed = body.trim_ascii();
    if trimmed.first() == Some(&b'{') || trimmed.is_empty() {
        return Ok(Cow::Borrowed(trimmed));
    }
    let packed = STANDARD
        .decode(trimmed)
        .map_err(|_| WireError::malformed(sentry_event::PLACE, "it is neither a JSON object nor base64"))?;
    inflate(&packed, limit).map(Cow::Owned)
}

/// A line without its end, and where the next one begins.
fn line(body: &[u8], start: usize) -> (&[u8], usize) {
    let rest = &body[start..];
    match rest.iter().position(|&byte| byte == b'\n') {
        Some(length) => (&rest[..length], start + length + 1),
        None => (rest, body.len()),
    }
}

/// Where the next item's header begins: line ends between items and at the end are of no account.
fn next_item(body: &[u8], at: usize) -> Option<usize> {
    body[at..].iter().position(|byte| !matches!(byte, b'\n' | b'\r')).map(|skipped| at + skipped)
}

fn item(body: &[u8], start: usize) -> Result<(Item<'_>, usize), String> {
    let (head, payload_start) = line(body, start);
    let head: ItemHeader<'_> = header(head)?;
    let Some(kind) = head.kind.0 else { return Err("its header has no `type`".to_owned()) };
    let Some(length) = head.length.0 else {
        let (payload, end) = line(body, payload_start);
        return Ok((Item { kind, payload }, end));
    };
    let left = body.len() - payload_start;
    let length = usize::try_from(length)
        .ok()
        .filter(|&length| length <= left)
        .ok_or_else(|| format!("its header says that {length} bytes of `{kind}` follow, but {left} are left"))?;
    let end = payload_start + length;
    match body.get(end) {
        None | Some(b'\n' | b'\r') => Ok((Item { kind, payload: &body[payload_start..end] }, end)),
        Some(_) => Err(format!("its `{kind}` goes on after the {length} bytes that its header says")),
    }
}

fn header<'a, T: serde::Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
    let text = std::str::from_utf8(line).map_err(|_| "the header is not UTF-8".to_owned())?.trim();
    if !text.starts_with('{') {
        let shown: String = text.chars().take(40).collect();
        return Err(format!("a JSON object was expected as header, not `{shown}`"));
    }
    serde_json::from_str(text).map_err(|error| format!("the header is no JSON: {error}"))
}
