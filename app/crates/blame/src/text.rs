//! Files as lines, and what changed between two of them when white space does not count.

use gix::diff::blob::{Algorithm, Diff, Hunk, IndentHeuristic, IndentLevel, InternedInput, SliderHeuristic, Token};
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// Columns to which git's placement of changes takes a tab.
const TAB: u8 = 8;

/// A file's content, split into lines.
pub(crate) struct Text {
    data: Vec<u8>,
    /// Where each line begins, and the end of the last.
    starts: Vec<u32>,
    /// A hash of each line's non-space bytes.
    hashes: Vec<u64>,
}

/// UTF-16, by its byte order mark, or by a NUL in the first unit, as each ASCII character has one.
/// Git takes it for binary and its lines to end within a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wide {
    Little,
    Big,
}

impl Wide {
    fn of(data: &[u8]) -> Option<Self> {
        if !data.len().is_multiple_of(2) {
            return None;
        }
        match data {
            [0xff, 0xfe, rest @ ..] if !rest.starts_with(&[0, 0]) => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            [one, 0, two, 0, ..] if *one != 0 && *two != 0 => Some(Self::Little),
            [0, one, 0, two, ..] if *one != 0 && *two != 0 => Some(Self::Big),
            _ => None,
        }
    }

    /// Whether the LF at a byte is a whole unit's.
    fn is_line_end(self, data: &[u8], at: usize) -> bool {
        match self {
            Self::Little => at.is_multiple_of(2) && data.get(at + 1) == Some(&0),
            Self::Big => !at.is_multiple_of(2) && data.get(at - 1) == Some(&0),
        }
    }
}

/// Some lines of a text.
pub(crate) struct TextSection<'a> {
    pub(crate) text: &'a Text,
    pub(crate) lines: Range<u32>,
}

impl Text {
    pub(crate) fn new(data: Vec<u8>) -> Self {
        let mut starts = vec![0];
        let mut hashes = Vec::new();
        let mut hash = Fnv::new();
        let wide = Wide::of(&data);
        for (at, byte) in data.iter().enumerate() {
            if *byte == b'\n' && wide.is_none_or(|wide| wide.is_line_end(&data, at)) {
                // The other half of the unit is the line's as well, where it follows.
                starts.push(at as u32 + if wide == Some(Wide::Little) { 2 } else { 1 });
                hashes.push(hash.take());
            } else if !is_space(*byte) {
                hash.add(*byte);
            }
        }
        if starts.last().is_some_and(|start| (*start as usize) < data.len()) {
            starts.push(data.len() as u32);
            hashes.push(hash.take());
        }
        Self { data, starts, hashes }
    }

    /// Some of its lines.
    pub(crate) fn section(&self, lines: Range<u32>) -> TextSection<'_> {
        TextSection { text: self, lines }
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> u32 {
        self.hashes.len() as u32
    }

    /// The bytes as they are.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Size in bytes.
    pub(crate) fn size(&self) -> usize {
        self.data.len()
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.data.len() + size_of_val(&*self.starts) + size_of_val(&*self.hashes)
    }

    /// A line with its end; nothing beyond the last.
    pub(crate) fn line(&self, number: u32) -> &[u8] {
        let at = number as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => &self.data[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// These lines, in order.
    pub(crate) fn lines(&self, range: Range<u32>) -> impl Iterator<Item = &[u8]> {
        range.map(|number| self.line(number))
    }

    /// How many lines of both are left between what they begin and end with alike.
    pub(crate) fn differing(&self, other: &Self) -> u32 {
        let alike = |pairs: &mut dyn Iterator<Item = (&u64, &u64)>| pairs.take_while(|(a, b)| a == b).count();
        let head = alike(&mut self.hashes.iter().zip(&other.hashes));
        let tails = (self.hashes[head..].iter().rev(), other.hashes[head..].iter().rev());
        let tail = alike(&mut tails.0.zip(tails.1));
        (self.hashes.len() + other.hashes.len() - 2 * (head + tail)) as u32
    }

    fn spaceless(&self) -> impl Iterator<Item = SpacelessLine<'_>> {
        self.hashes.iter().zip(self.starts.windows(2)).map(|(hash, bounds)| SpacelessLine {
            line: &self.data[bounds[0] as usize..bounds[1] as usize],
            hash: *hash,
        })
    }
}

/// What git takes for white space in a line.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// What is left of a line without its white space.
pub(crate) fn solid(line: &[u8]) -> impl Iterator<Item = u8> {
    line.iter().copied().filter(|byte| !is_space(*byte))
}

/// A line that equals another if only their white space differs.
#[derive(Default)]
struct SpacelessLine<'a> {
    line: &'a [u8],
    hash: u64,
}

impl PartialEq for SpacelessLine<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && (self.line == other.line || solid(self.line).eq(solid(other.line)))
    }
}

impl Eq for SpacelessLine<'_> {}

impl Hash for SpacelessLine<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// A hash that takes byte after byte, so that white space can be left out (Fowler, Noll and Vo's).
pub(crate) struct Fnv(u64);

impl Fnv {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;

    pub(crate) fn new() -> Self {
        Self(Self::BASIS)
    }

    pub(crate) fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Self::PRIME);
    }

    /// The hash of what was added, and begins anew.
    pub(crate) fn take(&mut self) -> u64 {
        std::mem::replace(&mut self.0, Self::BASIS)
    }
}

