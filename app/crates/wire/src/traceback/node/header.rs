//! What is said above a stack of JavaScript's: the error's name and message.

use super::{NAMED, Stack, label};
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::Exception;
use regex::Regex;
use std::sync::LazyLock;

/// An error's name behind what a log puts there; it has to tell that it is one.
static LOGGED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s:(])((?:[A-Za-z_$][\w$.]*)?(?:Error|Exception))\)?(?: \[([^\]]+)\])?(?:: (.*))?$")
        .expect("a constant pattern compiles")
});
/// A line of code with its number, as test runners and bundlers show it.
static CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*>?\s*\d+ ?[|│]").expect("a constant pattern compiles"));
/// What test runners set before a value, which is no type.
const NO_TYPES: [&str; 7] = ["Expected", "Received", "Actual", "Got", "Difference", "Diff", "Message"];
/// How Jest shows what was written to the console, with the place that wrote it.
const CONSOLE: [&str; 6] =
    ["console.log", "console.warn", "console.error", "console.info", "console.debug", "console.trace"];
/// Above the components that an error came through, which React tells after the error.
const COMPONENTS: [&str; 3] =
    ["The above error occurred in ", "An error occurred in the <", "This error is located at:"];

/// Whether the line is one of code, or a mark below it.
pub(super) fn is_excerpt(line: &str) -> bool {
    CODE.is_match(line) || line.trim_start().strip_prefix(['|', '│']).is_some_and(|rest| rest.trim() == "^")
}

/// What calls are of.
pub(super) enum Told {
    Error,
    /// Of what was written to the console.
    Console,
    /// Of the components that an error came through.
    Components,
    /// Of what Node only warns of.
    Warning,
}

/// What the calls below these lines are of.
pub(super) fn told(above: &[&str]) -> Told {
    let of_console = |line: &str| CONSOLE.iter().any(|title| line.split_whitespace().next() == Some(title));
    let above = &above[above.len().saturating_sub(MESSAGE_LINES)..];
    let warning = above.iter().rposition(|line| line.starts_with("(node:"));
    if warning.is_some_and(|at| is_warning(above[at]) && !above[at + 1..].iter().any(|line| is_named(line))) {
        return Told::Warning;
    }
    let Some(title) = above.iter().rposition(|line| is_of_components(line) || of_console(line)) else {
        return Told::Error;
    };
    // A title of Jest's, or an error, is nearer.
    if above[title + 1..].iter().any(|line| is_title(line) || is_named(line)) {
        return Told::Error;
    }
    if of_console(above[title]) { Told::Console } else { Told::Components }
}

/// `(node:812) [DEP0005] DeprecationWarning: …`; a rejection that nobody handled is an error.
fn is_warning(line: &str) -> bool {
    let said = line.strip_prefix("(node:").and_then(|rest| rest.split_once(") "));
    let name = said.and_then(|(_, said)| said.split_once(": ")).map_or("", |(name, _)| name);
    name.ends_with("Warning") && name != "UnhandledPromiseRejectionWarning"
}

fn is_of_components(line: &str) -> bool {
    COMPONENTS.iter().any(|title| line.trim_start().starts_with(title))
}

/// Jest's `● cart › totals`, Vitest's ` FAIL  test/cart.test.ts > totals`.
fn is_title(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("● ") || line.starts_with("FAIL  ")
}

/// Where a stack stands in what Jest prints of a file.
pub(super) enum Section {
    /// Among what was written to the console.
    Console,
    /// Below a test that failed.
    Failed,
    Other,
}

/// The section of Jest's that begins at this line.
pub(super) fn section(line: &str) -> Option<Section> {
    let line = line.trim_start();
    match line.strip_prefix("● ") {
        Some("Console") => Some(Section::Console),
        Some(_) => Some(Section::Failed),
        None => ["FAIL ", "PASS ", "Test Suites: "].iter().any(|it| line.starts_with(it)).then_some(Section::Other),
    }
}

/// Whether Jest says of all tests that they passed.
pub(super) fn have_passed(lines: &[&str]) -> bool {
    let mut summaries = lines.iter().filter(|line| line.starts_with("Test Suites: ") || line.starts_with("Tests: "));
    summaries.next_back().is_some_and(|summary| summary.contains(" passed") && !summary.contains(" failed"))
}

fn is_error(name: &str) -> bool {
    name.ends_with("Error") || name.ends_with("Exception")
}

/// `PrismaClientKnownRequestError:`, whose message begins in the next line.
fn unsaid(text: &str) -> &str {
    text.strip_suffix(':').filter(|name| is_error(name) && !name.contains(char::is_whitespace)).unwrap_or(text)
}

/// Whether the line begins with an error's name.
fn is_named(line: &str) -> bool {
    NAMED.captures(unsaid(label(line.trim()).1)).is_some_and(|found| is_error(&found[1]))
}

/// `error: ` before what was raised, as Bun and Deno say it.
fn bare_error(line: &str) -> Option<&str> {
    line.trim().strip_prefix("error: ")
}

