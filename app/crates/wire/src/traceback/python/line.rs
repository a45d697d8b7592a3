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
