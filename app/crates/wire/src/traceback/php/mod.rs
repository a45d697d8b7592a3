//! PHP's errors and exceptions: as the interpreter prints them, Xdebug's tables, and loggers'.

mod page;
mod stack;
mod tested;

use self::stack::{Call, bare, paired, stack, symfony, table};
use super::{MESSAGE_LINES, message, place};
use crate::php_functions::inner_calls;
use domain::report::{Exception, Frame};
use std::borrow::Cow;

/// What stands before a message that names a place, and what is called so; the rest only warns, of
/// which but a warning is taken for an error where nothing else is.
const SEVERITIES: &[(&str, &str, bool)] = &[
    ("Recoverable fatal error: ", "Fatal error", true),
    ("Catchable fatal error: ", "Fatal error", true),
    ("Fatal error: ", "Fatal error", true),
    ("Parse error: ", "ParseError", true),
    ("Compile error: ", "Compile error", true),
    ("Core error: ", "Core error", true),
    ("Warning: ", "Warning", false),
    ("Notice: ", "Notice", false),
    ("Deprecated: ", "Deprecated", false),
    ("Strict Standards: ", "Strict Standards", false),
];
/// Lines within a stack that an argument with line breaks may take.
const ODD_LINES: usize = 3;

/// The exceptions of the last stack, causes first; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let lines: Vec<Cow<'_, str>> = lines.iter().flat_map(|line| unfolded(line)).collect();
    let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    let mut found: Vec<Exception> = Vec::new();
    let mut warning: Vec<Exception> = Vec::new();
    let (mut at, mut end_of_last) = (0, 0);
    // Of risky and incomplete tests PHPUnit says where they are, too.
    let mut has_failed = true;
    while at < lines.len() {
        has_failed = tested::section(lines[at]).unwrap_or(has_failed);
        let window = &lines[end_of_last.max(at.saturating_sub(MESSAGE_LINES))..at];
        if let Some((calls, end)) = stack(&lines, at)
            .or_else(|| symfony(&lines, at))
            .or_else(|| paired(&lines, at))
            .or_else(|| bare(&lines, at))
        {
            // What a test differs in may take more lines than other messages.
            let above = || &lines[end_of_last.max(at.saturating_sub(tested::LINES))..at];
            let head = head(window).or_else(|| tested::head(above())).unwrap_or_default();
            let thrown = lines.get(end).and_then(|line| on_line(line.trim_start().strip_prefix("thrown in ")?, ""));
            let is_stack = head.kind.is_some() || thrown.is_some();
            let is_told_only = !has_failed && calls.iter().all(|call| call.called.is_none());
            if (is_stack && !is_told_only) || calls.iter().filter(|call| call.called.is_some()).count() > 1 {
                // Some forms begin with the place itself.
                let is_placed = calls[0].place.is_some() && calls[0].called.is_none();
                let innermost = head.place.or(thrown.map(|(_, path, line)| (path, line))).filter(|_| !is_placed);
                let exception = exception(&head, innermost, calls);
                match head.mark {
                    Mark::Next => found.push(exception),
                    Mark::Previous => found.insert(0, exception),
                    Mark::First => found = vec![exception],
                }
            }
            (at, end_of_last) = (end, end);
        } else if let Some((exception, end, is_fatal)) = placed(&lines, at) {
            if is_fatal {
                found = vec![exception];
            } else if exception.kind == "Warning" {
                warning = vec![exception];
            }
            (at, end_of_last) = (end, end);
        } else {
            at += 1;
        }
    }
    if found.is_empty() { warning } else { found }
}

/// How an exception belongs to the one printed before it.
#[derive(Default, PartialEq)]
enum Mark {
    #[default]
    First,
    /// Raised after it, and because of it.
    Next,
    /// Its cause.
    Previous,
}

#[derive(Default)]
struct Head<'a> {
    mark: Mark,
    kind: Option<Cow<'a, str>>,
    value: Option<String>,
    place: Option<(&'a str, u32)>,
}

