//! Secrets in SQL that stand as far from their name as the column does from its value:
//! `INSERT INTO users (id, password) VALUES (1, 'x')`, `Key (id, token)=(1, x)`.

use super::Found;
use super::classes::is_secret_value;
use super::names::class;
use super::rules::Rules;
use super::values::end_of_bracket;
use super::vocabulary::Class;
use std::ops::Range;

/// Characters between a list of columns and its values: a statement with its placeholders.
const MAX_DISTANCE: usize = 2_000;

/// Rows of values that are looked through.
const MAX_ROWS: usize = 50;

/// Finds the values of a column that is named in a list of columns; says how many bytes were looked
/// at.
pub(super) fn find(text: &str, name: &Range<usize>, rules: &Rules, found: &mut Vec<Found>) -> usize {
    let Some((open, column)) = column(text, name) else { return set(text, name, rules, found) };
    let named = class(&text[name.clone()], rules).filter(|class| *class != Class::Often);
    let Some(class) = named else { return name.start - open };
    rows(text, open, column, class, rules, found)
}

fn rows(text: &str, open: usize, column: usize, class: Class, rules: &Rules, found: &mut Vec<Found>) -> usize {
    let close = end_of_bracket(text.as_bytes(), open, b'(');
    let end = text.floor_char_boundary(text.len().min(close + MAX_DISTANCE));
    let Some(rest) = text.get(close..end) else { return close - open };
    let values = ["VALUES", "values", "Values", ")=(", "=(", "[parameters:", "SELECT"];
    let Some(first) = values.iter().filter_map(|word| rest.find(word)).min() else { return end - open };
    let mut at = close + first;
    for _ in 0..MAX_ROWS {
        let Some(row) = text[at..end].find('(').map(|offset| at + offset) else { break };
        let row_end = end_of_bracket(text.as_bytes(), row, b'(');
        let value = element(text, row, row_end, column).map(|range| parameter(text, range.start).unwrap_or(range));
        if let Some(range) = value
            && is_secret_value(&text[range.clone()], class, rules)
        {
            found.push(Found { range, sure: true });
        }
        at = row_end.min(end);
    }
    end.max(at) - open
}

/// `UPDATE users SET password = $1 … -- PARAMETERS: ["x", 4]`: says how many bytes were looked at.
fn set(text: &str, name: &Range<usize>, rules: &Rules, found: &mut Vec<Found>) -> usize {
    let rest = &text[name.end..];
    let behind = rest.trim_start_matches(['"', '`', ']', ' ']);
    let Some(value) = behind.strip_prefix('=').map(str::trim_start) else { return 0 };
    let Some(range) = parameter(text, text.len() - value.len()) else { return 0 };
    let named = class(&text[name.clone()], rules).filter(|class| *class != Class::Often);
    if named.is_some_and(|class| is_secret_value(&text[range.clone()], class, rules)) {
        found.push(Found { range, sure: true });
    }
    MAX_DISTANCE
}

/// Before the list of a statement's parameters: SQLAlchemy, TypeORM, Sequelize, Knex, Doctrine.
const LISTS: [&str; 6] = ["[parameters: (", "[parameters: [", "PARAMETERS: [", "params [", "bindings: [", "; "];

/// The parameter for which a mark stands here: `$1`, `?`, `%s`.
fn parameter(text: &str, at: usize) -> Option<Range<usize>> {
    let mark = text.get(at..)?;
    let digits = mark.strip_prefix('$').map(|rest| rest.bytes().take(3).take_while(u8::is_ascii_digit).count());
    let from = text.floor_char_boundary(at.saturating_sub(MAX_DISTANCE));
    let (wanted, length) = match digits {
        Some(digits) if digits > 0 => (mark[1..=digits].parse::<usize>().ok()?.checked_sub(1)?, digits + 1),
        _ if mark.starts_with('?') => (text[from..at].matches('?').count(), 1),
        _ if mark.starts_with("%s") => (text[from..at].matches("%s").count(), 2),
        _ => return None,
    };
    let end = text.floor_char_boundary(text.len().min(at + MAX_DISTANCE));
    let rest = &text[at + length..end];
    let list = LISTS.iter().find_map(|list| rest.find(list).map(|start| at + length + start + list.len() - 1))?;
    let bytes = text.as_bytes();
    let close = match bytes[list] {
        // Sequelize's list goes to the end of the line; prose may do so, too.
        b' ' if matches!(bytes.get(list + 1), Some(b'"' | b'0'..=b'9')) => {
            text[list..end].find('\n').map_or(end, |length| list + length)
        }
        b' ' => return None,
        open => end_of_bracket(bytes, list, open),
    };
    element(text, list, close, wanted)
}

