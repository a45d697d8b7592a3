//! A statement of SQL while a text is read: where it begins, its lists of columns, and for what its
//! marks stand.

use super::values::end_of_bracket;
use super::vocabulary::Class;
use std::collections::HashSet;
use std::ops::Range;

/// What a statement begins with.
const VERBS: [&[u8]; 7] = [b"insert", b"update", b"delete", b"select", b"replace", b"merge", b"with"];

/// Before the list of a statement's parameters: SQLAlchemy, TypeORM, Sequelize, Knex, Doctrine.
const LISTS: [&str; 6] = ["[parameters: (", "[parameters: [", "PARAMETERS: [", "params [", "bindings: [", "; "];

/// What a look at one of many rows counts for, in bytes that are looked at, however short it is.
const ROW: usize = 16;

/// Whether a mark of a parameter stands here: `$1`, `:1`, `?`, `%s`.
pub(super) fn is_mark(text: &str) -> bool {
    text.starts_with(['?', '$']) || text.starts_with("%s") || numbered(text).is_some()
}

/// The number of `$2` and `:2`.
fn numbered(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(['$', ':'])?;
    let digits = rest.bytes().take(4).take_while(u8::is_ascii_digit).count();
    rest[..digits].parse::<usize>().ok()
}

/// What is known of the statement at the place up to which a text was read. It is read once,
/// however many names are in it.
#[derive(Default)]
pub(super) struct Statement {
    read: usize,
    /// Where it begins.
    start: usize,
    /// The bracket that a list of names opened, and how many commas are behind it.
    pub(super) column: Option<(usize, usize)>,
    /// The next list of each kind.
    lists: [Option<Next>; LISTS.len()],
    marks: Option<Marks>,
}

/// The next list of a kind.
struct Next {
    /// The place from which it was looked for.
    from: usize,
    /// Where it begins, if there is any.
    place: Option<usize>,
    /// What is in it, if it is one of values.
    list: Option<Range<usize>>,
}

impl Next {
    /// Whether it is the next behind here, too.
    fn is_current(&self, at: usize) -> bool {
        self.from <= at && self.place.is_none_or(|place| place >= at)
    }
}

impl Statement {
    /// Reads on.
    pub(super) fn read_to(&mut self, text: &str, to: usize) {
        let bytes = text.as_bytes();
        let mut is_within = self.read > 0 && is_word(bytes[self.read - 1]);
        for at in self.read..to {
            let byte = bytes[at];
            match byte {
                b',' => self.column = self.column.map(|(open, commas)| (open, commas + 1)),
                b'(' => self.column = Some((at, 0)),
                b' ' | b'"' | b'`' | b'\n' | b'[' | b']' | b'.' | b'\'' => {}
                byte if is_word(byte) => {
                    if !is_within && VERBS.iter().any(|verb| begins_with(&bytes[at..], verb)) {
                        self.start = at;
                    }
                }
                _ => self.column = None,
            }
            is_within = is_word(byte);
        }
        self.read = self.read.max(to);
    }

    /// The parameters for which the mark here may stand: one of each list, or all, where the marks
    /// are as many as no list has values. What was given to names of this class before is not given
    /// again: with as many marks as values that would be the square. And how many bytes were looked
    /// at.
    pub(super) fn parameters(&mut self, text: &str, at: usize, class: Class) -> (Vec<Range<usize>>, usize) {
        let (list, mut cost) = self.list(text, at);
        let Some(list) = list else { return (Vec::new(), cost) };
        let known = self.marks.take().filter(|marks| marks.start == self.start && marks.list.start == list.start);
        let mut marks = known.unwrap_or_else(|| {
            cost += list.len() + list.start - self.start;
            Marks::of(text, self.start, list)
        });
        let (ranges, looked_at) = marks.parameters(text, at, class);
        self.marks = Some(marks);
        (ranges, cost + looked_at)
    }