/// What was thrown, out of the lines above its stack.
fn head<'a>(window: &[&'a str]) -> Option<Head<'a>> {
    let end = window.iter().rposition(|line| !is_title(line))? + 1;
    let window = &window[..end];
    if let Some(head) = boxed(window).or_else(|| tested::head(window)) {
        return Some(head);
    }
    (0..end).rev().find_map(|at| head_at(&window[at..]))
}

/// Symfony's console: `In Cart.php line 3:`, then `  [Type]` and the message in a box of spaces.
fn boxed<'a>(window: &[&'a str]) -> Option<Head<'a>> {
    let at = window.iter().rposition(|line| line.starts_with("  [") && line.trim_end().ends_with(']'))?;
    let kind = class(window[at].trim().trim_start_matches('[').trim_end_matches(']'))?;
    let place = window[..at].iter().rev().take(ODD_LINES).find_map(|line| {
        let (path, line) = line.trim().strip_prefix("In ")?.strip_suffix(':')?.split_once(" line ")?;
        Some((path, line.parse().ok()?))
    });
    let value = message(window[at + 1..].iter().map(|line| line.trim()));
    Some(Head { kind: Some(kind), value, place, ..Head::default() })
}

/// `Stack trace:` and the like, and empty lines.
fn is_title(line: &str) -> bool {
    let line = line.trim();
    let line = line.strip_prefix("PHP ").unwrap_or(line);
    line.is_empty() || ["Stack trace:", "[stacktrace]", "Call Stack:", "Exception trace:"].contains(&line.trim())
}

