//! Drift: where a reported line stands in the repository's file, when deployed code and repository
//! differ.

use super::bare_line::raises_nothing;
use super::identity::squeeze;
use super::report::Frame;
use super::scrub::FILTERED;
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How deployed code and the repository relate at one frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// The same text at the same line.
    None,
    /// The client sent no text, so the line number is trusted.
    Unchecked,
    /// The text stands at another line.
    Moved,
    /// The text is not in the file, or where the client sent none, nothing can be raised at the
    /// line: deployed code differs from the repository.
    Differs,
}

/// Where a frame's line is in a file, and how sure that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// One-based line.
    pub line: u32,
    /// How deployed code and the repository relate.
    pub drift: Drift,
    /// The more, the surer: several files can end in the same path.
    pub score: u32,
}

/// Looks for a frame's line in a file's text: at its number, else by its text, where its neighbours
/// fit best and nearest. `None`: the file has no such line and the frame no text to look for.
/// `path`: the file's.
pub fn stand(lines: &[String], frame: &Frame, path: &str) -> Option<Stand> {
    let number = frame.line.filter(|&line| line > 0);
    let at_number = number.and_then(|line| Some((line, lines.get(line as usize - 1)?)));
    let wanted = comparable(frame.context_line.as_deref().unwrap_or(""));
    if wanted.is_empty() {
        let (line, _) = at_number?;
        let is_another = raises_nothing(lines, line, path, frame);
        let (drift, score) = if is_another { (Drift::Differs, 0) } else { (Drift::Unchecked, 1) };
        return Some(Stand { line, drift, score });
    }
    if let Some((line, text)) = at_number
        && is_same(text, &wanted)
    {
        return Some(Stand { line, drift: Drift::None, score: 200 + neighbours(lines, line, frame) });
    }
    let best = lines
        .iter()
        .enumerate()
        .filter(|(_, text)| is_same(text, &wanted))
        .filter_map(|(index, _)| u32::try_from(index + 1).ok())
        .max_by_key(|&line| {
            let distance = number.map_or(line, |number| line.abs_diff(number));
            (neighbours(lines, line, frame), std::cmp::Reverse(distance))
        });
    match best {
        Some(line) => Some(Stand { line, drift: Drift::Moved, score: 100 + neighbours(lines, line, frame) }),
        None => Some(Stand { line: number.unwrap_or(0), drift: Drift::Differs, score: 0 }),
    }
}

