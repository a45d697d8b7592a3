//! Tracebacks as six languages print them, without being told which one it is.

mod go;
mod java;
mod node;
mod place;
mod python;
mod ruby;
mod rust;

use super::WireError;
use super::limits::{
    FIRST_EXCEPTIONS, INNERMOST_FRAMES, LAST_EXCEPTIONS, LINE_BYTES, MESSAGE_CHARS, NAME_BYTES, OUTERMOST_FRAMES, clip,
    clip_frames, head,
};
use crate::domain::report::{Exception, Frame, Platform, Report};
use std::borrow::Cow;

/// Bytes of a text that are looked at, from its end: a log may be sent whole, and its last traceback is wanted.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// Lines of an exception's message, and the notes behind it. What follows in a log must not become part of it.
const MESSAGE_LINES: usize = 30;

/// Reads the last traceback of a text: which language printed it is found out. Event id, release, environment and server
/// are left to the caller.
///
/// # Errors
/// [`WireError::NoTraceback`]: none was recognised.
pub fn parse(text: &str) -> Result<Report, WireError> {
    let text = plain(text);
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let mut best: Option<(Platform, Vec<Exception>)> = None;
    for (platform, read) in [
        (Platform::Python, python::parse as fn(&[&str]) -> Vec<Exception>),
        (Platform::Go, go::parse),
        (Platform::Native, rust::parse),
        (Platform::Java, java::parse),
        (Platform::Node, node::parse),
        (Platform::Ruby, ruby::parse),
    ] {
        let exceptions = read(&lines);
        // Text of one language may look like another's here and there; most of it looks like its own.
        if count(&exceptions) > best.as_ref().map_or(0, |(_, best)| count(best)) {
            best = Some((platform, exceptions));
        }
    }
    let (platform, exceptions) = best.ok_or(WireError::NoTraceback)?;
    let mut report = Report {
        platform,
        level: "error".to_owned(),
        exceptions: within_limits(exceptions),
        count: 1,
        ..Report::default()
    };
    super::limits::fit(&mut report);
    Ok(report)
}

fn count(exceptions: &[Exception]) -> usize {
    exceptions.iter().map(|exception| exception.frames.len()).sum()
}

/// The text's end, without the colours of a terminal.
fn plain(text: &str) -> Cow<'_, str> {
    let mut start = text.len().saturating_sub(TEXT_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let text = &text[start..];
    if !text.contains('\x1b') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split("\x1b[");
    plain.push_str(parts.next().unwrap_or(""));
    for part in parts {
        // ECMA-48: parameters, then one byte that ends the sequence.
        let end = part
            .find(|c: char| !matches!(c, '0'..='?' | ' '..='/'))
            .map_or(part.len(), |end| end + part[end..].chars().next().map_or(0, char::len_utf8));
        plain.push_str(&part[end..]);
    }
    Cow::Owned(plain)
}

fn within_limits(mut exceptions: Vec<Exception>) -> Vec<Exception> {
    if exceptions.len() > FIRST_EXCEPTIONS + LAST_EXCEPTIONS {
        exceptions.drain(FIRST_EXCEPTIONS..exceptions.len() - LAST_EXCEPTIONS);
    }
    for exception in &mut exceptions {
        shorten(&mut exception.kind);
        exception.module.as_mut().map(shorten);
        exception.value = exception.value.take().map(|value| clip(Cow::Owned(value), MESSAGE_CHARS));
        clip_frames(&mut exception.frames, OUTERMOST_FRAMES, INNERMOST_FRAMES);
        for frame in &mut exception.frames {
            let Frame { filename, abs_path, module, function, context_line, .. } = frame;
            [filename, abs_path, module, function].into_iter().flatten().for_each(shorten);
            if let Some(line) = context_line {
                line.truncate(head(line, LINE_BYTES).len());
            }
        }
    }
    exceptions
}

fn shorten(name: &mut String) {
    name.truncate(head(name, NAME_BYTES).len());
}

/// Lines of a message put together again; `None` where nothing is said.
fn message<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let text = lines.into_iter().take(MESSAGE_LINES).collect::<Vec<_>>().join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
