//! Tracebacks in one line, as values of structured logs and as languages quote texts: their line
//! ends are written as `\n`.

use super::is_of_traceback;
use std::borrow::Cow;

/// How often a text may be quoted: a value of an object in an object's text.
const MOST_TIMES: usize = 3;

/// The lines of a value in which a traceback is, and how often it was quoted.
///
/// A line that is quoted by itself, as in a list, is none of a value: 0.
pub(super) fn lines(line: &str) -> Option<(usize, Vec<String>)> {
    if let Some(text) = quoted(line).filter(|text| is_of_traceback(text)) {
        return Some((0, vec![text]));
    }
    if !line.contains("\\n") {
        return None;
    }
    let mut text = Cow::Borrowed(line);
    for times in 1..=MOST_TIMES {
        text = Cow::Owned(unescaped(value(&text)?));
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // Calls alone, and what they led to beside them.
        if lines.first().is_some_and(|first| first.starts_with("goroutine "))
            && let Some(said) = said(line)
        {
            lines.insert(0, said);
        }
        if lines.len() > 1 && lines.iter().any(|line| is_of_traceback(line)) {
            return Some((times, lines));
        }
    }
    None
}

/// `msg="order failed" error="no such cup"`, as Go's loggers write beside a stack.
fn said(line: &str) -> Option<String> {
    let field = |key: &str| {
        let (_, rest) = line.split_once(key)?;
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once("\" ").map(|(text, _)| text),
            None => rest.split(' ').next(),
        }
    };
    let error = || field(" error=").or_else(|| field(" err="));
    match (field(" msg="), error()) {
        (Some(said), Some(error)) => Some(unescaped(&format!("{said}: {error}"))),
        (said, error) => said.or(error).map(unescaped),
    }
}

/// The lines, each that is such a value in its place.
pub(super) fn taken_out(lines: Vec<Cow<'_, str>>, times: usize) -> Vec<Cow<'_, str>> {
    let mut out = Vec::new();
    if times == 0 {
        // What is around the list ends it.
        let is_around = |line: &str| line.trim_start().starts_with(['[', ']', '{', '}', '"']);
        let taken = lines.into_iter().map(|line| match quoted(&line) {
            Some(text) => Cow::Owned(text),
            None if is_around(&line) => Cow::Borrowed(""),
            None => line,
        });
        return taken.collect();
    }
    let printed = printed(&lines);
    for (line, is_printed) in lines.into_iter().zip(printed) {
        match self::lines(&line).filter(|(found, _)| *found == times && !is_printed) {
            Some((_, lines)) => {
                out.extend(lines.into_iter().map(Cow::Owned));
                // What follows is no part of its message.
                out.push(Cow::Borrowed(""));
            }
            None => out.push(line),
        }
    }
    out
}

/// Which lines are values among the properties that Node prints in braces behind an error's last
/// call: a stack in them, as of a server's answer, is not what was raised.
pub(super) fn printed(lines: &[impl AsRef<str>]) -> Vec<bool> {
    // Where the error's own line begins, whatever a log put before it.
    let mut open: Option<usize> = None;
    let is_printed = |line: &str| {
        let call = || line.trim_end().ends_with(" {").then(|| line.find("    at "))?;
        let is_within = |&begin: &usize| line.len() <= begin || line.get(begin..begin + 2).is_some_and(|it| it == "  ");
        if let Some(begin) = open.filter(is_within) {
            return line.len() > begin && (line.contains("\\n") || line.trim_start().starts_with(['\'', '"']));
        }
        open = call();
        false
    };
    lines.iter().map(AsRef::as_ref).map(is_printed).collect()
}

/// `"  File \"a.py\", line 1",` as one of a printed list.
fn quoted(line: &str) -> Option<String> {
    let inner = line.trim().trim_end_matches(',').strip_prefix('"')?.strip_suffix('"')?;
    let is_one = !inner.contains("\\n") && !inner.replace("\\\"", "").contains('"');
    is_one.then(|| unescaped(inner))
}

/// The value around the first line end: what is between its quotes, if it has any.
fn value(text: &str) -> Option<&str> {
    let at = text.find("\\n")?;
    let is_quote = |position: usize, quote: u8| {
        text.as_bytes()[position] == quote && (position == 0 || text.as_bytes()[position - 1] != b'\\')
    };
    let opening = (0..at).rev().find(|&position| is_quote(position, b'"') || is_quote(position, b'\''));
    let Some(opening) = opening else { return Some(text) };
    let quote = text.as_bytes()[opening];
    // An apostrophe within a text opens nothing.
    let opens =
        opening == 0 || matches!(text.as_bytes()[opening - 1], b' ' | b'=' | b':' | b'(' | b'[' | b',' | b'b' | b'{');
    if !opens {
        return Some(text);
    }
    let end = (at..text.len()).find(|&position| is_quote(position, quote)).unwrap_or(text.len());
    Some(&text[opening + 1..end])
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('n' | 'r') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let code = after.get(1..5).and_then(|code| u32::from_str_radix(code, 16).ok());
                match code.and_then(char::from_u32) {
                    Some(letter) => {
                        out.push(letter);
                        chars = after[5..].chars();
                    }
                    None => out.push_str("\\u"),
                }
            }
            Some(other @ ('"' | '\'' | '\\' | '/' | '`')) => out.push(other),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}
