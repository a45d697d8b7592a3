//! Names in a text, and how what follows is tied to them.

use super::names::class;
use super::rules::Rules;
use super::vocabulary::Class;
use super::words::MAX_NAME;
use std::ops::Range;

/// How a name is tied to what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// `=`, `=>`, `:=`, and `:` behind a quoted name.
    Assigned,
    /// `:` as in a header, in YAML, and in prose.
    Colon,
    /// `--password x`.
    Option,
    /// `('password', 'x')`, `["--password", "x"]`.
    Pair,
    /// `name="password" value="x"`.
    NameAndValue,
    /// `<password>x</password>`.
    Element,
    /// `the password hunter2`, `password is x`.
    Prose,
}

/// A name in a text, and what follows it.
pub(super) struct Named {
    /// What its words say.
    pub(super) class: Class,
    /// Range of the name.
    pub(super) name: Range<usize>,
    /// It stands in quotes.
    pub(super) is_quoted: bool,
    /// How the value is tied to it.
    pub(super) tie: Tie,
    /// Where the value begins.
    pub(super) value: usize,
}

/// The whole name of which a part was found.
pub(super) fn name_around(bytes: &[u8], at: usize, from: usize) -> Range<usize> {
    let is_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$') || *byte >= 0x80;
    let before = bytes[from..at].iter().rev().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let after = bytes[at..].iter().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let mut start = at - before;
    // Representations write line breaks as `\n`: the letter is none of the name.
    if before > 1 && start > 0 && bytes[start - 1] == b'\\' && matches!(bytes[start], b'n' | b't' | b'r') {
        start += 1;
    }
    start..at + after
}

/// What follows a name, if it ties a value to it.
pub(super) fn named(text: &str, name: Range<usize>, rules: &Rules) -> Option<Named> {
    let written = text.get(name.clone())?.trim_end_matches(['.', '-']);
    let end = name.start + written.len();
    let (tie, value, is_quoted) = tie(text, name.start, end)?;
    let bare = written.trim_start_matches(['-', '.', '$']);
    let class = match class(bare, rules) {
        Some(class) if class != Class::Often => class,
        // `mot de passe : x`, `API key: x`, `the verification code is x`.
        often if !is_quoted && matches!(tie, Tie::Colon | Tie::Prose) => {
            class_of_phrase(text, name.start, end, rules).or(often)?
        }
        often => often?,
    };
    Some(Named { class, name: name.start..end, is_quoted, tie, value })
}

/// The class of a name with one or two words before it.
fn class_of_phrase(text: &str, start: usize, end: usize, rules: &Rules) -> Option<Class> {
    let bytes = text.as_bytes();
    let mut from = start;
    for _ in 0..2 {
        if from < 2 || bytes[from - 1] != b' ' || !bytes[from - 2].is_ascii_alphanumeric() {
            break;
        }
        let letters = bytes[..from - 1].iter().rev().take(24).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        from -= letters + 1;
        if let Some(class) = class(&text[from..end], rules).filter(|class| *class != Class::Often) {
            return Some(class);
        }
    }
    None
}

fn tie(text: &str, start: usize, end: usize) -> Option<(Tie, usize, bool)> {
    let bytes = text.as_bytes();
    let is_option = text[start..].starts_with("--") || (bytes[start] == b'-' && end - start > 4);
    let before = start.checked_sub(1).map(|at| bytes[at]);
    // `<password>` and `<wsse:Password>`.
    let space =
        bytes[..start].iter().rev().take(20).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b':').count();
    if start > space && bytes[start - space - 1] == b'<' && (space == 0 || before == Some(b':')) {
        let close =
            bytes[end..].iter().take(200).position(|byte| *byte == b'>').filter(|close| *close + end < bytes.len())?;
        if bytes[end + close - 1] == b'/' {
            return None;
        }
        let is_tag = matches!(bytes[end], b'>' | b' ' | b'\t');
        return is_tag.then_some((Tie::Element, end + close + 1, false));
    }
    let mut at = end + bytes[end..].iter().take_while(|byte| **byte == b'\\').count();
    let is_quoted = matches!(bytes.get(at), Some(b'"' | b'\'' | b'`'));
    at = if is_quoted { at + 1 } else { end };
    if matches!(bytes.get(at), Some(b']' | b')'))
        && bytes.get(at + 1).is_some_and(|next| matches!(next, b'=' | b':' | b' '))
    {
        at += 1;
    }
    let blanks = bytes[at..].iter().take(40).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at += blanks;
    let operator = |length: usize, tie: Tie| Some((tie, at + length, is_quoted));
    match bytes.get(at..)? {
        [b'=', b'>', ..] | [b':', b'=', ..] | [b'-', b'>', ..] => operator(2, Tie::Assigned),
        [b'=', b'=' | b'~', ..] | [b':', b':', ..] => None,
        [b'=', ..] => operator(1, Tie::Assigned),
        [b':', ..] if is_quoted => operator(1, Tie::Assigned),
        [b':', ..] => operator(1, Tie::Colon),
        [b',', ..] | [b';', ..] if is_quoted => pair(text, start, at),
        [b',', ..] if matches!(before, Some(b'=' | b':' | b' ')) => {
            name_and_value(text, text.len() - text[at + 1..].trim_start().len())
        }
        [b'\n', ..] if start == 0 || before == Some(b'\n') => operator(0, Tie::Prose),
        [b'v' | b'V', ..] if is_quoted => name_and_value(text, at),
        [_, ..] if is_option && blanks > 0 => operator(0, Tie::Option),
        [_, ..] if blanks > 0 && !is_quoted => operator(0, Tie::Prose),
        [_, ..] if blanks > 0 && before.is_some_and(|byte| matches!(byte, b'"' | b'\'')) => operator(0, Tie::Prose),
        _ => None,
    }
}

/// What follows a quoted name and a comma: a value in a pair, or one that is called so.
fn pair(text: &str, start: usize, comma: usize) -> Option<(Tie, usize, bool)> {
    let after = text[comma + 1..].trim_start_matches([' ', '\n', '\t']);
    let at = text.len() - after.len();
    if let Some(found) = name_and_value(text, at) {
        return Some(found);
    }
    let bytes = text.as_bytes();
    if bytes.get(start) == Some(&b'-') {
        return Some((Tie::Option, at, true));
    }
    let quote = start.checked_sub(1)?;
    let open = bytes[..quote].iter().rposition(|byte| !matches!(byte, b'b' | b'u' | b'\\' | b' '))?;
    match bytes[open] {
        b'(' | b'['
            if matches!(
                after.trim_start_matches(['b', 'u', '\\']).as_bytes().first(),
                Some(b'"' | b'\'' | b'0'..=b'9')
            ) =>
        {
            Some((Tie::Pair, at, true))
        }
        _ => None,
    }
}

/// `value="x"`, `"value": "x"`, `Value=x`.
fn name_and_value(text: &str, at: usize) -> Option<(Tie, usize, bool)> {
    let rest = text.get(at..)?;
    let inner = rest.trim_start_matches(['\\', '"', '\'']);
    let word = ["value", "Value", "VALUE", "val", "content"].into_iter().find(|word| inner.starts_with(word))?;
    let after = inner[word.len()..].trim_start_matches(['\\', '"', '\'', ' ']);
    let sign = after.strip_prefix("=>").or_else(|| after.strip_prefix([':', '=']))?;
    Some((Tie::NameAndValue, text.len() - sign.len(), true))
}
