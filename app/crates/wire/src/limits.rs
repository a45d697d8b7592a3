//! How much is kept of a report, whatever it was read from. Its texts are read up to
//! [`domain::report::UNCUT`] bytes further, and cut when they are scrubbed.

/// Exceptions kept of one event, the last ones: the raised one is the last, and chains of causes
/// are seldom longer than five.
pub const MAX_EXCEPTIONS: usize = 30;

/// Innermost frames kept of one exception: the failing line is among them even below deep
/// frameworks.
pub const MAX_INNER_FRAMES: usize = 150;

/// Outermost frames kept beside them, which say how it was started. Python sends up to 2,000 of a
/// runaway recursion.
pub const MAX_OUTER_FRAMES: usize = 50;

pub use domain::report::{MAX_MESSAGE, MAX_TEXT};

/// At most `bytes` of the text, cut between characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes { text } else { &text[..text.floor_char_boundary(bytes)] }
}