/// What became of a line between two versions of its file.
pub(crate) enum Fate {
    /// It stood at this line before.
    Kept(u32),
    /// It is in the change of this number.
    Changed(usize),
}

/// The changes between two versions of a file, in order.
pub(crate) struct Changes(Vec<Hunk>);

impl Changes {
    /// Compares as `git diff -w` does, changes being placed by git's indentation rule.
    pub(crate) fn between(before: &Text, after: &Text) -> Self {
        let mut input = InternedInput::default();
        input.update_before(before.spaceless());
        input.update_after(after.spaceless());
        let mut diff = Diff::compute(Algorithm::Myers, &input);
        let numbered = (0..before.len().max(after.len())).map(Token).collect();
        let places = IndentPlacement { before, after, of_before: &input.before, numbered };
        diff.postprocess_with(&input.before, &input.after, places);
        Self(diff.hunks().collect())
    }

    pub(crate) fn fate(&self, line: u32) -> Fate {
        let next = self.0.partition_point(|hunk| hunk.after.end <= line);
        match self.0.get(next) {
            Some(hunk) if hunk.after.start <= line => Fate::Changed(next),
            _ => {
                let (before, after) =
                    next.checked_sub(1).map_or((0, 0), |last| (self.0[last].before.end, self.0[last].after.end));
                Fate::Kept(line - after + before)
            }
        }
    }

    /// All changes.
    pub(crate) fn hunks(&self) -> &[Hunk] {
        &self.0
    }
}

/// Git's placement by indentation, by each line's own: lines that are equal but for white space
/// differ in it.
struct IndentPlacement<'a> {
    before: &'a Text,
    after: &'a Text,
    of_before: &'a [Token],
    /// The rule asks for the indentation of a token: here each line is a token of its own.
    numbered: Vec<Token>,
}

impl SliderHeuristic for IndentPlacement<'_> {
    fn best_slider_end(&mut self, tokens: &[Token], hunk: Range<u32>, earliest_end: u32) -> u32 {
        let text = if std::ptr::eq(tokens, self.of_before) { self.before } else { self.after };
        let indent = |token: Token| IndentLevel::for_ascii_line(text.line(token.0).iter().copied(), TAB);
        IndentHeuristic::new(indent).best_slider_end(&self.numbered[..tokens.len()], hunk, earliest_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &str) -> Text {
        Text::new(content.as_bytes().to_vec())
    }

    fn kept(before: &str, after: &str) -> Vec<Option<u32>> {
        let (before, after) = (text(before), text(after));
        let changes = Changes::between(&before, &after);
        (0..after.len())
            .map(|line| match changes.fate(line) {
                Fate::Kept(at) => Some(at),
                Fate::Changed(_) => None,
            })
            .collect()
    }

    #[test]
    fn lines_are_counted_as_git_counts_them() {
        let file = text("a\r\n\nlast");
        assert_eq!(
            (file.len(), file.line(0), file.line(1), file.line(2)),
            (3, &b"a\r\n"[..], &b"\n"[..], &b"last"[..])
        );
        assert_eq!(
            (file.differing(&file), file.differing(&text("a\nb\nlast\n")), file.differing(&text(""))),
            (0, 2, 3)
        );
        assert_eq!((text("").len(), text("\n").len(), file.line(3)), (0, 1, &b""[..]));
    }

    #[test]
    fn lines_of_utf_16_end_where_their_text_does() {
        // U+0A41, U+010A and U+0A00 have an LF's byte in them.
        for text in ["\u{feff}x = \"\u{a41}\u{10a}\u{a00}\"\r\ny = 1\n", "ab\n\ncd"] {
            let lines = text.lines().count() as u32;
            for order in [u16::to_le_bytes, u16::to_be_bytes] {
                let file = Text::new(text.encode_utf16().flat_map(order).collect());
                assert_eq!(file.len(), lines, "{text:?}");
                let length = |line: &str| line.encode_utf16().count() * 2;
                let lengths: Vec<usize> = text.split_inclusive('\n').map(length).collect();
                assert_eq!((0..lines).map(|line| file.line(line).len()).collect::<Vec<_>>(), lengths, "{text:?}");
            }
        }
        assert_eq!(Text::new(b"a\0b\0\n\0\n".to_vec()).len(), 2, "an odd number of bytes is no UTF-16");
    }

    #[test]
    fn white_space_changes_nothing() {
        assert_eq!(kept("a b\nc\n", "\tab\r\nc"), [Some(0), Some(1)]);
        assert_eq!(kept("if x:\n  y\n", "if z:\n    y\nw\n"), [None, Some(1), None]);
        assert_eq!(kept("", "a\n"), [None]);
        assert_eq!(kept("one\ntwo\nthree\n", "zero\none\nthree\n"), [None, Some(0), Some(2)]);
    }

    #[test]
    fn an_insertion_is_placed_by_indentation() {
        let before = "def a():\n    pass\n\ndef b():\n    pass\n";
        let after = "def a():\n    pass\n\ndef c():\n    pass\n\ndef b():\n    pass\n";
        assert_eq!(kept(before, after), [Some(0), Some(1), Some(2), None, None, None, Some(3), Some(4)]);
    }
}
