//! Secrets in SQL that stand as far from their name as the column does from its value:
//! `INSERT INTO users (id, password) VALUES (1, 'x')`, `Key (id, token)=(1, x)`.

use super::Found;
use super::classes::is_secret_value;
use super::names::class;
use super::parameters::{Statement, elements, is_mark};
use super::rules::Rules;
use super::values::end_of_bracket;
use super::vocabulary::Class;
use std::ops::Range;

/// Bytes between a list of columns and its values, and behind one row in which another is looked
/// for where something else stands between them. Rows that follow each other have no limit.
const MAX_DISTANCE: usize = 2_000;

/// Finds the values of a column that is named in a list of columns, or compared; says how many
/// bytes were looked at. Where that becomes more than are left, it stops.
pub(super) fn find(
    text: &str,
    name: &Range<usize>,
    rules: &Rules,
    statement: &mut Statement,
    left: usize,
    found: &mut Vec<Found>,
) -> usize {
    let is_one = is_one_of_several(text, name);
    if !is_one && !is_compared(text, name.end) {
        return 0;
    }
    statement.read_to(text, name.start);
    let column = statement.column.filter(|_| is_one);
    let named = class(&text[name.clone()], rules).filter(|class| *class != Class::Often);
    let Some(class) = named else { return 0 };
    let mut secrets = Secrets { text, class, rules, statement, left, found };
    match column {
        Some((open, column)) => secrets.rows(open, column),
        None => secrets.compared(name.end),
    }
}

/// Whether the name is followed as in a list of columns.
fn is_one_of_several(text: &str, name: &Range<usize>) -> bool {
    let mut behind = text.as_bytes()[name.end..].iter();
    let next = behind.find(|byte| !matches!(byte, b' ' | b'"' | b'`' | b'\n' | b']' | b'\''));
    matches!(next, Some(b',' | b')'))
}

/// What stands behind a column's name and what compares it, or sets it.
fn behind_operator(text: &str, at: usize) -> Option<&str> {
    let rest = text[at..].trim_start_matches(['"', '`', ']', ' ']);
    let signs = ["=", "<>", "!=", "LIKE ", "like ", "IN ", "in ", "IN(", "in("];
    let sign = signs.iter().find(|sign| rest.starts_with(**sign))?;
    // The bracket is a part of the value.
    Some(rest[sign.trim_end_matches('(').len()..].trim_start())
}

/// Whether a mark, a call or a list stands there: what is written out has no need of a statement.
fn is_compared(text: &str, at: usize) -> bool {
    behind_operator(text, at).is_some_and(|value| is_mark(value) || value.starts_with('(') || called(value).is_some())
}

/// The first argument of a call: `crypt(?, gen_salt('bf'))`.
fn called(value: &str) -> Option<&str> {
    let name = value.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')).count();
    value[name..].strip_prefix('(').filter(|_| name > 0).map(str::trim_start).filter(|value| is_mark(value))
}

/// The values of one column.
struct Secrets<'a> {
    text: &'a str,
    class: Class,
    rules: &'a Rules,
    statement: &'a mut Statement,
    /// Bytes that may still be looked at.
    left: usize,
    found: &'a mut Vec<Found>,
}

