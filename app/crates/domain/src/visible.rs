//! Text that others chose, in front of a person: nothing in it may hide, reorder or forge what
//! stands around it.

use icu_properties::props::{CanonicalCombiningClass, DefaultIgnorableCodePoint, ExtendedPictographic, JoiningType};
use icu_properties::{CodePointMapData, CodePointSetData};
use std::fmt::Write as _;

/// Picks the emoji form of the character before it (UTS 51): part of honest emoji.
const EMOJI_FORM: char = '\u{fe0f}';
/// Picks the text form of the character before it.
const TEXT_FORM: char = '\u{fe0e}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
/// `👩🏽‍💻` is a person, a tone and a thing.
const SKIN_TONES: std::ops::RangeInclusive<char> = '\u{1f3fb}'..='\u{1f3ff}';

/// The text with every character that deceives the eye written out as `\u{202e}`: control
/// characters (a terminal obeys them), the marks that reverse the order of what follows ("trojan
/// source"), those without width, separators of lines, tags. Line ends become `\n`; tabs stay, and
/// so do joiners where emoji, Persian or Indic text need them.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    // What stands before: the last two characters, for joiners are judged by their neighbours.
    let (mut before, mut last) = (None, None);
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\t' => out.push(c),
            _ if deceives(c) && !joins(before, last, c, chars.peek().copied()) => push_code_point(&mut out, c),
            _ => out.push(c),
        }
        (before, last) = (last, Some(c));
    }
    out
}

/// The same in one line: line ends and runs of white space become one space.
pub fn one_line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same in one line that keeps its white space: a line end is written out as `\n`.
pub fn line(text: &str) -> String {
    visible(text).replace('\n', "\\n")
}

/// The first `most` characters, with an ellipsis as the last of them where something was cut off.
pub fn clip(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Characters that aren't seen but change what is.
pub(crate) fn deceives(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        // What Unicode has drawn as nothing: marks of direction, zero width, tags, fillers,
        // variation selectors.
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        // Separators of lines, annotations, and signs that are as good as blank.
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' | '\u{2800}' | '\u{1d159}')
}

/// Whether an invisible character does here what it is for: it forms emoji, or letters of a script
/// that joins (RFC 5892, appendix A.1 and A.2).
fn joins(before: Option<char>, last: Option<char>, c: char, next: Option<char>) -> bool {
    let (Some(last), next) = (last, next.unwrap_or(' ')) else { return false };
    let pictures = CodePointSetData::new::<ExtendedPictographic>();
    match c {
        EMOJI_FORM | TEXT_FORM => pictures.contains(last) || matches!(last, '0'..='9' | '#' | '*'),
        ZERO_WIDTH_JOINER if pictures.contains(next) || matches!(next, '♀' | '♂') => {
            let shown = if last == EMOJI_FORM || SKIN_TONES.contains(&last) { before } else { Some(last) };
            shown.is_some_and(|shown| pictures.contains(shown))
        }
        ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER if is_virama(last) => next.is_alphabetic(),
        ZERO_WIDTH_NON_JOINER => joins_letters(last) && joins_letters(next),
        _ => false,
    }
}

fn is_virama(c: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
}

/// Letters that join their neighbours, as in Arabic.
fn joins_letters(c: char) -> bool {
    let kind = CodePointMapData::<JoiningType>::new().get(c);
    matches!(kind, JoiningType::DualJoining | JoiningType::RightJoining | JoiningType::LeftJoining)
}

/// `\u{202e}`, as most languages write it.
fn push_code_point(out: &mut String, c: char) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_the_eye_is_written_out() {
        assert_eq!(visible("a\u{202e}b\u{2066}c\u{0}d\u{1b}[31m"), "a\\u{202e}b\\u{2066}c\\u{0}d\\u{1b}[31m");
        assert_eq!(visible("one\r\ntwo\rthree\n\tfour"), "one\ntwo\nthree\n\tfour");
        assert_eq!(visible("a\u{2028}b\u{200f}"), "a\\u{2028}b\\u{200f}");
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain('\u{7f}'..='\u{9f}') {
            assert!(!visible(&c.to_string()).contains(c), "{:x}", u32::from(c));
        }
        assert_eq!(one_line("  a\r\n\t b \n"), "a b");
        assert_eq!(line("  a\r\n\tb"), "  a\\n\tb");
    }

    #[test]
    fn what_has_no_width_hides_nothing() {
        // Zero width space, joiners, word joiner, byte order mark, soft hyphen, Hangul filler,
        // tags, variation selectors, invisible times, Braille blank.
        for c in
            "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{3164}\u{e0041}\u{fe0f}\u{e0100}\u{2062}\u{2800}".chars()
        {
            let shown = visible(&format!("ad{c}min"));
            assert_eq!(shown, format!("ad\\u{{{:x}}}min", u32::from(c)));
        }
    }

    #[test]
    fn honest_text_of_every_script_stays_as_it_is() {
        for text in [
            "naïve 漢字 한국어",
            "👩‍💻 👩🏽‍💻 ❤️‍🔥 🏳️‍🌈 1️⃣ 🤷🏽‍♂️",
            "می‌خواهم", // Persian: a non-joiner between letters that join.
            "क्‍ष",      // Devanagari: a joiner after a virama.
            "עברית العربية",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn clipping_counts_characters_and_says_so() {
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(clip("abcd", 3), "ab…");
        assert_eq!(clip("äöüß", 3), "äö…");
    }
}
