//! Secrets that stand in a text behind their name: `password='x'`, `{'token': 'x'}`,
//! `a=b&password=c`, `Cookie: x`.

use super::names;
use super::values::looks_random;
use regex::Regex;
use std::sync::LazyLock;

/// One secret in a text.
pub(super) struct Found {
    /// Byte range of the secret, without its quotes.
    pub(super) range: std::ops::Range<usize>,
    /// Whether it is surely a value, so that it may be looked for elsewhere: quoted, or assigned.
    pub(super) sure: bool,
}

/// A quick look that spares most texts the closer one: every secret name contains one of these.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        "(?i-u:passw|passcode|passphrase|pwd|secret|token|key|auth|cookie|sess|csrf|xsrf|cred|card|bearer|cvc|cvv|iban|ssn|jwt|number|security)",
    )
    .expect("a constant pattern, compiled by the tests")
});

/// A name, what may close it, and what announces a value.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?-u:([\w.%\-]+)\\*["']?[\])]?[ \t]*(=>|:=|=|:)[ \t]*)"#)
        .expect("a constant pattern, compiled by the tests")
});

/// Finds the secrets of a text by the names before them, in order and not overlapping.
pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if !HINT.is_match(text) {
        return found;
    }
    let mut at = 0;
    while let Some(groups) = NAME.captures_at(text, at) {
        let (Some(whole), Some(name), Some(operator)) = (groups.get(0), groups.get(1), groups.get(2)) else {
            break;
        };
        at = whole.end();
        if !names::is_secret(name.as_str().trim_matches('.')) {
            continue;
        }
        let quoted_name = operator.start() > name.end();
        let Some(value) = value_at(text, at, operator.as_str() == ":", quoted_name, name.as_str()) else {
            continue;
        };
        at = value.range.end.max(at);
        if !value.range.is_empty() && !is_plain(&text[value.range.clone()]) {
            found.push(value);
        }
    }
    found
}

/// Whether a value tells nothing: it is better seen, for `password is None` may be the whole error.
pub(super) fn is_plain(value: &str) -> bool {
    matches!(
        value.trim(),
        "" | "None" | "True" | "False" | "null" | "nil" | "true" | "false" | "undefined" | "[Filtered]" | "''" | "\"\""
    )
}

/// The value that starts at `at`, in whichever way the text writes values.
fn value_at(text: &str, at: usize, colon: bool, quoted_name: bool, name: &str) -> Option<Found> {
    let bytes = text.as_bytes();
    // `Some("x")`, `SecretStr('x')`, `b'x'`: letters, a bracket, a prefix may come before the
    // quote.
    let mut start = at;
    while bytes.get(start).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') && start - at < 24 {
        start += 1;
    }
    if bytes.get(start) == Some(&b'(') && start > at {
        start += 1;
    } else if start - at > 2 {
        start = at;
    }
    let backslashes = bytes[start..].iter().take_while(|b| **b == b'\\').count();
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(start + backslashes).copied() {
        let inner = start + backslashes + 1;
        return Some(Found { range: inner..end_of_quoted(bytes, inner, quote, backslashes), sure: true });
    }
    match bytes.get(at)? {
        open @ (b'[' | b'{' | b'(') => {
            if text[at..].starts_with(super::FILTERED) {
                return None;
            }
            Some(Found { range: at..end_of_bracket(bytes, at, *open), sure: false })
        }
        _ => bare(text, at, colon, quoted_name, name),
    }
}

/// A value without quotes: it ends where the form of the text ends it.
fn bare(text: &str, at: usize, colon: bool, quoted_name: bool, name: &str) -> Option<Found> {
    let rest = &text[at..];
    let name = name.to_ascii_lowercase();
    if colon && !quoted_name && (name.ends_with("authorization") || name.ends_with("cookie")) {
        // A header line: everything up to its end, for schemes and cookies have spaces in them.
        let end = rest.find(['\n', '\r', '"', '\'']).unwrap_or(rest.len());
        return Some(Found { range: at..at + rest[..end].trim_end().len(), sure: false });
    }
    let stop = |c: char| c.is_whitespace() || matches!(c, '&' | ';' | ',' | '"' | '\'' | ')' | ']' | '}' | '\\');
    let end = rest.find(stop).unwrap_or(rest.len());
    let value = &rest[..end];
    if value.starts_with('=') || value.starts_with("[Filtered") {
        return None;
    }
    if colon && !quoted_name {
        // Prose: "invalid token: expected a comma". A value is what looks like one, or what ends
        // the line.
        let random = looks_random(value);
        let last = rest[end..].lines().next().is_none_or(|line| line.trim().is_empty());
        return (random || last).then_some(Found { range: at..at + end, sure: random });
    }
    Some(Found { range: at..at + end, sure: true })
}

