//! Choosing the culprit frame: which line of a traceback gets the blame, and why the others do not.

use super::chain;
use super::drift::Drift;
use super::heuristic::Heuristic;
use super::report::Report;
use super::rule::{CodeAt, Rules};
use super::source::LineFacts;
use super::step_over::{Passed, recovers, step_over};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Index of an exception in the report, and of a frame in it.
pub type FrameAt = (usize, usize);

/// A frame that is in the repository, at the revision that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// Path in the repository.
    pub path: String,
    /// One-based line in the repository's file: the frame's, or where its text was found.
    pub line: u32,
    /// Text of that line, with its indentation.
    pub code: String,
    /// How deployed code and repository relate at this frame.
    pub drift: Drift,
}

/// The culprit, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This frame is to blame.
    Culprit {
        /// Which.
        at: FrameAt,
        /// Frames nearer to the exception that were passed over, innermost first.
        passed: Vec<(FrameAt, Passed)>,
        /// What it is among the frames.
        chosen_as: ChosenAs,
    },
    /// No frame can be blamed.
    Nobody {
        /// Every frame, innermost first.
        passed: Vec<(FrameAt, Passed)>,
    },
    /// The report is not to be counted.
    Dropped(Dropped),
}

impl Choice {
    /// The culprit is library, vendored or generated code that nothing of the repository calls:
    /// nobody is blamed, and unless it is a known error, nobody is told.
    pub fn is_only_counted(&self) -> bool {
        matches!(self, Self::Culprit { chosen_as: ChosenAs::OnlyLibraryCode, .. })
    }
}

/// What the culprit is among a report's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenAs {
    /// The innermost that is not passed over.
    Innermost,
    /// The innermost that is stepped over by what its code does: nothing else was left.
    OnlyRaises,
    /// The innermost library, vendored or generated code, which nothing that can be blamed calls.
    /// Its line is counted, and nobody is told of it.
    OnlyLibraryCode,
}

/// Why a report is not counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// `ignored_exceptions` names its type.
    IgnoredException,
    /// It passes through `third_party_whitelist`.
    ThirdParty,
    /// It is about one exception of a group, which has no line of its own: none that the group's
    /// own report or one of an exception before it does not tell of.
    Member,
}

/// Chooses the culprit of a report whose own frames are `located`.
///
/// Classes are tried in the order of Flawless 0.4.5 for each frame: `third_party_whitelist`
/// anywhere drops the report; then path filter, library code, known error, whether its people wrote
/// it, and what its code does ([`step_over`]), as `facts` say. The innermost frame that is left is
/// the culprit.
pub fn choose(
    report: &Report,
    located: &BTreeMap<FrameAt, Located>,
    facts: &BTreeMap<FrameAt, LineFacts>,
    rules: &Rules,
) -> Choice {
    if report.exceptions.len().checked_sub(1).is_some_and(|raised| ignores(report, rules, raised)) {
        return Choice::Dropped(Dropped::IgnoredException);
    }
    let (ignored, others): (Vec<usize>, Vec<usize>) =
        chain::members(report).into_iter().partition(|&member| ignores(report, rules, member));
    if others.is_empty() && !ignored.is_empty() {
        return Choice::Dropped(Dropped::IgnoredException);
    }
    let left_out: Vec<usize> =
        ignored.into_iter().flat_map(|member| chain::with_causes(&report.exceptions, member)).collect();
    let whole = choose_among(report, located, facts, rules, |exception| !left_out.contains(&exception));
    // Each further member is told by a report of its own: of the first, whose line only raises,
    // nobody would be told.
    if let (Choice::Culprit { at, .. }, [first, _, ..]) = (&whole, &others[..])
        && !chain::with_causes(&report.exceptions, *first).contains(&at.0)
    {
        let of_first = choose_of_member(report, *first, located, facts, rules);
        if matches!(of_first, Choice::Culprit { chosen_as: ChosenAs::OnlyRaises, .. }) {
            return of_first;
        }
    }
    whole
}

/// Chooses the culprit of one exception of a group and its causes, as [`choose`] does of a report
/// that is about it alone.
pub fn choose_of_member(
    report: &Report,
    member: usize,
    located: &BTreeMap<FrameAt, Located>,
    facts: &BTreeMap<FrameAt, LineFacts>,
    rules: &Rules,
) -> Choice {
    if ignores(report, rules, member) {
        return Choice::Dropped(Dropped::IgnoredException);
    }
    let own = chain::with_causes(&report.exceptions, member);
    choose_among(report, located, facts, rules, |exception| own.contains(&exception))
}

