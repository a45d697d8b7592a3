//! Stacks of JavaScript engines as Node prints them, with causes and the members of an
//! AggregateError.

use super::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// An error's name at the beginning of a line, with its code, and its message.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:Uncaught )?([A-Za-z_$][\w$.]*)(?: \[([^\]]+)\])?(?:: (.*))?$")
        .expect("a constant pattern compiles")
});
/// The same behind what a log puts there; the name has to tell that it is one.
static LOGGED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s:(])([A-Za-z_$][\w$.]*(?:Error|Exception))(?: \[([^\]]+)\])?(?:: (.*))?$")
        .expect("a constant pattern compiles")
});
/// Lines between the place that an uncaught error names and its stack: source, marker, blank line.
const LINES_BELOW_PLACE: usize = 6;
/// Causes of causes; Node itself prints few levels.
const MAX_DEPTH: usize = 30;

struct Stack {
    exception: Exception,
    /// Index of its header's first line.
    line: usize,
    indent: usize,
    /// `cause`, or that it is printed in a list.
    label: Option<&'static str>,
    /// Properties follow, in braces.
    is_open: bool,
}

/// The exceptions of the last stack, causes and members first; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let (stacks, end_of_last) = stacks(lines);
    if let Some(thrown) = thrown_value(lines, end_of_last) {
        return vec![thrown];
    }
    let mut last = None;
    let mut open: Option<usize> = None;
    for (index, stack) in stacks.iter().enumerate() {
        if open.is_none_or(|indent| stack.indent <= indent) {
            last = Some(index);
            open = stack.is_open.then_some(stack.indent);
        }
    }
    let Some(last) = last else { return Vec::new() };
    let mut stacks: Vec<Stack> = stacks.into_iter().skip(last).collect();
    if let Some((frame, code)) = place_above(lines, stacks[0].line) {
        add_place(&mut stacks[0].exception, frame, code);
    }
    let mut next = 0;
    let mut ordered = Vec::new();
    let mut stacks: Vec<Option<Stack>> = stacks.into_iter().map(Some).collect();
    gather(&mut stacks, 0, MAX_DEPTH, &mut next, &mut ordered);
    ordered
}

/// Puts a stack's causes and members before it; they are what is indented further, up to the next
/// that is not.
fn gather(stacks: &mut [Option<Stack>], at: usize, depth: usize, next_id: &mut u32, ordered: &mut Vec<Exception>) {
    let Some(stack) = stacks[at].take() else { return };
    let id = *next_id;
    *next_id += 1;
    let mut exception = stack.exception;
    let mut members = 0;
    let mut child = at + 1;
    while let Some((indent, label)) =
        stacks.get(child).and_then(Option::as_ref).map(|child| (child.indent, child.label))
    {
        if indent <= stack.indent || !stack.is_open || depth == 0 {
            break;
        }
        gather(stacks, child, depth - 1, next_id, ordered);
        if let Some(gathered) = ordered.last_mut() {
            gathered.parent = Some(id);
            gathered.source = Some(match label {
                Some(label) => label.to_owned(),
                None => {
                    members += 1;
                    format!("errors[{}]", members - 1)
                }
            });
        }
        // What was gathered with the child is gone from the list.
        while stacks.get(child).is_some_and(Option::is_none) {
            child += 1;
        }
    }
    exception.id = Some(id);
    exception.is_group = members > 0 || exception.kind == "AggregateError";
    ordered.push(exception);
}

/// All stacks, in the order in which they are printed, and the line at which the last ends.
fn stacks(lines: &[&str]) -> (Vec<Stack>, usize) {
    let mut stacks: Vec<Stack> = Vec::new();
    let mut end_of_last = 0;
    let mut at = 0;
    while at < lines.len() {
        if let Some(stack) = without_frames(lines[at], at) {
            stacks.push(stack);
            at += 1;
            end_of_last = at;
        } else if frame(lines[at]).is_some_and(|frame| frame.line.is_some() || frame.filename.is_some()) {
            let first = at;
            let mut frames = Vec::new();
            while let Some(frame) = lines.get(at).and_then(|line| frame(line)) {
                frames.push(frame);
                at += 1;
            }
            frames.reverse();
            let is_open = lines[at - 1].trim_end().ends_with('{');
            let mut stack = header(lines, end_of_last, first);
            stack.exception.frames = frames;
            stack.is_open = is_open;
            stacks.push(stack);
            end_of_last = at;
        } else {
            at += 1;
        }
    }
    (stacks, end_of_last)
}

/// `[AggregateError: All promises were rejected] {`: how an error is shown that has no stack.
fn without_frames(line: &str, at: usize) -> Option<Stack> {
    let (label, text) = label(line.trim());
    let (text, is_open) = match text.strip_suffix(" {") {
        Some(text) => (text, true),
        None => (text.trim_end_matches(','), false),
    };
    let named = text.strip_prefix('[')?.strip_suffix(']')?;
    let found = NAMED.captures(named)?;
    let name = found.get(1)?.as_str();
    if !name.ends_with("Error") || (!is_open && label.is_none()) {
        return None;
    }
    let value = found.get(3).map(|value| value.as_str().to_owned());
    let exception = Exception { kind: name.to_owned(), value, ..Exception::default() };
    Some(Stack { exception, line: at, indent: place::indent(line), label, is_open })
}

