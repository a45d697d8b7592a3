//! A prefix that nobody knows, told by being the same before all lines of a traceback.

use super::mark;
use std::borrow::Cow;

/// Bytes of a prefix.
const LONGEST: usize = 200;
/// Lines around the last one of a traceback that are compared with it.
const AROUND: usize = 10;
/// Of these, so many have the same before them.
const ALIKE: usize = 2;

/// Lines of a traceback, from the last one up, whose prefix is tried.
const TRIED: usize = 10;

/// The prefix of the last line of a traceback that others have, too; and those lines without it;
/// numbers in it may differ.
pub(super) fn taken_off<'a>(lines: &[&'a str]) -> Option<(&'a str, Vec<Cow<'a, str>>)> {
    let prefixes = lines.iter().enumerate().rev().filter_map(|(at, line)| {
        let prefix = line[..mark::place(line)?].trim_end();
        (!prefix.is_empty() && prefix.len() <= LONGEST).then_some((at, prefix))
    });
    let prefix = prefixes.take(TRIED).find_map(|(at, prefix)| {
        let around = &lines[at.saturating_sub(AROUND)..lines.len().min(at + AROUND + 1)];
        let alike = |prefix: &str| around.iter().filter(|line| behind(line, prefix).is_some()).count();
        // A box around the lines is not the same before all of them.
        let without_box = prefix.trim_end_matches([' ', '|', '+', '-']);
        let prefix = if !without_box.is_empty() && alike(without_box) > alike(prefix) { without_box } else { prefix };
        (alike(prefix) > ALIKE).then_some(prefix)
    })?;
    let filled = lines.iter().filter_map(|line| behind(line, prefix)).filter(|rest| !rest.trim().is_empty());
    let spaces = filled.map(|rest| rest.len() - rest.trim_start_matches(' ').len()).min()?;
    let mut taken: Vec<Cow<'a, str>> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match behind(line, prefix) {
            Some(rest) => taken.push(Cow::Borrowed(rest.get(spaces..).unwrap_or(""))),
            // What was copied begins within its first line.
            None if taken.is_empty() && lines.get(at + 1).is_some_and(|next| behind(next, prefix).is_some()) => {
                taken.push(Cow::Borrowed(line));
            }
            None => {}
        }
    }
    Some((prefix, taken))
}

/// What stands behind such a prefix, digits for digits.
pub(super) fn behind<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let mut rest = line;
    let mut wanted = prefix;
    while let Some(first) = wanted.chars().next() {
        if first.is_ascii_digit() {
            wanted = wanted.trim_start_matches(|c: char| c.is_ascii_digit());
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if after.len() == rest.len() {
                return None;
            }
            rest = after;
        } else {
            rest = rest.strip_prefix(first)?;
            wanted = &wanted[first.len_utf8()..];
        }
    }
    Some(rest)
}
