//! What a row of the journal says, as text: for each line and hour, how often it happened and when
//! last.

use domain::ids::LineId;
use domain::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What was counted of lines, by the hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted(BTreeMap<(LineId, Timestamp), Happened>);

/// Occurrences of a line within an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    /// How many.
    pub(crate) count: u64,
    /// When the last of them was.
    pub(crate) last_at: Timestamp,
}

impl Counted {
    /// Counts occurrences of a line at a moment.
    pub(crate) fn add(&mut self, line: LineId, at: Timestamp, count: u64) {
        let happened = self.0.entry((line, at.hour())).or_insert(Happened { count: 0, last_at: at });
        happened.count = happened.count.saturating_add(count);
        happened.last_at = happened.last_at.max(at);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each line and the beginning of an hour, with what happened; in the order of lines.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LineId, Timestamp, Happened)> {
        self.0.iter().map(|((line, hour), happened)| (*line, *hour, *happened))
    }

    /// As it is stored: `LINE COUNT LAST` for each line and hour, with commas between; the moment
    /// in Unix milliseconds, and the hour is the one that it lies in.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * 40);
        for (line, _, happened) in self.iter() {
            let comma = if text.is_empty() { "" } else { "," };
            let _ = write!(text, "{comma}{} {} {}", line.0, happened.count, happened.last_at.as_millis());
        }
        text
    }

    /// Adds what a row says; how many of its entries can't be read.
    pub(crate) fn read(&mut self, text: &str) -> usize {
        let mut unreadable = 0;
        for entry in text.split(',') {
            match read_entry(entry) {
                Some((line, at, count)) => self.add(line, at, count),
                None => unreadable += 1,
            }
        }
        unreadable
    }

    /// Takes out the first `most` lines that come after this one, with all their hours; what is
    /// left stays.
    pub(crate) fn take_after(&mut self, cursor: Option<LineId>, most: usize) -> Self {
        let mut lines = 0;
        let mut last = cursor;
        let end = self.0.keys().map(|(line, _)| *line).find(|line| {
            if cursor.is_some_and(|cursor| *line <= cursor) || last == Some(*line) {
                return false;
            }
            last = Some(*line);
            lines += 1;
            lines > most
        });
        let later = end.map(|end| self.0.split_off(&(end, Timestamp::MIN)));
        let taken = match cursor {
            Some(cursor) => self.0.split_off(&(LineId(cursor.0.saturating_add(1)), Timestamp::MIN)),
            None => std::mem::take(&mut self.0),
        };
        if let Some(mut later) = later {
            self.0.append(&mut later);
        }
        Self(taken)
    }

    /// The last line of it.
    pub(crate) fn last_line(&self) -> Option<LineId> {
        self.0.keys().next_back().map(|(line, _)| *line)
    }
}

/// Most occurrences that an entry can have counted: a thousand million reports that stand for a
/// million each. More is damage, and would be more than a total can hold.
const MOST: u64 = 1_000_000_000_000_000;
/// The last moment that an entry can name, the end of the year 9999.
const LAST: Timestamp = Timestamp::from_seconds(253_402_300_799);

fn read_entry(entry: &str) -> Option<(LineId, Timestamp, u64)> {
    let mut numbers = entry.split(' ');
    let line = numbers.next()?.parse().ok()?;
    let count = numbers.next()?.parse().ok()?;
    let at = numbers.next()?.parse().ok()?;
    let at = Timestamp::from_millis(at);
    let is_sound = (1..=MOST).contains(&count) && (Timestamp::UNIX_EPOCH..=LAST).contains(&at);
    (numbers.next().is_none() && is_sound).then_some((LineId(line), at, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(12 * 3_600);

    fn counted(entries: &[(i64, i64, u64)]) -> Counted {
        let mut counted = Counted::default();
        for (line, seconds, count) in entries {
            counted.add(LineId(*line), Timestamp::from_seconds(*seconds), *count);
        }
        counted
    }

    #[test]
    fn a_line_is_counted_by_the_hour_and_read_as_it_was_written() {
        let noon = NOON.as_millis() / 1_000;
        let written = counted(&[(7, noon - 1, 2), (7, noon, 3), (7, noon + 5, 1), (-3, noon, 1)]);
        assert_eq!(written.text(), "-3 1 43200000,7 2 43199000,7 4 43205000");
        let mut read = Counted::default();
        assert_eq!((read.read(&written.text()), &read), (0, &written));
        assert_eq!(read.read(&written.text()), 0);
        let twice: u64 = read.iter().map(|(_, _, happened)| happened.count).sum();
        assert_eq!(twice, 14, "what two rows say is added up");
    }

    #[test]
    fn what_can_not_be_read_is_said_and_the_rest_counts() {
        let mut read = Counted::default();
        let text = "7 2 43199000,8 x 43199000,9 2,,10 1 2 3,99999999999999999999 1 0,11 1 43199000,\
                    12 9223372036854775807 43199000,13 0 43199000,14 1 -1,15 1 9223372036854775807";
        assert_eq!(read.read(text), 9);
        assert_eq!(read.iter().map(|(line, ..)| line.0).collect::<Vec<_>>(), [7, 11]);
    }

    #[test]
    fn lines_are_taken_in_turns_and_none_is_lost() {
        let entries: Vec<(i64, i64, u64)> = (0..10).flat_map(|line| [(line, 0, 1), (line, 3_600, 1)]).collect();
        let all = counted(&entries);
        let lines = |of: &Counted| of.iter().step_by(2).map(|(line, ..)| line.0).collect::<Vec<_>>();
        for (cursor, most, taken, left) in [
            (None, 3, vec![0, 1, 2], vec![3, 4, 5, 6, 7, 8, 9]),
            (Some(2), 3, vec![3, 4, 5], vec![0, 1, 2, 6, 7, 8, 9]),
            (Some(7), 3, vec![8, 9], vec![0, 1, 2, 3, 4, 5, 6, 7]),
            (Some(9), 3, vec![], (0..10).collect()),
            (None, 10, (0..10).collect(), vec![]),
        ] {
            let mut rest = all.clone();
            let piece = rest.take_after(cursor.map(LineId), most);
            assert_eq!((lines(&piece), lines(&rest)), (taken, left), "{most} after {cursor:?}");
        }
    }
}
