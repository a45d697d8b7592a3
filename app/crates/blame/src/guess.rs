//! Which line of the parent a line comes from that an ignored commit changed.
//!
//! Lines are compared by their pairs of neighbouring characters. Formatters keep the order of
//! lines, so the line that is matched most clearly is fixed first, and what stands before it can
//! only come from before its match, what stands after it only from after. What a match has used up
//! of the parent's line does not count for the next.

use crate::text::{Text, is_space};
use gix::diff::blob::Hunk;
use std::cmp::Reverse;
use std::ops::Range;

/// How far from its proportional place in the parent's lines of the change a line is looked for.
const REACH: i64 = 10;

/// Lines of a change that are looked at. The time grows with the square where the clearest are
/// always at an end, and what has more is data.
const LONGEST: usize = 20_000;

/// One pair in common weighs so much, less the distance of the lines.
const WEIGHT: i64 = 1000;

/// Pairs that a line must have in common with one elsewhere in the file, outside the change, to
/// come from there.
const ENOUGH_ELSEWHERE: u32 = 10;

/// How often each line is compared with others, in the reckoning of the work.
pub(crate) const REPEATED: usize = 20;

/// A line's pairs of neighbouring characters, each with how often it occurs: letters in lower case,
/// white space all the same.
#[derive(Clone, Default)]
struct Fingerprint(Vec<(u16, u32)>);

impl Fingerprint {
    fn of(line: &[u8]) -> Self {
        let fold = |byte: &u8| if is_space(*byte) { 0 } else { byte.to_ascii_lowercase() };
        let mut pairs = Vec::with_capacity(line.len() + 1);
        let mut last = 0;
        for byte in line.iter().map(fold).chain([0]) {
            if (last, byte) != (0, 0) {
                pairs.push(u16::from_be_bytes([last, byte]));
            }
            last = byte;
        }
        pairs.sort_unstable();
        Self(pairs.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect())
    }

    /// How many pairs both have.
    fn common(&self, other: &Self) -> u32 {
        let (mut a, mut b, mut sum) = (self.0.iter().peekable(), other.0.iter().peekable(), 0);
        while let (Some((left, n)), Some((right, m))) = (a.peek(), b.peek()) {
            match left.cmp(right) {
                std::cmp::Ordering::Less => drop(a.next()),
                std::cmp::Ordering::Greater => drop(b.next()),
                std::cmp::Ordering::Equal => {
                    sum += n.min(m);
                    a.next();
                    b.next();
                }
            }
        }
        sum
    }

    fn take_away(&mut self, used: &Self) {
        let mut used = used.0.iter().peekable();
        self.0.retain_mut(|(pair, count)| {
            while used.peek().is_some_and(|(other, _)| other < pair) {
                used.next();
            }
            if let Some((_, n)) = used.peek().filter(|(other, _)| other == pair) {
                *count = count.saturating_sub(*n);
            }
            *count > 0
        });
    }
}

/// The best and the second best match of a line among those it may come from.
#[derive(Clone, Copy)]
struct Choice {
    best: usize,
    second: Option<usize>,
    certainty: i64,
}

#[derive(Clone, Copy)]
enum Known {
    Unknown,
    Nothing,
    Match(Choice),
}

struct Matching {
    before: Vec<Fingerprint>,
    after: Vec<Fingerprint>,
    known: Vec<Known>,
    found: Vec<Option<u32>>,
}

/// The lines of `before` within a change that its lines in `after` come from, in order.
pub(crate) fn origins(before: &Text, after: &Text, hunk: &Hunk) -> Vec<Option<u32>> {
    if hunk.before.len().max(hunk.after.len()) > LONGEST {
        return vec![None; hunk.after.len()];
    }
    let prints = |text: &Text, range: &Range<u32>| text.lines(range.clone()).map(Fingerprint::of).collect::<Vec<_>>();
    let lines = prints(after, &hunk.after);
    let mut matching = Matching {
        before: prints(before, &hunk.before),
        known: vec![Known::Unknown; lines.len()],
        found: vec![None; lines.len()],
        after: lines,
    };
    matching.settle();
    matching.found.iter().map(|at| at.map(|at| at + hunk.before.start)).collect()
}

/// The line of the whole of `before` that is most like a line of `after`, the nearest of several:
/// where none of the change is.
pub(crate) fn elsewhere(before: &Text, after: &Text, line: u32) -> Option<u32> {
    let wanted = Fingerprint::of(after.line(line));
    let common = (0..before.len()).map(|number| (number, Fingerprint::of(before.line(number)).common(&wanted)));
    common
        .filter(|(_, common)| *common >= ENOUGH_ELSEWHERE)
        .max_by_key(|(number, common)| (*common, Reverse(number.abs_diff(line)), Reverse(*number)))
        .map(|(number, _)| number)
}

