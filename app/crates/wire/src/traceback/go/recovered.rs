//! Panics that a framework recovered, and stacks that a logger wrote, in layouts of their own.

use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use std::borrow::Cow;

/// What Gin says above a panic that it recovered.
const GIN: &str = "panic recovered:";
/// Echo's mark before what was recovered.
const ECHO: &str = "[PANIC RECOVER] ";
/// Lines of a request's head that Gin prints above what was raised, and of that.
const LINES_ABOVE: usize = 100;
/// Where the runtime's own calls are that raise a panic.
const RUNTIME: &str = "/src/runtime/";

/// Lines as Go itself prints them: a goroutine's begins a line of its own, and `panic: ` begins
/// one.
pub(super) fn as_printed<'a>(lines: &[&'a str]) -> Vec<Cow<'a, str>> {
    let mut out: Vec<Cow<'a, str>> = Vec::with_capacity(lines.len());
    for line in lines {
        let line = line.trim_end_matches('\r');
        let goroutine = line.find(" goroutine ").filter(|at| super::is_goroutine(&line[at + 1..]));
        let (said, goroutine) = goroutine.map_or((line, None), |at| (&line[..at], Some(&line[at + 1..])));
        match said.split_once(ECHO) {
            Some((_, said)) if goroutine.is_some() => out.push(Cow::Owned(format!("panic: {said}"))),
            _ => out.push(Cow::Borrowed(behind_time(said).filter(|said| said.starts_with("panic: ")).unwrap_or(said))),
        }
        out.extend(goroutine.map(Cow::Borrowed));
    }
    out
}

/// What follows the time that Go's own logger writes, and the place that it can write:
/// `2026/11/20 03:00:07.123456 main.go:12: `.
fn behind_time(line: &str) -> Option<&str> {
    let is_time = |text: &str, sign: char| {
        text.len() >= 8 && text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(sign)
    };
    let (date, rest) = line.split_once(' ').filter(|(date, _)| is_time(date, '/'))?;
    let (time, rest) = rest.split_once(' ').filter(|(time, _)| is_time(time, ':'))?;
    (date.len() + time.len() < 40).then_some(())?;
    let placed = rest.split_once(": ").filter(|(place, _)| place::path_and_line(place).is_some());
    Some(placed.map_or(rest, |(_, rest)| rest))
}

/// What Gin recovered last, and at which line it is told.
pub(super) fn gin(lines: &[&str]) -> Option<(Exception, usize)> {
    let at = lines.iter().rposition(|line| line.trim_end().ends_with(GIN))?;
    let end = lines.len().min(at + 1 + LINES_ABOVE);
    let first = at + 1 + lines[at + 1..end].iter().position(|line| counted(line).is_some())?;
    let mut frames: Vec<Frame> = Vec::new();
    for line in &lines[first..] {
        if let Some((path, number)) = counted(line) {
            frames.push(place::frame(path, Some(number), None, None));
        } else if let Some((function, code)) = line.trim().split_once(": ").filter(|_| line.starts_with(['\t', ' ']))
            && let Some(frame) = frames.last_mut().filter(|frame| frame.function.is_none())
        {
            frame.function = Some(function.to_owned());
            frame.context_line = Some(code.trim().to_owned());
        } else {
            break;
        }
    }
    let is_runtime = |frame: &&Frame| frame.filename.as_deref().is_some_and(|path| path.contains(RUNTIME));
    let raising = frames.iter().take_while(is_runtime).count();
    if raising < frames.len() {
        frames.drain(..raising);
    }
    frames.reverse();
    let value = message(said(&lines[at + 1..first]).iter().copied().take(MESSAGE_LINES));
    let exception = Exception { kind: "panic".to_owned(), value, handled: Some(false), frames, ..Exception::default() };
    Some((exception, at))
}

/// What was raised, behind the head of the request where that is printed.
fn said<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let is_request = |line: &&str| line.trim_end().rsplit_once(' ').is_some_and(|(_, end)| end.starts_with("HTTP/"));
    if !lines.first().is_some_and(is_request) {
        return lines;
    }
    let head = lines.iter().position(|line| line.trim().is_empty()).unwrap_or(lines.len());
    &lines[head..]
}

/// `/srv/app/main.go:14 (0x7f1a2b)`
fn counted(line: &str) -> Option<(&str, u32)> {
    let (place, counter) = line.trim_end().strip_suffix(')')?.rsplit_once(" (0x")?;
    counter.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    place::path_and_line(place).filter(|(path, _)| !path.starts_with(char::is_whitespace))
}

/// What a logger's line says above a stack: of zap's columns the last, with the error beside it.
pub(super) fn logged(line: &str) -> String {
    let columns: Vec<&str> = line.trim().split('\t').map(str::trim).collect();
    let (fields, columns) = match columns.split_last() {
        Some((last, before)) if last.starts_with('{') && last.ends_with('}') && !before.is_empty() => {
            (serde_json::from_str::<serde_json::Value>(last).ok(), before)
        }
        _ => (None, &columns[..]),
    };
    let is_zap = columns.len() > 2 && columns[0].starts_with(|c: char| c.is_ascii_digit());
    let said = if is_zap { columns[columns.len() - 1] } else { line.trim() };
    let error = fields.as_ref().and_then(|fields| fields.get("error")).and_then(serde_json::Value::as_str);
    match error.filter(|_| is_zap) {
        Some(error) => format!("{said}: {error}"),
        None => said.to_owned(),
    }
}
