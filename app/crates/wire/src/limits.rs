//! How much is kept of a report, whatever it was read from.

/// Exceptions kept of one event, the last ones: the raised one is the last, and chains of causes
/// are seldom longer than five.
pub const MAX_EXCEPTIONS: usize = 30;

/// Innermost frames kept of one exception: the failing line is among them even below deep
/// frameworks.
pub const MAX_INNER_FRAMES: usize = 150;

/// Outermost frames kept beside them, which say how it was started. Python sends up to 2,000 of a
/// runaway recursion.
pub const MAX_OUTER_FRAMES: usize = 50;

/// Bytes kept of a name, path or line of code: longer ones are minified bundles and generated
/// names.
pub const MAX_TEXT: usize = 1_000;

/// Bytes kept of an exception's message: those with a whole SQL statement or response in them are
/// of use up to here.
pub const MAX_MESSAGE: usize = 8_000;

/// At most `bytes` of the text, cut between characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes { text } else { &text[..text.floor_char_boundary(bytes)] }
}