/// Whether settings ignore an exception, by its type or by that of what it only carries.
fn ignores(report: &Report, rules: &Rules, index: usize) -> bool {
    chain::with_carried(report, index).into_iter().any(|exception| rules.ignores(exception))
}

/// Where a frame that only raises was passed over: the culprit of what led to its exception, which
/// it may have caught to raise another (`throw new Failed(cause)`).
pub fn culprit_of_cause(
    report: &Report,
    located: &BTreeMap<FrameAt, Located>,
    facts: &BTreeMap<FrameAt, LineFacts>,
    rules: &Rules,
    passed: &[(FrameAt, Passed)],
) -> Option<FrameAt> {
    let raised = passed.iter().find(|(_, why)| *why == Passed::Raise)?.0.0;
    chain::causes(report, raised).into_iter().find_map(|cause| {
        match choose_among(report, located, facts, rules, |exception| exception == cause) {
            choice if choice.is_only_counted() => None,
            Choice::Culprit { at, .. } => Some(at),
            Choice::Nobody { .. } | Choice::Dropped(_) => None,
        }
    })
}

fn choose_among(
    report: &Report,
    located: &BTreeMap<FrameAt, Located>,
    facts: &BTreeMap<FrameAt, LineFacts>,
    rules: &Rules,
    is_asked: impl Fn(usize) -> bool,
) -> Choice {
    let mut order = frames_in_order(report);
    // A place that an exception names and that is not the repository's is nothing that ran.
    let counts = |at: &FrameAt| located.contains_key(at) || !report.exceptions[at.0].frames[at.1].is_named;
    order.retain(|at| is_asked(at.0) && counts(at));
    if order.iter().any(|&at| rules.third_party(code_at(report, located, at))) {
        return Choice::Dropped(Dropped::ThirdParty);
    }
    let mut passed = Vec::new();
    let (mut first_step, mut first_library) = (None, None);
    for (index, &at) in order.iter().enumerate() {
        match standing(report, located, facts, rules, &order[index..]) {
            Standing::Culprit => return Choice::Culprit { at, passed, chosen_as: ChosenAs::Innermost },
            Standing::Passed(why) => {
                if why.heuristic().is_some() {
                    first_step.get_or_insert((at, passed.len(), ChosenAs::OnlyRaises));
                } else if matches!(why, Passed::LibraryCode(_) | Passed::NotOurs(_)) {
                    first_library.get_or_insert((at, passed.len(), ChosenAs::OnlyLibraryCode));
                }
                passed.push((at, why));
            }
        }
    }
    match first_step.or(first_library) {
        Some((at, before, chosen_as)) => {
            passed.truncate(before);
            Choice::Culprit { at, passed, chosen_as }
        }
        None => Choice::Nobody { passed },
    }
}

/// What one frame is, seen by itself.
enum Standing {
    /// It can be blamed.
    Culprit,
    /// It is passed over.
    Passed(Passed),
}

/// What the first of some frames is; the others are outwards of it.
fn standing(
    report: &Report,
    located: &BTreeMap<FrameAt, Located>,
    facts: &BTreeMap<FrameAt, LineFacts>,
    rules: &Rules,
    order: &[FrameAt],
) -> Standing {
    let at = order[0];
    let code = code_at(report, located, at);
    if !code.inside {
        let path = report.exceptions[at.0].frames[at.1].path();
        let is_package = path.is_some_and(|path| rules.in_package_directory(path));
        return Standing::Passed(if is_package { Passed::Package } else { Passed::Outside });
    }
    if !rules.may_blame(code.path) {
        return Standing::Passed(Passed::IgnoredPath);
    }
    if let Some(rule) = rules.library_code(code) {
        return Standing::Passed(Passed::LibraryCode(rule));
    }
    // Whoever named it meant just this frame, whatever its code does.
    if rules.known_error(code).is_some() {
        return Standing::Culprit;
    }
    if let Some(why) = facts.get(&at).and_then(|facts| facts.not_ours.clone()) {
        return Standing::Passed(Passed::NotOurs(why));
    }
    let is_innermost = at.1 + 1 == report.exceptions[at.0].frames.len();
    if is_innermost && recovers(code.path, code.code) && rules.uses(Heuristic::RaiseHelper) {
        return Standing::Passed(Passed::Recovers);
    }
    let recursive = is_recursive(&order[1..], at, located, facts);
    match step_over(rules, &report.exceptions[at.0], code.code, facts.get(&at), recursive) {
        Some(why) => Standing::Passed(why),
        None => Standing::Culprit,
    }
}

