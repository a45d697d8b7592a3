//! Makes JSON of what some clients write instead: lone surrogates, raw control characters, `NaN`.

use crate::encoding::MAX_DECODED;
use std::borrow::Cow;

/// The text as a JSON parser takes it; borrowed if there was nothing to repair, `None` if it would
/// grow beyond [`MAX_DECODED`]: a control character becomes six.
///
/// Python writes `"\ud800"` for a lone surrogate and `NaN` or `Infinity` for such floats (neither
/// is JSON that anyone must accept), and hand-made clients leave line breaks in strings. A report
/// is worth more than that.
pub(super) fn repair(text: &str) -> Option<Cow<'_, str>> {
    let bytes = text.as_bytes();
    let mut repaired = String::new();
    // Everything before this offset is in `repaired`.
    let mut copied = 0;
    let mut at = 0;
    let mut in_string = false;
    while let Some(&byte) = bytes.get(at) {
        let (length, replacement) = match (in_string, byte) {
            (_, b'"') => {
                in_string = !in_string;
                (1, None)
            }
            (true, b'\\') => escape(&bytes[at..]),
            (true, 0..0x20) => (1, Some(format!("\\u{byte:04x}"))),
            (false, b'N' | b'I' | b'-') => (word(&bytes[at..]), (word(&bytes[at..]) > 1).then(|| "null".to_owned())),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            repaired.push_str(&text[copied..at]);
            repaired.push_str(&replacement);
            copied = at + length;
            if repaired.len() > MAX_DECODED {
                return None;
            }
        }
        at += length;
    }
    if copied == 0 {
        return Some(Cow::Borrowed(text));
    }
    repaired.push_str(&text[copied..]);
    Some(Cow::Owned(repaired))
}

/// Length of the escape at the start, and what to write instead of a lone surrogate.
fn escape(bytes: &[u8]) -> (usize, Option<String>) {
    match unit(bytes) {
        Some(0xd800..0xdc00) => match bytes.get(6..).and_then(unit) {
            Some(0xdc00..0xe000) => (12, None),
            _ => (6, Some("\\ufffd".to_owned())),
        },
        Some(0xdc00..0xe000) => (6, Some("\\ufffd".to_owned())),
        Some(_) => (6, None),
        // A character that is not ASCII after a backslash is no escape: step over the backslash
        // only.
        None => (if bytes.get(1).is_some_and(u8::is_ascii) { 2 } else { 1 }, None),
    }
}

/// The UTF-16 unit that a `\uXXXX` at the start stands for.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
}

/// Length of the number at the start that JSON has no word for, 1 if there is none.
fn word(bytes: &[u8]) -> usize {
    ["NaN", "Infinity", "-Infinity"].iter().find(|word| bytes.starts_with(word.as_bytes())).map_or(1, |word| word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_only_what_is_broken() {
        for sound in [r#"{"a":"\ud83d\ude00 \\ud800 \" é","b":[-1,null]}"#, "", "plain", r#"{"a":"NaN\n"}"#] {
            assert!(matches!(repair(sound), Some(Cow::Borrowed(_))), "{sound}");
        }
        for (broken, sound) in [
            (r#"{"a":"\ud800"}"#, r#"{"a":"\ufffd"}"#),
            (r#""\udc00\ud800\ud83d\ude00x""#, r#""\ufffd\ufffd\ud83d\ude00x""#),
            (r#""\ud800\u0041""#, r#""\ufffd\u0041""#),
            (r#"[NaN,-Infinity,Infinity,-1]"#, "[null,null,null,-1]"),
            ("\"a\nb\u{0}\"", r#""a\u000ab\u0000""#),
        ] {
            assert_eq!(repair(broken).as_deref(), Some(sound));
        }
        assert_eq!(repair(&"\"\u{1}".repeat(MAX_DECODED / 2)), None, "control characters become six");
        // Cut off anywhere, it must not panic.
        let text = r#"{"é":"\ud83d\ude00\é\ud800"}"#;
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            repair(&text[..end]);
        }
    }
}
