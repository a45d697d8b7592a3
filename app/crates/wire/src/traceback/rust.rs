//! Rust's panics, with and without a backtrace, and errors that bring one along.

use super::{MESSAGE_LINES, message, place};
use crate::native::application_frames;
use domain::report::{Exception, Frame};
use std::collections::HashSet;

const PANICKED: &str = "panicked at ";
/// What the test runner says of a test that has to.
const SHOULD_PANIC: &str = " - should panic ... ";
/// What color-eyre says instead.
const CRASHED: &str = "The application panicked (crashed).";
/// Lines within a backtrace that are no calls, as `⋮ 5 frames hidden ⋮`.
const MOST_BETWEEN: usize = 3;

/// The last panic's exception; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let wanted = wanted(lines);
    let is_wanted = |line: &str| thread(line).is_some_and(|name| wanted.contains(name));
    let is_panic = |line: &str| (line.contains(PANICKED) || line.contains(CRASHED)) && !is_wanted(line);
    let at = lines.iter().rposition(|line| is_panic(line));
    if at.is_none() && !wanted.is_empty() {
        return Vec::new();
    }
    let below = &lines[at.map_or(0, |at| at + 1)..];
    let later = returned_error(below).or_else(|| located_error(below));
    let found = later.or_else(|| panic(&lines[at?..])).or_else(|| hooked(&lines[at?..]));
    found.or_else(|| unsaid(lines)).into_iter().collect()
}

/// The tests that had to panic, and did: `test cart::empty - should panic ... ok`.
fn wanted<'a>(lines: &[&'a str]) -> HashSet<&'a str> {
    let name = |(at, line): (usize, &&'a str)| {
        let (name, said) = line.trim().strip_prefix("test ")?.split_once(SHOULD_PANIC)?;
        // What a test prints may stand before its result.
        let is_result = |line: &&str| matches!(*line, "ok" | "FAILED");
        let below = || lines[at + 1..].iter().take(MESSAGE_LINES).map(|line| line.trim());
        let said = said.trim();
        let result = if is_result(&said) { Some(said) } else { below().find(is_result) };
        (result == Some("ok")).then_some(name)
    };
    lines.iter().enumerate().filter_map(name).collect()
}

/// The thread that a line says has panicked, which is named as the test that it runs.
fn thread(line: &str) -> Option<&str> {
    let (before, _) = line.split_once(PANICKED)?;
    Some(before.split_once("thread '")?.1.rsplit_once('\'')?.0)
}

/// A panic's backtrace, above which it is not said what panicked.
fn unsaid(lines: &[&str]) -> Option<Exception> {
    let at = lines.iter().rposition(|line| is_backtrace(line))?;
    let frames = frames(&lines[at..]);
    let is_rust = |frame: &Frame| frame.filename.as_deref().is_some_and(|path| path.ends_with(".rs"));
    frames.iter().any(is_rust).then(|| exception("panic", None, frames))
}

/// A panic, `lines` beginning where it says so.
fn panic(lines: &[&str]) -> Option<Exception> {
    let (_, said) = lines.first()?.split_once(PANICKED)?;
    let rest = &lines[1..];
    let body = rest.iter().take_while(|line| !is_end_of_message(line)).count();
    let ((path, line, column), value) = match place::path_line_and_column(said.trim_end().trim_end_matches(':')) {
        // Since Rust 1.73 the place stands before the message.
        Some(location) if !said.starts_with('\'') => (location, message(rest[..body].iter().copied())),
        // Put into one line.
        None if !said.starts_with('\'') && said.contains(":  ") => {
            let (location, said) = said.split_once(":  ")?;
            (place::path_line_and_column(location)?, message([said]))
        }
        _ => {
            let text = std::iter::once(said).chain(rest[..body].iter().copied()).collect::<Vec<_>>().join("\n");
            let (text, location) = text.rsplit_once("', ")?;
            let (path, line, column) = place::path_line_and_column(location.trim())?;
            let value = message([text.strip_prefix('\'').unwrap_or(text)]);
            return Some(exception("panic", value, with_location(frames(&rest[body..]), path, line, column)));
        }
    };
    Some(exception("panic", value, with_location(frames(&rest[body..]), path, line, column)))
}

