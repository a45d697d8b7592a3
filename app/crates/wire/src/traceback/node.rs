//! Stacks of JavaScript engines as Node prints them, with causes and the members of an
//! AggregateError.

mod frame;
mod header;
mod tap;

use super::{MESSAGE_LINES, clip_frames, message, place};
use domain::report::{Exception, Frame};
pub(super) use frame::frame;
use frame::{hidden, is_call};
use header::{Section, Told, have_passed, header, section, told};
use regex::Regex;
use std::sync::LazyLock;

/// An error's name at the beginning of a line, with its code, and its message.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:Uncaught )?([A-Za-z_$][\w$.]*)(?: \[([^\]]+)\])?(?:: (.*))?$")
        .expect("a constant pattern compiles")
});
/// Lines between the place that an uncaught error names and its stack: source, marker, blank line.
const LINES_BELOW_PLACE: usize = 6;
/// Label of a cause that libraries and test runners print below, no further in.
const CAUSED_BY: &str = "caused by";
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
    /// Calls that were left out because its cause has the same: at which of the frames, innermost
    /// first, and how many.
    hidden: Vec<(usize, usize)>,
}

/// The exceptions of the last stack, causes and members first; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let (stacks, end_of_last) = stacks(lines);
    if let Some(thrown) = thrown_value(lines, end_of_last) {
        return vec![thrown];
    }
    if let Some((failed, end)) = tap::last(lines)
        && end >= end_of_last
    {
        return vec![failed];
    }
    let mut last = None;
    let mut open: Option<usize> = None;
    for (index, stack) in stacks.iter().enumerate() {
        let is_told_below = last.is_some() && stack.label == Some(CAUSED_BY);
        if open.is_none_or(|indent| stack.indent <= indent) && !is_told_below {
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
        let is_within = stack.is_open && indent > stack.indent;
        if !(is_within || label == Some(CAUSED_BY)) || depth == 0 {
            break;
        }
        gather(stacks, child, depth - 1, next_id, ordered);
        if let Some(cause) = ordered.last().filter(|_| label.is_some()) {
            frame::fill_in(&mut exception.frames, &stack.hidden, &cause.frames);
        }
        if let Some(gathered) = ordered.last_mut() {
            gathered.parent = Some(id);
            gathered.source = Some(match label {
                Some(_) => "cause".to_owned(),
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
    clip_frames(&mut exception.frames);
    exception.id = Some(id);
    exception.is_group = members > 0 || exception.kind == "AggregateError";
    ordered.push(exception);
}

/// All stacks, in the order in which they are printed, and the line at which the last ends.
fn stacks(lines: &[&str]) -> (Vec<Stack>, usize) {
    let mut stacks: Vec<Stack> = Vec::new();
    let mut end_of_last = 0;
    let mut at = 0;
    let (mut is_console, mut has_failed) = (false, false);
    // Stacks of what was written to the console, by their index.
    let mut written: Vec<usize> = Vec::new();
    let mut counted = 0;
    while at < lines.len() {
        if is_console {
            written.extend(counted..stacks.len());
        }
        counted = stacks.len();
        if let Some(section) = section(lines[at]) {
            is_console = matches!(section, Section::Console);
            has_failed |= matches!(section, Section::Failed);
        }
        if let Some(stack) = without_frames(lines[at], at) {
            stacks.push(stack);
            at += 1;
            end_of_last = at;
        } else if frame(lines[at]).is_some_and(|frame| frame.line.is_some() || frame.filename.is_some()) {
            let first = at;
            let (mut frames, mut left_out) = (Vec::new(), Vec::new());
            let indent = place::indent(lines[at]);
            while let Some(line) = lines.get(at) {
                if let Some(count) = hidden(line) {
                    left_out.push((frames.len(), count));
                } else if let Some(frame) = frame(line) {
                    frames.push(frame);
                } else if let Some(below) = below_excerpt(lines, at) {
                    at = below;
                    continue;
                } else if !is_between(lines, at, indent) {
                    break;
                }
                at += 1;
            }
            let is_open = lines[at - 1].trim_end().ends_with('{');
            match told(&lines[end_of_last..first]) {
                Told::Console | Told::Warning => {
                    end_of_last = at;
                    continue;
                }
                // Where no stack of the error's own was copied, they are what there is.
                Told::Components if !stacks.is_empty() => {
                    end_of_last = at;
                    continue;
                }
                Told::Components | Told::Error => {}
            }
            let mut stack = header(lines, end_of_last, first);
            frames.reverse();
            stack.exception.frames = frames;
            stack.is_open = is_open;
            stack.hidden = left_out;
            stacks.push(stack);
            end_of_last = at;
        } else {
            at += 1;
        }
    }
    if is_console {
        written.extend(counted..stacks.len());
    }
    // They are what there is where no test failed, as of a run that was cut off.
    if !written.is_empty() && (has_failed || have_passed(lines)) {
        let mut index = 0..;
        stacks.retain(|_| index.next().is_some_and(|index| written.binary_search(&index).is_err()));
    }
    (stacks, end_of_last)
}

/// The call of Vitest's below an excerpt of the code, which it prints under the innermost one.
fn below_excerpt(lines: &[&str], at: usize) -> Option<usize> {
    let excerpt = lines[at..].iter().take(MESSAGE_LINES).take_while(|line| header::is_excerpt(line)).count();
    let below = at + excerpt;
    (excerpt > 0 && lines.get(below).is_some_and(|line| line.trim_start().starts_with("❯ ") && is_call(line)))
        .then_some(below)
}

/// Whether the line is one within a stack although it is no call: the next one is, as far in.
fn is_between(lines: &[&str], at: usize, indent: usize) -> bool {
    let line = lines[at];
    let is_inside = line.trim().is_empty() || (place::indent(line) >= indent && indent > 0);
    let is_open = |line: &str| line.trim_end().ends_with(['{', '[']);
    let is_header = NAMED.is_match(line.trim()) && line.contains("Error");
    let is_opening = is_open(line) || is_open(lines[at - 1]);
    is_inside
        && !is_header
        && !is_opening
        && label(line.trim()).0.is_none()
        && lines.get(at + 1).is_some_and(|next| is_call(next) && place::indent(next) == indent)
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
    Some(Stack { exception, line: at, indent: place::indent(line), label, is_open, hidden: Vec::new() })
}

fn label(text: &str) -> (Option<&'static str>, &str) {
    [("[cause]: ", "cause"), ("cause: ", "cause"), ("Caused by: ", CAUSED_BY), ("caused by: ", CAUSED_BY)]
        .iter()
        .find_map(|(mark, label)| Some((Some(*label), text.strip_prefix(mark)?)))
        .unwrap_or((None, text))
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
