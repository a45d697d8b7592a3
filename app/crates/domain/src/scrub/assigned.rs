//! Secrets that stand in a text behind their name: `password='x'`, `{'token': 'x'}`,
//! `--password x`, `<password>x</password>`, `('password', 'x')`, `Cookie: x`.

use super::beside::Tie;
use super::classes::{is_said, is_secret_value};
use super::columns;
use super::layout;
use super::markup;
use super::parameters::Statement;
use super::prose::prose;
use super::random::{is_no_name, is_no_word, is_random};
use super::rules::Rules;
use super::sql;
use super::ties::{Named, name_around, named};
use super::told_apart::{SMALL_WORDS, is_in_quotes, is_no_sentence, near, phrase};
use super::values::{Value, Written, is_plain, trimmed, value_at};
use super::vocabulary::Class;
use super::words::MAX_NAME;
use super::{Found, Place};
use std::ops::Range;

/// Bytes that may be looked at behind names, for each byte of the text: reports need less than one.
/// Brackets within brackets could make it the square.
const MOST_WORK: usize = 64;

/// Finds the secrets of a text by the names before them.
pub(super) fn find(text: &str, rules: &Rules, place: Place, found: &mut Vec<Found>) {
    let (mut seen, mut statement, mut lines) = (0, Statement::default(), columns::Lines::default());
    let mut work = MOST_WORK * text.len() + MAX_NAME * MOST_WORK;
    for hint in rules.hints(text) {
        if hint < seen {
            continue;
        }
        let name = name_around(text, hint, seen);
        seen = name.end;
        let mut cost = 0;
        if place != Place::Code {
            cost += layout::find(text, &name, rules, &mut lines, found);
            cost += sql::find(text, &name, rules, &mut statement, work, found);
            cost += columns::find(text, &name, rules, &mut lines, found);
        }
        if let Some(named) = named(text, name, rules) {
            let (value, looked_at) = secret(text, &named, rules, place);
            cost += looked_at;
            for value in value.into_iter().chain(otherwise(text, &named, rules)) {
                seen = seen.max(value.range.end);
                found.push(value);
            }
        }
        // Made to be slow, and no report: what was not looked at is hidden.
        match work.checked_sub(cost) {
            Some(left) => work = left,
            None => return found.push(Found { range: text.ceil_char_boundary(seen)..text.len(), sure: false }),
        }
    }
}

/// The secret behind a name, if what stands there is one, and how many bytes were looked at.
fn secret(text: &str, named: &Named, rules: &Rules, place: Place) -> (Option<Found>, usize) {
    match named.tie {
        Tie::Prose if place == Place::Text => (prose(text, named, rules), 100),
        // `proxy_set_header X-Api-Key "x"`, `password "x"`: directives and calls without a sign.
        Tie::Prose if place == Place::Code => match value_at(text, named.value) {
            Some(value) if value.written == Written::Quoted && is_word_in_quotes(text, &value) => {
                (of_value(text, named, value, rules, place), 100)
            }
            _ => (None, 100),
        },
        Tie::Prose => (None, 0),
        Tie::Element => {
            let (range, looked_at) = markup::content(text, named.value);
            let content = &text[range.clone()];
            // Labels and code have blanks in them.
            let is_literal = (place != Place::Code && !named.is_quoted) || !content.contains(char::is_whitespace);
            let is_secret = is_literal
                && (place != Place::Code || is_written_out(content))
                && is_secret_value(content, named.class, rules);
            (is_secret.then_some(Found { range, sure: true }), looked_at)
        }
        Tie::Colon if is_header(&text[named.name.clone()]) && place != Place::Code => header(text, named, rules),
        _ => match value_of(text, named) {
            Some(value) => {
                let looked_at = value.range.end - named.name.start;
                (of_value(text, named, value, rules, place), looked_at)
            }
            None => (None, 0),
        },
    }
}

/// `password = process.env.PW || "x"`, `password = c ? a : "x"`: what is written out behind a value
/// that is computed.
fn otherwise(text: &str, named: &Named, rules: &Rules) -> Option<Found> {
    if !matches!(named.tie, Tie::Assigned | Tie::Colon) {
        return None;
    }
    let line = near(text, named.value, named.value).1.lines().next()?;
    if !line.contains(['"', '\'']) {
        return None;
    }
    let either =
        ["|| ", "?? ", " or ", " : "].iter().filter_map(|sign| line.find(sign).map(|at| at + sign.len())).min()?;
    let is_choice = !line[..either].ends_with(" : ") || line[..either].contains(" ? ");
    let at = named.value + either;
    if !is_choice || line[..either].contains([',', ';']) || !matches!(text.as_bytes().get(at), Some(b'"' | b'\'')) {
        return None;
    }
    let value = value_at(text, at)?;
    let content = &text[value.range.clone()];
    (is_written_out(content) && is_secret_value(content, named.class, rules))
        .then_some(Found { range: value.range, sure: true })
}

