//! Lines of a traceback, and the boxes that are drawn around the members of a group.

use crate::traceback::place;

/// A line, taken out of the boxes that are drawn around the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Text within so many boxes.
    Text(usize, &'a str),
    /// The upper border of a member's box, which is this deep.
    Member(usize),
    /// The lower border of the last member's box.
    End(usize),
}

impl<'a> Line<'a> {
    /// The line; boxes are looked for where there are any.
    pub(super) fn of(line: &'a str, boxed: bool) -> Self {
        if !boxed {
            return Self::Text(0, line);
        }
        let depth = place::indent(line) / 2;
        let text = line.trim_start();
        if let Some(text) = text.strip_prefix('|') {
            return Self::Text(depth, text.strip_prefix(' ').unwrap_or(text));
        }
        if let Some(text) = text.strip_prefix("+ ") {
            return Self::Text(depth, text);
        }
        let (border, depth) = match text.strip_prefix("+-+---") {
            Some(border) => (border, depth + 1),
            None => match text.strip_prefix("+---") {
                Some(border) => (border, depth),
                None => return Self::Text(0, line),
            },
        };
        if border.trim_matches('-').is_empty() { Self::End(depth) } else { Self::Member(depth) }
    }
}

/// A title of a test runner, or a line of signs between two tests.
pub(super) fn is_rule(line: &str) -> bool {
    ["====", "____", "----"].iter().any(|rule| line.starts_with(rule) && line.trim_end().ends_with(rule))
}

/// Begins with a date, a time or a level, as lines of logs do.
pub(super) fn is_log_line(line: &str) -> bool {
    let start = line.trim_start_matches(['[', '<']);
    let has_digits = |from: usize, to: usize| {
        start.as_bytes().get(from..to).is_some_and(|bytes| bytes.iter().all(u8::is_ascii_digit))
    };
    let separator = |at: usize| start.as_bytes().get(at).copied();
    let is_date = has_digits(0, 4) && matches!(separator(4), Some(b'-' | b'/')) && has_digits(5, 7);
    let is_time = has_digits(0, 2) && separator(2) == Some(b':') && has_digits(3, 5);
    let is_level = ["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "FATAL"]
        .iter()
        .any(|level| start.strip_prefix(level).is_some_and(|rest| rest.starts_with([':', ' ', ']', '\t', 'I'])));
    is_date || is_time || is_level
}
