//! Ruby's backtraces: as the interpreter prints them, either way round, and as loggers do.

mod logged;
mod tested;

use super::{MAX_EXCEPTIONS, MESSAGE_LINES, message, place};
use crate::ruby_methods::is_called_in_c;
use domain::report::{Exception, Frame};

/// The exceptions of the last backtrace, causes first; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let mut found: Vec<Exception> = Vec::new();
    let mut end_of_last = None;
    let mut at = 0;
    while at < lines.len() {
        let after = end_of_last.unwrap_or(0);
        if let Some((failure, end)) = tested::read(lines, at) {
            found = vec![failure];
            end_of_last = Some(end);
            at = end;
        } else if let Some((mut exception, end)) = printed(lines, after, at) {
            // The raised exception's cause follows at once, without another word.
            if end_of_last != Some(at) {
                found.clear();
            }
            add_unreadable(&mut exception);
            found.push(exception);
            end_of_last = Some(end);
            at = end;
        } else if let Some((logged, end)) = logged::read(lines, after, at) {
            if !logged.is_cause || end_of_last.is_none() {
                found.clear();
            }
            found.extend(logged.exceptions);
            end_of_last = Some(end);
            at = end;
        } else {
            at += 1;
        }
    }
    found.truncate(MAX_EXCEPTIONS);
    found.reverse();
    found.iter_mut().for_each(|exception| leave_out_c_methods(&mut exception.frames));
    found
}

/// Leaves out methods that are written in C, which have their caller's place: `Integer#/` at the
/// line of `Cart#total`.
fn leave_out_c_methods(frames: &mut Vec<Frame>) {
    let mut caller: Option<Frame> = None;
    frames.retain(|frame| {
        let is_in_c = caller.as_ref().is_some_and(|caller| {
            (&caller.filename, caller.line) == (&frame.filename, frame.line)
                && is_called_in_c(frame.function.as_deref(), caller.function.as_deref())
        });
        caller = Some(frame.clone());
        !is_in_c
    });
}

/// `path:4:in 'f': message (Type)`, then `\tfrom path:9:in 'g'`; or those first and in reverse,
/// numbered.
fn printed(lines: &[&str], end_of_last: usize, at: usize) -> Option<(Exception, usize)> {
    let (innermost, said) = headline(lines[at]).or_else(|| unplaced(lines, at))?;
    let typed = said.rsplit_once(" (").and_then(|(value, kind)| Some((value, constant(kind.strip_suffix(')')?)?)));
    let (value, kind) = match typed {
        Some(typed) => typed,
        // What can't be read is told without its type, and without calls if it is the script
        // itself.
        None if is_syntax_error(said) && lines.get(at + 1).and_then(|below| from(below)).is_none() => {
            let more =
                lines[at + 1..].iter().take(MESSAGE_LINES).take_while(|line| is_syntax_error_at(line, &innermost));
            let end = at + 1 + more.count();
            let exception = Exception {
                kind: "SyntaxError".to_owned(),
                value: message([said]),
                frames: vec![innermost],
                ..Exception::default()
            };
            return Some((exception, end));
        }
        // Older ones do not name the type of these, but print the calls that led there.
        None => {
            lines.get(at + 1).and_then(|below| from(below))?;
            untyped(said)
        }
    };
    let mut end_of_message = message_end(lines, at + 1);
    if end_of_message == at + 1 && is_syntax_error(value) {
        end_of_message += lines[at + 1..].iter().take(MESSAGE_LINES).take_while(|line| is_excerpt(line)).count();
    }
    let more = lines[at + 1..end_of_message].iter().copied();
    let value = message(std::iter::once(value).chain(more));
    let below = lines[end_of_message..].iter().take_while(|line| is_gap(line) || from(line).is_some()).count();
    let mut end = end_of_message + below;
    let mut frames: Vec<Frame> = lines[end_of_message..end].iter().rev().filter_map(|line| from(line)).collect();
    if frames.is_empty() {
        // Ruby 2.5 to 2.7 on a terminal print oldest calls first, above.
        frames = lines[end_of_last..at].iter().rev().map_while(|line| numbered_from(line)).collect();
        frames.reverse();
        end = end_of_message;
    }
    frames.push(innermost);
    Some((Exception { kind: kind.to_owned(), value, frames, ..Exception::default() }, end))
}

/// Message and type of what is printed without its type: of an empty message, the type stands in
/// its place.
fn untyped(said: &str) -> (&str, &str) {
    match said.trim_end() {
        "unhandled exception" => ("", "RuntimeError"),
        kind if constant(kind).is_some() => ("", kind),
        _ if said.starts_with("syntax error") => (said, "SyntaxError"),
        _ => (said, "Exception"),
    }
}

/// What Ruby's parser says of a file, below which it may say more of the same.
fn is_syntax_error(said: &str) -> bool {
    said.starts_with("syntax error, unexpected ")
        || said.starts_with("syntax error, expecting ")
        || said.starts_with("syntax error found")
        || said.starts_with("syntax errors found")
}