impl Secrets<'_> {
    /// A value that is written out, or what its mark stands for; how many bytes were looked at.
    fn take(&mut self, range: Range<usize>) -> usize {
        if !is_mark(&self.text[range.start..]) {
            self.push(range);
            return 0;
        }
        let (ranges, cost) = self.statement.parameters(self.text, range.start, self.class);
        ranges.into_iter().for_each(|range| self.push(range));
        cost
    }

    fn push(&mut self, range: Range<usize>) {
        if is_secret_value(&self.text[range.clone()], self.class, self.rules) {
            self.found.push(Found { range, sure: true });
        }
    }

    /// The column's values in the rows that belong to the list that opens here.
    fn rows(&mut self, open: usize, column: usize) -> usize {
        let (text, bytes) = (self.text, self.text.as_bytes());
        let near = |at: usize| text.floor_char_boundary(text.len().min(at + MAX_DISTANCE));
        let close = end_of_bracket(bytes, open, b'(');
        let mut end = near(close);
        let Some(rest) = text.get(close..end) else { return close - open };
        if rest.trim_start().starts_with("FROM STDIN") || rest.trim_start().starts_with("from stdin") {
            return self.copied(close, column);
        }
        let values = ["VALUES", "values", "Values", ")=(", "=(", "[parameters:", "SELECT"];
        let Some(first) = values.iter().filter_map(|word| rest.find(word)).min() else { return end - open };
        let (mut at, mut cost) = (close + first, 0);
        while let Some(row) = text.get(at..end).and_then(|rest| rest.find('(')).map(|offset| at + offset) {
            let row_end = end_of_bracket(bytes, row, b'(');
            if let Some(range) = elements(text, row + 1..row_end).nth(column) {
                cost += self.take(range);
            }
            at = row_end;
            if cost > self.left {
                break;
            }
            // Row after row, however many.
            let next = text[at..].trim_start_matches([' ', ',', '\n', '\r', '\t', '[', ']']);
            if next.starts_with('(') {
                end = near(text.len() - next.len());
            }
        }
        end.max(at) - open + cost
    }

    /// PostgreSQL's `COPY u (name, password) FROM STDIN`: lines of values behind tabs, up to `\.`.
    fn copied(&mut self, close: usize, column: usize) -> usize {
        let text = self.text;
        let Some(first) = text[close..].find('\n') else { return text.len() - close };
        let mut at = close + first + 1;
        for line in text[at..].split_inclusive('\n') {
            if line.starts_with("\\.") || line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.trim_end_matches(['\r', '\n']).split('\t').nth(column) {
                let start = value.as_ptr() as usize - text.as_ptr() as usize;
                self.push(start..start + value.len());
            }
            at += line.len();
        }
        at - close
    }

    /// `UPDATE users SET password = $1 … -- PARAMETERS: ["x", 4]`, `token IN ('x', 'y')`.
    fn compared(&mut self, name: usize) -> usize {
        let text = self.text;
        let Some(value) = behind_operator(text, name) else { return 0 };
        let at = text.len() - value.len();
        if let Some(argument) = called(value) {
            return self.take(text.len() - argument.len()..text.len());
        }
        if is_mark(value) {
            return self.take(at..text.len());
        }
        let end = end_of_bracket(text.as_bytes(), at, b'(');
        let mut cost = end - at;
        for range in elements(text, at + 1..end) {
            // A query in brackets has no literals of this column.
            if text[..range.start].ends_with(['\'', '"']) || is_mark(&text[range.start..]) {
                cost += self.take(range);
            }
            if cost > self.left {
                break;
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::{Statement, find};
    use crate::scrub::{FILTERED, Rules, scrub_text};

    fn hidden(text: &str) -> String {
        scrub_text(text, Rules::built_in()).replace(FILTERED, "#")
    }

    #[test]
    fn what_is_looked_at_for_a_list_of_parameters_is_counted() {
        let rows = format!("INSERT INTO u (n, password) VALUES {}{}", "(?, ?), ".repeat(50), "x ".repeat(2_000));
        let name = rows.find("password").map(|at| at..at + 8).expect("it is there");
        let looked_at = find(&rows, &name, Rules::built_in(), &mut Statement::default(), usize::MAX, &mut Vec::new());
        // Once for all rows: each of six kinds of lists to the end.
        assert!((20_000..60_000).contains(&looked_at), "{looked_at}");
    }

    /// What is found for the names of a text, and how many bytes are looked at.
    fn looked_at(text: &str, name: &str) -> (usize, usize) {
        let (mut statement, mut found) = (Statement::default(), Vec::new());
        let names = text.match_indices(name).map(|(at, name)| at..at + name.len());
        let find = |name| find(text, &name, Rules::built_in(), &mut statement, usize::MAX, &mut found);
        let looked_at = names.map(find).sum();
        (found.len(), looked_at)
    }

    #[test]
    fn a_value_is_found_once_for_however_many_marks() {
        let times = |part: &str| part.repeat(300);
        for (text, values) in [
            (format!("INSERT INTO u (password) VALUES {}[parameters: ({})]", times("(?),"), times("a1,b2,")), 600),
            (format!("INSERT INTO u (password) VALUES {}[parameters: [{}]]", times("(?),"), times("(a1,b2),")), 600),
            (format!("SELECT 1 FROM u WHERE password IN ({})[parameters: [{}]]", times("$1,"), times("(a1),")), 300),
            (format!("UPDATE u SET {} n=1 [parameters: ({})]", times("password=?,"), times("a1,b2,")), 600),
        ] {
            let (found, looked_at) = looked_at(&text, "password");
            // The list itself is taken for a row, too.
            assert!((values..=values + 300).contains(&found), "{found}: {text}");
            assert!(looked_at > values * 2, "{looked_at}: {text}");
        }
    }

    #[test]
    fn the_look_at_a_row_of_marks_stops_where_nothing_is_left() {
        let text =
            format!("SELECT 1 FROM u WHERE password IN ({})[parameters: [{}]]", "$1,".repeat(300), "(a1),".repeat(300));
        let name = text.find("password").map(|at| at..at + 8).expect("it is there");
        let left = 4 * text.len();
        let looked_at = find(&text, &name, Rules::built_in(), &mut Statement::default(), left, &mut Vec::new());
        assert!((left..left + 3 * text.len()).contains(&looked_at), "{looked_at} of {left}");
    }

    #[test]
    fn rows_and_columns_have_no_limit_beyond_which_they_are_shown() {
        let rows = |row: &dyn Fn(usize) -> String| (0..400).map(row).collect::<Vec<_>>().join(", ");
        for text in [
            format!("INSERT INTO u (n, password) VALUES {}", rows(&|n| format!("('b{n}', 'Kz{n}x')"))),
            format!(
                "[SQL: INSERT INTO u (n, password) VALUES (%s, %s)]\n[parameters: [{}]]",
                rows(&|n| format!("('b{n}', 'Kz{n}x')"))
            ),
            format!(
                "[SQL: UPDATE u SET n=?, password=?]\n[parameters: [{}]]",
                rows(&|n| format!("('b{n}', 'Kz{n}x')"))
            ),
            format!(
                "INSERT INTO u ({}, password) VALUES ({}, 'Kz1x')",
                rows(&|n| format!("col_{n}")),
                rows(&|n| format!("'v{n}'"))
            ),
            format!(
                "INSERT INTO u (password, {}) VALUES ('Kz1x', {})",
                rows(&|n| format!("col_{n}")),
                rows(&|n| format!("'v{n}'"))
            ),
            format!(
                "[SQL: UPDATE u SET password=%s, {}]\n[parameters: ('Kz1x', {})]",
                rows(&|n| format!("col_{n}=%s")),
                rows(&|n| format!("'v{n}'"))
            ),
            format!(
                "COPY u (n, password) FROM STDIN\n{}\n\\.\nafter\tKept2",
                rows(&|n| format!("b\tKz{n}x")).replace(", ", "\n")
            ),
        ] {
            let hidden = hidden(&text);
            assert!(
                !hidden.contains("Kz") && hidden.contains('#') && hidden.contains("after") == text.contains("after"),
                "{hidden}"
            );
        }
    }

    #[test]
    fn parameters_are_those_of_their_statement_or_all() {
        for (text, expected) in [
            ("why? [SQL: UPDATE u SET password=? WHERE id=?]\n[parameters: ('Kz1x', 3)]", "('#', 3)]"),
            ("failed %s: [SQL: UPDATE u SET password=%s WHERE id=%s]\n[parameters: ('Kz1x', 3)]", "('#', 3)]"),
            (
                "[SQL: SELECT id FROM u WHERE n=%s AND a=%s]\n[parameters: ('bob', 3)]\nthen\n\
                 [SQL: UPDATE u SET password=%s WHERE id=%s]\n[parameters: ('Kz1x', 3)]",
                "('#', 3)]",
            ),
            ("[SQL: SELECT * FROM u WHERE n LIKE '%smith' AND password=%s]\n[parameters: ('Kz1x',)]", "('#',)]"),
            ("[SQL: SELECT data ? 'k' FROM u WHERE password=$1 AND x=$2]\n[parameters: ('Kz1x', 3)]", "('#', 3)]"),
            // An operator is taken for a mark: which value it is can't be told.
            ("[SQL: SELECT data ? 'k' FROM u WHERE x=? AND password=?]\n[parameters: (3, 'Kz1x')]", "(#, '#')]"),
            (
                "[SQL: SELECT 1 FROM u WHERE x IN (?) AND password=?]\n[parameters: ('a', 'b', 'Kz1x')]",
                "('#', '#', '#')]",
            ),
            (
                "[SQL: UPDATE u SET password=%s WHERE t=%s]\n[parameters: ('Kz1x', datetime.date(2026, 1, 2))]",
                "('#', datetime.date(2026, 1, 2))]",
            ),
            (
                "[SQL: UPDATE u SET t=%s, password=%s]\n[parameters: (datetime.date(2026, 1, 2), 'Kz1x')]",
                "(datetime.date(2026, 1, 2), '#')]",
            ),
            ("[SQL: UPDATE u SET n=:1, password=:2]\n[parameters: ('b', 'Kz1x')]", "('b', '#')]"),
            ("[SQL: UPDATE u SET n=?, password=crypt(?, gen_salt('bf'))]\n[parameters: ('b', 'Kz1x')]", "('b', '#')]"),
            ("INSERT INTO u (n, at, password) VALUES ('b', f(1, 2), 'Kz1x')", "('b', f(1, 2), '#')"),
            ("SELECT * FROM t WHERE token IN ('Kz1x','Kz2x')", "IN ('#','#')"),
            ("[SQL: SELECT * FROM t WHERE token IN (?, ?)]\n[parameters: ('Kz1x', 'Kz2x')]", "('#', '#')]"),
        ] {
            let hidden = hidden(text);
            assert!(hidden.ends_with(expected) && !hidden.contains("Kz"), "{text}\n{hidden}");
        }
        for text in [
            "SELECT * FROM t WHERE token IN (SELECT token FROM old WHERE n = 'word2')",
            "[SQL: UPDATE u SET n=? WHERE id=?]\n[parameters: ('Word2', 3)]",
            "COPY u (id, name) FROM STDIN\n1\tWord2",
        ] {
            assert_eq!(hidden(text), text);
        }
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
        let rows = "INSERT INTO u (n, password) VALUES (?, ?), (?, ?)\n[parameters: ('a', 'hunter2', 'b', 'x9y8z7')]";
        let hidden = scrub_text(rows, Rules::built_in());
        assert!(hidden.ends_with("[parameters: ('a', '[Filtered]', 'b', '[Filtered]')]"), "{hidden}");
        for text in ["UPDATE u SET password = $1 WHERE id = $2", "SELECT * FROM t WHERE token = ? LIMIT 1; retry 3"] {
            assert_eq!(scrub_text(text, Rules::built_in()), text);
        }
    }
}
