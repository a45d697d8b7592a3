//! What ExUnit prints of a test that failed: its title, where it is, what did not hold, and the
//! calls below `stacktrace:`.

use super::{Found, call, is_source, raised};
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// What an assertion raises that does not hold.
const ASSERTION: &str = "ExUnit.AssertionError";
/// Lines of a failure: a difference of two values may be long.
const FAILURE_LINES: usize = 200;

/// `  1) test totals the cart (ShopTest)`
static TITLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*[0-9]+\) (\S.*) \(([A-Z][\w.]*)\)$").expect("a constant pattern compiles"));
/// Above what the test logged.
const LOGGED: &str = "The following output was logged:";
/// What begins what else is said.
const FIELDS: [&str; 4] = ["code:", "stacktrace:", "arguments:", LOGGED];

/// The last test that failed, and the line at which its report ends.
pub(super) fn last(lines: &[&str]) -> Found {
    // Each line is looked at once: a report ends where the next one begins.
    let mut end = lines.len();
    for at in (0..lines.len()).rev() {
        let Some(found) = TITLE.captures(lines[at].trim_end()) else { continue };
        let report = &lines[at + 1..end.min(at + 1 + FAILURE_LINES)];
        if let Some((exception, length)) = failed(&found[1], &found[2], report) {
            return Some((exception, at + 1 + length));
        }
        end = at;
    }
    None
}

fn failed(name: &str, module: &str, lines: &[&str]) -> Option<(Exception, usize)> {
    let (path, line) = place::path_and_line(lines.first()?.trim()).filter(|(path, _)| is_source(path))?;
    let of_test = |path: &str, line: u32| Frame {
        module: Some(module.to_owned()),
        ..place::frame(path, Some(line), None, Some(name))
    };
    let stack = lines.iter().position(|line| line.trim() == "stacktrace:");
    let said = &lines[1..stack.unwrap_or(lines.len())];
    let said = &said[..said.iter().position(|line| line.trim().is_empty() && stack.is_none()).unwrap_or(said.len())];
    let indent = said.iter().find(|line| !line.trim().is_empty()).map_or(0, |line| place::indent(line));
    let text = |lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| line.get(indent..).unwrap_or(line.trim_start()).trim_end().to_owned()).collect()
    };
    // What ended another process is printed with its own calls, and led here.
    let inner = said.iter().position(|line| call(line).is_some());
    let is_raised = |line: &str| raised(line).is_some_and(|(kind, _)| kind != "EXIT");
    let head = match inner {
        Some(inner) => said[..inner].iter().rposition(|line| is_raised(line)),
        None => said.iter().position(|line| is_raised(line)),
    };
    let above = &said[..inner.unwrap_or(said.len())];
    let head = head.or_else(|| above.iter().position(|line| raised(line).is_some()));
    let (kind, value) = match head.and_then(|head| Some((raised(said[head])?, head))) {
        Some(((kind, first), head)) => {
            let more = above[head + 1..].iter().map(|line| line.trim());
            let more = more.take_while(|line| !FIELDS.iter().any(|field| line.starts_with(field)));
            (kind.to_owned(), message(std::iter::once(first).chain(more)))
        }
        None => {
            let text = text(&said[..said.len().min(MESSAGE_LINES)]);
            (ASSERTION.to_owned(), message(text.iter().map(String::as_str)))
        }
    };
    // What is neither raised nor asserted says nothing.
    value.as_ref()?;
    let calls = stack.map_or(&[][..], |stack| &lines[stack + 1..]);
    let called = |line: &str| match call(line) {
        Some(frame) if frame.function.as_deref() == Some("(test)") => {
            Some(of_test(frame.filename.as_deref()?, frame.line?))
        }
        Some(frame) => Some(frame),
        // Older ones say the place alone.
        None => {
            let (path, line) = place::path_and_line(line.trim()).filter(|(path, _)| is_source(path))?;
            Some(of_test(path, line))
        }
    };
    let below = calls.iter().map_while(|line| called(line)).count();
    let mut length = stack.map_or(said.len() + 1, |stack| stack + 1 + below);
    let calls = inner.map_or(calls, |inner| &said[inner..]);
    let mut frames: Vec<Frame> = calls.iter().map_while(|line| called(line)).collect();
    // What the test logged is no error of the run.
    if lines[length..].iter().take(2).any(|line| line.trim() == LOGGED) {
        length = lines.iter().position(|line| line.starts_with("Finished in ")).unwrap_or(lines.len());
    }
    frames.reverse();
    if frames.iter().all(|frame| frame.line.is_none()) {
        frames.insert(0, of_test(path, line));
    }
    Some((Exception { kind, value, frames, ..Exception::default() }, length))
}
