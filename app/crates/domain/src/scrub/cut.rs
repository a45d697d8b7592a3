//! Texts are cut to what is kept of them once their secrets are known, not before: what tells a
//! secret may stand behind the cut.

use super::{Found, without};
use crate::report::{MAX_MESSAGE, MAX_TEXT, MAX_VALUE};

/// A word that the cut goes through is left out where it is not longer: it may be the beginning of
/// a secret that is known from elsewhere. Of what is longer, a beginning is known again.
const MAX_WORD: usize = 64;

/// A text that was cut.
pub(super) struct Cut {
    /// What is kept, without secrets, and with what says that it was cut.
    pub(super) text: String,
    /// How much of that is of the text.
    pub(super) kept: usize,
    /// Where the text was cut.
    pub(super) end: usize,
}

/// How much is kept of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    bytes: usize,
    /// What says that it was cut.
    mark: &'static str,
}

impl Limit {
    /// Of a name, a path, a line of code.
    pub(super) const NAME: Self = Self { bytes: MAX_TEXT, mark: "" };
    /// Of a message.
    pub(super) const MESSAGE: Self = Self { bytes: MAX_MESSAGE, mark: "" };
    /// Of a value: a variable's, a header's.
    pub(super) const VALUE: Self = Self { bytes: MAX_VALUE, mark: "…" };

    /// The text without what was found in it, and without what is beyond the limit; `None`: it is
    /// not that long.
    pub(super) fn applied(self, text: &str, found: &[Found]) -> Option<Cut> {
        if text.len() <= self.bytes
            || (!self.mark.is_empty() && text.len() <= self.bytes + self.mark.len() && text.ends_with(self.mark))
        {
            return None;
        }
        let end = self.end(text, found);
        let kept = found.partition_point(|found| found.range.start < end);
        let without = without(&text[..end], &found[..kept]);
        Some(Cut { kept: without.len(), text: without + self.mark, end })
    }

    /// Where the text ends: behind a secret that the cut would go through, before a word.
    fn end(self, text: &str, found: &[Found]) -> usize {
        let end = text.floor_char_boundary(self.bytes);
        let last = found.iter().map(|found| &found.range).take_while(|range| range.start < end).last();
        let hidden = last.map_or(0, |range| range.end);
        if hidden >= end || !text[end..].starts_with(char::is_alphanumeric) {
            return hidden.max(end);
        }
        let word = text[..end].trim_end_matches(char::is_alphanumeric).len().max(hidden);
        if end - word <= MAX_WORD { word } else { end }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, MAX_WORD};
    use crate::scrub::Found;

    fn applied(text: &str, found: Option<std::ops::Range<usize>>) -> Option<String> {
        let found: Vec<Found> = found.map(|range| Found { range, sure: true }).into_iter().collect();
        Limit { bytes: 100, mark: "…" }.applied(text, &found).map(|cut| cut.text)
    }

    #[test]
    fn a_text_ends_before_a_word_and_behind_a_secret() {
        let filled = |before: &str| "- ".repeat(50)[..100 - before.len()].to_owned() + before;
        assert_eq!(applied(&"x".repeat(100), None), None);
        // What was cut once is not cut again.
        assert_eq!(applied(&format!("{}…", "x".repeat(100)), None), None);
        let text = filled(" a hun") + "ter2 b";
        assert_eq!(applied(&text, None), Some(text[..97].to_owned() + "…"));
        assert_eq!(applied(&text, Some(97..104)), Some(text[..97].to_owned() + "[Filtered]…"));
        let text = filled(" a hunter2") + " b";
        assert_eq!(applied(&text, None), Some(text[..100].to_owned() + "…"));
        assert_eq!(applied(&text, Some(101..102)), Some(text[..100].to_owned() + "…"));
        assert_eq!(applied(&"ü".repeat(MAX_WORD + 20), None), Some("ü".repeat(50) + "…"));
    }
}