/// `Error: …` that `main` returned, with the backtrace that anyhow or eyre took when it was made.
fn returned_error(lines: &[&str]) -> Option<Exception> {
    // With a capital: a panic's begins with a small letter.
    let at = lines.iter().rposition(|line| is_backtrace(line) && line.trim_start().starts_with('S'))?;
    let frames = frames(&lines[at..]);
    let is_said = |line: &str| line.trim_start().starts_with("Error: ");
    // Where a logger printed the error, it is the line above.
    let said = lines[..at].iter().rposition(|line| is_said(line));
    let said = said.or_else(|| lines[..at].iter().rposition(|line| !line.trim().is_empty()))?;
    let text = lines[said..at].iter().map(|line| line.trim_start().strip_prefix("Error: ").unwrap_or(line));
    (!frames.is_empty()).then(|| exception("Error", message(text), frames))
}

/// `Error:` of eyre, below it what was said, `Location:` and maybe a backtrace.
fn located_error(lines: &[&str]) -> Option<Exception> {
    let (at, place) = location(lines)?;
    let said = lines[..at].iter().rposition(|line| line.trim_start().starts_with("Error:"))?;
    let text = lines[said..at].iter().map(|line| line.trim_start().strip_prefix("Error:").unwrap_or(line).trim());
    // color-eyre counts what led to one another.
    let text = text.map(|line| line.strip_prefix("0: ").unwrap_or(line));
    let frames = lines[at..].iter().position(|line| is_backtrace(line)).map(|below| frames(&lines[at + below..]));
    let (path, line, column) = place;
    Some(exception("Error", message(text), with_location(frames.unwrap_or_default(), path, line, column)))
}

/// color-eyre's words of a panic: `Message:  …` and `Location: …`.
fn hooked(lines: &[&str]) -> Option<Exception> {
    let (at, (path, line, column)) = location(lines)?;
    let said = lines[..at].iter().skip(1).map(|line| line.trim());
    let value = message(said.map(|line| line.strip_prefix("Message:").unwrap_or(line).trim()));
    let frames = lines[at..].iter().position(|line| is_backtrace(line)).map(|below| frames(&lines[at + below..]));
    Some(exception("panic", value, with_location(frames.unwrap_or_default(), path, line, column)))
}

