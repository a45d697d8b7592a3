//! How long what was counted and kept stays, and where its detail ends.

use crate::timestamp::{Timestamp, WEEK};
use serde::{Deserialize, Serialize};

/// Longest that a setting can ask for: ten years.
pub const MOST_WEEKS: u32 = 520;

/// How long what was counted and kept stays. Weeks of 0 mean: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Weeks for which occurrences are counted by the hour; older ones are counted by the day.
    pub hours_weeks: u32,
    /// Weeks for which occurrences are counted by the day; then a line has its total only.
    pub days_weeks: u32,
    /// Weeks for which each week's traceback of a line stays. A line's latest stays for longer.
    pub tracebacks_weeks: u32,
    /// Weeks without an occurrence after which a line is archived.
    pub archive_weeks: u32,
    /// MiB of all tracebacks together; 0: as many as there are.
    pub tracebacks_mib: u32,
    /// Weeks for which files of the outbox stay.
    pub outbox_weeks: u32,
}

/// Nobody looks at an hour of two months ago, a traceback of then is one of other code, and reports
/// compare a year with the one before. A line that was silent for a year is history.
impl Default for Kept {
    fn default() -> Self {
        Self {
            hours_weeks: 8,
            days_weeks: 104,
            tracebacks_weeks: 8,
            archive_weeks: 52,
            tracebacks_mib: 512,
            outbox_weeks: 52,
        }
    }
}

/// What a repository's settings say of it: less than the server keeps, never more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// As [`Kept::hours_weeks`].
    pub hours_weeks: Option<u32>,
    /// As [`Kept::days_weeks`].
    pub days_weeks: Option<u32>,
    /// As [`Kept::tracebacks_weeks`].
    pub tracebacks_weeks: Option<u32>,
    /// As [`Kept::archive_weeks`].
    pub archive_weeks: Option<u32>,
}

impl RetentionSettings {
    /// What is wrong with it: the key within `retention`, and a sentence.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let wrong = |(key, weeks): (&'static str, Option<u32>)| {
            let is_wrong = weeks.is_some_and(|weeks| !(1..=MOST_WEEKS).contains(&weeks));
            is_wrong.then(|| (key, format!("it has to be from 1 to {MOST_WEEKS}; left out, it is as the server says")))
        };
        let all = [
            ("hours_weeks", self.hours_weeks),
            ("days_weeks", self.days_weeks),
            ("tracebacks_weeks", self.tracebacks_weeks),
            ("archive_weeks", self.archive_weeks),
        ];
        all.into_iter().filter_map(wrong).collect()
    }
}

/// Until when something is gone: what is older than each of these moments, which are beginnings of
/// weeks. [`Timestamp::MIN`]: nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Boundaries {
    /// Older occurrences are counted by the day.
    pub hours: Timestamp,
    /// Older ones are in the totals of lines only.
    pub days: Timestamp,
    /// Of older tracebacks, the latest of each line stays.
    pub tracebacks: Timestamp,
    /// Lines that were last seen before are archived.
    pub archive: Timestamp,
}

impl Kept {
    /// The same where a repository has settings of its own: the shorter of both holds. Who runs the
    /// server pays for the disk, and may have promised somebody that nothing stays for longer.
    #[must_use]
    pub fn with(self, own: &RetentionSettings) -> Self {
        Self {
            hours_weeks: shorter(self.hours_weeks, own.hours_weeks),
            days_weeks: shorter(self.days_weeks, own.days_weeks),
            tracebacks_weeks: shorter(self.tracebacks_weeks, own.tracebacks_weeks),
            archive_weeks: shorter(self.archive_weeks, own.archive_weeks),
            ..self
        }
    }

    /// Where detail ends at a moment. Weeks are whole: one is by the hour from its Monday on, or
    /// not at all.
    pub fn boundaries(&self, at: Timestamp) -> Boundaries {
        Boundaries {
            hours: before(at, self.hours_weeks),
            days: before(at, self.days_weeks),
            tracebacks: before(at, self.tracebacks_weeks),
            archive: before(at, self.archive_weeks),
        }
    }

