//! Code without its layout: whether two pieces of it are the same but for line breaks, trailing
//! commas, quotes and the parentheses that hold a broken line together.

use crate::text::{Changes, Fate, Text, TextSection, solid};
use std::ops::Range;

/// Languages in which `'` and `"` mean different things: there a change of quotes is a change of
/// code.
const QUOTES_DIFFER: &[&str] =
    &["rs", "go", "java", "kt", "scala", "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "swift", "rb", "php", "pl", "sh"];

/// A byte of code.
#[derive(Clone, Copy)]
struct Piece {
    byte: u8,
    line: u32,
    /// A parenthesis at a line's end or beginning, where formatters put those that they add.
    layout: bool,
}

/// What of a language decides whether two pieces of its code are the same.
#[derive(Clone, Copy)]
pub(crate) struct Language {
    quotes_differ: bool,
}

impl Language {
    /// By the ending of a file's name.
    pub(crate) fn of(path: &[u8]) -> Self {
        let ending = path.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        Self { quotes_differ: QUOTES_DIFFER.iter().any(|known| known.as_bytes() == ending) }
    }

    fn pieces(self, text: &Text, range: Range<u32>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for number in range {
            let solid: Vec<u8> = solid(text.line(number)).collect();
            let mut only_closers = true;
            for (at, byte) in solid.iter().copied().enumerate() {
                let last = at + 1 == solid.len();
                only_closers &= is_closer(byte);
                // A backslash that continues a line, and a comma before a closing bracket on the
                // next.
                if last && (byte == b'\\' || byte == b',' && next_line_closes(text, number)) {
                    continue;
                }
                let layout = byte == b'(' && last || byte == b')' && only_closers;
                let byte = if byte == b'\'' && !self.quotes_differ { b'"' } else { byte };
                pieces.push(Piece { byte, line: number, layout });
            }
        }
        pieces
    }

    /// For each line of `after`, the line of `before` that has the most of its code; `None` where
    /// the code is not the same. Beside lines whose code was changed, those that were not are found
    /// one by one.
    pub(crate) fn same_code(self, before: TextSection<'_>, after: TextSection<'_>) -> Vec<Option<u32>> {
        let old = self.pieces(before.text, before.lines.clone());
        let new = self.pieces(after.text, after.lines.clone());
        if let Some(pairs) = aligned(&old, &new) {
            return after.lines.map(|line| most_common(&pairs, line)).collect();
        }
        let (first_old, first_new) = (before.lines.start, after.lines.start);
        let changes = Changes::between(&bare(&old, before.lines), &bare(&new, after.lines.clone()));
        let aligned: Vec<_> = changes
            .hunks()
            .iter()
            .map(|hunk| aligned(within(&old, first_old, &hunk.before), within(&new, first_new, &hunk.after)))
            .collect();
        let origin = |line: u32| match changes.fate(line - first_new) {
            // What differs in white space only is git's to find, and it did not.
            Fate::Kept(at) => {
                Some(at + first_old).filter(|at| !solid(before.text.line(*at)).eq(solid(after.text.line(line))))
            }
            Fate::Changed(number) => most_common(aligned[number].as_ref()?, line),
        };
        after.lines.map(origin).collect()
    }
}

/// The same code without quotes and trailing commas, line by line.
fn bare(pieces: &[Piece], lines: Range<u32>) -> Text {
    let mut data = Vec::with_capacity(pieces.len() + lines.len());
    let mut rest = pieces;
    for line in lines {
        let own = rest.partition_point(|piece| piece.line <= line);
        data.extend(rest[..own].iter().map(|piece| piece.byte));
        data.push(b'\n');
        rest = &rest[own..];
    }
    Text::new(data)
}

/// The pieces of some lines, counted from `first`.
fn within<'a>(pieces: &'a [Piece], first: u32, lines: &Range<u32>) -> &'a [Piece] {
    let at = |line: u32| pieces.partition_point(|piece| piece.line < first + line);
    &pieces[at(lines.start)..at(lines.end)]
}

fn is_closer(byte: u8) -> bool {
    matches!(byte, b')' | b']' | b'}')
}

/// Whether the next line that is not blank begins with a closing bracket.
fn next_line_closes(text: &Text, line: u32) -> bool {
    (line + 1..text.len()).find_map(|next| solid(text.line(next)).next()).is_some_and(is_closer)
}

