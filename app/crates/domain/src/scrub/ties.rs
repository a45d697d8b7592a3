//! Names in a text, and how what follows is tied to them.

use super::beside::{Tie, elsewhere, name_and_value};
use super::markup;
use super::names::class;
use super::random::is_no_word;
use super::rules::{Rules, automaton};
use super::values::NEAR;
use super::vocabulary::Class;
use super::words::MAX_NAME;
use aho_corasick::AhoCorasick;
use std::ops::Range;
use std::sync::LazyLock;

/// What files of source code end in.
const SOURCES: &[&str] = &[
    "c", "cc", "clj", "cpp", "cs", "dart", "ex", "exs", "erl", "go", "h", "hpp", "java", "jl", "js", "jsx", "kt",
    "lua", "m", "mjs", "php", "pl", "py", "rb", "rs", "scala", "swift", "ts", "tsx", "vue",
];

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

/// The whole name of which a part was found; of one that is too long, what is near that part.
pub(super) fn name_around(text: &str, at: usize, from: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let is_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$') || *byte >= 0x80;
    let before = bytes[from..at].iter().rev().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let after = bytes[at..].iter().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let mut start = at - before;
    // What a URL writes as `%5B`, and representations as `\n`: its letters are none of the name.
    let is_hex = |at: usize| bytes[at].is_ascii_hexdigit();
    if before > 1 && start > 0 && bytes[start - 1] == b'%' && is_hex(start) && is_hex(start + 1) {
        start += 2;
    }
    if before > 1 && start > 0 && bytes[start - 1] == b'\\' && matches!(bytes[start], b'n' | b't' | b'r') {
        start += 1;
    }
    // Where it is cut off may be within a character.
    let (start, end) = (text.ceil_char_boundary(start), text.floor_char_boundary(at + after));
    let start = text[start..at].rmatch_indices(is_sign).next().map_or(start, |(sign, it)| start + sign + it.len());
    let end = text[at..end].find(is_sign).map_or(end, |sign| at + sign);
    start..end
}

/// An arrow, an emoji, what stands for bytes that are no text: of Unicode's blocks that have no
/// letters. Marks that are part of letters have blocks of their own.
fn is_sign(c: char) -> bool {
    let is_of_signs = matches!(c, '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' | '\u{fe00}'..='\u{fe0f}')
        || matches!(c, '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{1f000}'..='\u{1faff}');
    is_of_signs && !c.is_alphanumeric()
}

