//! Where a value begins and ends in a text, in whichever way applications write values.

use super::FILTERED;
use std::ops::Range;

/// Letters before a bracket or quote that are passed: `SecretStr(`, `new String(`, `Some(`.
const MAX_WRAPPER: usize = 24;

/// Characters of a quoted or bracketed value that are read: nothing longer is kept of a report.
const MAX_VALUE: usize = 16 * 1024;

/// Characters around a value in which its quotes or braces are looked for: connection strings and
/// structures of a line are shorter.
pub(super) const NEAR: usize = 500;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// In quotes.
    Quoted,
    /// A list or an object.
    Bracket,
    /// Without quotes: it ends where the form of the text ends it.
    Bare,
}

/// A value in a text.
pub(super) struct Value {
    /// Without its quotes.
    pub(super) range: Range<usize>,
    /// How it is written.
    pub(super) written: Written,
}

/// Whether a value tells nothing: it is better seen, for `password is None` may be the whole error.
/// A parameter's mark in SQL or a template is none either.
pub(super) fn is_plain(value: &str) -> bool {
    let value = value.trim();
    if matches!(
        value,
        "" | "None"
            | "True"
            | "False"
            | "null"
            | "nil"
            | "NULL"
            | "Null"
            | "true"
            | "false"
            | "undefined"
            | "NaN"
            | "?"
            | "''"
            | "\"\""
            | "..."
            | "…"
            | "{}"
            | "[]"
            | "()"
            | "0"
            | "-"
            | "%s"
            | "%r"
            | "%d"
            | "{"
            | "|"
            | ">"
    ) || value.starts_with("[Filtered")
    {
        return true;
    }
    let bytes = value.as_bytes();
    let marks = |set: &[u8]| bytes.iter().all(|byte| set.contains(byte));
    // `****`, `••••`, `xxxx`, `<hidden>`, `[REDACTED]`, `${PASSWORD}`, `$1`, `%(password)s`,
    // `:password`, `{{ password }}`, `<Token object at 0x7f>`.
    (bytes.len() > 2 && marks(b"*xX.#-_"))
        || value.chars().all(|c| matches!(c, '•' | '●' | '█' | '*'))
        || (value.starts_with('<') && value.ends_with('>'))
        || (value.starts_with('[')
            && value.ends_with(']')
            && !value.contains([' ', ',', '\'', '"'])
            && value.len() < 20)
        || ["${", "#{", "{{", "%(", "$("].iter().any(|open| value.starts_with(open))
        || (value.starts_with('$') && value.len() < 4 && bytes[1..].iter().all(u8::is_ascii_digit))
        || (value.starts_with(':')
            && value.len() > 1
            && value[1..].bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        || (value.starts_with('@') && value.len() < 4)
        || is_reference(value)
        || value.split_once(' ').is_some_and(|(scheme, rest)| {
            ["bearer", "basic", "token", "apikey"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
                && is_plain(rest)
        })
}

/// Where the value would have come from: `$DB_PASSWORD`, `process.env.API_KEY`.
fn is_reference(value: &str) -> bool {
    const SOURCES: &[&str] = &[
        "process.env.",
        "import.meta.env.",
        "os.environ",
        "os.getenv",
        "os.Getenv",
        "System.getenv",
        "System.getProperty",
        "ENV[",
        "ENV.fetch",
        "std::env::var",
        "getenv(",
        "$_ENV[",
        "$_SERVER[",
        "$_POST[",
        "$env:",
    ];
    let variable = value.strip_prefix('$').map(|name| name.trim_end_matches([':', ',', '.', ')']));
    SOURCES.iter().any(|source| value.starts_with(source))
        || variable.is_some_and(|name| {
            name.contains('_') && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
}

/// The value that starts at `at`.
pub(super) fn value_at(text: &str, at: usize) -> Option<Value> {
    let bytes = text.as_bytes();
    let at = after_anchor(bytes, skip_blanks(bytes, at));
    let start = after_wrapper(bytes, at);
    let backslashes = bytes[start..].iter().take(8).take_while(|b| **b == b'\\').count();
    if let Some(quote @ (b'"' | b'\'' | b'`')) = bytes.get(start + backslashes).copied() {
        let inner = start + backslashes + 1;
        if backslashes == 0 && bytes[inner..].starts_with(&[quote, quote]) {
            // `"""x"""`
            let from = inner + 2;
            let end = text[from..].find(&text[start..from]).map_or(text.len(), |length| from + length);
            return Some(Value { range: from..end, written: Written::Quoted });
        }
        return Some(Value { range: inner..end_of_quoted(bytes, inner, quote, backslashes), written: Written::Quoted });
    }
    match bytes.get(at)? {
        b'[' | b'{' | b'(' | b'<' if text[at..].starts_with(FILTERED) => None,
        open @ (b'[' | b'{' | b'(') => {
            Some(Value { range: at..end_of_bracket(bytes, at, *open), written: Written::Bracket })
        }
        _ => bare(text, at),
    }
}

/// Whether the value that starts at `at` is a list or an object.
pub(super) fn is_bracket_at(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.get(skip_blanks(bytes, at)), Some(b'[' | b'{' | b'('))
}

/// Blanks, one line break with what indents the next line, and YAML's sign that a text follows.
fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    let blanks = |at: usize| at + bytes[at..].iter().take(80).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let mut at = blanks(at);
    if matches!(bytes.get(at), Some(b'|' | b'>')) && matches!(bytes.get(at + 1), Some(b'\n' | b'-')) {
        at += if bytes[at + 1] == b'-' { 2 } else { 1 };
    }
    // A backslash at a line's end continues it.
    for line_break in [&b"\r\n"[..], b"\n", b"\\\r\n", b"\\\n", b"\\r\\n", b"\\n"] {
        if bytes[at..].starts_with(line_break) {
            return blanks(at + line_break.len());
        }
    }
    at
}

/// YAML's anchor before a value: `password: &name x`.
fn after_anchor(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at) != Some(&b'&') || !bytes[..at].ends_with(b": ") {
        return at;
    }
    let name =
        bytes[at + 1..].iter().take(40).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
    if name > 0 && bytes.get(at + 1 + name) == Some(&b' ') { at + name + 2 } else { at }
}

/// `Some("x")`, `SecretStr('x')`, `b'x'`, `new String("x")`: letters, a bracket, a prefix may come
/// before the quote.
fn after_wrapper(bytes: &[u8], at: usize) -> usize {
    let mut start = at;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'&');
    while bytes.get(start).is_some_and(is_name) && start - at < MAX_WRAPPER {
        start += 1;
    }
    // Erlang's `<<"x">>`.
    if bytes[at..].starts_with(b"<<\"") {
        return at + 2;
    }
    if start > at && bytes.get(start) == Some(&b'(') {
        let inner = start + 1;
        // PHP's `string(12) "x"`, and Rust's `{:#?}`, which writes `Some(` and `"x"` in lines of
        // their own.
        let digits = bytes[inner..].iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && bytes[inner + digits..].starts_with(b") \"") {
            return inner + digits + 2;
        }
        let blanks = bytes[inner..].iter().take(80).take_while(|byte| byte.is_ascii_whitespace()).count();
        if blanks > 0 && matches!(bytes.get(inner + blanks), Some(b'"' | b'\'')) {
            return inner + blanks;
        }
        return inner
            + usize::from(
                matches!(bytes.get(inner), Some(b'b' | b'u')) && matches!(bytes.get(inner + 1), Some(b'"' | b'\'')),
            );
    }
    // `b'x'`, `rb"x"`, `$"x"`.
    if start - at <= 2 && matches!(bytes.get(start), Some(b'"' | b'\'')) { start } else { at }
}