/// Name and message above the first frame.
pub(super) fn header(lines: &[&str], end_of_last: usize, first_frame: usize) -> Stack {
    let from = end_of_last.max(first_frame.saturating_sub(MESSAGE_LINES));
    // What differs may take more lines than a message of other programs.
    let title = lines[end_of_last..first_frame].iter().rposition(|line| is_title(line)).map(|at| end_of_last + at);
    if let Some(stack) = title.and_then(|title| titled(lines, title + 1, first_frame)) {
        return stack;
    }
    let above = &lines[from..first_frame];
    let start = above.iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
    let find = |pattern: &Regex, start: usize, test: &dyn Fn(&str) -> bool| {
        (start..above.len()).find_map(|at| {
            let (label, text) = label(above[at].trim());
            let text = unsaid(text);
            let found = pattern.captures(text)?;
            let name = found.get(1)?.as_str();
            test(name).then(|| (at, label, name.to_owned(), found.get(3).map(|value| value.as_str())))
        })
    };
    // What a test runner says may have blank lines in it, and code.
    let last_named = || {
        let at = above.iter().rposition(|line| is_named(line) || bare_error(line).is_some())?;
        match bare_error(above[at]) {
            Some(said) => find(&LOGGED, at, &is_error)
                .filter(|(found, ..)| *found == at)
                .or_else(|| Some((at, None, "Error".to_owned(), Some(said)))),
            None => find(&NAMED, at, &is_error),
        }
    };
    let found = find(&NAMED, start, &is_error)
        .or_else(|| find(&LOGGED, start, &is_error))
        .or_else(last_named)
        // A class of one's own may be called anything, but hardly in capitals, as levels of logs
        // are.
        .or_else(|| find(&NAMED, start, &|name| name.chars().any(char::is_lowercase) && !NO_TYPES.contains(&name)));
    let (at, label, kind, value) = match found {
        Some((at, label, kind, value)) => {
            let more = &above[at + 1..];
            let is_end = |line: &str| CODE.is_match(line) || is_of_components(line);
            let code = more.iter().position(|line| is_end(line)).unwrap_or(more.len());
            let more = if bare_error(above[at]).is_some() { without_source(&more[..code]) } else { &more[..code] };
            (at, label, kind, message(value.into_iter().chain(more.iter().copied())))
        }
        None => (above.len().saturating_sub(1), None, "Error".to_owned(), message(above.last().copied())),
    };
    let indent = above.get(at).map_or(0, |line| place::indent(line));
    let value = value.map(|value| unindented(&value, indent));
    let kind = kind.rsplit('.').next().unwrap_or("Error");
    let kind = if kind == "error" { "Error" } else { kind }.to_owned();
    stack(from + at, indent, label, kind, value)
}

/// What Jest says below its title: of an expectation that was not met, no type. Of an error whose
/// message shows a whole page, the name is further away than others.
fn titled(lines: &[&str], from: usize, first_frame: usize) -> Option<Stack> {
    let at = (from..first_frame).find(|&at| !lines[at].trim().is_empty())?;
    if is_named(lines[at])
        && first_frame - at > MESSAGE_LINES
        && !lines[at + 1..first_frame].iter().any(|line| is_named(line))
    {
        let found = NAMED.captures(lines[at].trim())?;
        let first = found.get(3).map_or("", |value| value.as_str());
        let value = message(std::iter::once(first).chain(lines[at + 1..first_frame].iter().copied()));
        return Some(stack(at, place::indent(lines[at]), None, found[1].to_owned(), value));
    }
    if is_named(lines[at]) || lines[at..first_frame].iter().any(|line| label(line.trim()).0.is_some()) {
        return None;
    }
    // What is said at the title itself belongs to no error that is named further below.
    if lines[at..first_frame].iter().any(|line| is_named(line)) && !lines[at].contains("expect(") {
        return None;
    }
    let indent = place::indent(lines[at]);
    let said = lines[at..first_frame].iter().copied().take_while(|line| !CODE.is_match(line));
    let value = message(said).map(|value| unindented(&value, indent));
    Some(stack(at, indent, None, "Error".to_owned(), value))
}

fn stack(line: usize, indent: usize, label: Option<&'static str>, kind: String, value: Option<String>) -> Stack {
    let (kind, value) = match value.as_deref().and_then(uncaught).filter(|_| kind == "Error") {
        Some((kind, value)) => (kind, Some(value)),
        None => (kind, value),
    };
    let exception = Exception { kind, value, ..Exception::default() };
    Stack { exception, line, indent, label, is_open: false, hidden: Vec::new() }
}

/// `Uncaught [TypeError: x is not a function]`, as jsdom wraps what a handler threw.
fn uncaught(value: &str) -> Option<(String, String)> {
    let inner = value.strip_prefix("Uncaught [")?.strip_suffix(']')?;
    let (kind, value) = inner.split_once(": ")?;
    (is_error(kind) && kind.chars().all(char::is_alphanumeric)).then(|| (kind.to_owned(), value.to_owned()))
}

/// A message without the line of code that Deno prints below it, and the mark under that.
fn without_source<'a, 'b>(more: &'b [&'a str]) -> &'b [&'a str] {
    let is_mark = |line: &str| !line.trim().is_empty() && line.trim().chars().all(|c| matches!(c, '^' | '~'));
    match more {
        [said @ .., code, mark] if is_mark(mark) && place::indent(code) > 0 => said,
        _ => more,
    }
}

/// Further lines of a message are indented as far as its first one.
fn unindented(value: &str, indent: usize) -> String {
    value
        .lines()
        .map(|line| line.get(indent..).filter(|_| place::indent(line) >= indent).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}