/// The bracket in which the name is one of several columns, and how many stand before it.
fn column(text: &str, name: &Range<usize>) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let after = bytes[name.end..].iter().find(|byte| !matches!(byte, b' ' | b'"' | b'`' | b'\n' | b']' | b'\''))?;
    if !matches!(after, b',' | b')') {
        return None;
    }
    let mut columns = 0;
    for at in (name.start.saturating_sub(MAX_DISTANCE)..name.start).rev() {
        match bytes[at] {
            b',' => columns += 1,
            b'(' => return Some((at, columns)),
            byte if byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b' ' | b'"' | b'`' | b'\n' | b'[' | b']' | b'.' | b'\'') => {}
            _ => return None,
        }
    }
    None
}

/// The element of a row, without its quotes.
fn element(text: &str, open: usize, close: usize, wanted: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut index, mut start, mut quote) = (0, open + 1, None);
    let last = close.saturating_sub(1);
    for at in open + 1..=last {
        let byte = bytes[at];
        match quote {
            Some(open) if byte == open && bytes[at - 1] != b'\\' => quote = None,
            Some(_) => {}
            None if matches!(byte, b'\'' | b'"') => quote = Some(byte),
            None if byte == b',' || at == last => {
                if index == wanted {
                    let end = if byte == b',' || matches!(byte, b')' | b']') { at } else { at + 1 };
                    return Some(unquoted(text, start..end));
                }
                index += 1;
                start = at + 1;
            }
            None => {}
        }
    }
    None
}

fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let inner = part.trim_start_matches([' ', 'N', '\n']).trim_start_matches(['\'', '"']);
    let start = range.end - inner.len();
    start..start + inner.trim_end().trim_end_matches(['\'', '"']).len()
}

#[cfg(test)]
mod tests {
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn parameters_behind_a_statement() {
        for (text, expected) in [
            (
                "UPDATE \"u\" SET \"password\" = $1 WHERE \"id\" = $2 -- PARAMETERS: [\"hunter2\",4]",
                "UPDATE \"u\" SET \"password\" = $1 WHERE \"id\" = $2 -- PARAMETERS: [\"#\",4]",
            ),
            (
                "UPDATE `u` SET `n`=$1,`password`=$2 WHERE `id` = $3; \"a\", \"hunter2\", 4",
                "UPDATE `u` SET `n`=$1,`password`=$2 WHERE `id` = $3; \"a\", \"#\", 4",
            ),
            (
                "[SQL: UPDATE u SET n=%s, password=%s WHERE id=%s]\n[parameters: ('a', 'hunter2', 4)]",
                "[SQL: UPDATE u SET n=%s, password=%s WHERE id=%s]\n[parameters: ('a', '#', 4)]",
            ),
            (
                "[SQL: UPDATE u SET password=? WHERE id=?]\n[parameters: ('hunter2', 4)]",
                "[SQL: UPDATE u SET password=? WHERE id=?]\n[parameters: ('#', 4)]",
            ),
            (
                "INSERT INTO u (n, password) VALUES ($1, $2) -- PARAMETERS: [\"a\",\"hunter2\"]",
                "INSERT INTO u (n, password) VALUES ($1, $2) -- PARAMETERS: [\"a\",\"#\"]",
            ),
        ] {
            assert_eq!(scrub_text(text, Rules::built_in()).replace(FILTERED, "#"), expected);
        }
        for text in ["UPDATE u SET password = $1 WHERE id = $2", "SELECT * FROM t WHERE token = ? LIMIT 1; retry 3"] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
