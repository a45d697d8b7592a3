//! Makes readable what clients send as JSON although no strict reader takes it.

use std::borrow::Cow;

/// A JSON text without what would make a strict reader refuse it: bytes that are no UTF-8 and escapes of lone surrogates
/// (JavaScript's and Python's strings may hold them) become U+FFFD, `NaN` and `Infinity` become `null`.
/// Borrows where nothing is to be done, which is nearly always.
pub fn readable(payload: &[u8]) -> Cow<'_, str> {
    // `from_utf8` is much faster than `from_utf8_lossy` on what is right.
    let text = std::str::from_utf8(payload).map_or_else(|_| String::from_utf8_lossy(payload), Cow::Borrowed);
    let is_suspicious = ["\\ud", "\\uD", "NaN", "Infinity"].iter().any(|sign| text.contains(sign));
    match is_suspicious.then(|| mend(&text)).flatten() {
        Some(mended) => Cow::Owned(mended),
        None => text,
    }
}

/// `None`: nothing was to be mended.
fn mend(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut mended = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut in_string = false;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (length, replacement) = match rest[0] {
            b'"' => {
                in_string = !in_string;
                (1, None)
            }
            b'\\' if in_string => escape(rest),
            b'N' if !in_string && rest.starts_with(b"NaN") => (3, Some("null")),
            b'I' if !in_string && rest.starts_with(b"Infinity") => (8, Some("null")),
            b'-' if !in_string && rest.starts_with(b"-Infinity") => (9, Some("null")),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            mended.push_str(&text[copied..at]);
            mended.push_str(replacement);
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return None;
    }
    mended.push_str(&text[copied..]);
    Some(mended)
}

/// Length of the escape at the beginning, and what stands for it where it is a lone surrogate.
fn escape(rest: &[u8]) -> (usize, Option<&'static str>) {
    match unit(rest) {
        Some(0xd800..=0xdbff) if matches!(rest.get(6..).and_then(unit), Some(0xdc00..=0xdfff)) => (12, None),
        Some(0xd800..=0xdfff) => (6, Some("\\ufffd")),
        _ => (2, None),
    }
}

/// The number of `\uXXXX`.
fn unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_only_what_is_broken() {
        let same =
            [r#"{"a":"\ud83d\ude00 \\ud800 NaN -Infinity","b":-1}"#, r#"["\"\\", "NaN"]"#, "", "\"\\ud83d\\ude00\""];
        for text in same {
            assert!(matches!(readable(text.as_bytes()), Cow::Borrowed(same) if same == text), "{text}");
        }
        let mended = [
            (r#"{"a":"x\ud800y"}"#, r#"{"a":"x\ufffdy"}"#),
            (r#"["\udc00\ud83d\uDE00\uD83D"]"#, r#"["\ufffd\ud83d\uDE00\ufffd"]"#),
            (r#"["\ud800\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
            (r#"{"a":NaN,"b":[-Infinity,Infinity]}"#, r#"{"a":null,"b":[null,null]}"#),
        ];
        for (text, expected) in mended {
            assert_eq!(readable(text.as_bytes()), expected);
            serde_json::from_str::<serde_json::Value>(expected).unwrap();
        }
        assert_eq!(readable(b"{\"a\":\"\xff\"}"), "{\"a\":\"\u{fffd}\"}");
        // Cut short within an escape: left for the reader to refuse.
        for text in ["\"\\", "\"\\u", "\"\\ud8", "\"\\ud800\\u", "\"\\ud800\\udc"] {
            assert!(readable(text.as_bytes()).len() >= text.len() - 1);
        }
    }
}