/// End of a quoted value: the quote that has as many backslashes before it as the opening one. A
/// text that was cut short ends it too.
fn end_of_quoted(bytes: &[u8], inner: usize, quote: u8, depth: usize) -> usize {
    let mut backslashes = 0;
    for (offset, byte) in bytes[inner..].iter().enumerate() {
        match *byte {
            b'\\' => backslashes += 1,
            byte if byte == quote && (backslashes == depth || (depth == 0 && backslashes % 2 == 0)) => {
                return inner + offset - depth.min(backslashes);
            }
            _ => backslashes = 0,
        }
    }
    bytes.len()
}

/// End of a bracketed value, its closing bracket included.
fn end_of_bracket(bytes: &[u8], at: usize, open: u8) -> usize {
    let close = match open {
        b'[' => b']',
        b'{' => b'}',
        _ => b')',
    };
    let mut depth = 0_usize;
    for (offset, byte) in bytes[at..].iter().enumerate() {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return at + offset + 1;
            }
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::find;

    fn hidden(text: &str) -> String {
        let mut result = text.to_owned();
        for found in find(text).into_iter().rev() {
            result.replace_range(found.range, "#");
        }
        result
    }

    #[test]
    fn values_behind_secret_names() {
        for (text, expected) in [
            ("{'password': 'hunter2', 'user': 'ann'}", "{'password': '#', 'user': 'ann'}"),
            (r##"{"api_key": "it's", "n": 1}"##, r##"{"api_key": "#", "n": 1}"##),
            (r##"'{\"token\": \"a b\", \"n\": 1}'"##, r##"'{\"token\": \"#\", \"n\": 1}'"##),
            ("login(user='ann', password='it\\'s')", "login(user='ann', password='#')"),
            ("a=b&password=c&d=e", "a=b&password=#&d=e"),
            ("url=http://x/?a=1&access_token=abc#x", "url=http://x/?a=1&access_token=#"),
            ("user[password]=x&b=1", "user[password]=#&b=1"),
            ("user%5Bpassword%5D=x&b=1", "user%5Bpassword%5D=#&b=1"),
            ("{:password=>\"x y\", :a=>1}", "{:password=>\"#\", :a=>1}"),
            ("Login { user: \"a\", password: Some(\"x\") }", "Login { user: \"a\", password: Some(\"#\") }"),
            ("Login: password=SecretStr('x')", "Login: password=SecretStr('#')"),
            ("token=b'abc'", "token=b'#'"),
            ("Authorization: Token abc def\nHost: x", "Authorization: #\nHost: x"),
            ("cookie: a=b; c=d", "cookie: #"),
            ("Key (card_number)=(4111) already exists", "Key (card_number)=# already exists"),
            ("tokens=['a', ['b']] n=1", "tokens=# n=1"),
            ("password: correcthorse", "password: #"),
            ("'password': 'cut off", "'password': '#"),
            ("host=db password=pä(ss dbname=x", "host=db password=# dbname=x"),
        ] {
            assert_eq!(hidden(text), expected, "{text}");
        }
    }

    #[test]
    fn prose_and_code_stay() {
        for text in [
            "author='Ann'",
            "invalid token: expected a comma",
            "KeyError: 'password'",
            "if password == other:",
            "password=None, token=''",
            "{'token': None}",
            "password='[Filtered]'",
            "the password is wrong",
            "key=value",
        ] {
            assert_eq!(hidden(text), text, "{text}");
        }
    }
}
