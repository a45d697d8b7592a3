//! Deciding what a count means: who is told what, now, and at which count to ask again.

use super::settings::{KnownError, Settings};
use crate::timestamp::Timestamp;

/// What is known of a line when its counts are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Occurrences ever.
    pub total: u64,
    /// Occurrences when the last decision was made: thresholds between the two were crossed.
    pub decided: u64,
    /// The line's alert was decided before.
    pub alerted: bool,
    /// The smallest of the thresholds that its reports named.
    pub error_threshold: Option<u64>,
    /// A report of it named none: the settings' own counts as one of them.
    pub by_settings: bool,
    /// When the line was written; `None` where git could not say.
    pub written_at: Option<Timestamp>,
}

impl Tally {
    /// How many occurrences are waited for: of what its reports ask for, the least, so that no
    /// report makes others wait longer.
    fn threshold(&self, terms: &Terms) -> u64 {
        let by_settings = (self.by_settings || self.error_threshold.is_none()).then_some(terms.threshold);
        self.error_threshold.into_iter().chain(by_settings).min().unwrap_or(terms.threshold)
    }
}

/// What a repository's settings say about alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Occurrences before an alert (`report_error_threshold`).
    pub threshold: u64,
    /// A line written before this moment causes no alert.
    pub minimum_date: Option<Timestamp>,
    /// Counts at which the issue gets a comment.
    pub comment_at: Vec<u64>,
}

impl Terms {
    /// What a repository's settings say.
    pub fn of(settings: &Settings) -> Self {
        Self {
            threshold: settings.report_error_threshold,
            minimum_date: settings.report_only_after_minimum_date.as_deref().and_then(Timestamp::from_date),
            comment_at: settings.issues.comment_at.clone(),
        }
    }

    /// Whether a line that was last changed then is older than the minimum date.
    pub fn is_too_old(&self, written_at: Option<Timestamp>) -> bool {
        written_at.zip(self.minimum_date).is_some_and(|(written, minimum)| written < minimum)
    }
}

/// What follows from a tally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to send now.
    pub send: Send,
    /// The count to have passed since the last decision that an issue's comment names, if any.
    pub comment: Option<u64>,
    /// The next count at which to decide again; `None`: never by count.
    pub next_at: Option<u64>,
    /// Why no alert or mail is due, in words; `None` also where the alert was decided before.
    pub silent: Option<&'static str>,
}

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Send {
    /// Nothing.
    Nothing,
    /// The line's one alert.
    Alert,
    /// The mail of a known error that reached its minimum.
    KnownMinimum,
    /// The mail of a known error at this multiple of its period.
    KnownEvery(u64),
}

/// Decides for a line that no rule knows.
pub fn decide_unknown(tally: &Tally, terms: &Terms) -> Decision {
    let mut decision = Decision { send: Send::Nothing, comment: None, next_at: None, silent: None };
    if !tally.alerted {
        let threshold = tally.threshold(terms).max(1);
        if terms.is_too_old(tally.written_at) {
            decision.silent = Some("the line was last changed before report_only_after_minimum_date");
            return decision;
        }
        if tally.total < threshold {
            decision.silent = Some("fewer occurrences than the threshold");
            decision.next_at = Some(threshold);
            return decision;
        }
        decision.send = Send::Alert;
    } else {
        // The alert itself says the count, so a comment is for counts crossed after it.
        decision.comment = terms.comment_at.iter().copied().filter(|&at| tally.decided < at && at <= tally.total).max();
    }
    decision.next_at = terms.comment_at.iter().copied().filter(|&at| at > tally.total).min();
    decision
}