/// What follows a name, if it ties a value to it.
pub(super) fn named(text: &str, name: Range<usize>, rules: &Rules) -> Option<Named> {
    let written = text.get(name.clone())?.trim_end_matches(['.', '-']);
    let end = name.start + written.len();
    let (tie, value, is_quoted) = tie(text, name.start, end)?;
    if tie == Tie::Colon && is_place(text, name.start, end) {
        return None;
    }
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

/// `lexer/token.rs:118:13`, `arn:aws:secretsmanager:eu-west-1:1:secret:db`: a place in code, and
/// the name of a resource.
fn is_place(text: &str, start: usize, end: usize) -> bool {
    let is_line = text[end + 1..].starts_with(|c: char| c.is_ascii_digit());
    let extension = text[start..end].rsplit_once('.').map(|(_, extension)| extension);
    if is_line && extension.is_some_and(|extension| SOURCES.contains(&extension)) {
        return true;
    }
    text.as_bytes()[..start].ends_with(b":") && {
        let from = text.floor_char_boundary(start.saturating_sub(200));
        text[from..start]
            .rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            .next()
            .is_some_and(|word| word.starts_with("arn:"))
    }
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
    let is_tag = matches!(bytes.get(end), Some(b'>' | b' ' | b'\t' | b'/'));
    if is_tag && start > space && bytes[start - space - 1] == b'<' && (space == 0 || before == Some(b':')) {
        let close =
            bytes[end..].iter().take(200).position(|byte| *byte == b'>').filter(|close| *close + end < bytes.len())?;
        let is_closed = bytes[end + close - 1] == b'/';
        return (!is_closed).then_some((Tie::Element, end + close + 1, false));
    }
    // `<Token: NAME>` is an object's representation, `#User<password: "x">` has a member.
    if before == Some(b'<') && bytes[end..].starts_with(b":") && !ends_in_word(&bytes[..start - 1]) {
        return None;
    }
    if text[end..].starts_with("%5D=") || text[end..].starts_with("%5d=") {
        return Some((Tie::Assigned, end + 4, false));
    }
    let mut at = end + bytes[end..].iter().take_while(|byte| **byte == b'\\').count();
    let is_quoted = matches!(bytes.get(at), Some(b'"' | b'\'' | b'`'));
    at = if is_quoted { at + 1 } else { end };
    at = property(text, start, at).unwrap_or(at);
    if matches!(bytes.get(at), Some(b']' | b')'))
        && bytes.get(at + 1).is_some_and(|next| matches!(next, b'=' | b':' | b' '))
    {
        at += 1;
    }
    let blanks = bytes[at..].iter().take(40).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at += blanks;
    if is_quoted && let Some(value) = markup::attribute(text, start, at) {
        return Some(value);
    }
    let operator = |length: usize, tie: Tie| Some((tie, at + length, is_quoted));
    if let Some(value) = elsewhere(text, start, at, is_quoted) {
        return Some(value);
    }
    match bytes.get(at..)? {
        [b'=', b'>', ..] | [b':', b'=', ..] | [b'-', b'>', ..] => operator(2, Tie::Assigned),
        [b'=' | b'!', b'=', rest @ ..] => {
            let value = rest.iter().take_while(|byte| matches!(byte, b'=' | b' ')).count();
            matches!(rest.get(value), Some(b'"' | b'\'')).then_some((Tie::Compared, at + 2 + value, is_quoted))
        }
        // LDIF's sign of base64.
        [b':', b':', b' ', rest @ ..] if blanks == 0 && is_base64(rest) => operator(2, Tie::Assigned),
        [b'=', b'~', ..] | [b':', b':', ..] => None,
        [b'=', ..] => operator(1, Tie::Assigned),
        [b':', ..] if is_quoted => operator(1, Tie::Assigned),
        [b':', ..] => operator(1, Tie::Colon),
        [b',', ..] | [b';', ..] if is_quoted => pair(text, start, at),
        [b',', ..] if matches!(before, Some(b'=' | b':' | b' ')) => {
            name_and_value(text, text.len() - text[at + 1..].trim_start().len())
        }
        [b'\n', ..] if start == 0 || before == Some(b'\n') => operator(0, Tie::Prose),
        [b'v' | b'V', ..] if is_quoted => name_and_value(text, at),
        [_, ..] if blanks > 0 && (text[..start].ends_with("ENV ") || text[..start].ends_with("ARG ")) => {
            operator(0, Tie::Option)
        }
        [_, ..] if is_option && blanks > 0 => operator(0, Tie::Option),
        [_, ..] if blanks > 0 && !is_quoted => operator(0, Tie::Prose),
        [_, ..] if blanks > 0 && before.is_some_and(|byte| matches!(byte, b'"' | b'\'')) => operator(0, Tie::Prose),
        _ => None,
    }
}

/// Whether a word begins here that base64 may be, and no word of a language is.
fn is_base64(text: &[u8]) -> bool {
    let length =
        text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')).count();
    let word = std::str::from_utf8(&text[..length]).unwrap_or_default();
    length > 0 && length.is_multiple_of(4) && is_no_word(word)
}

fn ends_in_word(text: &[u8]) -> bool {
    text.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// PHP's `[password:protected] => x` and `["password":"User":private]=>`: behind whom the property
/// belongs to.
fn property(text: &str, start: usize, at: usize) -> Option<usize> {
    let before = text[..start].strip_suffix(['"', '\'']).unwrap_or(&text[..start]);
    let mark = text[at..].strip_prefix(':').filter(|_| before.ends_with('['))?;
    let close = mark.bytes().take(MAX_NAME).position(|byte| byte == b']')?;
    let is_kept = ["protected", "private"].iter().any(|kept| mark[..close].ends_with(kept));
    is_kept.then_some(at + 1 + close + 1)
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
        b',' if is_raw_header(text, quote, after) => Some((Tie::Pair, at, true)),
        _ => None,
    }
}

/// Names that every request's headers have one of, as elements of a list.
static USUAL_HEADERS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let names = ["host", "accept", "user-agent", "connection", "content-type"];
    let quoted = names.iter().flat_map(|name| ["'", "\""].map(|quote| format!("{quote}{name}{quote},")));
    automaton(&quoted.collect::<Vec<_>>())
});

/// `['Host', 'x', 'X-Api-Key', 'x1']`: a name among headers that stand in a list, name and value in
/// turn. In a list of names only, what follows is one as well.
fn is_raw_header(text: &str, quote: usize, after: &str) -> bool {
    let Some(mark @ (b'"' | b'\'')) = after.as_bytes().first().copied() else { return false };
    let value = after.as_bytes()[1..].iter().take(NEAR).take_while(|byte| **byte != mark);
    let is_name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
    let before = &text[text.floor_char_boundary(quote.saturating_sub(NEAR))..quote];
    !value.clone().all(is_name) && USUAL_HEADERS.is_match(before)
}
