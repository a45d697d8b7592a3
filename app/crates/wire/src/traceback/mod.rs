//! Tracebacks as thirteen languages print them, without being told which one it is.

mod cpp;
mod dart;
mod dotnet;
mod elixir;
mod failure;
mod go;
mod java;
mod later;
mod node;
mod perl;
mod php;
mod place;
mod prefix;
mod python;
mod record;
mod ruby;
mod rust;
mod swift;

pub use failure::parse_failure;

use super::WireError;
use super::sentry_event::{MAX_EXCEPTIONS, MAX_INNER_FRAMES, MAX_MESSAGE, MAX_OUTER_FRAMES, MAX_TEXT, cut};
use crate::encoding::without_bom;
use crate::named_place::add_named_place;
use domain::report::{Exception, Frame, LeftOut, Platform, Report, UNCUT};
use std::borrow::Cow;

/// Bytes of a text that are looked at, from its end: a log may be sent whole, and its last
/// traceback is wanted.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// Bytes kept of a report's frames, the innermost of the raised exception first: a row, a mail and
/// a page have to hold them.
const FRAME_BYTES: usize = 256 * 1024;
/// Bytes that a frame takes beside its texts: the names of its fields, and its numbers.
const FRAME_OVERHEAD: usize = 200;
/// What a message says that has forms to offer.
const FORMS: &str = "send one as Python (`Traceback (most recent call last):`), Node (`    at f (file.js:1:2)`), \
                     Ruby (`file.rb:1:in 'f': message (Type)`), Java (`\\tat pkg.Class.f(File.java:1)`), \
                     Go (`goroutine 1 [running]:`), Rust (`thread 'main' panicked at src/main.rs:1:2:`), \
                     PHP (`PHP Fatal error:  Uncaught Error: … in /srv/a.php:1`), \
                     .NET (`   at Ns.Class.F() in a.cs:line 1`), Elixir (`(app 0.1.0) lib/a.ex:1: A.f/1`), \
                     Dart (`#0  f (package:a/a.dart:1:2)`), Perl (`died at a.pl line 1.`), \
                     Swift (`a.swift:1: Fatal error: …`) or a C++ sanitizer or debugger (`#0  f () at a.c:1`) prints it";
/// Lines of an exception's message, and the notes behind it. What follows in a log must not become
/// part of it.
const MESSAGE_LINES: usize = 30;

/// Lines of a text that are looked at, from its end, for the same reason. Runaway recursions have
/// 1,024 frames at most in the JVM and 1,000 in CPython, of three lines each; a frame is built for
/// each line that looks like one.
const TEXT_LINES: usize = 20_000;

/// Reads the last traceback of a text, of which only the end is looked at: which language printed
/// it is found out. Event id, release, environment and server are left to the caller.
///
/// # Errors
/// [`WireError::Unrecognised`]: there is none; says what would have been understood.
pub fn parse(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<Report, WireError> {
    let text = plain(text.as_ref());
    let lines = last_lines(&text);
    let found = prefix::read(&lines, last_traceback);
    let (platform, exceptions) = found.ok_or_else(|| WireError::Unrecognised(FORMS.to_owned()))?;
    let left_out = left_out(&exceptions);
    let mut exceptions = within_limits(exceptions);
    exceptions.iter_mut().for_each(add_named_place);
    Ok(Report { platform, level: "error".to_owned(), exceptions, left_out, count: 1, ..Report::default() })
}

/// The exceptions of a Python traceback that stands in a text, the raised one last; cut as those of
/// a text that was sent.
pub(crate) fn python_exceptions(text: &str) -> Vec<Exception> {
    within_limits(python::parse(&last_lines(text)))
}

/// The language of a traceback, and its exceptions.
type Found = (Platform, Vec<Exception>);

/// The last traceback of lines that have nothing before them.
fn last_traceback(lines: &[&str]) -> Option<Found> {
    let mut best: Option<Found> = None;
    for (platform, read) in [
        (Platform::Python, python::parse as fn(&[&str]) -> Vec<Exception>),
        (Platform::Go, go::parse),
        (Platform::Native, rust::parse),
        (Platform::Java, java::parse),
        (Platform::Node, node::parse),
        (Platform::Ruby, ruby::parse),
        (Platform::Other, php::parse),
        (Platform::Other, dotnet::parse),
        (Platform::Other, elixir::parse),
        (Platform::Other, dart::parse),
        (Platform::Other, perl::parse),
        (Platform::Other, swift::parse),
        (Platform::Native, cpp::parse),
    ] {
        let exceptions = read(lines);
        if count(&exceptions) > 0 {
            let found = (platform, exceptions);
            best = Some(match best {
                Some(best) => later::better(lines, best, found),
                None => found,
            });
        }
    }
    best
}

fn count(exceptions: &[Exception]) -> usize {
    exceptions.iter().map(|exception| exception.frames.len()).sum()
}

/// The last lines of a text.
fn last_lines<'a>(text: &'a str) -> Vec<&'a str> {
    // A carriage return alone ends a line, too: some logs keep a text in one line that way.
    let ends = |line: &'a str| line.trim_end_matches('\r').rsplit('\r');
    let is_kept = |line: &&str| !names_query(line);
    let mut lines: Vec<&str> = text.lines().rev().flat_map(ends).filter(is_kept).take(TEXT_LINES).collect();
    // Where a quote of Markdown begins or ends, a traceback does.
    lines.iter_mut().filter(|line| line.trim_start().starts_with("```")).for_each(|line| *line = "");
    lines.reverse();
    lines
}

