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

/// Bytes up to which a row goes on in further lines, as one with a line break in quotes does.
const MAX_ROW: usize = 16 * 1024;

/// How often a row is gone through.
const PASSES: usize = 4;

/// Blanks behind a name that fill its column.
const MAX_BLANKS: usize = 80;

/// Marks between columns; of those that a header has, the first tells.
const MARKS: [char; 4] = ['|', '\t', ';', ','];

/// What is known of the lines of a text up to a place, so that each is looked at once, whatever
/// names are in it.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) line: Range<usize>,
    /// The mark between its cells, if it can be a header.
    mark: Option<char>,
    /// Tables that go on behind here: their mark, the column, and where they end. A cell with a
    /// name in it is no header of its own.
    pub(super) tables: Vec<(char, usize, usize)>,
    /// Where the last list of items ends that was gone through for names of a class.
    pub(super) lists: Vec<(Class, usize)>,
}

impl Lines {
    /// Comes to the line of this name; says how many bytes were looked at.
    pub(super) fn come_to(&mut self, text: &str, name: &Range<usize>) -> usize {
        if name.end <= self.line.end && self.line.end > 0 {
            return 0;
        }
        let from = self.line.end.min(name.start);
        let start = text[from..name.start].rfind('\n').map_or(from, |at| from + at + 1);
        let end = text[name.end..].find('\n').map_or(text.len(), |length| name.end + length);
        self.line = start..end;
        let header = &text[start..end];
        self.mark = MARKS.into_iter().find(|mark| header.contains(*mark));
        self.mark = self.mark.filter(|mark| !header.split(*mark).any(|cell| cell.contains(['=', '\'', '(', '{', '['])));
        self.tables.retain(|(_, _, end)| *end > name.start);
        end - from
    }
}

/// Finds what stands below a name, or beside it in a row of two; says how many bytes were looked
/// at.
pub(super) fn find(text: &str, name: &Range<usize>, rules: &Rules, lines: &mut Lines, found: &mut Vec<Found>) -> usize {
    let bytes = text.as_bytes();
    let next = bytes[name.end..].iter().take(MAX_BLANKS).find(|byte| !matches!(byte, b' ' | b'"'));
    if !next.is_none_or(|next| matches!(next, b',' | b';' | b'\t' | b'|' | b'\n' | b'\r')) {
        return 0;
    }
    let cost = lines.come_to(text, name);
    let Range { start, end } = lines.line;
    let Some(mark) = lines.mark else { return cost };
    if bytes.get(end) != Some(&b'\n') && next != Some(&b'|') {
        return cost;
    }
    let column = text[start..name.start].matches(mark).count();
    let cost = cost + name.start - start;
    if lines.tables.iter().any(|(of, at, _)| (*of, *at) == (mark, column)) {
        return cost;
    }
    let named = class(&text[name.clone()], rules).filter(|class| *class != Class::Often);
    let Some(class) = named else { return cost };
    let header = &text[start..end];
    if mark == '|' && beside(text, start, header, column, class, rules, found) {
        return cost + (end - start) * PASSES;
    }
    let below = below(text, end, separators(header, mark).count(), (mark, column), class, rules, found);
    lines.tables.push((mark, column, below));
    cost + (below - start) * PASSES
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

/// The column's cells in the rows that follow; says where those end.
fn below(
    text: &str,
    mut at: usize,
    marks: usize,
    (mark, column): (char, usize),
    class: Class,
    rules: &Rules,
    found: &mut Vec<Found>,
) -> usize {
    while text.as_bytes().get(at) == Some(&b'\n') {
        let start = at + 1;
        let end = end_of_row(text, start, mark);
        let row = &text[start..end];
        // What a terminal draws below the header.
        let is_drawn = row.bytes().all(|byte| matches!(byte, b'-' | b'+' | b'|' | b'=' | b':' | b' ' | b'\r'))
            && !row.trim().is_empty();
        if !is_drawn {
            if separators(row, mark).count() != marks {
                break;
            }
            if let Some(range) = cell(text, start..end, mark, column)
                && is_secret(&text[range.clone()], class, rules)
            {
                found.push(Found { range, sure: true });
            }
        }
        at = end;
    }
    at
}

/// Where the row that begins here ends: with its line, or with a later one, where a quote is open
/// at its end, as of RFC 4180.
fn end_of_row(text: &str, start: usize, mark: char) -> usize {
    let end_of_line = |from: usize| text[from..].find('\n').map_or(text.len(), |length| from + length);
    let first = end_of_line(start);
    let quotes = |range: Range<usize>| text[range].bytes().filter(|byte| *byte == b'"').count();
    if !matches!(mark, ',' | ';') || quotes(start..first).is_multiple_of(2) {
        return first;
    }
    let mut end = first;
    while end < text.len() && end - start < MAX_ROW {
        let next = end_of_line(end + 1);
        if !quotes(end..next).is_multiple_of(2) {
            return next;
        }
        end = next;
    }
    first
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
pub(super) fn is_secret(cell: &str, class: Class, rules: &Rules) -> bool {
    is_no_word(cell) && !cell.contains(' ') && is_secret_value(cell, class, rules)
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn rows_and_lines_have_no_limit_beyond_which_they_are_shown() {
        let hidden = |text: &str| scrub_text(text, Rules::built_in()).into_owned();
        let columns: String = (0..300).map(|n| format!("column_{n},")).collect();
        let cells: String = (0..300).map(|n| format!("v{n},")).collect();
        for text in [
            format!("{columns}password\n{cells}Kz1x7"),
            format!("name,password\n{}", (0..400).map(|n| format!("b{n},Kz{n}x7\n")).collect::<String>()),
            // Cells that are called like a column are no headers.
            format!(
                "name,password,at\n{}after",
                (0..400).map(|n| format!("b{n},Kz{n}x7,password\n")).collect::<String>()
            ),
        ] {
            let hidden = hidden(&text);
            assert!(!hidden.contains("Kz") && hidden.contains("after") == text.contains("after"), "{hidden}");
        }
        let log = format!("user,event\n{}after x1", "bob7,password\n".repeat(400));
        assert_eq!(hidden(&log), log);
    }

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
            ("name,password\n\"bob\nsmith\",hunter2\nann,x9y8z7", "name,password\n\"bob\nsmith\",#\nann,#"),
            (
                "fields: a, password, b\nname,mail,password\nbob,w1,hunter2",
                "fields: a, password, b\nname,mail,password\nbob,#,#",
            ),
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
