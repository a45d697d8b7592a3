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
    let (mut marks, mut cost) = (None, 0);
    for _ in 0..MAX_ROWS {
        let Some(row) = text[at..end].find('(').map(|offset| at + offset) else { break };
        let row_end = end_of_bracket(text.as_bytes(), row, b'(');
        let value = element(text, row, row_end, column).map(|range| {
            if !is_mark(&text[range.start..]) {
                return range;
            }
            // One list for all rows: it is looked for once.
            let marks = marks.get_or_insert_with(|| {
                let (marks, looked_at) = Marks::around(text, range.start, end + MAX_DISTANCE);
                cost += looked_at;
                marks
            });
            marks.parameter(text, range.start).unwrap_or(range)
        });
        if let Some(range) = value
            && is_secret_value(&text[range.clone()], class, rules)
        {
            found.push(Found { range, sure: true });
        }
        at = row_end.min(end);
    }
    end.max(at) - open + cost
}

/// `UPDATE users SET password = $1 … -- PARAMETERS: ["x", 4]`: says how many bytes were looked at.
fn set(text: &str, name: &Range<usize>, rules: &Rules, found: &mut Vec<Found>) -> usize {
    let rest = &text[name.end..];
    let behind = rest.trim_start_matches(['"', '`', ']', ' ']);
    let Some(value) = behind.strip_prefix('=').map(str::trim_start) else { return 0 };
    let at = text.len() - value.len();
    if !is_mark(value) {
        return 0;
    }
    let (mut marks, cost) = Marks::around(text, at, at + MAX_DISTANCE);
    let Some(range) = marks.parameter(text, at) else { return cost };
    let named = class(&text[name.clone()], rules).filter(|class| *class != Class::Often);
    if named.is_some_and(|class| is_secret_value(&text[range.clone()], class, rules)) {
        found.push(Found { range, sure: true });
    }
    cost
}

/// Before the list of a statement's parameters: SQLAlchemy, TypeORM, Sequelize, Knex, Doctrine.
const LISTS: [&str; 6] = ["[parameters: (", "[parameters: [", "PARAMETERS: [", "params [", "bindings: [", "; "];

/// Whether a mark of a parameter stands here: `$1`, `?`, `%s`.
fn is_mark(text: &str) -> bool {
    text.starts_with(['?', '$']) || text.starts_with("%s")
}

/// The marks of a statement and the list of what they stand for.
struct Marks {
    list: Range<usize>,
    /// Up to where marks were counted, and how many stand before.
    counted: usize,
    count: [usize; 2],
}

impl Marks {
    /// Those around the first mark of interest, and how many bytes were looked at.
    fn around(text: &str, at: usize, end: usize) -> (Self, usize) {
        let from = text.floor_char_boundary(at.saturating_sub(MAX_DISTANCE));
        let end = text.floor_char_boundary(text.len().min(end));
        let list = LISTS.iter().find_map(|list| text[at..end].find(list).map(|start| at + start + list.len() - 1));
        let list = list.and_then(|list| Some(list..end_of_list(text, list, end)?)).unwrap_or(end..end);
        let looked_at = (end - at) * LISTS.len() + end - from;
        (Self { list, counted: from, count: [0, 0] }, looked_at)
    }

    /// The parameter for which the mark here stands; marks are asked for in their order.
    fn parameter(&mut self, text: &str, at: usize) -> Option<Range<usize>> {
        let mark = text.get(at..)?;
        if at > self.counted {
            let between = &text[self.counted..at];
            self.count = [self.count[0] + between.matches('?').count(), self.count[1] + between.matches("%s").count()];
            self.counted = at;
        }
        let digits = mark.strip_prefix('$').map(|rest| rest.bytes().take(3).take_while(u8::is_ascii_digit).count());
        let wanted = match digits {
            Some(digits) if digits > 0 => mark[1..=digits].parse::<usize>().ok()?.checked_sub(1)?,
            _ if mark.starts_with('?') => self.count[0],
            _ if mark.starts_with("%s") => self.count[1],
            _ => return None,
        };
        (self.list.start > at).then(|| element(text, self.list.start, self.list.end, wanted))?
    }
}

/// The end of the list that begins here.
fn end_of_list(text: &str, list: usize, end: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes[list] {
        // Sequelize's list goes to the end of the line; prose may do so, too.
        b' ' if matches!(bytes.get(list + 1), Some(b'"' | b'0'..=b'9')) => {
            Some(text[list..end].find('\n').map_or(end, |length| list + length))
        }
        b' ' => None,
        open => Some(end_of_bracket(bytes, list, open)),
    }
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
    use super::find;
    use crate::scrub::{FILTERED, Rules, scrub_text};

    #[test]
    fn what_is_looked_at_for_a_list_of_parameters_is_counted() {
        let rows = format!("INSERT INTO u (n, password) VALUES {}{}", "(?, ?), ".repeat(50), "x ".repeat(2_000));
        let name = rows.find("password").map(|at| at..at + 8).expect("it is there");
        let looked_at = find(&rows, &name, Rules::built_in(), &mut Vec::new());
        // Once for all rows: each of six kinds of lists up to two distances further.
        assert!((10_000..50_000).contains(&looked_at), "{looked_at}");
    }

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
        let rows = "INSERT INTO u (n, password) VALUES (?, ?), (?, ?), (%s, %s)\n[parameters: ('a', 'hunter2', 'b', 'x9y8z7')]";
        let hidden = scrub_text(rows, Rules::built_in());
        assert!(hidden.ends_with("[parameters: ('a', '[Filtered]', 'b', '[Filtered]')]"), "{hidden}");
        for text in ["UPDATE u SET password = $1 WHERE id = $2", "SELECT * FROM t WHERE token = ? LIMIT 1; retry 3"] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
