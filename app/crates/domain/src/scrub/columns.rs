//! Secrets below the name of their column: rows of CSV, and tables as terminals and Markdown draw
//! them.

use super::Found;
use super::classes::is_secret_value;
use super::names::class;
use super::random::is_no_word;
use super::rules::Rules;
use super::values::trimmed;
use super::vocabulary::Class;
use std::ops::Range;

/// Rows that are looked through.
const MAX_ROWS: usize = 50;

/// Characters of a line that are looked at.
const MAX_LINE: usize = 1_000;

/// How often a line is gone through, where names at most look at each byte once.
const PASSES: usize = 12;

/// Blanks behind a name that fill its column.
const MAX_BLANKS: usize = 80;

/// Marks between columns; of those that a header has, the first tells.
const MARKS: [char; 4] = ['|', '\t', ';', ','];

/// Finds what stands below a name, or beside it in a row of two; says how many bytes were looked
/// at.
pub(super) fn find(text: &str, name: &Range<usize>, rules: &Rules, found: &mut Vec<Found>) -> usize {
    let bytes = text.as_bytes();
    let next = bytes[name.end..].iter().take(MAX_BLANKS).find(|byte| !matches!(byte, b' ' | b'"'));
    if !next.is_none_or(|next| matches!(next, b',' | b';' | b'\t' | b'|' | b'\n' | b'\r')) {
        return 0;
    }
    let end = end_of_line(text, name.end);
    if bytes.get(end) != Some(&b'\n') && next != Some(&b'|') {
        return 0;
    }
    let from = text.floor_char_boundary(name.start.saturating_sub(MAX_LINE));
    let start = text[from..name.start].rfind('\n').map_or(from, |at| from + at + 1);
    let header = &text[start..end];
    let Some(mark) = MARKS.into_iter().find(|mark| header.contains(*mark)) else { return 0 };
    if header.split(mark).any(|cell| cell.contains(['=', '\'', '(', '{', '['])) {
        return (end - start) * PASSES;
    }
    let named = class(&text[name.clone()], rules).filter(|class| *class != Class::Often);
    let Some(class) = named else { return (end - start) * PASSES };
    let column = text[start..name.start].matches(mark).count();
    if mark == '|' && beside(text, start, header, column, class, rules, found) {
        return (end - start) * PASSES;
    }
    let rows = below(text, end, separators(header, mark).count(), (mark, column), class, rules, found);
    (rows + end - start) * PASSES
}

/// `| password | x |`: the only cell beside the name.
fn beside(
    text: &str,
    start: usize,
    header: &str,
    column: usize,
    class: Class,
    rules: &Rules,
    found: &mut Vec<Found>,
) -> bool {
    let cells = header.split('|').filter(|cell| !cell.trim().is_empty()).count();
    let range = cell(text, start..start + header.len(), '|', column + 1);
    match range {
        Some(range) if cells == 2 && is_secret(&text[range.clone()], class, rules) => {
            found.push(Found { range, sure: true });
            true
        }
        _ => false,
    }
}

fn below(
    text: &str,
    mut at: usize,
    marks: usize,
    (mark, column): (char, usize),
    class: Class,
    rules: &Rules,
    found: &mut Vec<Found>,
) -> usize {
    let began = at;
    for _ in 0..MAX_ROWS {
        if text.as_bytes().get(at) != Some(&b'\n') {
            break;
        }
        let start = at + 1;
        at = end_of_line(text, start);
        let line = &text[start..at];
        // What a terminal draws below the header.
        if line.bytes().all(|byte| matches!(byte, b'-' | b'+' | b'|' | b'=' | b':' | b' ' | b'\r'))
            && !line.trim().is_empty()
        {
            continue;
        }
        if separators(line, mark).count() != marks {
            break;
        }
        if let Some(range) = cell(text, start..at, mark, column)
            && is_secret(&text[range.clone()], class, rules)
        {
            found.push(Found { range, sure: true });
        }
    }
    at - began
}

/// Where the marks between a row's cells are: in quotes, as of RFC 4180, one is a part of its cell.
fn separators(row: &str, mark: char) -> impl Iterator<Item = usize> {
    let has_quotes = matches!(mark, ',' | ';') && row.bytes().filter(|byte| *byte == b'"').count().is_multiple_of(2);
    let mut is_inside = false;
    row.char_indices().filter_map(move |(at, c)| {
        is_inside ^= has_quotes && c == '"';
        (c == mark && !is_inside).then_some(at)
    })
}

/// A cell without its blanks and quotes.
fn cell(text: &str, line: Range<usize>, mark: char, column: usize) -> Option<Range<usize>> {
    let row = &text[line.clone()];
    let start = match column.checked_sub(1) {
        Some(before) => line.start + separators(row, mark).nth(before)? + 1,
        None => line.start,
    };
    let length = separators(row, mark).nth(column).map_or(line.end, |at| line.start + at) - start;
    let range = trimmed(text, start..start + length);
    let inner = text[range.clone()].trim_start_matches('"');
    let start = range.end - inner.len();
    (!inner.is_empty()).then(|| start..start + inner.trim_end_matches('"').len())
}

/// A list of names goes on in the next line as rows do: a word is no value.
fn is_secret(cell: &str, class: Class, rules: &Rules) -> bool {
    is_no_word(cell) && !cell.contains(' ') && is_secret_value(cell, class, rules)
}

fn end_of_line(text: &str, from: usize) -> usize {
    let limit = text.floor_char_boundary(text.len().min(from + MAX_LINE));
    text[from..limit].find('\n').map_or(limit, |length| from + length)
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn values_below_and_beside_the_name_of_their_column() {
        for (text, expected) in [
            ("row 3: user,password\nbob,hunter2\nann,x9y8z7\n", "row 3: user,password\nbob,#\nann,#\n"),
            ("id;token;n\r\n1;\"a1b2c3d4\";2", "id;token;n\r\n1;\"#\";2"),
            (
                " id | password \n----+----------\n  1 | hunter2  \n(1 row)",
                " id | password \n----+----------\n  1 | #  \n(1 row)",
            ),
            (
                "id,name,password\n1,\"b,ob\",hunter2\n2,\"a \"\"x\"\", n\",x9y8z7\n",
                "id,name,password\n1,\"b,ob\",#\n2,\"a \"\"x\"\", n\",#\n",
            ),
            ("name;password\n\"b;ob\";\"hun;ter2\"\n", "name;password\n\"b;ob\";\"#\"\n"),
            ("| password | hunter2 |", "| password | # |"),
            ("password | hunter2\nname | bob", "password | #\nname | bob"),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        for text in [
            "missing: email, password\nunknown: name, address",
            "| field | password | token |\n| type | string | string |",
            "name,password\nthe file ends here",
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
