//! Python's tracebacks: chains, groups in their boxes, notes, and whatever a log puts before them.

mod line;
mod other;
mod within;

use super::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use line::{Line, is_log_line, is_rule};
use within::{CALL_STACK, NOT_LOGGED, is_quote};

const HEADER: &str = "Traceback (most recent call last):";
const GROUP_HEADER: &str = "Exception Group Traceback (most recent call last):";
const CAUSE: &str = "The above exception was the direct cause of the following exception:";
const CONTEXT: &str = "During handling of the above exception, another exception occurred:";
/// Built-in exceptions whose messages are one line: what is printed below is no part of them.
const ONE_LINE: [&str; 10] = [
    "ZeroDivisionError",
    "KeyError",
    "IndexError",
    "AttributeError",
    "NameError",
    "UnboundLocalError",
    "ModuleNotFoundError",
    "RecursionError",
    "StopIteration",
    "FileNotFoundError",
];
/// Raised by the compiler, which prints no header where no code ran yet.
const SYNTAX_ERRORS: &[&str] = &["SyntaxError: ", "IndentationError: ", "TabError: "];
/// Groups within groups; CPython itself prints 10 levels.
const MAX_DEPTH: usize = 30;
/// What a traceback's exception is called that was cut short before it came to the point.
const UNNAMED: &str = "Exception";
/// How the names of exceptions end.
const NAME_ENDS: [&str; 14] = [
    "Error",
    "Exception",
    "Warning",
    "Interrupt",
    "Exit",
    "Iteration",
    "Timeout",
    "NotFound",
    "DoesNotExist",
    "Group",
    "Failed",
    "Denied",
    "Refused",
    "Invalid",
];
/// Lines that are looked at past a blank one, for what a traceback goes on with.
const LINES_AHEAD: usize = 3;

/// How a traceback begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It says so.
    Said,
    /// With its first call: the rest was not copied.
    Call,
}

/// The exceptions of the last traceback, causes and members first; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let boxed = lines.iter().any(|line| line.contains(GROUP_HEADER));
    let lines_read = lines.iter().map(|line| Line::of(line, boxed)).collect();
    let mut reader = Reader { lines: lines_read, at: 0, next_id: 0, quotes: 0 };
    let mut last = Vec::new();
    let mut end_of_last = 0;
    while reader.at < reader.lines.len() {
        if let Some(start) = reader.start() {
            let is_not_logged = reader.at > 0 && matches!(reader.lines[reader.at - 1], Line::Text(_, NOT_LOGGED));
            let mut exceptions = reader.chain(0);
            if is_not_logged {
                reader.call_stack(&mut exceptions);
                // The program went on: something else is what it failed of.
                if !last.is_empty() {
                    end_of_last = reader.at;
                    continue;
                }
            }
            let is_one = |exception: &Exception| {
                !exception.frames.is_empty() && (start == Start::Said || exception.kind != UNNAMED)
            };
            if exceptions.last().is_some_and(&is_one) || exceptions.iter().any(is_one) {
                last = exceptions;
                end_of_last = reader.at;
            }
        } else {
            reader.at += 1;
        }
    }
    let later = without_header(&lines[end_of_last..]);
    if !later.is_empty() {
        return later;
    }
    // What a test logged is printed below what it failed of.
    let logged = Some(lines).filter(|lines| last.is_empty() || other::is_captured(&lines[..end_of_last]));
    let failed = logged.map(other::parse).filter(|failed| !failed.is_empty());
    failed.unwrap_or(last)
}

/// A syntax error in the very file that was to be run: a place and a message.
fn without_header(lines: &[&str]) -> Vec<Exception> {
    let is_error = |line: &&str| SYNTAX_ERRORS.iter().any(|name| line.starts_with(name));
    let Some(at) = lines.iter().rposition(is_error) else { return Vec::new() };
    let place = lines[..at].iter().rev().take(5).position(|line| frame(line).is_some());
    let Some(mut frame) = place.and_then(|up| frame(lines[at - 1 - up])) else { return Vec::new() };
    frame.context_line = place.filter(|&up| up > 0).and_then(|up| source(lines[at - up]));
    let Some(mut exception) = exception(lines[at]) else { return Vec::new() };
    exception.frames.push(frame);
    vec![exception]
}

struct Reader<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
    next_id: u32,
    /// Quotes around what is read.
    quotes: usize,
}

