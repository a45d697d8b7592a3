//! A text as it was before it was encoded for a URL, for HTML or for JSON, or coloured, with the
//! way back: so that what is found in it can be hidden where it stands.

use std::ops::Range;

/// Encodings within one another that are undone: a URL in a URL's parameter is two.
const MAX_LEVELS: usize = 2;

/// What HTML writes for the marks between names and values.
const ENTITIES: &[(&[u8], u8)] =
    &[(b"&quot;", b'"'), (b"&apos;", b'\''), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&amp;", b'&')];

/// What the letters and marks of the width of an ideograph begin with, of which each is one of
/// ASCII: U+FF01 to U+FF5E.
const WIDE: u8 = 0xEF;

/// What a terminal's colours begin with: `\x1b[31m`.
const ESCAPE: u8 = 0x1B;

/// A decoded text.
pub(super) struct Decoded {
    /// The text.
    pub(super) text: String,
    /// Where each byte of it begins in the encoded text; one more for the end.
    at: Vec<usize>,
}

impl Decoded {
    /// The encoded form of a range of the decoded text.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        self.at[range.start]..self.at[range.end]
    }
}

/// The text without its encoding; `None` where there is none.
pub(super) fn decoded(text: &str) -> Option<Decoded> {
    let mut found: Option<Decoded> = None;
    for _ in 0..MAX_LEVELS {
        let current = found.as_ref().map_or(text, |found| found.text.as_str());
        let Some((text, at)) = once(current) else { break };
        let at = match &found {
            Some(before) => at.into_iter().map(|at| before.at[at]).collect(),
            None => at,
        };
        found = Some(Decoded { text, at });
    }
    found
}

/// One level of encoding undone; only what stands for ASCII characters is, the rest stays as it is.
fn once(text: &str) -> Option<(String, Vec<usize>)> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(*byte, b'%' | b'&' | b'\\' | ESCAPE | WIDE)) {
        return None;
    }
    let first = (0..bytes.len()).find(|at| encoded(&bytes[*at..]).is_some())?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut places: Vec<usize> = (0..first).collect();
    out.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while at < bytes.len() {
        places.push(at);
        match encoded(&bytes[at..]) {
            Some((0, length)) => {
                places.pop();
                at += length;
            }
            Some((byte, length)) => {
                out.push(byte);
                at += length;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    places.push(bytes.len());
    // Only ASCII took the place of whole characters.
    String::from_utf8(out).ok().map(|text| (text, places))
}

/// The byte that is encoded here, and how many bytes that takes; 0 for a colour, which is nothing.
fn encoded(rest: &[u8]) -> Option<(u8, usize)> {
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let ascii = |high: u8, low: u8| {
        let byte = hex(high)? * 16 + hex(low)?;
        (byte.is_ascii() && byte != 0).then_some(byte)
    };
    match rest {
        [b'%', high, low, ..] => Some((ascii(*high, *low)?, 3)),
        [b'\\', b'u', b'0', b'0', high, low, ..] => Some((ascii(*high, *low)?, 6)),
        [b'\\', b'x', high, low, ..] => Some((ascii(*high, *low)?, 4)),
        [b'\\', b'/', ..] => Some((b'/', 2)),
        [ESCAPE, b'[', rest @ ..] => {
            let length = rest.iter().take(20).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
            (rest.get(length) == Some(&b'm')).then_some((0, length + 3))
        }
        [WIDE, 0xBC, last @ 0x81..=0xBF, ..] => Some((last - 0x60, 3)),
        [WIDE, 0xBD, last @ 0x80..=0x9E, ..] => Some((last - 0x20, 3)),
        [b'&', b'#', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => {
            let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
            let number = rest[..digits].iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
            let byte = u8::try_from(number).ok().filter(|byte| byte.is_ascii() && *byte != 0)?;
            (rest.get(digits) == Some(&b';')).then_some((byte, digits + 3))
        }
        [b'&', b'#', b'x' | b'X', high, low, b';', ..] => Some((ascii(*high, *low)?, 6)),
        [b'&', ..] => {
            ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)).map(|(entity, byte)| (*byte, entity.len()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn what_was_found_is_found_in_the_encoded_text() {
        for (text, plain, part, original) in [
            ("a=1&u=x%3Fpass%3Db%26", "a=1&u=x?pass=b&", "b", "b"),
            ("u=%2561%3D%C3%A4", "u=a=%C3%A4", "a=", "%2561%3D"),
            ("{&quot;p&quot;: &quot;x&y&quot;}", "{\"p\": \"x&y\"}", "x&y", "x&y"),
            ("\\u0022a\\/b\\u0022é", "\"a/b\"é", "a/b", "a\\/b"),
            ("\u{1b}[33mpw\u{1b}[0m=\u{1b}[1;32mx\u{1b}[0m", "pw=x", "x", "x\u{1b}[0m"),
            ("pass&#119;ord=x&#x41;", "password=xA", "xA", "x&#x41;"),
            ("ｐａ～：é", "pa~:é", "a~:", "ａ～："),
            ("\\x1b[33mpw\\x1b[0m=é", "pw=é", "pw=", "pw\\x1b[0m="),
        ] {
            let found = decoded(text).unwrap();
            assert_eq!(found.text, plain);
            let start = plain.find(part).unwrap();
            assert_eq!(&text[found.original(&(start..start + part.len()))], original);
        }
        assert!(decoded("100% of a & b \\n &#8230; &#; &#300; 、").is_none());
    }
}