/// The lines, before and after, of all code that both have. `None`: it is not the same, or there is
/// none.
fn aligned(old: &[Piece], new: &[Piece]) -> Option<Vec<(u32, u32)>> {
    let mut pairs = Vec::new();
    // Opening less closing parentheses that only one side has.
    let (mut old_open, mut new_open) = (0_i32, 0_i32);
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let opens = |piece: &Piece| if piece.byte == b'(' { 1 } else { -1 };
    loop {
        match (old.peek(), new.peek()) {
            (Some(a), Some(b)) if a.byte == b.byte => {
                pairs.push((a.line, b.line));
                old.next();
                new.next();
            }
            (_, Some(b)) if b.layout => {
                new_open += opens(b);
                new.next();
            }
            (Some(a), _) if a.layout => {
                old_open += opens(a);
                old.next();
            }
            (None, None) => break,
            _ => return None,
        }
    }
    (old_open == 0 && new_open == 0 && !pairs.is_empty()).then_some(pairs)
}

/// The line before that a line's code mostly comes from. A line of nothing but layout has none.
fn most_common(pairs: &[(u32, u32)], line: u32) -> Option<u32> {
    let first = pairs.partition_point(|(_, after)| *after < line);
    let own = pairs[first..].iter().take_while(|(_, after)| *after == line).map(|(before, _)| *before);
    let own: Vec<u32> = own.collect();
    // The lines before follow each other as those after do; of equally long pieces the first
    // counts.
    own.chunk_by(|a, b| a == b).rev().max_by_key(|same| same.len()).map(|same| same[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(path: &str, before: &str, after: &str) -> Vec<Option<u32>> {
        let (before, after) = (Text::new(before.as_bytes().to_vec()), Text::new(after.as_bytes().to_vec()));
        Language::of(path.as_bytes()).same_code(before.section(0..before.len()), after.section(0..after.len()))
    }

    #[test]
    fn layout_is_no_code() {
        let broken = "total = sum(\n    first,\n    second,\n)\n";
        assert_eq!(same("a.py", "total = sum(first, second)\n", broken), [Some(0); 4]);
        assert_eq!(same("a.py", broken, "total = sum(first, second)\n"), [Some(0)]);
        assert_eq!(same("a.py", "a = 'x'\nb = 1\n", "a = \"x\"\nb=1\n"), [Some(0), Some(1)]);
        let wrapped = "if (\n    one\n    and two\n):\n";
        assert_eq!(same("a.py", "if one and \\\n  two:\n", wrapped), [Some(0), Some(0), Some(0), Some(1)]);
    }

    #[test]
    fn what_kept_its_code_is_found_beside_what_did_not() {
        let before = "a = 'a'\nb = f('b', 1)\nc = 3\nd = {'d': 4}\nend\n";
        let after = "a = \"a\"\nb = f(\n    \"b\",\n    1,\n)\nc = 33\nd = {\n    \"d\": 4,\n}\nend\n";
        let expected = [Some(0), Some(1), Some(1), Some(1), Some(1), None, None, None, None, None];
        let found = same("a.py", before, after);
        assert_eq!((found[0], found[5], found[9]), (expected[0], expected[5], expected[9]), "{found:?}");
        let quotes = same("a.py", "a = 'a'\nb = 1\nc = 'c'\n", "a = \"a\"\nb = 2\nc = \"c\"\n");
        assert_eq!(quotes, [Some(0), None, Some(2)]);
        // Not what git would have found, had it been kept.
        assert_eq!(same("a.py", "x = 1\ny = 2\n", "y = 3\nx = 1\n"), [None, None]);
    }

    #[test]
    fn code_is_no_layout() {
        for (path, before, after) in [
            ("a.py", "x = (a + b) * c\n", "x = a + b * c\n"),
            ("a.py", "x = (1,)\n", "x = (1)\n"),
            ("a.py", "x = f(a)\n", "x = f(b)\n"),
            ("a.py", "x = f(\n", "x = f\n"),
            ("a.py", "x = all([\n]\n", "x = all([\n])\n"),
            ("a.rs", "let c = 'x';\n", "let c = \"x\";\n"),
            ("a.py", "# one\n", "\n"),
            ("a.py", "", "\n"),
        ] {
            assert!(same(path, before, after).iter().all(Option::is_none), "{before} {after}");
        }
    }
}