    /// How long files of the outbox stay: those that are older than this moment go.
    pub fn outbox_before(&self, at: Timestamp) -> Timestamp {
        before(at, self.outbox_weeks)
    }

    /// What is kept, for who runs the server: `hours 8 weeks, days 104 weeks, …`.
    pub fn told(&self) -> String {
        let weeks = |name: &str, weeks: u32| match weeks {
            0 => format!("{name} for ever"),
            1 => format!("{name} 1 week"),
            weeks => format!("{name} {weeks} weeks"),
        };
        let archived = match self.archive_weeks {
            0 => "no line is archived".to_owned(),
            weeks => format!("lines archived after {weeks} weeks without an error"),
        };
        let all = [
            weeks("hours", self.hours_weeks),
            weeks("days", self.days_weeks),
            weeks("tracebacks", self.tracebacks_weeks),
            archived,
        ];
        all.join(", ")
    }
}

fn shorter(server: u32, own: Option<u32>) -> u32 {
    match own.filter(|own| *own > 0) {
        Some(own) if server == 0 || own < server => own,
        _ => server,
    }
}

fn before(at: Timestamp, weeks: u32) -> Timestamp {
    match weeks {
        0 => Timestamp::MIN,
        weeks => (at - WEEK * i32::try_from(weeks).unwrap_or(i32::MAX)).week(),
    }
}

impl Boundaries {
    /// What is not there any more of a week, in sentences; none where all is.
    pub fn of_week(&self, week: Timestamp) -> Vec<String> {
        if week < self.days {
            let days = self.days.date();
            return vec![format!("Before {days} nothing is counted by the day any more; totals of lines stay.")];
        }
        let mut said = Vec::new();
        if week < self.hours {
            said.push(format!("Before {} errors are counted by the day only.", self.hours.date()));
        }
        if week < self.tracebacks {
            let since = self.tracebacks.date();
            said.push(format!("Tracebacks are kept since {since}; of older ones the latest of a line."));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Timestamp {
        Timestamp::from_date(text).expect("a date")
    }

    #[test]
    fn the_shorter_of_both_holds_and_nothing_is_for_ever_where_one_says_weeks() {
        let own = RetentionSettings { hours_weeks: Some(2), days_weeks: Some(500), ..RetentionSettings::default() };
        let kept = Kept { days_weeks: 104, ..Kept::default() }.with(&own);
        assert_eq!((kept.hours_weeks, kept.days_weeks, kept.tracebacks_weeks), (2, 104, 8));
        let kept = Kept { days_weeks: 0, ..Kept::default() }.with(&own);
        assert_eq!(kept.days_weeks, 500);
        let none = RetentionSettings { hours_weeks: Some(0), ..RetentionSettings::default() };
        assert_eq!(Kept::default().with(&none), Kept::default());
    }

    #[test]
    fn boundaries_are_mondays() {
        let found = Kept { archive_weeks: 0, ..Kept::default() }.boundaries(day("2026-11-27"));
        assert_eq!(found.hours, day("2026-09-28"));
        assert_eq!(found.tracebacks, found.hours);
        assert_eq!(found.days, day("2024-11-25"));
        assert_eq!(found.archive, Timestamp::MIN);
    }

    #[test]
    fn of_a_week_it_is_said_what_is_gone() {
        let found = Kept { tracebacks_weeks: 4, ..Kept::default() }.boundaries(day("2026-11-27"));
        assert_eq!(found.of_week(day("2026-10-26")), [""; 0]);
        assert_eq!(
            found.of_week(day("2026-10-05")),
            ["Tracebacks are kept since 2026-10-26; of older ones the latest of a line."]
        );
        assert_eq!(found.of_week(day("2026-09-21")).len(), 2);
        assert_eq!(
            found.of_week(day("2024-01-01")),
            ["Before 2024-11-25 nothing is counted by the day any more; totals of lines stay."]
        );
    }

    #[test]
    fn weeks_of_a_repository_are_from_one_on() {
        let settings = RetentionSettings { tracebacks_weeks: Some(0), archive_weeks: Some(521), ..Default::default() };
        let keys: Vec<_> = settings.faults().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["tracebacks_weeks", "archive_weeks"]);
    }
}
