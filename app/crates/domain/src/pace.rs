//! How fast an installation of the App may write: GitHub's limits on content, and what goes first
//! when not all can go.
//!
//! Source:
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>
//! and <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>.

use crate::delivery::{DeliveryMode, Purpose};
use crate::timestamp::{HOUR, Timestamp};
use jiff::SignedDuration;

/// GitHub asks for a second between writes. One write a second is also 5 of the 900 points that a
/// minute has for each second, which leaves ten times as much for reading as we read.
pub const GAP: SignedDuration = SignedDuration::from_secs(1);
/// Writes of an installation of the App within a minute. GitHub allows about 80 that make content;
/// ours all count as such.
pub const MOST_A_MINUTE: usize = 80;
/// Writes of an installation of the App within an hour, as GitHub allows for content.
pub const MOST_AN_HOUR: usize = 500;
/// Of an hour's writes these are kept for what is new: updates of a storm, counts, its single
/// issues and statuses stop before they use them up.
pub const KEPT_FOR_NEWS: usize = 100;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What a write is about; the first of these goes first. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i64)]
pub enum Rank {
    /// A look whether a refusal is over: a read, and at most one write of what waits there.
    Look = 1,
    /// Labels that commands need.
    Label = 5,
    /// The issue of a storm.
    Storm = 10,
    /// A command's confirmation: somebody is waiting for it.
    Reply = 20,
    /// The issue of a new line, or of one that came back.
    News = 30,
    /// A storm's issue brought up to date.
    StormUpdate = 40,
    /// A round count.
    Count = 50,
    /// The issue of one of a storm's lines.
    StormLine = 60,
    /// A look for what GitHub made twice, and its mending.
    Double = 65,
    /// An issue's status brought up to date.
    Status = 70,
}

impl Rank {
    /// What a delivery is worth beside others.
    pub fn of(mode: DeliveryMode, purpose: &Purpose) -> Self {
        match (mode, purpose) {
            (DeliveryMode::Storm(_), Purpose::Alert) => Self::StormLine,
            (_, Purpose::Alert | Purpose::Regression(_) | Purpose::NewException(_)) => Self::News,
            (_, Purpose::Count(_)) => Self::Count,
            (
                _,
                Purpose::KnownMinimum
                | Purpose::KnownEvery(_)
                | Purpose::CarriedOver(_)
                | Purpose::RefusedLabel(_)
                | Purpose::RuleMade(_)
                | Purpose::RuleEnded(_)
                | Purpose::LabelDeleted(..)
                | Purpose::Resolved { .. }
                | Purpose::Reassigned { .. },
            ) => Self::Reply,
        }
    }

    /// As stored.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// Writes of the hour's budget that a write of this rank leaves alone; by the number, as
    /// stored.
    pub fn kept_back(number: i64) -> usize {
        if number > Self::News.number() { KEPT_FOR_NEWS } else { 0 }
    }
}

/// When the next write is allowed, after these of the last hour (in any order). `kept_back` writes
/// of the hour's budget are not to be used.
pub fn allowed_at(writes: &[Timestamp], kept_back: usize, now: Timestamp) -> Timestamp {
    let mut writes: Vec<Timestamp> = writes.iter().copied().filter(|&at| at > now - HOUR).collect();
    writes.sort_unstable();
    let mut allowed = now;
    if let Some(&last) = writes.last() {
        allowed = allowed.max(last + GAP);
    }
    for (most, window) in [(MOST_A_MINUTE, MINUTE), (MOST_AN_HOUR - kept_back, HOUR)] {
        if let Some(place) = writes.len().checked_sub(most) {
            allowed = allowed.max(writes[place] + window);
        }
    }
    allowed
}

/// What is left of an installation's budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Writes that this minute has left.
    pub minute: usize,
    /// Writes that this hour has left.
    pub hour: usize,
    /// GitHub asked to be left alone until then.
    pub paused_until: Option<Timestamp>,
}

impl Budget {
    /// After these writes of the last hour.
    pub fn after(writes: &[Timestamp], paused_until: Timestamp, now: Timestamp) -> Self {
        let within = |window: SignedDuration| writes.iter().filter(|&&at| at > now - window).count();
        Self {
            minute: MOST_A_MINUTE.saturating_sub(within(MINUTE)),
            hour: MOST_AN_HOUR.saturating_sub(within(HOUR)),
            paused_until: Some(paused_until).filter(|&until| until > now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many writes as are asked for, each as early as allowed; when each was made.
    fn run(count: usize, kept_back: usize) -> Vec<Timestamp> {
        let mut writes = Vec::new();
        let mut now = Timestamp::from_seconds(1_000);
        for _ in 0..count {
            now = allowed_at(&writes, kept_back, now);
            writes.push(now);
        }
        writes
    }

    fn most_within(writes: &[Timestamp], window: SignedDuration) -> usize {
        writes.iter().map(|&at| writes.iter().filter(|&&w| w > at - window && w <= at).count()).max().unwrap_or(0)
    }

    #[test]
    fn no_limit_is_broken_however_much_there_is_to_write() {
        let writes = run(1_200, 0);
        assert!(writes.windows(2).all(|pair| pair[1] - pair[0] >= GAP));
        assert!(most_within(&writes, MINUTE) <= MOST_A_MINUTE);
        assert_eq!(most_within(&writes, HOUR), MOST_AN_HOUR);
        assert_eq!(
            writes[499] - writes[0],
            SignedDuration::from_secs(499),
            "the budget is used as fast as the gap allows"
        );
    }

    #[test]
    fn what_can_wait_leaves_something_for_news() {
        let writes = run(450, Rank::kept_back(Rank::StormLine.number()));
        assert_eq!(most_within(&writes, HOUR), MOST_AN_HOUR - KEPT_FOR_NEWS);
        let now = writes[399];
        assert_eq!(allowed_at(&writes[..400], Rank::kept_back(Rank::News.number()), now), now + GAP);
        assert!(allowed_at(&writes[..400], Rank::kept_back(Rank::Count.number()), now) > now + 50 * MINUTE);
    }

    #[test]
    fn the_budget_counts_what_was_written() {
        let writes = [10, 3_000, 3_590, 3_600].map(Timestamp::from_seconds);
        let budget = Budget::after(&writes, Timestamp::from_millis(3_600_500), Timestamp::from_seconds(3_600));
        assert_eq!(budget, Budget { minute: 78, hour: 496, paused_until: Some(Timestamp::from_millis(3_600_500)) });
        assert_eq!(Budget::after(&writes, Timestamp::from_millis(5), Timestamp::from_seconds(3_612)).hour, 497);
    }
}