impl<'a> Reader<'a> {
    fn line(&self) -> Option<Line<'a>> {
        self.lines.get(self.at).copied()
    }

    fn text(&self, depth: usize) -> Option<&'a str> {
        match self.line() {
            Some(Line::Text(found, text)) if found == depth => Some(text),
            _ => None,
        }
    }

    /// How deep the header at this line is, if it is one.
    fn header(&self) -> Option<usize> {
        match self.line() {
            Some(Line::Text(depth, text)) if text.contains(HEADER) || text.contains(GROUP_HEADER) => Some(depth),
            _ => None,
        }
    }

    /// What begins at this line, if a traceback does.
    fn start(&self) -> Option<Start> {
        if self.header().is_some() || self.remote(0).is_some() {
            return Some(Start::Said);
        }
        let call = self.text(0).and_then(frame).filter(|frame| frame.function.is_some());
        call.map(|_| Start::Call)
    }

    /// The text some lines further on, in the same box.
    fn ahead(&self, lines: usize, depth: usize) -> Option<&'a str> {
        match self.lines.get(self.at + lines) {
            Some(Line::Text(found, text)) if *found == depth => Some(text),
            _ => None,
        }
    }

    /// Exceptions that led to one another. Moves on by one line at least.
    fn chain(&mut self, depth: usize) -> Vec<Exception> {
        let mut exceptions: Vec<Exception> = Vec::new();
        let mut led_here = None;
        loop {
            let before = exceptions.len();
            self.exception(depth, &mut exceptions);
            if let (Some(source), Some(cause)) = (led_here, before.checked_sub(1))
                && exceptions.len() > before
            {
                let id = exceptions.last().and_then(|exception| exception.id);
                exceptions[cause].parent = id;
                exceptions[cause].source = Some(source);
            }
            let end = self.at;
            self.skip_blank(depth);
            led_here = match self.text(depth).map(str::trim_end) {
                Some(CAUSE) => Some("__cause__".to_owned()),
                Some(CONTEXT) => Some("__context__".to_owned()),
                _ => None,
            };
            if led_here.is_none() {
                self.at = end;
                return exceptions;
            }
            self.at += 1;
            self.skip_blank(depth);
        }
    }

    fn skip_blank(&mut self, depth: usize) {
        while self.text(depth).is_some_and(|text| text.trim().is_empty()) {
            self.at += 1;
        }
    }

    /// One exception, its members before it. A header that is less deep is not one of the box that
    /// is read, and ends it: so no text nests deeper than its boxes.
    fn exception(&mut self, depth: usize, exceptions: &mut Vec<Exception>) {
        if self.remote(depth).is_some() {
            let before = self.at;
            self.quoted(depth, exceptions);
            if self.at > before {
                return;
            }
        }
        let depth = match self.header() {
            Some(found) if found >= depth => {
                self.at += 1;
                found
            }
            Some(_) => return,
            None => depth,
        };
        let titled = self.at.checked_sub(2).and_then(|above| self.lines.get(above)).and_then(titled);
        let frames = self.frames(depth);
        let first = self.text(depth).and_then(exception);
        if first.is_none() && frames.is_empty() {
            return;
        }
        let mut exception = match first {
            Some(first) => {
                self.at += 1;
                let end = self.at;
                let mut more = self.more_message(depth);
                let is_one_line = first.module.is_none() && ONE_LINE.contains(&first.kind.as_str());
                if is_one_line && depth == 0 && self.quotes == 0 && !self.leads_on(depth) {
                    self.at = end;
                    more.clear();
                }
                Exception { value: message(first.value.as_deref().into_iter().chain(more)), ..first }
            }
            None if titled.is_some() && !frames.is_empty() => titled.unwrap_or_default(),
            // Cut short before it came to the point.
            None => Exception { kind: UNNAMED.to_owned(), ..Exception::default() },
        };
        let id = self.next_id;
        self.next_id += 1;
        exception.id = Some(id);
        exception.frames = frames;
        exception.is_group = self.members(depth, id, exceptions);
        exceptions.push(exception);
    }

    fn frames(&mut self, depth: usize) -> Vec<Frame> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut is_below_call = false;
        while let Some(text) = self.text(depth) {
            if let Some(frame) = frame(text) {
                frames.push(frame);
                is_below_call = true;
                self.at += 1;
                continue;
            }
            if text.trim().is_empty() {
                if !self.goes_on(depth) {
                    break;
                }
            } else if text.starts_with("    ") || (is_below_call && self.is_code(depth)) {
                // The first line below a frame is its source; those below mark the expression or
                // continue it.
                if let Some(frame) = frames.last_mut().filter(|frame| frame.context_line.is_none()) {
                    frame.context_line = source(text);
                }
                is_below_call = false;
            } else if !(text.trim_start().starts_with("[Previous line repeated ")
                || source(text).is_none()
                || (text.starts_with(' ') && self.ahead(1, depth).and_then(frame).is_some()))
            {
                // Repeated frames are not put in again: how deep a recursion went is no difference.
                break;
            }
            self.at += 1;
        }
        frames
    }

    /// Whether the exception that ends here led to another: then what is below it are its notes.
    fn leads_on(&self, depth: usize) -> bool {
        self.ahead(1, depth).is_some_and(|text| matches!(text.trim_end(), CAUSE | CONTEXT))
    }

    /// Whether a traceback goes on behind the blank line here.
    fn goes_on(&self, depth: usize) -> bool {
        let next = (1..=LINES_AHEAD).find_map(|lines| self.ahead(lines, depth).filter(|text| !text.trim().is_empty()));
        next.is_some_and(|text| frame(text).is_some() || text.starts_with("    ") || is_error(text))
    }

    /// Whether the line below a call is its code, although it is not indented.
    fn is_code(&self, depth: usize) -> bool {
        let ahead = (1..=LINES_AHEAD).filter_map(|lines| self.ahead(lines, depth));
        let next = ahead.map(str::trim).find(|text| !text.is_empty() && source(text).is_some());
        next.is_some_and(|text| frame(text).is_some() || exception(text).is_some())
            && !self.text(depth).is_some_and(is_error)
    }

    /// Lines that belong to the message above: further lines of it, and notes.
    fn more_message(&mut self, depth: usize) -> Vec<&'a str> {
        let start = self.at;
        let mut more = Vec::new();
        while let Some(text) = self.text(depth) {
            // Outside a box the end is not marked, so what looks like the next line of a log is
            // one.
            let is_over = text.trim().is_empty()
                || (self.quotes > 0 && is_quote(text))
                || self.header().is_some()
                || matches!(text, NOT_LOGGED | CALL_STACK)
                || (depth == 0 && (is_log_line(text) || is_rule(text)));
            if is_over || self.at - start >= MESSAGE_LINES {
                break;
            }
            more.push(text);
            self.at += 1;
        }
        more
    }

    /// Members of a group; `false`: it is no group.
    fn members(&mut self, depth: usize, group: u32, exceptions: &mut Vec<Exception>) -> bool {
        let mut number = 0;
        while self.line() == Some(Line::Member(depth + 1)) && depth < MAX_DEPTH {
            self.at += 1;
            let before = exceptions.len();
            exceptions.extend(self.chain(depth + 1));
            if let Some(member) = exceptions[before..].last_mut() {
                member.parent = Some(group);
                member.source = Some(format!("exceptions[{number}]"));
            }
            number += 1;
            // `and 3 more exceptions`, and anything else that can't be read.
            while matches!(self.line(), Some(Line::Text(inner, _)) if inner > depth) {
                self.at += 1;
            }
        }
        if self.line() == Some(Line::End(depth + 1)) {
            self.at += 1;
        }
        number > 0
    }
}

