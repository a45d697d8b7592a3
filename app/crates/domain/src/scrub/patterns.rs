//! What the settings' own patterns find, in work that is counted: one search takes as long as its
//! text, but each hit begins another, and of some patterns each reads the text to its end.

use super::Found;
use regex::Regex;

/// Bytes that the searches after a hit may read in one report. A hundred texts of 3 kB with
/// a hundred hits each take 17 million; so many take some tenths of a second.
const MOST_SEARCHED: usize = 64 << 20;

/// The bytes that searches after a hit may still read.
pub(super) struct Searches(usize);

impl Searches {
    /// As many as one report may take.
    pub(super) fn of_a_report() -> Self {
        Self(MOST_SEARCHED)
    }

    /// Whether some search was not made.
    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Whether a search of so many bytes may be made: those of a pattern's first search are free,
    /// and once one was not made, none is.
    fn take(&mut self, bytes: usize) -> bool {
        self.0 = self.0.saturating_sub(bytes);
        self.0 > 0
    }
}

/// Finds what a pattern hides: its first group, where it has one. What is not searched any more is
/// hidden altogether, and not looked for elsewhere.
pub(super) fn find(text: &str, pattern: &Regex, searches: &mut Searches, found: &mut Vec<Found>) {
    for groups in pattern.captures_iter(text) {
        let Some(whole) = groups.get(0).map(|group| group.range()) else { continue };
        let range = groups.get(1).map_or(whole.clone(), |group| group.range());
        found.extend((!range.is_empty()).then_some(Found { range, sure: true }));
        if !searches.take(text.len() - whole.end) {
            let rest = whole.end..text.len();
            found.extend((!rest.is_empty()).then_some(Found { range: rest, sure: false }));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Exception, Report};
    use crate::scrub::{FILTERED, Rules, ScrubSettings, scrub, scrub_text};

    fn rules(pattern: &str, count: usize) -> Rules {
        Rules::of(&ScrubSettings { patterns: vec![pattern.to_owned(); count], ..ScrubSettings::default() })
    }

    fn report(texts: usize, text: &str) -> Report {
        let exception = |_| Exception { kind: "E".to_owned(), value: Some(text.to_owned()), ..Exception::default() };
        Report { exceptions: (0..texts).map(exception).collect(), ..Report::default() }
    }

    #[test]
    fn patterns_that_read_on_at_each_hit_end_at_their_budget() {
        // Each hit reads to the end of the text in search of a Z: 100,000 times 50 KB.
        let text = "a".repeat(100_000);
        let pattern = Regex::new("a.*Z|[a-z]").unwrap();
        let (mut searches, mut found) = (Searches::of_a_report(), Vec::new());
        find(&text, &pattern, &mut searches, &mut found);
        assert!(searches.is_spent() && found.len() < 2 * MOST_SEARCHED / text.len(), "{}", found.len());
        let rest = found.last().unwrap();
        assert!(rest.range.end == text.len() && !rest.sure && rest.range.start == found.len() - 1);
        // The report has one budget, however many texts and patterns.
        let (mut whole, rules) = (report(2, &text), rules("a.*Z|a", 20));
        assert!(!scrub(&mut whole, &rules));
        let shown: Vec<_> = whole.exceptions.iter().filter_map(|it| it.value.as_deref()).collect();
        assert!(shown.iter().all(|text| !text.contains("aa")), "what was not searched is hidden");
    }

    #[test]
    fn once_the_budget_is_spent_only_texts_with_a_hit_are_hidden() {
        let mut searches = Searches(0);
        let pattern = Regex::new("KD-[0-9]{6}").unwrap();
        let mut found = Vec::new();
        find("nothing in it", &pattern, &mut searches, &mut found);
        assert!(found.is_empty());
        find("a KD-123456 and KD-654321", &pattern, &mut searches, &mut found);
        assert_eq!(found.iter().map(|it| it.range.clone()).collect::<Vec<_>>(), [2..11, 11..25]);
    }

    #[test]
    fn usual_patterns_find_all_in_a_large_report() {
        let (own, line) = (rules("KD-([0-9]{6})", 1), "order of KD-123456 failed at once; ");
        let mut large = report(100, &line.repeat(100));
        assert!(scrub(&mut large, &own));
        let hidden = line.repeat(100).replace("123456", FILTERED);
        assert_eq!(large.exceptions[99].value.as_deref(), Some(hidden.as_str()));
        assert_eq!(scrub_text("KD-123456", &own), format!("KD-{FILTERED}"));
    }
}