fn label(text: &str) -> (Option<&'static str>, &str) {
    ["[cause]: ", "cause: "]
        .iter()
        .find_map(|label| text.strip_prefix(label))
        .map_or((None, text), |text| (Some("cause"), text))
}

/// Name and message above the first frame.
fn header(lines: &[&str], from: usize, first_frame: usize) -> Stack {
    let from = from.max(first_frame.saturating_sub(MESSAGE_LINES));
    let above = &lines[from..first_frame];
    let start = above.iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
    let is_error = |name: &str| name.ends_with("Error") || name.ends_with("Exception");
    let find = |pattern: &Regex, test: &dyn Fn(&str) -> bool| {
        (start..above.len()).find_map(|at| {
            let (label, text) = label(above[at].trim());
            let found = pattern.captures(text)?;
            let name = found.get(1)?.as_str();
            test(name).then(|| (at, label, name.to_owned(), found.get(3).map(|value| value.as_str())))
        })
    };
    let found = find(&NAMED, &is_error)
        .or_else(|| find(&LOGGED, &is_error))
        // A class of one's own may be called anything, but hardly in capitals, as levels of logs
        // are.
        .or_else(|| find(&NAMED, &|name| name.chars().any(char::is_lowercase)));
    let (at, label, kind, value) = match found {
        Some((at, label, kind, value)) => {
            (at, label, kind, message(value.into_iter().chain(above[at + 1..].iter().copied())))
        }
        None => (above.len().saturating_sub(1), None, "Error".to_owned(), message(above.last().copied())),
    };
    let indent = above.get(at).map_or(0, |line| place::indent(line));
    let value = value.map(|value| unindented(&value, indent));
    let kind = kind.rsplit('.').next().unwrap_or("Error").to_owned();
    let exception = Exception { kind, value, ..Exception::default() };
    Stack { exception, line: from + at, indent, label, is_open: false }
}

/// Further lines of a message are indented as far as its first one.
fn unindented(value: &str, indent: usize) -> String {
    value
        .lines()
        .map(|line| line.get(indent..).filter(|_| place::indent(line) >= indent).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// `at f (/srv/a.js:1:2)`, `at async file:///srv/a.mjs:1:2`, `at JSON.parse (<anonymous>)`.
fn frame(line: &str) -> Option<Frame> {
    let text = line.trim().strip_prefix("at ")?;
    let text = text.strip_suffix(" {").unwrap_or(text);
    let text = text.strip_prefix("async ").unwrap_or(text);
    let (function, place) = match text.strip_suffix(')').and_then(|text| text.split_once(" (")) {
        Some((function, place)) => (Some(function), place),
        None => (None, text),
    };
    let function = function.map(|name| name.split(" [as ").next().unwrap_or(name));
    // `eval at f (/srv/a.js:1:2), <anonymous>:1:1`: where it was written is what counts.
    let place = place
        .strip_prefix("eval at ")
        .and_then(|text| text.split_once(" ("))
        .map_or(place, |(_, place)| place.split_once(')').map_or(place, |(place, _)| place));
    match place::path_line_and_column(place) {
        Some((path, line, column)) => Some(place::frame(path, Some(line), Some(column), function)),
        None if matches!(place, "<anonymous>" | "native" | "unknown location") || place.starts_with("index ") => {
            function.map(|function| place::frame(place, None, None, Some(function)))
        }
        None => None,
    }
}

/// The place that Node names above an uncaught error, with its source: `/srv/a.js:14`, the line, a
/// marker.
fn place_above(lines: &[&str], header: usize) -> Option<(Frame, Option<String>)> {
    let from = header.saturating_sub(LINES_BELOW_PLACE);
    let at = (from..header).rev().find(|&at| {
        let found = place::path_and_line(lines[at].trim_end());
        found.is_some_and(|(path, _)| !path.contains(char::is_whitespace) && path.contains(['.', '/', '\\', ':']))
    })?;
    let (path, line) = place::path_and_line(lines[at].trim_end())?;
    let code = lines.get(at + 1).map(|line| line.trim()).filter(|line| !line.is_empty()).map(str::to_owned);
    Some((place::frame(path, Some(line), None, None), code))
}

fn add_place(exception: &mut Exception, place: Frame, code: Option<String>) {
    let same = |frame: &&mut Frame| frame.filename == place.filename && frame.line == place.line;
    if let Some(frame) = exception.frames.iter_mut().rev().find(same) {
        frame.context_line = code;
    } else if exception.kind == "SyntaxError" {
        // The file that could not be read: no frame is in it.
        exception.frames.push(Frame { context_line: code, ..place });
    }
}

/// What was thrown is no error: Node prints the value below the place, and no stack.
fn thrown_value(lines: &[&str], from: usize) -> Option<Exception> {
    let is_marker = |line: &&str| !line.trim().is_empty() && line.trim().chars().all(|c| c == '^');
    let marker = from + lines[from..].iter().rposition(is_marker)?;
    let (place, code) = place_above(lines, marker)?;
    let value = message(
        lines[marker + 1..].iter().copied().take_while(|line| !line.is_empty() && !line.starts_with("(Use `node")),
    )?;
    let frames = vec![Frame { context_line: code, ..place }];
    Some(Exception {
        kind: "Error".to_owned(),
        value: Some(value),
        handled: Some(false),
        frames,
        ..Exception::default()
    })
}