impl Matching {
    /// Matches all lines: the clearest first, then those on both sides of it, without recursion,
    /// because a change may have as many lines as a file.
    fn settle(&mut self) {
        let mut open = vec![(0..self.before.len(), 0..self.after.len())];
        while let Some((before, after)) = open.pop() {
            let mut clearest: Option<(usize, Choice)> = None;
            for line in after.clone() {
                if matches!(self.known[line], Known::Unknown) {
                    self.known[line] = self.choose(line, &before);
                }
                if let Known::Match(choice) = self.known[line]
                    && clearest.is_none_or(|(_, best)| choice.certainty > best.certainty)
                {
                    clearest = Some((line, choice));
                }
            }
            let Some((line, Choice { best, .. })) = clearest else { continue };
            self.found[line] = Some(best as u32);
            let used = std::mem::take(&mut self.after[line]);
            self.before[best].take_away(&used);
            self.after[line] = used;
            for (before, after) in
                [(before.start..best + 1, after.start..line), (best..before.end, line + 1..after.end)]
            {
                self.doubt(best, &before, &after);
                if !before.is_empty() && !after.is_empty() {
                    open.push((before, after));
                }
            }
        }
    }

    /// Forgets the choices that a fixed match, or the narrower range, made void.
    fn doubt(&mut self, fixed: usize, before: &Range<usize>, after: &Range<usize>) {
        for line in after.clone() {
            if let Known::Match(Choice { best, second, .. }) = self.known[line] {
                let void = |at: usize| at == fixed || !before.contains(&at);
                if void(best) || second.is_some_and(void) {
                    self.known[line] = Known::Unknown;
                }
            }
        }
    }

    fn choose(&self, line: usize, range: &Range<usize>) -> Known {
        // The middle of a line of the change, in proportion.
        let place = ((2 * line + 1) * self.before.len() / (2 * self.after.len())) as i64;
        let mut best: Option<(i64, usize)> = None;
        let mut second: Option<(i64, usize)> = None;
        for at in range.clone() {
            let distance = (at as i64 - place).abs();
            if distance > REACH {
                continue;
            }
            let score = i64::from(self.before[at].common(&self.after[line])) * (WEIGHT - distance);
            if score == 0 {
                continue;
            }
            if best.is_none_or(|(best, _)| score > best) {
                second = best.replace((score, at));
            } else if second.is_none_or(|(second, _)| score > second) {
                second = Some((score, at));
            }
        }
        let Some((score, at)) = best else { return Known::Nothing };
        // Clear is what is much alike, and much more than the next.
        let certainty = 2 * score - second.map_or(0, |(score, _)| score);
        Known::Match(Choice { best: at, second: second.map(|(_, at)| at), certainty })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &str) -> Text {
        Text::new(content.as_bytes().to_vec())
    }

    fn guess(before: &str, after: &str) -> Vec<Option<u32>> {
        let (before, after) = (text(before), text(after));
        origins(&before, &after, &Hunk { before: 0..before.len(), after: 0..after.len() })
    }

    #[test]
    fn a_line_that_was_split_is_the_origin_of_its_parts() {
        let before = "total = sum(price(item) for item in basket)\nreturn total, count\n";
        let after = "total = sum(\n    price(item)\n    for item in basket\n)\nreturn (\n    total,\n    count,\n)\n";
        let found = guess(before, after);
        assert_eq!(found[..3], [Some(0); 3]);
        assert_eq!(found[4..7], [Some(1); 3]);
    }

    #[test]
    fn lines_keep_their_order() {
        let before = "x = 1\ny = first(x)\nx = 1\nz = second(x)\n";
        let after = "x=1;\ny=first(x);\nx=1;\nz=second(x);\n";
        assert_eq!(guess(before, after), [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn what_is_like_nothing_has_no_origin() {
        assert_eq!(guess("abc\n", "\nxyz\n"), [None, None]);
        assert_eq!(guess("", "abc\n"), [None]);
        let before = text("same_name(one)\nother\nsame_name(one)\nsame_name(two)\n");
        assert_eq!(elsewhere(&before, &text("\n\n\nsame_name(one)\n"), 3), Some(2));
        assert_eq!(elsewhere(&before, &text("short\n"), 0), None);
    }

    #[test]
    fn many_lines_take_no_deep_recursion() {
        let lines = |f: fn(u32) -> String| (0..3_000).map(f).collect::<String>();
        let found = guess(&lines(|n| format!("value_{n} = {n}\n")), &lines(|n| format!("value_{n}: int = {n}\n")));
        let right = (0_u32..).zip(&found).filter(|(n, line)| **line == Some(*n)).count();
        assert!(right > 2_900, "{right}");
    }
}
