//! Who may be to blame, ranked: the first is assigned, the second mentioned.
//!
//! The alert's line stays the culprit frame's, whoever is suspected: a line has one alert for ever,
//! and what is suspected may change with time (a fresh change grows old).

use super::bare_line::only_closes;
use super::blame::Blame;
use super::culprit::FrameAt;
use super::heuristic::Heuristic;
use super::report::within;
use super::rule::Rules;
use super::trivial_edit::TrivialEdit;
use crate::timestamp::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most suspects that are named: a third says where to look next, a fourth is noise.
pub const MOST: usize = 3;

/// A culprit whose line is older than this is doubted where a caller's was changed just now. Within
/// a year both may well be the same work.
pub const SETTLED: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A line changed this shortly before the event is fresh.
pub const FRESH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many own frames outwards a fresh change is looked for. Farther out, everything is called
/// from code that changes daily.
pub const FRESH_REACH: usize = 2;

/// The rule that named a suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspectedBy {
    /// The innermost own frame that nothing speaks against.
    Innermost,
    /// A frame that others were stepped over for.
    SteppedTo,
    /// An attribute is missing that the class's constructor should have set.
    Constructor,
    /// The arguments do not fit the function, and it was changed later than the call.
    Signature,
    /// A caller's line was changed just before, the culprit's long ago.
    Fresh,
    /// It led to what a line that was stepped over caught, to raise another error.
    Cause,
    /// It was stepped over.
    SteppedOver,
    /// It called the culprit.
    Caller,
    /// The latest change to the culprit's function.
    LatestChange,
    /// Who wrote the culprit's line before somebody changed no more than this in it.
    Before(TrivialEdit),
}

impl SuspectedBy {
    /// The rule of thumb behind it, where it is one of those that can be left out.
    pub fn heuristic(self) -> Option<Heuristic> {
        match self {
            Self::Constructor => Some(Heuristic::Constructor),
            Self::Signature => Some(Heuristic::Signature),
            Self::Fresh => Some(Heuristic::Fresh),
            Self::Innermost | Self::SteppedTo | Self::Cause | Self::SteppedOver | Self::Caller | Self::LatestChange => {
                None
            }
            Self::Before(_) => None,
        }
    }
}

/// A place that may be to blame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Path in the repository.
    pub path: String,
    /// One-based line at the revision that ran.
    pub line: u32,
    /// The function around it, with what it stands in; empty where unknown.
    pub function: String,
    /// The frame, where it is one of the traceback's.
    pub frame: Option<FrameAt>,
    /// First and last line of that function, where they are known.
    pub function_lines: Option<(u32, u32)>,
    /// Who wrote the line; for [`SuspectedBy::Constructor`] who wrote the line that asks for what
    /// is missing.
    pub blame: Option<Blame>,
    /// The rule that named it.
    pub rule: SuspectedBy,
}

impl Suspect {
    /// What its author did, where that is not writing the failing line: the words that follow a
    /// name.
    pub fn role(&self) -> Option<String> {
        let Self { path, line, function, .. } = self;
        match self.rule {
            SuspectedBy::Signature => Some(format!("changed {function} ({path}:{line}) after the call was written")),
            SuspectedBy::Fresh => Some(format!(
                "changed {path}:{line}{}, which leads to the failing line, less than 30 days before",
                within(function)
            )),
            // The constructor's suspect has the failing line's author.
            SuspectedBy::Constructor
            | SuspectedBy::Innermost
            | SuspectedBy::SteppedTo
            | SuspectedBy::Cause
            | SuspectedBy::SteppedOver
            | SuspectedBy::Caller
            | SuspectedBy::LatestChange
            | SuspectedBy::Before(_) => None,
        }
    }
}

/// Everything that may be suspected, as it was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The culprit frame.
    pub culprit: Option<Suspect>,
    /// Others were stepped over for it.
    pub stepped: bool,
    /// Where the source was read on, outside of the frames.
    pub elsewhere: Option<Suspect>,
    /// Own frames outwards of the culprit, nearest first, each of another function.
    pub callers: Vec<Suspect>,
    /// What led to the error that a frame which was stepped over raised instead.
    pub cause: Option<Suspect>,
    /// The innermost frame that was stepped over.
    pub stepped_over: Option<Suspect>,
    /// The line of the culprit's function that was changed last.
    pub latest_change: Option<Suspect>,
}