/// Whether the next own frame outwards is in the same function.
fn is_recursive(
    outwards: &[FrameAt],
    at: FrameAt,
    located: &BTreeMap<FrameAt, Located>,
    facts: &BTreeMap<FrameAt, LineFacts>,
) -> bool {
    let function = |at: &FrameAt| {
        let block = facts.get(at)?.function.as_ref()?;
        Some((located.get(at)?.path.as_str(), block.start))
    };
    let next = outwards.iter().find(|next| next.0 == at.0 && located.contains_key(next));
    next.is_some_and(|next| function(next).is_some() && function(next) == function(&at))
}

fn code_at<'a>(report: &'a Report, located: &'a BTreeMap<FrameAt, Located>, at: FrameAt) -> CodeAt<'a> {
    let frame = &report.exceptions[at.0].frames[at.1];
    match located.get(&at) {
        Some(found) => {
            // What ran is what the client says; the repository's text stands in where it says
            // nothing.
            let code = frame.context_line.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(&found.code);
            CodeAt { path: &found.path, inside: true, function: frame.function_name(), code }
        }
        None => CodeAt {
            path: frame.path().unwrap_or(""),
            inside: false,
            function: frame.function_name(),
            code: frame.context_line.as_deref().unwrap_or(""),
        },
    }
}