/// The place behind or below the last `Location:`.
fn location<'a>(lines: &[&'a str]) -> Option<(usize, (&'a str, u32, u32))> {
    let at = lines.iter().rposition(|line| line.trim_start().starts_with("Location:"))?;
    let behind = lines[at].trim_start().strip_prefix("Location:").map(str::trim).filter(|text| !text.is_empty());
    let text = behind.or_else(|| lines.get(at + 1).map(|line| line.trim()))?;
    let place = place::path_line_and_column(text);
    let place = place.or_else(|| place::path_and_line(text).map(|(path, line)| (path, line, 1)));
    Some((at, place?))
}

/// The title of a backtrace; color-eyre's has lines around it.
fn is_backtrace(line: &str) -> bool {
    let title = line.trim().trim_matches(['━', '─', '=', ' ']);
    title.eq_ignore_ascii_case("stack backtrace:") || title == "BACKTRACE"
}

fn exception(kind: &str, value: Option<String>, frames: Vec<Frame>) -> Exception {
    Exception { kind: kind.to_owned(), value, handled: Some(false), frames, ..Exception::default() }
}

fn is_end_of_message(line: &str) -> bool {
    line.is_empty()
        || is_backtrace(line)
        || line.starts_with("note: ")
        || (line.starts_with("thread '") && line.contains(PANICKED))
}

/// Frames of a backtrace, oldest call first, without the panic's own.
fn frames(lines: &[&str]) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    if !lines.first().is_some_and(|line| is_backtrace(line)) {
        return frames;
    }
    let mut between = 0;
    for line in &lines[1..] {
        let text = line.trim();
        if let Some(place) = text.strip_prefix("at ") {
            let Some(frame) = frames.last_mut().filter(|frame| frame.line.is_none()) else { continue };
            if let Some((path, line, column)) = place::path_line_and_column(place) {
                let function = frame.function.take();
                *frame = place::frame(path, Some(line), Some(column), function.as_deref());
            } else if let Some((path, line)) = place::path_and_line(place) {
                let function = frame.function.take();
                *frame = place::frame(path, Some(line), None, function.as_deref());
            }
        } else if let Some(function) = numbered(text) {
            frames.push(Frame { function: Some(clean(function)), ..Frame::default() });
        } else {
            between += 1;
            if between > MOST_BETWEEN || text.starts_with("note: ") || text.starts_with("Location:") {
                break;
            }
            continue;
        }
        between = 0;
    }
    frames.reverse();
    let kept = application_frames(frames.iter().map(|frame| frame.function.as_deref()));
    let is_stripped = frames[kept..].iter().any(|frame| frame.function.as_deref() == Some("<unknown>"));
    frames.truncate(kept);
    // Without symbols, what is left is the system's.
    if is_stripped && frames.iter().all(|frame| frame.line.is_none()) {
        frames.clear();
    }
    frames
}

/// `12: name`, or `12:     0x558e29835121 - name`.
fn numbered(text: &str) -> Option<&str> {
    let (number, rest) = text.split_once(": ")?;
    number.parse::<u32>().ok()?;
    let rest = rest.trim_start();
    // A log may have cut the name off.
    if rest.is_empty() {
        return None;
    }
    Some(match rest.strip_prefix("0x").and_then(|rest| rest.split_once(" - ")) {
        Some((address, name)) if address.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => rest,
    })
}

/// Without what tells builds apart: `core[c1f1a4ba060b9bfa]::fmt` and
/// `shop::main::h4009bc0cd8b193aa`.
fn clean(name: &str) -> String {
    const DIGITS: usize = 16;
    let is_hash = |text: &str| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    // As macOS names it.
    let name = name.strip_prefix('_').filter(|name| name.starts_with("rust_begin_")).unwrap_or(name);
    let name = match name.rsplit_once("::h") {
        Some((name, hash)) if is_hash(hash) => name,
        _ => name,
    };
    let mut clean = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        clean.push_str(before);
        match after.get(..DIGITS).filter(|hash| is_hash(hash)).and_then(|_| after[DIGITS..].strip_prefix(']')) {
            Some(after) => rest = after,
            None => {
                clean.push('[');
                rest = after;
            }
        }
    }
    clean.push_str(rest);
    clean
}

/// The place that the panic names is the innermost frame, unless the backtrace has it already. It
/// has not where there is none, where it has no line numbers, or where the caller is blamed
/// (`#[track_caller]`).
fn with_location(mut frames: Vec<Frame>, path: &str, line: u32, column: u32) -> Vec<Frame> {
    let location = place::frame(path, Some(line), Some(column), None);
    let path = location.filename.as_deref().unwrap_or(path);
    let is_here = |frame: &&mut Frame| {
        frame.line == Some(line)
            && frame.filename.as_deref().is_some_and(|found| found.ends_with(path) || path.ends_with(found))
    };
    match frames.iter_mut().rev().find(is_here) {
        Some(_) => {}
        None => match frames.last_mut() {
            // Compiled without line numbers: the innermost function is where it happened.
            Some(innermost) if innermost.line.is_none() => {
                let function = innermost.function.take();
                *innermost = Frame { function, ..location };
            }
            _ => frames.push(location),
        },
    }
    frames
}