/// Decides for a known error. `alerted` in the tally means: a mail was sent before, for whatever
/// reason.
pub fn decide_known(tally: &Tally, known: &KnownError) -> Decision {
    let mut decision =
        Decision { send: Send::Nothing, comment: None, next_at: None, silent: Some("a known error: counted only") };
    let over = |count: u64| known.max_alert_threshold.is_some_and(|max| count > max);
    let every = known.alert_every_n_occurrences.filter(|&n| n > 0);
    // A batched count jumps over multiples and maxima: what counts is the last allowed multiple
    // that it crossed.
    let last_allowed = known.max_alert_threshold.map_or(tally.total, |max| max.min(tally.total));
    let multiple = every.map(|n| last_allowed / n * n).filter(|&multiple| multiple > tally.decided);
    let minimum = known.min_alert_threshold.filter(|&min| !tally.alerted && tally.total >= min && !over(min));
    decision.send = match (multiple, minimum) {
        (Some(multiple), _) => Send::KnownEvery(multiple),
        (None, Some(_)) => Send::KnownMinimum,
        (None, None) => Send::Nothing,
    };
    if decision.send != Send::Nothing {
        decision.silent = None;
    }
    let next_minimum = known.min_alert_threshold.filter(|&min| min > tally.total && !tally.alerted);
    let next_multiple = every.map(|n| (tally.total / n + 1) * n);
    decision.next_at = [next_minimum, next_multiple].into_iter().flatten().min().filter(|&next| !over(next));
    decision
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The occurrences (1 to 8, one at a time) at which a known error is mailed.
    fn mailed(min: Option<u64>, max: Option<u64>, every: Option<u64>) -> Vec<u64> {
        let known = KnownError {
            min_alert_threshold: min,
            max_alert_threshold: max,
            alert_every_n_occurrences: every,
            ..KnownError::default()
        };
        let mut tally = Tally::default();
        let mut next = Some(1);
        let mut out = Vec::new();
        for total in 1..=8 {
            tally.total = total;
            let asked = next.is_some_and(|at| total >= at) || total == 1;
            let decision = decide_known(&tally, &known);
            if decision.send != Send::Nothing {
                assert!(asked, "would have been missed at {total}: nobody was to ask before {next:?}");
                out.push(total);
            }
            tally.alerted |= decision.send != Send::Nothing;
            tally.decided = total;
            next = decision.next_at;
        }
        out
    }

    #[test]
    fn known_error_table_of_flawless_0_4_5() {
        assert_eq!(mailed(None, None, None), [0_u64; 0]);
        assert_eq!(mailed(Some(3), None, None), [3]);
        assert_eq!(mailed(None, Some(5), None), [0_u64; 0]);
        assert_eq!(mailed(None, None, Some(2)), [2, 4, 6, 8]);
        assert_eq!(mailed(None, Some(5), Some(2)), [2, 4]);
        assert_eq!(mailed(Some(3), Some(7), Some(2)), [2, 4, 6]);
        assert_eq!(mailed(Some(3), Some(2), None), [0_u64; 0]);
        assert_eq!(mailed(None, Some(0), None), [0_u64; 0]);
    }

    #[test]
    fn a_batched_count_crosses_thresholds() {
        let every_five = KnownError { alert_every_n_occurrences: Some(5), ..KnownError::default() };
        let tally = Tally { total: 16, decided: 10, ..Tally::default() };
        assert_eq!(decide_known(&tally, &every_five).send, Send::KnownEvery(15));
        let terms = Terms { threshold: 7, ..Terms::default() };
        assert_eq!(decide_unknown(&Tally { total: 10, ..Tally::default() }, &terms).send, Send::Alert);
    }

    #[test]
    fn an_unknown_line_is_alerted_once_when_its_threshold_is_reached() {
        let terms = Terms { threshold: 2, minimum_date: None, comment_at: vec![10, 100] };
        let first = decide_unknown(&Tally { total: 1, ..Tally::default() }, &terms);
        assert_eq!((first.send, first.next_at), (Send::Nothing, Some(2)));
        let own = Tally { total: 1, error_threshold: Some(1), ..Tally::default() };
        assert_eq!(decide_unknown(&own, &terms).send, Send::Alert);
        let second = decide_unknown(&Tally { total: 2, decided: 1, ..Tally::default() }, &terms);
        assert_eq!((second.send, second.next_at), (Send::Alert, Some(10)));
        let later = Tally { total: 120, decided: 9, alerted: true, ..Tally::default() };
        let decision = decide_unknown(&later, &terms);
        assert_eq!((decision.send, decision.comment, decision.next_at), (Send::Nothing, Some(100), None));
    }

    #[test]
    fn of_what_reports_ask_for_the_least_is_waited_for() {
        let waits = |error_threshold, by_settings| {
            let tally = Tally { total: 0, error_threshold, by_settings, ..Tally::default() };
            decide_unknown(&tally, &Terms { threshold: 7, ..Terms::default() }).next_at
        };
        assert_eq!(waits(None, true), Some(7));
        assert_eq!(waits(None, false), Some(7));
        assert_eq!(waits(Some(1_000_000), false), Some(1_000_000));
        assert_eq!(waits(Some(1_000_000), true), Some(7), "who asked for nothing waits no longer");
        assert_eq!(waits(Some(3), true), Some(3));
    }

    #[test]
    fn an_old_line_is_counted_only() {
        let terms = Terms { threshold: 1, minimum_date: Some(Timestamp::from_seconds(1)), comment_at: vec![] };
        let old = Tally { total: 5, written_at: Some(Timestamp::from_millis(999)), ..Tally::default() };
        assert_eq!(decide_unknown(&old, &terms).send, Send::Nothing);
        let unknown_age = Tally { total: 5, ..Tally::default() };
        assert_eq!(decide_unknown(&unknown_age, &terms).send, Send::Alert);
    }
}