/// What is written behind a name and its sign.
fn value_of(text: &str, named: &Named) -> Option<Value> {
    let value = value_at(text, named.value)?;
    // `password: str = "x"`: the type stands between.
    if named.tie == Tie::Colon && value.written == Written::Bare {
        let after = text[value.range.end..].trim_start_matches([' ', '?']);
        if after.starts_with("= ") && text[value.range.clone()].bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return value_at(text, text.len() - after.len() + 1);
        }
    }
    Some(value)
}

fn of_value(text: &str, named: &Named, value: Value, rules: &Rules, place: Place) -> Option<Found> {
    let content = &text[value.range.clone()];
    let is_secret = |content: &str| is_secret_value(content, named.class, rules);
    let is_bare = value.written == Written::Bare;
    // A parser compares its tokens with words.
    if named.tie == Tie::Compared && !is_no_word(content) {
        return None;
    }
    match place {
        Place::Code => {
            let is_literal = value.written == Written::Quoted
                || is_of_shell(text, named, &value)
                || (is_bare && named.tie == Tie::Assigned && is_in_quotes(text, named, &value.range));
            let is_secret = is_literal && is_written_out(content) && is_secret(content);
            return is_secret.then_some(Found { range: value.range, sure: true });
        }
        Place::Name if is_bare && !is_no_word(content) => return None,
        Place::Name | Place::Text => {}
    }
    if value.written == Written::Bracket {
        return bracket(text, named, value.range, rules);
    }
    if is_bare && let Some(range) = phrase(text, named, &value.range).filter(|range| is_secret(&text[range.clone()])) {
        return Some(Found { range, sure: true });
    }
    if !is_secret(content) {
        return None;
    }
    let rest = &text[value.range.end..];
    if is_bare && (is_count(&text[named.name.clone()], content, rest) || is_told_of(named, content, rest)) {
        return None;
    }
    let prosaic = named.tie == Tie::Colon && !named.is_quoted && is_bare;
    if named.tie == Tie::Option && !named.is_quoted && SMALL_WORDS.contains(&content) {
        return None;
    }
    if prosaic && !is_no_name(content) && !is_no_sentence(text, named, &value.range) {
        // "invalid token: expected a comma". A value is what looks like one, or what ends the line.
        let rest = rest.lines().next().unwrap_or_default();
        if !rest.trim_matches([' ', '\t', '.']).is_empty() || content.ends_with("...") || content.ends_with('…') {
            return None;
        }
    }
    if named.tie == Tie::Pair && is_field(content) {
        return None;
    }
    let sure = !prosaic || is_no_word(content);
    Some(Found { range: value.range, sure })
}

/// A value in code, and not the name of one, a template or a sentence.
fn is_written_out(content: &str) -> bool {
    is_no_word(content) && content.len() >= 6 && !content.contains(['{', '$', ' ', '<']) && !is_identifier(content)
}

/// A literal that its line ends, and no pattern or path.
fn is_word_in_quotes(text: &str, value: &Value) -> bool {
    value.range.end < text.len() && !text[value.range.clone()].contains(['/', '*'])
}

/// `export DB_PASSWORD=x`, `ENV DB_PASSWORD x` and `spring.mail.password=x`, to the end of their
/// line: what shells, Dockerfiles and properties write without quotes.
fn is_of_shell(text: &str, named: &Named, value: &Value) -> bool {
    let name = &text[named.name.clone()];
    let sign = &text[named.name.end..value.range.start];
    let ends = text[value.range.end..].lines().next().unwrap_or_default().trim().is_empty();
    let is_property = name.matches('.').count() >= 2
        && !name.starts_with("self.")
        && !name.starts_with("this.")
        && text[..named.name.start].trim().is_empty();
    let is_variable = is_property || name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    value.written == Written::Bare
        && is_variable
        && ends
        && (sign == "=" || named.tie == Tie::Option)
        && !text[value.range.clone()].contains(['(', '['])
}

/// `pass: 312 fail: 2`, `pass=2 of 3`: tests and passages that are counted.
fn is_count(name: &str, content: &str, rest: &str) -> bool {
    let rest = rest.trim_start_matches([',', ';', ' ']);
    name.eq_ignore_ascii_case("pass")
        && content.bytes().all(|byte| byte.is_ascii_digit())
        && (content.len() < 4 || rest.starts_with("fail") || rest.starts_with("of "))
}

/// `'apiKey': must not be null`: a sentence about what is named in quotes.
fn is_told_of(named: &Named, content: &str, rest: &str) -> bool {
    let words = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let next = rest.strip_prefix(' ').and_then(|rest| rest.split([' ', '.', ',']).next());
    named.is_quoted && words(content) && next.is_some_and(|next| !next.is_empty() && words(next))
}

/// A bracket behind a secret name: all of it, for what counts may stand at any place in it.
fn bracket(text: &str, named: &Named, range: Range<usize>, rules: &Rules) -> Option<Found> {
    let content = &text[range.clone()];
    let strong = matches!(named.class, Class::Password | Class::Token | Class::Number);
    let inner = content.trim_matches(['[', ']', '{', '}', '(', ')', ' ']);
    let is_template = content.starts_with("{{") && !content.contains(['"', '\'', ':']);
    let is_said = || inner.split("\", \"").flat_map(|part| part.split("', '")).all(is_said);
    (strong && !inner.is_empty() && !is_template && !is_said() && is_secret_value(inner, named.class, rules))
        .then_some(Found { range, sure: false })
}

