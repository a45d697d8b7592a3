//! How fast an installation may write: GitHub's limits on content, and what goes first when not all can go.
//!
//! Source: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>
//! and <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>.

/// GitHub asks for a second between writes. One write a second is also 5 of the 900 points that a minute has for each
/// second, which leaves ten times as much for reading as we read.
pub const GAP_MS: i64 = 1_000;
/// Writes of an installation within a minute. GitHub allows about 80 that make content; ours all count as such.
pub const MOST_A_MINUTE: usize = 80;
/// Writes of an installation within an hour, as GitHub allows for content.
pub const MOST_AN_HOUR: usize = 500;
/// Of an hour's writes these are kept for what is new: counts and single issues of a storm stop before they use them up.
pub const KEPT_FOR_NEWS: usize = 100;
/// How long a write is remembered.
pub const HOUR_MS: i64 = 3_600_000;

const MINUTE_MS: i64 = 60_000;

/// What a write is about; the first of these goes first. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i64)]
pub enum Rank {
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
    /// An issue's status brought up to date.
    Status = 70,
}

impl Rank {
    /// As stored.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// Writes of the hour's budget that a write of this rank leaves alone; by the number, as stored.
    pub fn kept_back(number: i64) -> usize {
        if number > Self::News.number() { KEPT_FOR_NEWS } else { 0 }
    }
}

/// When the next write is allowed, Unix milliseconds, after these of the last hour (in any order). `kept_back` writes of
/// the hour's budget are not to be used.
pub fn allowed_at(writes: &[i64], kept_back: usize, now_ms: i64) -> i64 {
    let mut writes: Vec<i64> = writes.iter().copied().filter(|&at| at > now_ms - HOUR_MS).collect();
    writes.sort_unstable();
    let mut allowed = now_ms;
    if let Some(&last) = writes.last() {
        allowed = allowed.max(last + GAP_MS);
    }
    for (most, window_ms) in [(MOST_A_MINUTE, MINUTE_MS), (MOST_AN_HOUR - kept_back, HOUR_MS)] {
        if let Some(place) = writes.len().checked_sub(most) {
            allowed = allowed.max(writes[place] + window_ms);
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
    /// GitHub asked to be left alone until then, Unix milliseconds.
    pub paused_until_ms: Option<i64>,
}

impl Budget {
    /// After these writes of the last hour.
    pub fn after(writes: &[i64], paused_until_ms: i64, now_ms: i64) -> Self {
        let within = |window_ms: i64| writes.iter().filter(|&&at| at > now_ms - window_ms).count();
        Self {
            minute: MOST_A_MINUTE.saturating_sub(within(MINUTE_MS)),
            hour: MOST_AN_HOUR.saturating_sub(within(HOUR_MS)),
            paused_until_ms: Some(paused_until_ms).filter(|&until| until > now_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many writes as are asked for, each as early as allowed; when each was made.
    fn run(count: usize, kept_back: usize) -> Vec<i64> {
        let mut writes = Vec::new();
        let mut now = 1_000_000;
        for _ in 0..count {
            now = allowed_at(&writes, kept_back, now);
            writes.push(now);
        }
        writes
    }

    fn most_within(writes: &[i64], window_ms: i64) -> usize {
        writes.iter().map(|&at| writes.iter().filter(|&&w| w > at - window_ms && w <= at).count()).max().unwrap_or(0)
    }

    #[test]
    fn no_limit_is_broken_however_much_there_is_to_write() {
        let writes = run(1_200, 0);
        assert!(writes.windows(2).all(|pair| pair[1] - pair[0] >= GAP_MS));
        assert!(most_within(&writes, MINUTE_MS) <= MOST_A_MINUTE);
        assert_eq!(most_within(&writes, HOUR_MS), MOST_AN_HOUR);
        assert_eq!(writes[499] - writes[0], 499_000, "the budget is used as fast as the gap allows");
    }

    #[test]
    fn what_can_wait_leaves_something_for_news() {
        let writes = run(450, Rank::kept_back(Rank::StormLine.number()));
        assert_eq!(most_within(&writes, HOUR_MS), MOST_AN_HOUR - KEPT_FOR_NEWS);
        let now = writes[399];
        assert_eq!(allowed_at(&writes[..400], Rank::kept_back(Rank::News.number()), now), now + GAP_MS);
        assert!(allowed_at(&writes[..400], Rank::kept_back(Rank::Count.number()), now) > now + 50 * MINUTE_MS);
    }

    #[test]
    fn the_budget_counts_what_was_written() {
        let writes = [10_000, 3_000_000, 3_590_000, 3_600_000];
        let budget = Budget::after(&writes, 3_600_500, 3_600_000);
        assert_eq!(budget, Budget { minute: 78, hour: 496, paused_until_ms: Some(3_600_500) });
        assert_eq!(Budget::after(&writes, 5, 3_612_000).hour, 497);
    }
}
