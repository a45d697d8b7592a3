//! A storm: so many new lines of one repository within a short time that an alert for each would be
//! too much for people and for GitHub.

use super::alert::Place;
use super::ids::{RepositoryId, StormId};
use crate::timestamp::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// More new lines than this within the time below are a storm, unless the repository's file says
/// otherwise: a bad deploy breaks a handful of lines, more than twenty are one cause (a database
/// that is away, a missing variable).
const LINES: u64 = 20;
/// Minutes of that time.
const MINUTES: u64 = 10;
/// Most minutes that a file can ask for: a day.
pub const MOST_MINUTES: u64 = 24 * 60;

/// When many new lines are a storm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StormSettings {
    /// So many new lines are told of one by one; more of them are a storm. 0: there are no storms.
    pub lines: u64,
    /// Within so many minutes. As long with fewer than half as many, and the storm is over.
    pub minutes: u64,
}

impl Default for StormSettings {
    fn default() -> Self {
        Self { lines: LINES, minutes: MINUTES }
    }
}

impl StormSettings {
    /// The time in which lines are counted.
    pub fn window(&self) -> SignedDuration {
        SignedDuration::from_secs(self.minutes.clamp(1, MOST_MINUTES).cast_signed() * 60)
    }

    /// Whether one more new line, after `before` others within the time, makes a storm.
    pub fn is_storm(&self, before: u64) -> bool {
        self.lines > 0 && before >= self.lines
    }

    /// Whether so few new lines within the time are no storm any more. Half of what begins one: a
    /// line now and then does not hold a storm for days, and the next line does not begin another
    /// at once.
    pub fn is_calm(&self, recent: u64) -> bool {
        recent.saturating_mul(2) < self.lines
    }
}

/// A storm, as its issue and its mails tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storm {
    /// Our number.
    pub id: StormId,
    /// Whose it is.
    pub repository: RepositoryId,
    /// When the first of its lines was told of.
    pub began_at: Timestamp,
    /// When the latest was.
    pub last_line_at: Timestamp,
    /// When it was over; `None`: it goes on.
    pub ended_at: Option<Timestamp>,
    /// Its issue.
    pub issue: Option<u64>,
    /// Attempts to file the issue so far.
    pub attempts: u64,
    /// When GitHub was last asked to make the issue without saying since whether it did.
    pub unanswered_at: Option<Timestamp>,
    /// When GitHub said for the first time that the issue is not there; `None`: it is, as far as is
    /// known.
    pub missed_at: Option<Timestamp>,
    /// When what its issue says changed last; later than before at each change, whatever the clock
    /// says.
    pub changed_at: Timestamp,
    /// When its mails are due; `None`: none wait.
    pub mails_at: Option<Timestamp>,
}

/// A line of a storm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StormLine {
    /// Where.
    pub place: Place,
    /// Full name of the exception type.
    pub exception: String,
    /// Exception and message in one line; for those who may read messages.
    pub headline: String,
    /// Whose line it is: who was given it, else who wrote it; `None` where git could not say.
    pub author: Option<String>,
    /// Occurrences so far.
    pub total: u64,
    /// Its own issue, once there is one.
    pub issue: Option<u64>,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_twenty_are_a_storm() {
        let usual = StormSettings::default();
        assert!(!usual.is_storm(19), "the twentieth is not");
        assert!(usual.is_storm(20), "the twenty-first is");
        assert_eq!(usual.window(), SignedDuration::from_mins(10));
        assert!(usual.is_calm(9) && !usual.is_calm(10));
        assert!(!StormSettings { lines: 1, ..usual.clone() }.is_calm(1), "the one that began it counts");
        let never = StormSettings { lines: 0, ..usual };
        assert!(!never.is_storm(1_000_000));
        assert_eq!(
            StormSettings { lines: 1, minutes: 0 }.window(),
            SignedDuration::from_mins(1),
            "no time at all would never end"
        );
    }
}