/// `  File "PATH", line 12, in function`; no function where code could not be compiled.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("> ").unwrap_or(line).trim_start().strip_prefix("File \"")?;
    let (path, rest) = rest.rsplit_once("\", line ")?;
    let (number, function) = match rest.split_once(", in ") {
        Some((number, function)) => (number, Some(function.trim())),
        None => (rest, None),
    };
    let number = number.trim().parse().ok()?;
    Some(place::frame(path, Some(number), None, function))
}

/// `[ERROR] KeyError: 'tea'`, as AWS Lambda says above the traceback what was raised.
fn titled(line: &Line<'_>) -> Option<Exception> {
    let Line::Text(_, text) = line else { return None };
    text.strip_prefix("[ERROR] ").filter(|text| is_error(text)).and_then(exception)
}

/// Whether the line names an exception, by how those are called.
fn is_error(text: &str) -> bool {
    exception(text).is_some_and(|exception| {
        exception.module.is_some() || NAME_ENDS.iter().any(|end| exception.kind.ends_with(end))
    })
}

fn source(line: &str) -> Option<String> {
    let text = line.trim();
    let is_marker = text.chars().all(|c| matches!(c, '^' | '~' | ' ' | '\t'));
    (!is_marker).then(|| text.to_owned())
}

/// `module.Type: message` or `Type`.
fn exception(line: &str) -> Option<Exception> {
    let (name, value) = match line.split_once(": ") {
        Some((name, value)) => (name, Some(value)),
        None => (line.trim_end().trim_end_matches(':'), None),
    };
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '<' | '>'));
    if !is_name {
        return None;
    }
    let (module, kind) = match name.rsplit_once('.') {
        Some((module, kind)) => (Some(module.to_owned()), kind),
        None => (None, name),
    };
    Some(Exception { kind: kind.to_owned(), module, value: value.map(str::to_owned), ..Exception::default() })
}