fn is_syntax_error_at(line: &str, first: &Frame) -> bool {
    headline(line).is_some_and(|(frame, said)| frame.filename == first.filename && is_syntax_error(said))
}

/// `> 3 | end`, `    | ^ expected …`: how the parser shows what it can't read.
fn is_excerpt(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("> ").unwrap_or(line).trim_start_matches(|c: char| c.is_ascii_digit());
    line.trim_start().starts_with('|') || (!line.is_empty() && line.chars().all(|c| c == '~'))
}

/// `a.rb: syntax errors found (SyntaxError)` of Ruby 3.3: the line is the first that is marked.
fn unplaced<'a>(lines: &[&'a str], at: usize) -> Option<(Frame, &'a str)> {
    let (path, said) = lines[at].trim().split_once(": ")?;
    (is_syntax_error(said) && said.ends_with(" (SyntaxError)") && !path.contains([' ', ':'])).then_some(())?;
    let below = lines[at + 1..].iter().take(MESSAGE_LINES).take_while(|line| is_excerpt(line));
    let mut marked = below.filter_map(|line| line.trim_start().strip_prefix("> ")?.split_once(" |"));
    Some((place::frame(path, Some(marked.next()?.0.trim().parse().ok()?), None, None), said))
}

/// ` ... 10067 levels...` in the place of calls that a deep recursion made.
fn is_gap(line: &str) -> bool {
    line.trim().strip_prefix("... ").is_some_and(|rest| rest.ends_with(" levels..."))
}

/// Lines of a message up to the first `from`; none where no `from` follows.
fn message_end(lines: &[&str], start: usize) -> usize {
    let mut end = start;
    while let Some(line) = lines.get(end).filter(|_| end - start < MESSAGE_LINES) {
        if from(line).is_some() {
            return end;
        }
        if headline(line).is_some() || numbered_from(line).is_some() {
            break;
        }
        end += 1;
    }
    start
}

/// A frame and what is said at it: `path:4:in 'f': said`.
fn headline(line: &str) -> Option<(Frame, &str)> {
    let line = named_twice(line.trim_start());
    let (place, said) = match line.find("': ") {
        Some(at) => (&line[..=at], &line[at + 3..]),
        // Code outside any method of a script: `path:4: said`.
        None => line.split_once(": ").filter(|(place, _)| place::path_and_line(place).is_some())?,
    };
    Some((bare_or_script(place)?, said))
}

/// `a.rb: a.rb:3: syntax error …` and `ruby: a.rb:3: syntax error …` without the name that Ruby
/// puts first.
fn named_twice(line: &str) -> &str {
    let behind = line.split_once(": ").filter(|(name, rest)| {
        let is_name = !name.is_empty() && !name.contains([' ', ':', '(']);
        is_name
            && rest.split_once(": ").is_some_and(|(place, said)| is_place(place) && said.starts_with("syntax error"))
    });
    behind.map_or(line, |(_, rest)| rest)
}

fn is_place(text: &str) -> bool {
    place::path_and_line(text).is_some()
}

/// `from path:9:in 'g'`
fn from(line: &str) -> Option<Frame> {
    bare_or_script(line.trim().strip_prefix("from ")?)
}

/// ` 2: from path:9:in 'g'`, where the order is reversed.
fn numbered_from(line: &str) -> Option<Frame> {
    let (number, place) = line.trim().split_once(": from ")?;
    if number.bytes().all(|byte| byte.is_ascii_digit()) { bare_or_script(place) } else { None }
}

fn bare_or_script(place: &str) -> Option<Frame> {
    bare(place).or_else(|| place::path_and_line(place).map(|(path, line)| place::frame(path, Some(line), None, None)))
}

/// `path:9:in 'g'`, until Ruby 3.4 with a grave accent as the first quote.
pub(super) fn bare(line: &str) -> Option<Frame> {
    let line = line.trim();
    let (place, function) = line.split_once(":in ")?;
    let function = function.strip_prefix(['`', '\''])?.strip_suffix('\'')?;
    let (path, number) = place::path_and_line(place).filter(|(path, _)| !path.contains(": "))?;
    Some(place::frame(path, Some(number), None, Some(function)))
}

/// The file that could not be read is where it failed: no frame is in it.
fn add_unreadable(exception: &mut Exception) {
    let is_syntax = exception.kind == "SyntaxError" || exception.kind.ends_with("::SyntaxError");
    let named = exception.value.as_deref().and_then(|value| value.split_once(": ")).map(|(place, _)| place);
    if let Some((path, line)) = named.filter(|_| is_syntax).and_then(place::path_and_line) {
        let is_there = exception.frames.last().is_some_and(|last| last.filename.as_deref() == Some(path));
        if !is_there && !path.contains(char::is_whitespace) {
            exception.frames.push(place::frame(path, Some(line), None, None));
        }
    }
}

/// `Shop::OrderError`
fn constant(name: &str) -> Option<&str> {
    let is_constant = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'));
    is_constant.then_some(name)
}