/// Whether a line of the file is the line that the client saw: white space aside, and whatever
/// stood where a secret was hidden.
fn is_same(ours: &str, theirs: &str) -> bool {
    let ours = comparable(ours);
    let Some((first, rest)) = theirs.split_once(FILTERED) else { return ours == theirs };
    let (Some(mut left), Some(last)) = (ours.strip_prefix(first), rest.rsplit(FILTERED).next()) else { return false };
    let between = rest.strip_suffix(last).unwrap_or_default();
    for part in between.split(FILTERED).filter(|part| !part.is_empty()) {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    // A line of which nothing is left is no line to be recognised.
    left.ends_with(last) && theirs.len() > FILTERED.len()
}

/// A line as it is compared: with single blanks, without a byte order mark, which some clients
/// keep, and each character in one spelling, of which editors choose one or the other.
fn comparable(line: &str) -> String {
    let squeezed = squeeze(line.trim_start_matches('\u{feff}'));
    if squeezed.is_ascii() {
        return squeezed;
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(&squeezed).into_owned()
}

/// How many of the lines around it the client saw as well.
fn neighbours(lines: &[String], line: u32, frame: &Frame) -> u32 {
    let index = line as usize - 1;
    let same = |(ours, theirs): (&String, &String)| {
        let theirs = comparable(theirs);
        !theirs.is_empty() && is_same(ours, &theirs)
    };
    let before = lines[..index].iter().rev().zip(frame.pre_context.iter().rev()).filter(|pair| same(*pair)).count();
    let after = lines[index + 1..].iter().zip(&frame.post_context).filter(|pair| same(*pair)).count();
    u32::try_from(before + after).unwrap_or(0)
}

/// A line shorter than this, squeezed, stands in too many files to recognise one by.
const TELLING_LINE: usize = 4;

/// How many of the lines around the frame's that the client saw stand anywhere in the file, and how
/// many it saw: where the line itself was edited, its surroundings tell whether it is that file.
pub fn around(lines: &[String], frame: &Frame) -> (usize, usize) {
    let seen = frame.pre_context.iter().chain(&frame.post_context).map(|line| squeeze(line));
    let seen: Vec<String> = seen.filter(|line| line.len() >= TELLING_LINE && !line.contains(FILTERED)).collect();
    if seen.is_empty() {
        return (0, 0);
    }
    let ours: HashSet<String> = lines.iter().map(|line| squeeze(line)).collect();
    (seen.iter().filter(|line| ours.contains(*line)).count(), seen.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn frame(line: u32, text: Option<&str>, before: &[&str]) -> Frame {
        Frame {
            line: Some(line),
            context_line: text.map(Into::into),
            pre_context: before.iter().map(|line| (*line).into()).collect(),
            ..Frame::default()
        }
    }

    #[test]
    fn a_line_is_followed_by_its_text() {
        let lines = file("import os\n\ndef f(x):\n    return x + 1\n\ndef g(x):\n    return x + 1\n");
        let found = |frame: &Frame| stand(&lines, frame, "shop/cart.py").map(|stand| (stand.line, stand.drift));
        assert_eq!(found(&frame(4, Some("    return x + 1"), &[])), Some((4, Drift::None)));
        assert_eq!(found(&frame(4, None, &[])), Some((4, Drift::Unchecked)));
        // Two lines were added above since: the neighbours tell the two equal texts apart, else the
        // nearer one is taken.
        assert_eq!(found(&frame(5, Some("return x + 1"), &["def g(x):"])), Some((7, Drift::Moved)));
        assert_eq!(found(&frame(2, Some("return x + 1"), &[])), Some((4, Drift::Moved)));
        assert_eq!(found(&frame(4, Some("return x + 2"), &[])), Some((4, Drift::Differs)));
        assert_eq!(found(&frame(99, None, &[])), None);
        assert_eq!(found(&frame(0, None, &[])), None);
        // A secret in the line was hidden: the rest of it tells.
        let lines = file("a = 1\nKEY = \"hunter2\"\nconnect(KEY, \"x\")\nKEY = other\n");
        let found = |frame: &Frame| stand(&lines, frame, "shop/cart.py").map(|stand| (stand.line, stand.drift));
        assert_eq!(found(&frame(2, Some("KEY = \"[Filtered]\""), &[])), Some((2, Drift::None)));
        assert_eq!(found(&frame(1, Some("KEY = \"[Filtered]\""), &[])), Some((2, Drift::Moved)));
        assert_eq!(found(&frame(2, Some("KEY = \"[Filtered]\")"), &[])), Some((2, Drift::Differs)));
        assert_eq!(found(&frame(1, Some("[Filtered]"), &[])), Some((1, Drift::Differs)));
    }

    #[test]
    fn without_a_text_the_line_must_be_one_that_can_raise() {
        let lines = file("def f(x):\n\n    # One more.\n    return x + 1\n");
        let drift = |frame: &Frame| stand(&lines, frame, "shop/cart.py").map(|stand| (stand.line, stand.drift));
        assert_eq!(drift(&frame(2, None, &[])), Some((2, Drift::Differs)), "it is blank");
        assert_eq!(drift(&frame(3, None, &[])), Some((3, Drift::Differs)), "it is a comment");
        assert_eq!(drift(&frame(4, None, &[])), Some((4, Drift::Unchecked)));
        assert_eq!(drift(&frame(3, Some("# One more."), &[])), Some((3, Drift::None)), "so says who read it");
    }

    #[test]
    fn what_stands_around_a_line_tells_its_file() {
        let lines = file("def f(x):\n    y = x + 1\n    return y\n");
        let mut frame = frame(2, Some("y = x + 2"), &["def f(x):", "  ", "}"]);
        frame.post_context = vec!["    return y".into(), "def g(x):".into()];
        assert_eq!(around(&lines, &frame), (2, 3));
        assert_eq!(around(&lines, &Frame::default()), (0, 0));
    }

    #[test]
    fn a_character_in_another_spelling_and_a_mark_are_no_difference() {
        let lines = file("\u{feff}raise KeyError(1)\nreturn row[\"e\u{301}\"]\nreturn row[\"\u{f1}\"]\n");
        let found = |line, text| {
            stand(&lines, &frame(line, Some(text), &[]), "shop/cart.py").map(|stand| (stand.line, stand.drift))
        };
        assert_eq!(found(1, "raise KeyError(1)"), Some((1, Drift::None)));
        assert_eq!(found(1, "\u{feff}raise KeyError(1)"), Some((1, Drift::None)));
        assert_eq!(found(2, "return row[\"\u{e9}\"]"), Some((2, Drift::None)));
        assert_eq!(found(2, "return row[\"n\u{303}\"]"), Some((3, Drift::Moved)));
        assert_eq!(found(2, "return row[\"e\"]"), Some((2, Drift::Differs)), "without its accent it is another");
    }
}
