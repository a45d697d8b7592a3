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
    let Some((open, column)) = column(text, name) else { return 0 };
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
        if let Some(range) = element(text, row, row_end, column)
            && is_secret_value(&text[range.clone()], class, rules)
        {
            found.push(Found { range, sure: true });
        }
        at = row_end.min(end);
    }
    end.max(at) - open
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
