//! Secrets that a sentence tells: `the password hunter2`, `PIN is 4711`.

use super::Found;
use super::classes::is_secret_value;
use super::random::{is_made_of_words, is_random};
use super::rules::Rules;
use super::ties::Named;
use super::values::{Written, is_bracket_at, value_at};
use super::vocabulary::Class;
use std::ops::Range;

/// Characters behind a token's name in which it may stand.
const NEARBY: usize = 100;

/// `password hunter2`, `PIN is 4711`, `Passwort lautet x`: only what can be no word.
pub(super) fn prose(text: &str, named: &Named, rules: &Rules) -> Option<Found> {
    const LINKS: &[&str] = &[
        "is ", "was ", "are ", "lautet ", "ist ", "war ", "est ", "es ", "era ", "to ", "of ", "with ", "value ",
        "by ", "LIKE ",
    ];
    if matches!(named.class, Class::Often) {
        return None;
    }
    if named.class == Class::Token
        && let Some(range) = drawn_nearby(text, named.value)
    {
        return Some(Found { range, sure: true });
    }
    let mut at = named.value;
    for _ in 0..2 {
        let rest = &text[at..];
        let link = LINKS.iter().find(|link| rest.starts_with(*link));
        let colon = rest.starts_with(": ").then_some(2);
        at += link.map(|link| link.len()).or(colon).unwrap_or(0);
    }
    // It tells nothing in prose, and looking for its end at each name would be in the square.
    if is_bracket_at(text, at) {
        return None;
    }
    let value = value_at(text, at)?;
    let content = text[value.range.clone()].trim_end_matches(['.', '!', '?', ':']);
    let range = value.range.start..value.range.start + content.len();
    let digits = content.bytes().filter(u8::is_ascii_digit).count();
    let letters = content.bytes().filter(u8::is_ascii_alphabetic).count();
    let marks = content
        .bytes()
        .filter(|b| matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'*' | b'+' | b'@' | b'^' | b'~'))
        .count();
    let is_quoted = value.written == Written::Quoted;
    // `the signing key "rsa-key-2" is unknown`: keys go by names of their own.
    let is_id = text[named.name.clone()].ends_with("key") && is_made_of_words(content);
    let looks = match named.class {
        Class::Password => {
            content.len() >= 5
                && letters > 0
                && digits + marks > 0
                && !is_field_path(content)
                && !is_assignment(content)
        }
        Class::Token => {
            is_random(content)
                || (is_quoted && content.len() >= 8 && digits > 0 && letters > 0 && !content.contains(' ') && !is_id)
        }
        Class::Short => (4..=10).contains(&content.len()) && digits == content.len(),
        Class::Number => digits >= 8,
        Class::Often => false,
    };
    (looks && is_secret_value(content, named.class, rules)).then_some(Found { range, sure: true })
}

/// `CSRF token mismatch: got x`: what was drawn, a few words further.
fn drawn_nearby(text: &str, from: usize) -> Option<Range<usize>> {
    let end = text.floor_char_boundary(text.len().min(from + NEARBY));
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/' | '=' | '.' | '~');
    let line = text[from..end].lines().next()?;
    let mut at = 0;
    for word in line.split_inclusive(|c: char| !is_part(c)) {
        let drawn = word.trim_end_matches(|c: char| !is_part(c)).trim_end_matches('.');
        let longest = drawn.split(|c: char| !c.is_ascii_alphanumeric()).map(str::len).max().unwrap_or(0);
        // It may go on beyond what was looked at.
        let start = from + at;
        if drawn.len() >= 20 && longest >= 12 && is_random(drawn) {
            let length = text[start..].find(|c: char| !is_part(c)).unwrap_or(text.len() - start);
            return Some(start..start + text[start..start + length].trim_end_matches('.').len());
        }
        at += word.len();
    }
    None
}

/// `code=404`: what is told next.
fn is_assignment(content: &str) -> bool {
    content.split_once('=').is_some_and(|(name, value)| {
        name.len() > 1 && !value.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

/// `user.name2`, `/path/x1`, `x()`: code and places in prose.
fn is_field_path(content: &str) -> bool {
    content.contains(['/', '(', '\\']) || (content.contains('.') && !content.contains(['!', '$', '#', '@', '%']))
}