/// Whether the line says which code made the database query above it: `↳ app/cart.rb:3:in 'show'`
/// of Rails, `↳ Shop.Cart.total/1, at: lib/cart.ex:3` of Ecto. It is no call of a traceback.
fn names_query(line: &str) -> bool {
    line.split_once("↳ ").is_some_and(|(_, place)| {
        place.contains(":in ") || place.contains(", at: ") || place::path_and_line(place.trim_end()).is_some()
    })
}

/// The text's end, without the colours of a terminal.
fn plain(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = without_bom(bytes);
    let mut start = bytes.len().saturating_sub(TEXT_BYTES);
    // Not within a character: its further bytes begin with 10.
    while start > 0 && bytes.get(start).is_some_and(|byte| byte & 0xc0 == 0x80) {
        start += 1;
    }
    prefix::colours::without(String::from_utf8_lossy(&bytes[start..]))
}

/// What is kept of the exceptions, as much as of an event's; their texts go on until they are
/// scrubbed.
fn within_limits(mut exceptions: Vec<Exception>) -> Vec<Exception> {
    // What has no frames explains least of a long chain; the raised one is kept always.
    let mut surplus = exceptions.len().saturating_sub(MAX_EXCEPTIONS);
    let mut others = exceptions.len();
    exceptions.retain(|exception| {
        others -= 1;
        let is_dropped = surplus > 0 && others > 0 && exception.frames.is_empty();
        surplus -= usize::from(is_dropped);
        !is_dropped
    });
    exceptions.drain(..surplus);
    let mut left = FRAME_BYTES;
    for exception in exceptions.iter_mut().rev() {
        shorten(&mut exception.kind, MAX_TEXT);
        exception.module.iter_mut().for_each(|module| shorten(module, MAX_TEXT));
        exception.value.iter_mut().for_each(|value| shorten(value, MAX_MESSAGE));
        clip_frames(&mut exception.frames);
        let mut kept = 0;
        for frame in exception.frames.iter_mut().rev() {
            let Frame { filename, abs_path, module, function, context_line, .. } = frame;
            let mut bytes = FRAME_OVERHEAD;
            for text in [filename, abs_path, module, function, context_line].into_iter().flatten() {
                shorten(text, MAX_TEXT);
                bytes += text.len().min(MAX_TEXT);
            }
            if bytes > left {
                left = 0;
                break;
            }
            left -= bytes;
            kept += 1;
        }
        exception.frames.drain(..exception.frames.len() - kept);
    }
    exceptions
}

/// The members of a group that [`within_limits`] leaves out.
fn left_out(exceptions: &[Exception]) -> Option<LeftOut> {
    let dropped = &exceptions[..exceptions.len().saturating_sub(MAX_EXCEPTIONS)];
    let is_member = |it: &&Exception| !it.is_group && it.source.as_deref().is_some_and(|it| it.ends_with(']'));
    let members = u32::try_from(dropped.iter().filter(is_member).count()).unwrap_or(u32::MAX);
    let is_exact = !dropped.iter().any(|exception| exception.is_group);
    (!dropped.is_empty()).then_some(LeftOut { members, is_exact })
}

/// Takes the middle out of an exception's frames, where there are too many.
fn clip_frames(frames: &mut Vec<Frame>) {
    if frames.len() > MAX_OUTER_FRAMES + MAX_INNER_FRAMES {
        frames.drain(MAX_OUTER_FRAMES..frames.len() - MAX_INNER_FRAMES);
    }
}

fn shorten(text: &mut String, bytes: usize) {
    text.truncate(cut(text, bytes + UNCUT).len());
}

/// Lines of a message put together again; `None` where nothing is said.
fn message<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let text = lines.into_iter().take(MESSAGE_LINES).collect::<Vec<_>>().join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
