//! Secrets that the layout of lines ties to a name: columns that blanks align, as pandas and `ps`
//! print them, and lists of YAML.

use super::Found;
use super::columns::{Lines, is_secret};
use super::names::class;
use super::random::{is_made_of_words, is_no_word};
use super::rules::Rules;
use super::values::trimmed;
use super::vocabulary::Class;
use std::ops::Range;

/// Bytes of a line that can be a header: no terminal is wider.
const MAX_HEADER: usize = 500;

/// What stands for the mark between the cells of a table that has none.
const BLANK: char = ' ';

/// Finds what stands below a name; says how many bytes were looked at.
pub(super) fn find(text: &str, name: &Range<usize>, rules: &Rules, lines: &mut Lines, found: &mut Vec<Found>) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(name.end) {
        Some(b':') => list(text, name, rules, lines, found),
        Some(b' ' | b'\n' | b'\r') if name.start == 0 || matches!(bytes[name.start - 1], b' ' | b'\n') => {
            aligned(text, name, rules, lines, found)
        }
        _ => 0,
    }
}

/// `passwords:` with `- x` in each of the lines below: what is no word, and no name made of words.
fn list(text: &str, name: &Range<usize>, rules: &Rules, lines: &mut Lines, found: &mut Vec<Found>) -> usize {
    let behind = text[name.end + 1..].trim_start_matches([' ', '\r']);
    let Some(below) = behind.strip_prefix('\n').filter(|below| below.trim_start().starts_with("- ")) else { return 0 };
    let Some(class) = class(&text[name.clone()], rules) else { return 0 };
    // Within a list of the same class all of it was looked at.
    if lines.lists.iter().any(|(of, end)| *of == class && *end > name.end) {
        return 0;
    }
    let mut at = text.len() - below.len();
    for line in below.split_inclusive('\n') {
        let Some(item) = line.trim_start().strip_prefix("- ") else { break };
        let start = at + line.len() - line.trim_start().len() + 2;
        let range = trimmed(text, start..start + item.len());
        let inner = text[range.clone()].trim_matches(['"', '\'']);
        if is_no_word(inner) && !is_made_of_words(inner) && is_secret(inner, class, rules) {
            let start = range.start + text[range.clone()].find(inner).unwrap_or_default();
            found.push(Found { range: start..start + inner.len(), sure: true });
        }
        at += line.len();
    }
    lines.lists.retain(|(of, _)| *of != class);
    lines.lists.push((class, at));
    at - name.end
}

fn aligned(text: &str, name: &Range<usize>, rules: &Rules, lines: &mut Lines, found: &mut Vec<Found>) -> usize {
    let cost = lines.come_to(text, name);
    let Range { start, end } = lines.line;
    let header = &text[start..end];
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%' | b' ' | b'\r');
    if header.len() > MAX_HEADER || end == text.len() || !header.contains("  ") || !header.bytes().all(is_name) {
        return cost + header.len().min(MAX_HEADER);
    }
    let names: Vec<Range<usize>> = cells(header).collect();
    let is_word = |name: &Range<usize>| header.as_bytes()[name.start].is_ascii_alphabetic();
    if !names.iter().all(is_word) {
        return cost + header.len();
    }
    let Some(column) = names.iter().position(|cell| start + cell.start == name.start) else { return cost };
    let named = class(&text[name.clone()], rules).filter(|class| *class != Class::Often);
    let is_known = lines.tables.iter().any(|(mark, at, _)| (*mark, *at) == (BLANK, column));
    let Some(class) = named.filter(|_| names.len() > 1 && !is_known) else { return cost + header.len() };
    let mut at = end + 1;
    for line in text[at..].split_inclusive('\n') {
        let row: Vec<Range<usize>> = cells(line).collect();
        // One blank between all names is prose, unless rows have numbers, as pandas prints them.
        let is_numbered = row.first().is_some_and(|cell| line[cell.clone()].bytes().all(|byte| byte.is_ascii_digit()));
        let is_table = header.trim().contains("  ") || (is_numbered && row.len() == names.len() + 1);
        if !is_table {
            break;
        }
        let is_below = |cell: &&Range<usize>| cell.start == names[column].start || cell.end == names[column].end;
        // pandas has a number before each row.
        let index = (line.contains("  ") && row.len() >= names.len()).then(|| column + row.len() - names.len());
        let counted = index.filter(|index| *index <= column + 1).and_then(|index| row.get(index));
        let Some(cell) = row.iter().find(is_below).or(counted) else { break };
        let range = at + cell.start..at + cell.end;
        if is_secret(&text[range.clone()], class, rules) {
            found.push(Found { range, sure: true });
        }
        at += line.len();
    }
    lines.tables.push((BLANK, column, at));
    cost + at - start
}

/// What stands between the blanks of a line.
fn cells(line: &str) -> impl Iterator<Item = Range<usize>> {
    let start_of = |cell: &str| cell.as_ptr() as usize - line.as_ptr() as usize;
    line.split_ascii_whitespace().map(move |cell| start_of(cell)..start_of(cell) + cell.len())
}

#[cfg(test)]
mod tests {
    use crate::scrub::columns::Lines;
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn a_list_within_a_list_is_gone_through_once() {
        let text = format!("{}- hunter2x\n", "- password:\n".repeat(100));
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let names = text.match_indices("password").map(|(at, name)| at..at + name.len());
        let looked_at: usize =
            names.map(|name| super::find(&text, &name, Rules::built_in(), &mut lines, &mut found)).sum();
        assert!(found.len() == 1 && looked_at < 2 * text.len(), "{} found, {looked_at}", found.len());
    }

    #[test]
    fn what_stands_below_a_name_in_columns_and_lists() {
        for (text, expected) in [
            (
                "   name  password\n0   bob  hunter2x\n1   ann     x9y8z\n[2 rows]",
                "   name  password\n0   bob  #\n1   ann     #\n[2 rows]",
            ),
            (
                "USER     PASSWORD  SHELL\nbob      hunter2   /bin/sh\nann      x9        /bin/sh2\n",
                "USER     PASSWORD  SHELL\nbob      #   /bin/sh\nann      #        /bin/sh2\n",
            ),
            ("  name password\n0  bob  hunter2", "  name password\n0  bob  #"),
            ("passwords:\n  - hunter2\n  - 'x9y8z'\nuser: x1", "passwords:\n  - #\n  - '#'\nuser: x1"),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        for text in [
            "  missing password\n  of user2",
            "invalid password\nuser  bob2",
            "secrets:\n  - db-password\n  - api_key_2\n",
            "passwords:\n  - too short\n  - without digits",
            "NAME   TOKENS  AGE\nweb    12      3d",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