/// `Authorization` and `Cookie`, whose values have blanks in them.
fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("authorization") || name.ends_with("cookie") || name.ends_with("cookies")
}

/// A header line: everything up to its end; and how many bytes were looked at.
fn header(text: &str, named: &Named, rules: &Rules) -> (Option<Found>, usize) {
    let at = named.value;
    let rest = &text[at..];
    let bytes = rest.as_bytes();
    let is_end = |at: &usize| match bytes[*at] {
        b'\\' => matches!(bytes.get(at + 1), Some(b'n' | b'r')),
        byte => matches!(byte, b'\n' | b'\r' | b'"' | b'\''),
    };
    let end = (0..bytes.len()).find(is_end).unwrap_or(bytes.len());
    // `Authorization: Digest username="…", response="…"`: parts that have names of their own.
    let line = if rest[..end].trim_end().ends_with('=') { rest.find(['\n', '\r']).unwrap_or(rest.len()) } else { end };
    let range = trimmed(text, at..at + line);
    let content = &text[range.clone()];
    // `cookie: none` says that there is none.
    let is_secret =
        !is_plain(content) && (content.contains(char::is_whitespace) || is_secret_value(content, named.class, rules));
    (is_secret.then_some(Found { range, sure: false }), line)
}

/// A name of a field beside another, as in a list of them: `('password', 'email')`.
pub(super) fn is_field(content: &str) -> bool {
    (4..24).contains(&content.len()) && content.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// `settings.API_KEY_2`, `apiKeyV2`: code, not what it stands for.
fn is_identifier(content: &str) -> bool {
    let words = content.split(['_', '-', '.', '/', ':']).filter(|part| !part.is_empty());
    let is_word =
        |part: &str| part.trim_end_matches(|c: char| c.is_ascii_digit()).bytes().all(|byte| byte.is_ascii_alphabetic());
    let several = content.contains(['_', '-', '.', '/', ':']);
    content.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':'))
        && words.clone().all(is_word)
        && (several || !content.bytes().any(|byte| byte.is_ascii_digit()))
        && !is_random(content)
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Place, Rules, one, scrub_text};

    #[test]
    fn what_a_value_is_compared_with_and_what_stands_for_it_otherwise() {
        for (text, expected) in [
            ("assert user.password == 'hunter2x'", "assert user.password == '#'"),
            ("if (password !== \"hunter2x\") {", "if (password !== \"#\") {"),
            ("password: &p hunter2", "password: &p #"),
            ("password=\\\n   hunter2\nuser=x", "password=\\\n   #\nuser=x"),
            ("userPassword:: aHVudGVyMg==", "userPassword:: #"),
            ("pass&#119;ord=hunter2", "pass&#119;ord=#"),
            ("ｐａｓｓｗｏｒｄ=hunter2", "ｐａｓｓｗｏｒｄ=#"),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        let in_code = |text: &str| one(text, Rules::built_in(), Place::Code, None).replace(FILTERED, "#");
        for (text, expected) in [
            ("const password = process.env.PW || 'hunter2x'", "const password = process.env.PW || '#'"),
            ("password = c ? a : \"hunter2x\"", "password = c ? a : \"#\""),
            ("password = var.x != \"\" ? var.x : \"hunter2x\"", "password = var.x != \"\" ? var.x : \"#\""),
            ("password = os.environ.get('PW') or 'hunter2x'", "password = os.environ.get('PW') or '#'"),
        ] {
            assert_eq!(in_code(text), expected);
            let hidden = scrub_text(text, Rules::built_in());
            assert!(!hidden.contains("hunter2x"), "{hidden}");
        }
        for text in [
            "if self.token == 'IDENT':",
            "password :: String",
            "password:: Text",
            "password:: ByteString",
            "const password = process.env.PW || ''",
            "token = next() || 'EOF'",
            "password = given ? hash(given) : null, \"word1x\"",
        ] {
            assert_eq!(in_code(text), text);
        }
        for text in ["password :: String", "token == 'IDENT'", "the password: &amp; more"] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_off_between_characters() {
        for letter in ["é", "€", "𝄞"] {
            let long = letter.repeat(100);
            for pad in 0..4 {
                let pad = "a".repeat(pad);
                for text in [
                    format!("{pad}{long}{pad}password{pad}{long}{pad}"),
                    format!("INSERT INTO t (a, {pad}{long}password{pad}{long}) VALUES (1, 'hunter2')"),
                    format!("UPDATE t SET {pad}{long}password{pad}{long} = $1; \"hunter2\""),
                ] {
                    scrub_text(&text, Rules::built_in());
                }
                let after = format!("{pad}{long} password=hunter2x9");
                assert_eq!(scrub_text(&after, Rules::built_in()), format!("{pad}{long} password={FILTERED}"));
            }
        }
    }
}