fn head_at<'a>(lines: &[&'a str]) -> Option<Head<'a>> {
    let first = lines[0];
    if let Some((before, rest)) = first.split_once("[object] (") {
        // Monolog: `[object] (Type(code: 0): message at /srv/a.php:3)`.
        let (kind, said) = rest.split_once("(code: ")?;
        let (_, said) = said.split_once("): ")?;
        let (said, last) = last_of(said, lines);
        let (text, path, line) = placed_by(end_of_object(last), " at ")?;
        let value = message(said.into_iter().chain([text])).map(|value| value.replace(r"\\", r"\"));
        let mark = if before.trim_end().ends_with("[previous exception]") { Mark::Previous } else { Mark::First };
        return Some(Head { mark, kind: Some(class(kind)?), value, place: Some((path, line)) });
    }
    if let Some((_, rest)) = first.split_once("Uncaught PHP Exception ") {
        // Symfony: `Type: "message" at /srv/a.php line 3`.
        let (kind, said) = rest.split_once(": ")?;
        let (said, behind) = said.rsplit_once(" line ").filter(|(_, rest)| number(rest).is_some())?;
        let (said, path) = said.rsplit_once(" at ")?;
        let value = message([said.trim_matches('"')]);
        return Some(Head { kind: Some(class(kind)?), value, place: Some((path, number(behind)?)), ..Head::default() });
    }
    let (mark, rest) = match first.split_once("Uncaught ") {
        Some((_, rest)) => (Mark::First, rest),
        None => match first.trim_start().strip_prefix("Next ") {
            Some(rest) => (Mark::Next, rest),
            None => (Mark::First, severity(first).map_or(first, |(_, _, rest)| rest).trim_start()),
        },
    };
    // PHP 5: `exception 'Type' with message 'text' in /srv/a.php:3`.
    let old = rest.strip_prefix("exception '").and_then(|rest| rest.split_once('\''));
    let (kind, said) = match old {
        Some((kind, rest)) => (kind, rest.strip_prefix(" with message '").unwrap_or(rest)),
        None => match rest.split_once(": ").filter(|(kind, _)| class(kind).is_some()) {
            Some(split) => split,
            None => rest.split_once(' ').filter(|(_, rest)| rest.starts_with("in ")).unwrap_or((rest.trim(), "")),
        },
    };
    let is_marked = mark == Mark::Next || first.contains("Uncaught ") || old.is_some();
    let kind = class(kind).filter(|kind| is_marked || names_error(kind))?;
    let (said, last) = last_of(said, lines);
    let last_at = |mark| placed_by(last, mark).or_else(|| on_line(last, mark));
    let (text, place) = match last_at(" in ").or_else(|| last_at("in ")) {
        Some((text, path, line)) => (text, Some((path, line))),
        None => (last, None),
    };
    let text = if old.is_some() { text.strip_suffix('\'').unwrap_or(text) } else { text };
    Some(Head { mark, kind: Some(kind), value: message(said.into_iter().chain([text])), place })
}

/// A line of Monolog's without what closes the exception, and what else was logged behind it.
fn end_of_object(line: &str) -> &str {
    let end = line.rfind(")\"").unwrap_or(line.len());
    line[..end].trim_end().trim_end_matches(['"', '}', ')'])
}

/// The lines of a message that begins with `said`, and its last one.
fn last_of<'a>(said: &'a str, lines: &[&'a str]) -> (Vec<&'a str>, &'a str) {
    match lines[1..].split_last() {
        None => (Vec::new(), said),
        Some((last, more)) => (std::iter::once(said).chain(more.iter().copied()).collect(), last),
    }
}

/// An error that names its place: `PHP Warning:  text in /srv/a.php on line 3`, with Xdebug's table
/// below it where there is one.
fn placed(lines: &[&str], at: usize) -> Option<(Exception, usize, bool)> {
    let line = lines[at];
    let is_marked = line.contains("[object] (") || line.contains("Uncaught ");
    if !line.contains(" on line ") && !is_marked && !line.contains(".php:") {
        return None;
    }
    let head = match severity(line) {
        Some((kind, is_fatal, said)) if !said.contains("Uncaught ") => {
            let (text, path, line) = on_line(said.trim_start(), " in ")?;
            let head =
                Head { kind: Some(kind.into()), value: message([text]), place: Some((path, line)), ..Head::default() };
            let (calls, end) = table(lines, at + 1);
            return Some((exception(&head, head.place, calls), end, is_fatal));
        }
        // A message may go on in the lines below.
        _ if is_marked => (at..lines.len().min(at + ODD_LINES)).find_map(|last| {
            let head = head_at(&lines[at..=last])?;
            head.place.is_some().then_some((head, last))
        }),
        _ => head_at(&lines[at..=at]).map(|head| (head, at)),
    };
    let (head, last) =
        head.filter(|(head, _)| head.place.is_some_and(|(path, _)| is_marked || path.ends_with(".php")))?;
    if follows_stack(lines, last + 1) {
        return None;
    }
    let (calls, end) = table(lines, last + 1);
    Some((exception(&head, head.place, calls), end, true))
}

fn follows_stack(lines: &[&str], at: usize) -> bool {
    lines[at..].iter().take(ODD_LINES).any(|line| {
        let line = line.trim_start();
        line.starts_with("#0 ") || line == "Exception trace:"
    })
}

/// Puts the calls in order, oldest first, and each function where its code is: what was called is
/// printed beside where it was called from.
fn exception(head: &Head<'_>, innermost: Option<(&str, u32)>, calls: Vec<Call<'_>>) -> Exception {
    let kind = head.kind.as_deref().unwrap_or("Exception").to_owned();
    let (places, called): (Vec<_>, Vec<_>) = calls.into_iter().map(|call| (call.place, call.called)).unzip();
    let places = innermost.into_iter().map(Some).chain(places);
    let skipped = usize::from(innermost.is_none());
    let mut frames: Vec<Frame> = Vec::new();
    for (at, place) in places.enumerate() {
        let function = called.get(at + skipped).copied().flatten();
        // A log written as JSON has each backslash twice.
        let function = function.map(|name| name.replace("->", "::").replace(r"\\", r"\"));
        match place {
            Some((path, line)) => frames.push(place::frame(path, Some(line), None, function.as_deref())),
            // Code of PHP's own.
            None if function.is_some() => frames.push(Frame { function, ..Frame::default() }),
            None => {}
        }
    }
    let calls = frames.iter().map(|frame| (frame.filename.as_deref(), frame.line, frame.function.as_deref()));
    frames.drain(..inner_calls(calls));
    frames.reverse();
    Exception { kind, value: head.value.clone(), frames, ..Exception::default() }
}

/// What was printed before the severity, which is one of PHP's: its name, whether it ends the
/// program, and what is said.
fn severity(line: &str) -> Option<(&'static str, bool, &str)> {
    SEVERITIES.iter().find_map(|&(name, kind, is_fatal)| {
        let at = line.find(name)?;
        let before = line[..at].trim_end();
        let is_begin = before.is_empty() || before.ends_with("PHP") || before.ends_with([']', ':', ')', '"']);
        is_begin.then_some((kind, is_fatal, &line[at + name.len()..]))
    })
}

/// `text in /srv/a.php:3`, with the word between them.
fn placed_by<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str, u32)> {
    let text = text.trim_end().trim_end_matches(',');
    let (said, place) = split_at_last(text, word)?;
    let (path, line) = place::path_and_line(place)?;
    let (path, line) = real(path, line);
    Some((said, path, line))
}

/// `text in /srv/a.php on line 3`.
fn on_line<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str, u32)> {
    let (text, behind) = text.rsplit_once(" on line ")?;
    let line = number(behind)?;
    let (said, path) = if word.is_empty() { ("", text) } else { split_at_last(text, word)? };
    // `f(): Argument #1 must be of type int, called in /srv/a.php on line 3` names the caller.
    if said.ends_with(", called") {
        return None;
    }
    let (path, line) = real(path, line);
    Some((said, path, line))
}

/// A word without a space before it stands at the beginning.
fn split_at_last<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    if word.starts_with(' ') { text.rsplit_once(word) } else { Some(("", text.strip_prefix(word)?)) }
}