/// Ranks the suspects. `event_at`: when it happened.
pub fn rank(found: Found, rules: &Rules, event_at: Timestamp) -> Vec<Suspect> {
    let Some(mut culprit) = found.culprit else { return Vec::new() };
    culprit.rule = if found.stepped { SuspectedBy::SteppedTo } else { SuspectedBy::Innermost };
    let fresh = fresh_caller(&culprit, &found.callers, event_at).filter(|_| rules.uses(Heuristic::Fresh));
    let named = |suspect: Option<Suspect>, rule: SuspectedBy| suspect.map(|suspect| Suspect { rule, ..suspect });
    let caller = found.callers.first().cloned();
    let order = found
        .elsewhere
        .into_iter()
        .chain(named(fresh, SuspectedBy::Fresh))
        // What was stepped over is the next to look at, because rules are wrong at times.
        .chain([culprit])
        // Of whom git knows nothing, others are better to look at.
        .chain(named(found.cause.filter(|cause| cause.blame.is_some()), SuspectedBy::Cause))
        .chain(named(found.stepped_over, SuspectedBy::SteppedOver))
        .chain(named(caller, SuspectedBy::Caller))
        .chain(named(found.latest_change, SuspectedBy::LatestChange));
    let mut ranked: Vec<Suspect> = Vec::new();
    for suspect in order {
        let same_place = |one: &Suspect| one.path == suspect.path && one.line == suspect.line;
        if !ranked.iter().any(same_place) {
            ranked.push(suspect);
        }
    }
    ranked.truncate(MOST);
    ranked
}

/// Puts who wrote the culprit's line before a trivial edit behind whom it is blamed on: nobody else
/// knows it as well.
pub fn name_before(suspects: &mut Vec<Suspect>, culprit: FrameAt, before: Blame, edit: TrivialEdit) {
    let Some(at) = suspects.iter().position(|one| one.frame == Some(culprit)) else { return };
    let named = Suspect { blame: Some(before), frame: None, rule: SuspectedBy::Before(edit), ..suspects[at].clone() };
    suspects.insert(at + 1, named);
    suspects.truncate(MOST);
}

/// The line of a function that was changed last, where that is another change than the culprit's:
/// of lines that are blank or only close what others opened, nobody learns anything. `text_of`: a
/// line's text.
pub fn latest_change<'a>(
    origins: BTreeMap<u32, Blame>,
    culprit: Option<&Blame>,
    text_of: impl Fn(u32) -> Option<&'a str>,
) -> Option<(u32, Blame)> {
    let tells = |line: u32| text_of(line).is_none_or(|text| !text.trim().is_empty() && !only_closes(text));
    let latest = origins.into_iter().filter(|(line, _)| tells(*line)).max_by_key(|(_, blame)| blame.changed_at());
    latest.filter(|(_, blame)| culprit.is_none_or(|culprit| culprit.commit != blame.commit))
}