/// A value without quotes.
fn bare(text: &str, at: usize) -> Option<Value> {
    let bytes = text.as_bytes();
    let mut end = at;
    for (offset, c) in text[at..].char_indices().take(MAX_VALUE) {
        end = at + offset;
        if c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '`') || is_soft_end(bytes, end) {
            break;
        }
        end += c.len_utf8();
    }
    let value = text[at..end].trim_end_matches([',', ';']);
    (!value.is_empty() && !value.starts_with(['=', '[']) && !value.starts_with("{Filtered"))
        .then(|| Value { range: at..at + value.len(), written: Written::Bare })
}

/// Marks that end a value where something else begins behind them, and are a part of it elsewhere:
/// people put them into passwords.
fn is_soft_end(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at + 1..];
    let is_last =
        rest.first().is_none_or(|next| !next.is_ascii_graphic() || matches!(next, b'"' | b'\'' | b',' | b';' | b'\\'));
    let name_follows = || {
        let name = rest
            .iter()
            .take(60)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'[' | b']'))
            .count();
        name > 0 && matches!(rest.get(name), Some(b'=' | b':'))
    };
    match bytes[at] {
        b'&' => is_last || rest.first() == Some(&b'&') || name_follows(),
        b',' | b';' | b'|' => is_last || name_follows(),
        b')' | b']' | b'}' => is_last || matches!(rest.first(), Some(b')' | b']' | b'}' | b'.' | b':' | b'@' | b'/')),
        b'\\' => matches!(rest.first(), Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'\\')),
        // A fragment of a URL, or a part of the secret.
        b'#' => is_last,
        _ => false,
    }
}

/// End of a quoted value: the quote that has as many backslashes before it as the opening one. A
/// text that was cut short ends it too.
fn end_of_quoted(bytes: &[u8], inner: usize, quote: u8, depth: usize) -> usize {
    let mut backslashes = 0;
    for (offset, byte) in bytes[inner..].iter().take(MAX_VALUE).enumerate() {
        match *byte {
            b'\\' => backslashes += 1,
            byte if byte == quote && (backslashes == depth || (depth == 0 && backslashes % 2 == 0)) => {
                return inner + offset - depth.min(backslashes);
            }
            _ => backslashes = 0,
        }
    }
    boundary(bytes, inner + MAX_VALUE)
}

/// End of a bracketed value, its closing bracket included.
pub(super) fn end_of_bracket(bytes: &[u8], at: usize, open: u8) -> usize {
    let close = match open {
        b'[' => b']',
        b'{' => b'}',
        _ => b')',
    };
    let mut depth = 0_usize;
    for (offset, byte) in bytes[at..].iter().take(MAX_VALUE).enumerate() {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return at + offset + 1;
            }
        }
    }
    boundary(bytes, at + MAX_VALUE)
}

/// The next end of a character, from here on.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let inside = |at: &usize| bytes.get(*at).is_some_and(|byte| (0x80..0xC0).contains(byte));
    if at >= bytes.len() { bytes.len() } else { (at..bytes.len()).find(|at| !inside(at)).unwrap_or(bytes.len()) }
}

/// The range without the blanks at its ends.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + part.len() - part.trim_start().len();
    start..start + part.trim().len()
}
