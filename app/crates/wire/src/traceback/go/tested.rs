//! What `go test` prints of a test that failed, and the assertions of testify within it.

use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};

/// What is said where there is no type: `go test` says so of the test.
const FAIL: &str = "FAIL";
/// How a test that failed is told, by `go test` and by gotestsum.
const FAILED: [&str; 2] = ["--- FAIL: ", "=== FAIL: "];
/// How another test, or the end of a package, begins.
const ENDS: [&str; 12] = [
    "--- FAIL: ",
    "--- PASS: ",
    "--- SKIP: ",
    "--- BENCH: ",
    "=== ",
    "FAIL",
    "ok  ",
    "PASS",
    "panic: ",
    "exit status ",
    "DONE ",
    "coverage: ",
];

/// The last failure that says where, and the line at which it ends.
pub(super) fn last(lines: &[&str]) -> Option<(Exception, usize)> {
    // Each line is looked at once from either side of the tests' titles.
    let mut below = lines.len();
    for at in (0..lines.len()).rev() {
        let Some(name) = failed(lines[at]) else { continue };
        let after = &lines[at + 1..below];
        let length = after.iter().position(|line| is_end(line)).unwrap_or(after.len());
        if let Some(found) = said(name, &after[..length]) {
            return Some((found, at + 1 + length));
        }
        // With -v it is said before the title, below that of the run.
        let before = lines[..at].iter().rev().take(MESSAGE_LINES * 3).take_while(|line| !is_end(line)).count();
        if let Some(found) = said(name, &lines[at - before..at]) {
            return Some((found, at));
        }
        below = at;
    }
    None
}

/// The test that is said to have failed.
fn failed(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = FAILED.iter().find_map(|mark| line.strip_prefix(mark))?;
    let name = rest.split(" (").next()?;
    // gotestsum puts the package before it.
    name.rsplit(' ').next().filter(|name| !name.is_empty())
}

fn is_end(line: &str) -> bool {
    let line = line.trim_start();
    ENDS.iter().any(|end| line.starts_with(end))
}

/// What the last place among these lines says.
fn said(name: &str, lines: &[&str]) -> Option<Exception> {
    let place = lines.iter().rposition(|line| placed(line).is_some());
    let (value, places) = match (place, lines.iter().rposition(|line| is_trace(line))) {
        (place, Some(trace)) if place.is_none_or(|at| at < trace) => assertion(&lines[trace..])?,
        (place, _) => {
            let at = place?;
            let (path, line, first) = placed(lines[at])?;
            // Further lines of a message are indented further in.
            let indent = place::indent(lines[at]);
            let more =
                lines[at + 1..].iter().take_while(|line| place::indent(line) > indent && !line.trim().is_empty());
            (message(std::iter::once(first).chain(more.map(|line| line.trim()))), vec![(path, line)])
        }
    };
    let frame = |(path, line): (&str, u32)| place::frame(path, Some(line), None, None);
    let mut frames: Vec<Frame> = places.into_iter().map(frame).rev().collect();
    frames.first_mut()?.function = Some(name.to_owned());
    Some(Exception { kind: FAIL.to_owned(), value, frames, ..Exception::default() })
}

/// `cart_test.go:12: got 3`
fn placed(line: &str) -> Option<(&str, u32, &str)> {
    let line = line.trim();
    let (place, said) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
    let (path, number) = place::path_and_line(place)?;
    (path.ends_with(".go") && !path.contains(char::is_whitespace)).then_some((path, number, said))
}

/// A message, and its places, innermost first.
type Said<'a> = (Option<String>, Vec<(&'a str, u32)>);

fn is_trace(line: &str) -> bool {
    line.trim_start().starts_with("Error Trace:")
}

/// What testify says: `Error Trace:`, innermost first, `Error:` and `Messages:`.
fn assertion<'a>(lines: &[&'a str]) -> Option<Said<'a>> {
    let (mut places, mut text) = (Vec::new(), Vec::new());
    let mut field = "";
    for line in lines {
        let own = ["Error Trace:", "Error:", "Test:", "Messages:"]
            .iter()
            .find_map(|name| Some((*name, line.trim_start().strip_prefix(name)?)));
        let said = match own {
            Some((name, said)) => {
                field = name;
                said.trim()
            }
            None => line.trim(),
        };
        match field {
            "Error Trace:" => places.extend(place::path_and_line(said).filter(|(path, _)| path.ends_with(".go"))),
            "Error:" | "Messages:" if text.len() < MESSAGE_LINES && !said.is_empty() => text.push(said),
            _ => {}
        }
    }
    (!places.is_empty()).then(|| (message(text), places))
}