    /// The list of values behind a statement, and how many bytes were looked at.
    fn list(&mut self, text: &str, at: usize) -> (Option<Range<usize>>, usize) {
        let mut cost = 0;
        for (opening, known) in LISTS.iter().zip(&mut self.lists) {
            if !known.as_ref().is_some_and(|next| next.is_current(at)) {
                let place = text[at..].find(opening).map(|start| at + start);
                let list = place.and_then(|place| list_at(text, place + opening.len() - 1));
                cost += place.unwrap_or(text.len()) - at + list.as_ref().map_or(0, Range::len);
                *known = Some(Next { from: at, place, list });
            }
            if let Some(Next { list: Some(list), .. }) = known {
                return (Some(list.clone()), cost);
            }
        }
        (None, cost)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn begins_with(bytes: &[u8], verb: &[u8]) -> bool {
    let (Some(word), next) = (bytes.get(..verb.len()), bytes.get(verb.len())) else { return false };
    word.eq_ignore_ascii_case(verb) && next.is_none_or(|next| !is_word(*next))
}

/// The list that begins here.
fn list_at(text: &str, list: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    match bytes[list] {
        // Sequelize's list goes to the end of the line; prose may do so, too.
        b' ' if matches!(bytes.get(list + 1), Some(b'"' | b'0'..=b'9')) => {
            Some(list + 1..text[list..].find('\n').map_or(text.len(), |length| list + length))
        }
        b' ' => None,
        open => Some(list + 1..end_of_bracket(bytes, list, open)),
    }
}

/// The marks of a statement and the values that they stand for.
struct Marks {
    start: usize,
    list: Range<usize>,
    /// The values, in lists of their own where the statement was executed for each.
    values: Vec<Vec<Range<usize>>>,
    /// How many marks there are, `?` and `%s`.
    total: [usize; 2],
    /// Those before the place up to which they were counted.
    counted: Count,
    /// What was given to names of a class: of which list, which value, or all of them.
    given: HashSet<(Class, usize, Option<usize>)>,
}

impl Marks {
    fn of(text: &str, start: usize, list: Range<usize>) -> Self {
        let mut counted = Count { at: start, count: [0, 0], is_quoted: false };
        counted.read_to(text, list.start);
        let all: Vec<Range<usize>> = elements(text, list.clone()).collect();
        let is_row = |range: &Range<usize>| text[range.clone()].starts_with(['(', '[']);
        let values = if all.iter().all(is_row) {
            all.into_iter().map(|row| elements(text, row.start + 1..row.end).collect()).collect()
        } else {
            vec![all]
        };
        Self {
            start,
            list,
            values,
            total: counted.count,
            counted: Count { at: start, count: [0, 0], is_quoted: false },
            given: HashSet::new(),
        }
    }

    fn parameters(&mut self, text: &str, at: usize, class: Class) -> (Vec<Range<usize>>, usize) {
        let mut cost = self.values.len() * ROW;
        let mark = &text[at..];
        let kind = usize::from(mark.starts_with("%s"));
        let (wanted, total) = match numbered(mark) {
            Some(number) => (number.checked_sub(1), None),
            None => {
                if at < self.counted.at {
                    self.counted = Count { at: self.start, count: [0, 0], is_quoted: false };
                }
                cost += at - self.counted.at;
                self.counted.read_to(text, at);
                (Some(self.counted.count[kind]), Some(self.total[kind]))
            }
        };
        let mut ranges = Vec::new();
        for (index, row) in self.values.iter().enumerate() {
            let one = wanted.filter(|one| total.is_none_or(|total| total == row.len()) && *one < row.len());
            if self.given.insert((class, index, one)) {
                ranges.extend_from_slice(one.map_or(row, |one| &row[one..=one]));
            }
        }
        cost += ranges.iter().map(Range::len).sum::<usize>();
        (ranges, cost)
    }
}

/// Marks that are counted, not those within what SQL quotes.
struct Count {
    at: usize,
    count: [usize; 2],
    is_quoted: bool,
}

impl Count {
    fn read_to(&mut self, text: &str, to: usize) {
        let bytes = text.as_bytes();
        while self.at < to {
            let two = (bytes[self.at], bytes.get(self.at + 1).copied());
            match two {
                (b'\'', _) => self.is_quoted = !self.is_quoted,
                _ if self.is_quoted => {}
                // `%%` and `??` are escapes.
                (b'%', Some(b'%')) | (b'?', Some(b'?')) => self.at += 1,
                (b'%', Some(b's')) => self.count[1] += 1,
                (b'?', _) => self.count[0] += 1,
                _ => {}
            }
            self.at += 1;
        }
    }
}

/// The elements of a list, each without its quotes; what follows a comma within quotes or brackets
/// begins none. The closing bracket may be a part of the range.
pub(super) fn elements(text: &str, list: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let is_closed = list.end > list.start && matches!(bytes[list.end - 1], b')' | b']');
    let end = list.end - usize::from(is_closed);
    let mut at = list.start;
    std::iter::from_fn(move || {
        while at <= end {
            let start = at;
            let (mut quote, mut depth) = (None, 0_usize);
            while at < end {
                let byte = bytes[at];
                match quote {
                    Some(open) if byte == open && bytes[at - 1] != b'\\' => quote = None,
                    Some(_) => {}
                    None if matches!(byte, b'\'' | b'"') => quote = Some(byte),
                    None if matches!(byte, b'(' | b'[' | b'{') => depth += 1,
                    None if matches!(byte, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                    None if byte == b',' && depth == 0 => break,
                    None => {}
                }
                at += 1;
            }
            let range = start..at;
            at += 1;
            // Python's `('x',)` has one.
            if !text[range.clone()].trim().is_empty() {
                return Some(unquoted(text, range));
            }
        }
        None
    })
}

fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let inner = part.trim_start();
    // SQL Server's `N'x'`; `None` and `NULL` are words.
    let inner = inner.strip_prefix('N').filter(|rest| rest.starts_with('\'')).unwrap_or(inner);
    let inner = inner.trim_start_matches(['\'', '"']);
    let start = range.end - inner.len();
    start..start + inner.trim_end().trim_end_matches(['\'', '"']).len()
}