fn fresh_caller(culprit: &Suspect, callers: &[Suspect], event_at: Timestamp) -> Option<Suspect> {
    let age = |suspect: &Suspect| suspect.blame.as_ref().map(|blame| event_at - blame.changed_at());
    if age(culprit)? < SETTLED {
        return None;
    }
    callers.iter().take(FRESH_REACH).find(|caller| age(caller).is_some_and(|age| age < FRESH)).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::blame::Author;
    use super::*;
    use crate::commit::CommitId;
    use crate::timestamp::DAY;

    const NOW: Timestamp = Timestamp::from_seconds(2_000 * 24 * 3_600);

    fn suspect(path: &str, line: u32, age_days: i32) -> Suspect {
        let blame = Blame {
            commit: CommitId::new("a".repeat(40)),
            path: path.into(),
            line,
            author: Author::default(),
            authored_at: Timestamp::UNIX_EPOCH,
            summary: String::new(),
            committed_at: NOW - age_days * DAY,
            co_authors: Vec::new(),
            passed: Vec::new(),
        };
        Suspect {
            path: path.into(),
            line,
            function: "f".into(),
            frame: None,
            function_lines: None,
            blame: Some(blame),
            rule: SuspectedBy::Innermost,
        }
    }

    fn rules(found: Found) -> Vec<(String, SuspectedBy)> {
        rank(found, &Rules::default(), NOW).into_iter().map(|one| (one.path, one.rule)).collect()
    }

    #[test]
    fn the_culprit_comes_first_and_its_caller_second() {
        let found = Found {
            culprit: Some(suspect("a", 1, 10)),
            callers: vec![suspect("b", 1, 5), suspect("c", 1, 5)],
            latest_change: Some(suspect("a", 3, 1)),
            ..Found::default()
        };
        let expected = [("a", SuspectedBy::Innermost), ("b", SuspectedBy::Caller), ("a", SuspectedBy::LatestChange)];
        assert_eq!(rules(found), expected.map(|(path, rule)| (path.to_owned(), rule)));
        assert!(rules(Found::default()).is_empty());
    }

    #[test]
    fn who_wrote_it_before_a_trivial_edit_is_the_second() {
        let all = || {
            let frame = |one: Suspect, number| Suspect { frame: Some((0, number)), ..one };
            vec![frame(suspect("a", 1, 10), 2), frame(suspect("b", 1, 10), 1), frame(suspect("c", 1, 10), 0)]
        };
        let before = suspect("a", 7, 400).blame.unwrap();
        let mut named = all();
        name_before(&mut named, (0, 2), before.clone(), TrivialEdit::Number);
        let found: Vec<_> = named.iter().map(|one| (one.path.as_str(), one.line, one.rule)).collect();
        let before_edit = SuspectedBy::Before(TrivialEdit::Number);
        let expected = [("a", 1, SuspectedBy::Innermost), ("a", 1, before_edit), ("b", 1, SuspectedBy::Innermost)];
        assert_eq!(found, expected);
        assert_eq!((named[1].frame, named[1].blame.as_ref()), (None, Some(&before)));
        let mut other = all();
        name_before(&mut other, (0, 9), before, TrivialEdit::Number);
        assert_eq!(other, all(), "the line is not among them");
    }

    #[test]
    fn the_latest_change_is_another_one_and_of_a_line_that_says_something() {
        let of = |commit: &str, age: i32| {
            let blame = suspect("a", 1, age).blame.unwrap();
            Blame { commit: CommitId::new(commit.repeat(40)), ..blame }
        };
        let text = ["def pay", "  total = 1", "  total.fail", "  end", "", "end"];
        let latest = |ages: &[(u32, &str, i32)]| {
            let origins = ages.iter().map(|(line, commit, age)| (*line, of(commit, *age))).collect();
            let culprit = of("c", 1);
            let text_of = |line: u32| text.get(line as usize - 1).copied();
            latest_change(origins, Some(&culprit), text_of).map(|(line, _)| line)
        };
        assert_eq!(latest(&[(1, "a", 9), (2, "b", 5), (3, "c", 7)]), Some(2));
        assert_eq!(latest(&[(1, "a", 9), (2, "c", 1), (3, "c", 1)]), None, "the culprit's own commit");
        assert_eq!(latest(&[(2, "b", 5), (3, "c", 7), (4, "d", 1), (5, "d", 1), (6, "d", 1)]), Some(2));
    }

    #[test]
    fn a_fresh_change_of_a_caller_beats_an_old_line_only() {
        let found = |own, caller| Found {
            culprit: Some(suspect("a", 1, own)),
            callers: vec![suspect("b", 1, 400), suspect("c", 1, caller)],
            ..Found::default()
        };
        assert_eq!(rules(found(366, 29))[0], ("c".to_owned(), SuspectedBy::Fresh));
        assert_eq!(rules(found(366, 29))[1], ("a".to_owned(), SuspectedBy::Innermost));
        assert_eq!(rules(found(366, 31))[0].0, "a");
        assert_eq!(rules(found(364, 1))[0].0, "a");
    }

    #[test]
    fn what_was_read_elsewhere_comes_first_and_what_was_stepped_over_second() {
        let found = Found {
            culprit: Some(suspect("a", 1, 10)),
            stepped: true,
            elsewhere: Some(Suspect { rule: SuspectedBy::Constructor, ..suspect("x", 9, 10) }),
            stepped_over: Some(suspect("s", 1, 10)),
            callers: vec![suspect("b", 1, 5)],
            ..Found::default()
        };
        let expected =
            [("x", SuspectedBy::Constructor), ("a", SuspectedBy::SteppedTo), ("s", SuspectedBy::SteppedOver)];
        assert_eq!(rules(found), expected.map(|(path, rule)| (path.to_owned(), rule)));
        let found = Found {
            culprit: Some(suspect("a", 1, 10)),
            stepped: true,
            cause: Some(suspect("c", 1, 10)),
            stepped_over: Some(suspect("s", 1, 10)),
            ..Found::default()
        };
        let expected = [("a", SuspectedBy::SteppedTo), ("c", SuspectedBy::Cause), ("s", SuspectedBy::SteppedOver)];
        assert_eq!(rules(found), expected.map(|(path, rule)| (path.to_owned(), rule)));
    }
}
