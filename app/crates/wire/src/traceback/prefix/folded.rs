//! Texts of several lines that a log wrote in one, or in quotes: rsyslog's octal numbers, spaces
//! of .NET's consoles, and what PHP-FPM says that its children said.

use crate::traceback::TEXT_LINES;
use std::borrow::Cow;

/// rsyslog writes what is not to be printed in octal: a tab, and a line's end.
const TAB: &str = "#011";
const LINE_END: &str = "#012";
/// One number alone may be an order's.
const FEWEST: usize = 2;
/// What .NET's consoles write for the end of a line is a space; a call is indented by three more.
const CALL: &str = "    at ";
/// The same before the line that ends an inner exception's calls.
const INNER_END: &str = "    --- ";
/// Bytes of a method's name, with its namespace.
const LONGEST_NAME: usize = 500;
/// What PHP-FPM's master process says of what a child wrote, and when it was the last of it.
const SAID: &str = " said into std";
const CLOSED: &str = ", pipe is closed";
/// The end of a part that PHP-FPM cut off.
const CUT: &str = "...";

/// The lines as they were before.
pub(super) fn unfolded<'a>(lines: &[&'a str]) -> Vec<Cow<'a, str>> {
    let mut out: Vec<Cow<'a, str>> = Vec::with_capacity(lines.len());
    // Of which of PHP-FPM's children the last line was, if it goes on in the next one.
    let mut open: Option<String> = None;
    for line in lines {
        if let Some((before, child, text)) = said(line) {
            let goes_on = text.ends_with(CUT);
            let text = text.strip_suffix(CUT).unwrap_or(text);
            match out.last_mut().filter(|_| open.as_deref() == Some(child)) {
                Some(last) => last.to_mut().push_str(text),
                None => out.push(Cow::Owned(format!("{before}[{child}] {text}"))),
            }
            open = goes_on.then(|| child.to_owned());
            continue;
        }
        open = None;
        if line.contains("#01") && is_escaped(line) {
            let mut text = line.replace("#012#015", LINE_END).replace("#015", "");
            text = with_tabs(&text);
            let parts = text.split(LINE_END).map(|part| Cow::Owned(part.to_owned()));
            let before = out.len();
            out.extend(parts);
            if out.len() > before + 1 {
                // What follows is no part of its message.
                out.push(Cow::Borrowed(""));
            }
        } else if let Some(lines) = calls(line) {
            out.extend(lines);
        } else {
            out.push(Cow::Borrowed(line));
        }
    }
    out.drain(..out.len().saturating_sub(TEXT_LINES));
    out
}

/// Lines that were put into one by .NET's consoles.
pub(super) fn calls<'a>(line: &'a str) -> Option<Vec<Cow<'a, str>>> {
    // What was thrown stands before its calls.
    let before = &line[..line.find(CALL)?];
    if !(before.contains("Exception") || before.contains("Error")) || line.trim_end().ends_with('}') {
        return None;
    }
    let is_call = |rest: &str| {
        let end = rest.bytes().take(LONGEST_NAME).position(|byte| matches!(byte, b'(' | b' ' | b'/'));
        end.is_some_and(|end| rest[end..].starts_with('(') && rest[..end].contains('.'))
    };
    let text = line.len() - line.trim_start().len();
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, _) in line.match_indices("    ") {
        let rest = &line[at..];
        let begins = rest.strip_prefix(CALL).is_some_and(is_call) || rest.starts_with(INNER_END);
        if at >= start && at > text && begins {
            lines.push(Cow::Borrowed(line[start..at].trim_end()));
            start = at + 1;
        }
    }
    if lines.is_empty() {
        return None;
    }
    lines.push(Cow::Borrowed(&line[start..]));
    Some(lines)
}

/// Whether the numbers in the line are rsyslog's.
fn is_escaped(line: &str) -> bool {
    let ends = line.matches(LINE_END).take(FEWEST).count();
    ends >= FEWEST || (ends > 0 && line.contains("#012#011")) || tabs(line).next().is_some()
}

/// Where tabs begin the line, what a log says of it, or another tab.
fn tabs(line: &str) -> impl Iterator<Item = usize> {
    line.match_indices(TAB).map(|(at, _)| at).filter(|&at| {
        let (before, behind) = (&line[..at], &line[at + TAB.len()..]);
        let is_first = before.is_empty() || [": ", LINE_END, TAB].iter().any(|end| before.ends_with(end));
        is_first && !behind.starts_with([' ', '.', ',', ')'])
            || before.ends_with(' ') && (behind.starts_with("at ") || behind.starts_with('/'))
    })
}

fn with_tabs(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut start = 0;
    for at in tabs(line) {
        out.push_str(&line[start..at]);
        out.push('\t');
        start = at + TAB.len();
    }
    out + &line[start..]
}

/// `[20-Nov-2026 03:00:07] WARNING: [pool www] child 7 said into stderr: "…"`: what stands before
/// it, which child, and what it said.
fn said(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once(SAID)?;
    let (_, text) = rest.split_once(": \"")?;
    let begin = before.rfind("[pool ")?;
    let child = before.get(begin + 1..)?.rsplit_once("] child ").map(|(_, child)| child)?;
    child.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    let text = text.trim_end();
    let text = text.strip_suffix(CLOSED).unwrap_or(text);
    let text = text.strip_suffix('"').unwrap_or(text);
    let before = before[..begin].trim_end();
    let before = before.strip_suffix("WARNING:").unwrap_or(before);
    Some((before, child, text))
}