/// All frames, those that are nearest to the failure first: of the exceptions in the order of
/// [`chain::in_order`], each innermost first.
pub fn frames_in_order(report: &Report) -> Vec<FrameAt> {
    let frames_of = |index: usize| (0..report.exceptions[index].frames.len()).rev().map(move |frame| (index, frame));
    chain::in_order(report).into_iter().flat_map(frames_of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::not_ours::{NotOurs, Sign};
    use super::super::report::{Exception, Frame};
    use super::super::settings::{CodePattern, KnownError, Settings};
    use super::*;
    use crate::timestamp::Timestamp;

    /// `path:function:code`, outermost first.
    fn report(frames: &[(&str, &str, &str)]) -> Report {
        let frames = frames
            .iter()
            .map(|(path, function, code)| Frame {
                filename: Some((*path).into()),
                function: Some((*function).into()),
                line: Some(1),
                context_line: Some((*code).into()),
                ..Frame::default()
            })
            .collect();
        Report {
            exceptions: vec![Exception { kind: "KeyError".into(), frames, ..Exception::default() }],
            ..Report::default()
        }
    }

    /// Everything that starts with `shop/` is in the repository.
    fn located(report: &Report) -> BTreeMap<FrameAt, Located> {
        frames_in_order(report)
            .into_iter()
            .filter_map(|at| {
                let frame = &report.exceptions[at.0].frames[at.1];
                let path = frame.filename.clone().filter(|path| path.starts_with("shop/"))?;
                let code = frame.context_line.clone().unwrap_or_default();
                Some((at, Located { path, line: 1, code, drift: Drift::None }))
            })
            .collect()
    }

    fn culprit(report: &Report, settings: Settings) -> Choice {
        choose(report, &located(report), &BTreeMap::new(), &Rules::new(settings, Vec::new(), Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn the_innermost_own_frame_is_to_blame() {
        let report = report(&[("shop/a.py", "f", "g()"), ("shop/b.py", "g", "h()"), ("lib/json.py", "loads", "x")]);
        let Choice::Culprit { at, passed, .. } = culprit(&report, Settings::default()) else { panic!("a culprit") };
        assert_eq!(at, (0, 1));
        assert_eq!(passed, [((0, 2), Passed::Outside)]);
    }

    #[test]
    fn raise_library_code_and_filtered_paths_are_passed_over() {
        let report = report(&[
            ("shop/a.py", "f", "g()"),
            ("shop/gen/b.py", "g", "h()"),
            ("shop/db.py", "h", "check()"),
            ("shop/check.py", "check", "raise ValueError"),
        ]);
        let settings = Settings {
            only_blame_filepaths_matching: vec!["shop/[^/]*$".into()],
            building_blocks: vec![CodePattern { file: "shop/db.py".into(), ..CodePattern::default() }],
            ..Settings::default()
        };
        let Choice::Culprit { at, passed, .. } = culprit(&report, settings) else { panic!("a culprit") };
        assert_eq!(at, (0, 0));
        let reasons: Vec<Passed> = passed.into_iter().map(|(_, why)| why).collect();
        assert_eq!(reasons, [Passed::Raise, Passed::LibraryCode(None), Passed::IgnoredPath]);
    }

    #[test]
    fn what_panicked_is_to_blame_and_not_what_told_of_it() {
        let main = ("shop/main.go", "main", "die()");
        let fails = ("shop/till.go", "Share", "return total / people");
        let tells = ("shop/main.go", "die.func1", "sentry.CurrentHub().Recover(failed)");
        let found = |frames: &[(&str, &str, &str)]| culprit(&report(frames), Settings::default());
        assert!(matches!(
            found(&[main, fails, tells]),
            Choice::Culprit { at: (0, 1), passed, chosen_as: ChosenAs::Innermost } if passed == [((0, 2), Passed::Recovers)]
        ));
        assert!(matches!(found(&[main, tells, fails]), Choice::Culprit { at: (0, 2), .. }), "it failed itself");
        assert!(matches!(
            found(&[("/usr/lib/go/net/http/server.go", "serve", "x"), tells]),
            Choice::Culprit { at: (0, 1), chosen_as: ChosenAs::OnlyRaises, .. }
        ));
    }

    #[test]
    fn a_known_raise_can_be_the_culprit() {
        let report = report(&[("shop/a.py", "f", "check()"), ("shop/check.py", "check", "raise ValueError")]);
        let settings = Settings {
            known_errors: vec![KnownError { file: "shop/check.py".into(), ..KnownError::default() }],
            ..Settings::default()
        };
        let Choice::Culprit { at, .. } = culprit(&report, settings) else { panic!("a culprit") };
        assert_eq!(at, (0, 1));
    }

    #[test]
    fn where_everything_raises_the_innermost_is_taken_and_where_nothing_is_ours_nobody() {
        let raises = report(&[("shop/a.py", "<module>", "raise SystemError('x')")]);
        assert!(matches!(
            culprit(&raises, Settings::default()),
            Choice::Culprit { at: (0, 0), chosen_as: ChosenAs::OnlyRaises, .. }
        ));
        let foreign = report(&[("/usr/lib/python3/json.py", "loads", "x")]);
        assert!(matches!(culprit(&foreign, Settings::default()), Choice::Nobody { .. }));
    }

    #[test]
    fn library_code_that_nothing_of_ours_calls_is_its_own_line() {
        let report = report(&[("lib/tasks.py", "run", "f()"), ("shop/db.py", "f", "g()"), ("shop/db.py", "g", "x.y")]);
        let block = |function: &str| CodePattern {
            file: "shop/db.py".into(),
            function: Some(function.into()),
            ..CodePattern::default()
        };
        let settings = |names: &[&str]| Settings {
            building_blocks: names.iter().map(|name| block(name)).collect(),
            ..Settings::default()
        };
        let chosen = culprit(&report, settings(&["f", "g"]));
        assert_eq!(chosen, Choice::Culprit { at: (0, 2), passed: vec![], chosen_as: ChosenAs::OnlyLibraryCode });
        let Choice::Culprit { at, chosen_as, .. } = culprit(&report, settings(&["g"])) else { panic!("a culprit") };
        assert_eq!((at, chosen_as), ((0, 1), ChosenAs::Innermost));
    }

    #[test]
    fn vendored_and_generated_code_is_passed_over_unless_it_is_a_known_error() {
        let report = report(&[("shop/a.py", "f", "g()"), ("shop/vendor/b.py", "g", "h()"), ("shop/c.py", "h", "x.y")]);
        let why = |sign| Some(LineFacts { not_ours: Some(sign), ..LineFacts::default() });
        let vendored = why(NotOurs::Vendored(Sign::Folder("vendor".into())));
        let generated = why(NotOurs::Generated(Sign::Attributes));
        let facts = |facts: [&Option<LineFacts>; 3]| -> BTreeMap<FrameAt, LineFacts> {
            facts.iter().enumerate().filter_map(|(at, one)| Some(((0, at), Option::clone(one)?))).collect()
        };
        let chosen = |facts: &BTreeMap<FrameAt, LineFacts>, settings: Settings| {
            choose(&report, &located(&report), facts, &Rules::new(settings, Vec::new(), Timestamp::UNIX_EPOCH))
        };
        let Choice::Culprit { at, passed, .. } = chosen(&facts([&None, &vendored, &generated]), Settings::default())
        else {
            panic!("a culprit")
        };
        let reasons: Vec<Passed> = passed.into_iter().map(|(_, why)| why).collect();
        let expected = [
            Passed::NotOurs(NotOurs::Generated(Sign::Attributes)),
            Passed::NotOurs(NotOurs::Vendored(Sign::Folder("vendor".into()))),
        ];
        assert_eq!((at, reasons), ((0, 0), expected.to_vec()));
        let only = chosen(&facts([&vendored, &vendored, &generated]), Settings::default());
        assert_eq!(only, Choice::Culprit { at: (0, 2), passed: vec![], chosen_as: ChosenAs::OnlyLibraryCode });
        let named = KnownError { file: "shop/vendor/b.py".into(), ..KnownError::default() };
        let known = Settings { known_errors: vec![named], ..Settings::default() };
        let Choice::Culprit { at, .. } = chosen(&facts([&None, &vendored, &generated]), known) else { panic!() };
        assert_eq!(at, (0, 1));
    }

    #[test]
    fn whitelisted_third_party_code_anywhere_and_ignored_types_drop_the_report() {
        let report = report(&[("shop/a.py", "f", "g()"), ("/x/social.py", "post", "z"), ("shop/b.py", "g", "h()")]);
        let third_party = Settings {
            third_party_whitelist: vec![CodePattern { file: "social.py".into(), ..CodePattern::default() }],
            ..Settings::default()
        };
        assert_eq!(culprit(&report, third_party), Choice::Dropped(Dropped::ThirdParty));
        let ignored = Settings { ignored_exceptions: vec!["KeyError".into()], ..Settings::default() };
        assert_eq!(culprit(&report, ignored), Choice::Dropped(Dropped::IgnoredException));
    }

    #[test]
    fn a_groups_members_come_before_the_group_and_the_raised_before_its_causes() {
        let exception = |id, parent, source: Option<&str>, is_group| Exception {
            id: Some(id),
            parent,
            source: source.map(Into::into),
            is_group,
            frames: vec![Frame::default()],
            ..Exception::default()
        };
        let report = Report {
            exceptions: vec![
                exception(2, Some(0), Some("exceptions[1]"), false),
                exception(1, Some(0), Some("exceptions[0]"), false),
                exception(0, None, None, true),
            ],
            ..Report::default()
        };
        assert_eq!(frames_in_order(&report), [(1, 0), (0, 0), (2, 0)]);
    }

    #[test]
    fn the_cause_of_what_only_raises_has_a_line_of_its_own() {
        let cause = report(&[("shop/pay.py", "pay", "send(total)"), ("lib/net.py", "send", "x")]);
        let mut report =
            report(&[("shop/app.py", "main", "pay()"), ("shop/pay.py", "pay", "raise Failed() from error")]);
        report.exceptions.insert(0, cause.exceptions[0].clone());
        let of = |report: &Report| {
            let (located, facts, rules) = (located(report), BTreeMap::new(), Rules::default());
            let Choice::Culprit { at, passed, .. } = choose(report, &located, &facts, &rules) else { panic!() };
            (at, culprit_of_cause(report, &located, &facts, &rules, &passed))
        };
        assert_eq!(of(&report), ((1, 0), Some((0, 0))));
        let mut foreign = report.clone();
        foreign.exceptions[0].frames.remove(0);
        assert_eq!(of(&foreign), ((1, 0), None), "the cause has no line of the repository");
        report.exceptions[1].frames[1].context_line = Some("send_again(total)".into());
        assert_eq!(of(&report), ((1, 1), None), "nothing was passed over");
    }
}