/// `/srv/a.php(12) : eval()'d code` is line 12 of a file.
fn real(path: &str, line: u32) -> (&str, u32) {
    let eval = path.split_once(") : ").and_then(|(place, _)| place.rsplit_once('('));
    eval.and_then(|(path, line)| Some((path, line.parse().ok()?))).unwrap_or((path.trim(), line))
}

fn number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// `App\CartError`, of which a log written as JSON has each backslash twice.
fn class(name: &str) -> Option<Cow<'_, str>> {
    let name = name.trim().trim_start_matches('\\');
    let is_class = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '\\'));
    is_class.then(|| if name.contains(r"\\") { Cow::Owned(name.replace(r"\\", r"\")) } else { Cow::Borrowed(name) })
}

fn names_error(kind: &str) -> bool {
    kind.contains('\\') || ["Exception", "Error", "Failure"].iter().any(|end| kind.ends_with(end))
}

/// What a line break may have stood before, where a log wrote it as `\n` or a page as a space.
const BEGINNINGS: &[&str] =
    &["#", "Stack trace:", "[stacktrace]", "[previous exception]", "Next ", "thrown in ", "  thrown in ", "\"}"];

/// A line as the lines that it was made of, without the tags of a page.
fn unfolded(line: &str) -> Vec<Cow<'_, str>> {
    let is_page = line.contains("<b>") || line.contains("<br") || line.contains("<tr>");
    let has_stack = line.contains("#0 ") || line.contains("#1 ") || line.contains("{main}");
    if !is_page && !has_stack {
        return vec![Cow::Borrowed(line)];
    }
    let mut text = Cow::Borrowed(line);
    if is_page {
        text = page::text(line);
    }
    if !has_stack || !["Stack trace:", "[stacktrace]"].iter().any(|title| text.contains(title)) {
        return vec![text];
    }
    let is_escaped = text.contains(r"\n#");
    let sign = if is_escaped { r"\n" } else { " " };
    let part = |part: &str| Cow::Owned(if is_escaped { part.replace(r"\\", r"\") } else { part.to_owned() });
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(sign) {
        let rest = &text[at + sign.len()..];
        let Some(begin) = BEGINNINGS.iter().find(|begin| rest.starts_with(**begin)) else { continue };
        let is_number = *begin != "#" || rest[1..].starts_with(|c: char| c.is_ascii_digit());
        // A word of a message, unless a stack is over.
        let is_next = *begin != "Next " || is_escaped || text[..at].ends_with("{main}");
        if is_number && is_next && at >= start {
            parts.push(part(&text[start..at]));
            start = at + sign.len();
        }
    }
    parts.push(part(&text[start..]));
    parts
}
