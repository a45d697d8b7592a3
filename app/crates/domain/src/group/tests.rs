//! Tests of groups: who is told of which member, and what is said of it.

use super::*;
use crate::drift::Drift;
use crate::report::Frame;
use crate::rule::Rules;
use crate::settings::Settings;
use crate::timestamp::Timestamp;

fn frame(path: &str) -> Frame {
    Frame { filename: Some(path.to_owned()), line: Some(1), ..Frame::default() }
}

/// A group whose members fail at these paths.
fn group(paths: &[&str]) -> Report {
    let id = |index: usize| u32::try_from(index).unwrap();
    let mut exceptions: Vec<Exception> = paths
        .iter()
        .enumerate()
        .map(|(index, path)| Exception {
            kind: format!("Failed{}", path.len()),
            id: Some(id(index + 1)),
            parent: Some(0),
            source: Some(format!("exceptions[{index}]")),
            frames: vec![frame(path)],
            ..Exception::default()
        })
        .collect();
    exceptions.reverse();
    let frames = vec![frame("shop/gather.py")];
    exceptions.push(Exception {
        kind: "ExceptionGroup".to_owned(),
        id: Some(0),
        is_group: true,
        frames,
        ..Exception::default()
    });
    Report { exceptions, ..Report::default() }
}

/// Everything that starts with `shop/` is in the repository.
fn located(report: &Report) -> BTreeMap<FrameAt, Located> {
    let mut located = BTreeMap::new();
    for (index, exception) in report.exceptions.iter().enumerate() {
        for (at, frame) in exception.frames.iter().enumerate() {
            if let Some(path) = frame.filename.clone().filter(|path| path.starts_with("shop/")) {
                located.insert((index, at), Located { path, line: 1, code: String::new(), drift: Drift::None });
            }
        }
    }
    located
}

/// Numbers of the members that are told beside the group itself.
fn told(report: &Report, settings: Settings) -> Vec<u32> {
    let rules = Rules::new(settings, Vec::new(), Timestamp::UNIX_EPOCH);
    let has_line = |member: &Member| {
        let report = Report { member: Some(member.clone()), ..report.clone() };
        has_own_line(&report, &located(&report), &BTreeMap::new(), &rules)
    };
    further_members(report).into_iter().filter(has_line).map(|member| member.number).collect()
}

#[test]
fn each_member_with_a_line_of_its_own_is_told() {
    let all = |paths: &[&str]| told(&group(paths), Settings::default());
    assert_eq!(all(&["shop/a.py", "shop/bb.py", "shop/ccc.py"]), [2, 3]);
    assert_eq!(all(&["shop/a.py", "shop/a.py"]), [0_u32; 0], "the same line is told once");
    assert_eq!(all(&["shop/a.py", "lib/b.py", "shop/ccc.py", "shop/ccc.py"]), [3]);
    assert_eq!(all(&["lib/a.py", "shop/bb.py", "shop/ccc.py"]), [3], "the group's own report found the second's");
    assert_eq!(
        all(&["lib/a.py", "lib/b.py"]),
        [0_u32; 0],
        "no member is the repository's: the group's own line is told"
    );
    assert!(further_members(&group(&["shop/a.py"])).is_empty());
}

#[test]
fn the_first_member_is_told_of_where_its_only_line_raises() {
    let mut report = group(&["shop/a.py", "shop/bb.py", "shop/ccc.py"]);
    let raises = |report: &mut Report, member: usize| {
        report.exceptions[member].frames[0].context_line = Some("raise SoldOut(item)".to_owned());
    };
    // The members stand in the order that they came in, the last first.
    raises(&mut report, 2);
    let rules = Rules::default();
    let chosen = |report: &Report| match choose(report, &located(report), &BTreeMap::new(), &rules) {
        Choice::Culprit { at, .. } => at,
        other => panic!("{other:?}"),
    };
    assert_eq!(chosen(&report), (2, 0), "the first's");
    assert_eq!(told(&report, Settings::default()), [2, 3]);
    raises(&mut report, 1);
    raises(&mut report, 0);
    assert_eq!(chosen(&report), (2, 0), "not what gathered them");
    assert_eq!(told(&report, Settings::default()), [2, 3]);
    let ignoring = Settings { ignored_exceptions: vec!["Failed9".to_owned()], ..Settings::default() };
    assert_eq!(told(&report, ignoring), [3], "the first that is left is the second");
}

#[test]
fn what_settings_ignore_is_left_out_of_a_group() {
    let ignoring = |name: &str| Settings { ignored_exceptions: vec![name.to_owned()], ..Settings::default() };
    let paths = ["shop/a.py", "shop/bb.py", "shop/ccc.py"];
    assert_eq!(told(&group(&paths), ignoring("Failed9")), [3], "the group's own report is about the second");
    assert_eq!(told(&group(&paths), ignoring("Failed10")), [3]);
    let rules = Rules::new(ignoring("Failed9"), Vec::new(), Timestamp::UNIX_EPOCH);
    let report = group(&["shop/a.py", "lib/bbb.py"]);
    let choice = choose(&report, &located(&report), &BTreeMap::new(), &rules);
    assert!(matches!(choice, Choice::Culprit { at: (2, 0), .. }), "{choice:?}");
    let same = group(&["shop/a.py", "shop/b.py"]);
    let choice = choose(&same, &located(&same), &BTreeMap::new(), &rules);
    assert!(matches!(choice, Choice::Dropped(_)), "all of it is ignored: {choice:?}");
}

#[test]
fn at_most_ten_members_are_looked_at_and_it_is_said() {
    let paths: Vec<String> = (1..=14).map(|length| format!("shop/{}.py", "x".repeat(length))).collect();
    let report = group(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let further = further_members(&report);
    assert_eq!(further.len(), MOST_MEMBERS - 1);
    assert_eq!(
        further.last(),
        Some(&Member { number: 10, of: 14, at_least: false, group: "ExceptionGroup".to_owned() })
    );
    let of_member = Report { member: further.last().cloned(), ..report.clone() };
    assert_eq!(
        sentence(&only_member(&of_member)).unwrap(),
        "This is exception 10 of 14 that came together as one ExceptionGroup: each that has another line of \
         this repository to blame is told by itself. Of those after the first 10, none is looked at."
    );
    assert_eq!(
        sentence(&report).unwrap(),
        "14 exceptions came together as one: each that has another line of this repository to blame is told by itself. \
         Of those after the first 10, none is looked at."
    );
    assert_eq!(sentence(&group(&["shop/a.py"])), None);
}

#[test]
fn as_many_are_counted_as_were_sent() {
    let paths: Vec<String> = (1..=12).map(|length| format!("shop/{}.py", "x".repeat(length))).collect();
    let group = || group(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let said = |report: &Report| {
        let second = further_members(report).remove(0);
        let sentence = sentence(&only_member(&Report { member: Some(second), ..report.clone() })).unwrap();
        sentence.split(" that came").next().unwrap().to_owned()
    };
    let mut report = group();
    assert_eq!(said(&report), "This is exception 2 of 12");
    report.left_out = Some(LeftOut { members: 28, is_exact: true });
    assert_eq!(said(&report), "This is exception 2 of 40");
    assert!(sentence(&report).unwrap().starts_with("40 exceptions came together as one: "));
    report.left_out = Some(LeftOut { members: 28, is_exact: false });
    assert_eq!(said(&report), "This is exception 2 of at least 40");
    // As Python prints a group, with 15 of its members.
    report = group();
    report.exceptions.last_mut().unwrap().value = Some("many (33 sub-exceptions)".to_owned());
    assert_eq!(said(&report), "This is exception 2 of 33");
    for message in ["many (3 sub-exceptions)", "many (4294967295 sub-exceptions)", "(x sub-exceptions)"] {
        report.exceptions.last_mut().unwrap().value = Some(message.to_owned());
        assert_eq!(said(&report), "This is exception 2 of 12", "{message}");
    }
    // A group in it may have as many more.
    report = group();
    report.exceptions.first_mut().unwrap().is_group = true;
    report.left_out = Some(LeftOut { members: 1, is_exact: true });
    assert_eq!(said(&report), "This is exception 2 of at least 13");
}

#[test]
fn the_member_is_found_to_which_an_exception_belongs() {
    let report = wrapped(&["shop/a.py", "shop/b.py"], "Failed");
    let number = |exception: usize| member_with(&report, exception).map(|member| (member.number, member.of));
    // The causes stand first, the last one's before the others.
    assert_eq!([0, 1, 2, 3, 4].map(number), [Some((2, 2)), Some((1, 2)), Some((2, 2)), Some((1, 2)), None]);
    let one = group(&["shop/a.py"]);
    let only = only_member(&Report { member: member_with(&one, 0), ..one });
    assert_eq!(only.headline(), "Failed9");
    assert_eq!(sentence(&only).unwrap(), "It is the only exception of one ExceptionGroup.");
    let chain = Report { exceptions: vec![Exception::default(), Exception::default()], ..Report::default() };
    assert_eq!(member_with(&chain, 0), None);
}

#[test]
fn a_members_report_is_only_about_it() {
    let mut report = group(&["shop/a.py", "shop/bb.py"]);
    // The second one has a cause.
    let cause =
        Exception { id: Some(9), parent: Some(2), source: Some("__cause__".to_owned()), ..Exception::default() };
    report.exceptions.insert(0, cause);
    report.member = further_members(&report).pop();
    let only = only_member(&report);
    assert_eq!(only.exceptions.len(), 2);
    assert_eq!(only.headline(), "Failed10");
    assert_eq!(only_member(&only), only, "once is enough");
    let whole = Report { member: None, ..report };
    assert_eq!(only_member(&whole), whole);
}

/// The group of what wraps failures at these paths: nothing but the causes' calls tells them apart.
fn wrapped(paths: &[&str], carrier: &str) -> Report {
    let mut report = group(&vec!["lib/wrap.py"; paths.len()]);
    for exception in report.exceptions.iter_mut().filter(|exception| !exception.is_group) {
        carrier.clone_into(&mut exception.kind);
        exception.frames.clear();
    }
    for (number, path) in (1..).zip(paths) {
        let source = Some("__cause__".to_owned());
        let (id, parent, frames) = (Some(100 + number), Some(number), vec![frame(path)]);
        let cause = Exception { kind: "SoldOut".to_owned(), id, parent, source, frames, ..Exception::default() };
        report.exceptions.insert(0, cause);
    }
    report
}

#[test]
fn members_are_told_apart_by_their_causes() {
    let numbers = |paths: &[&str]| told(&wrapped(paths, "Failed"), Settings::default());
    assert_eq!(numbers(&["shop/a.py", "shop/b.py", "shop/c.py"]), [2, 3]);
    assert_eq!(numbers(&["shop/a.py", "shop/a.py", "shop/c.py"]), [3]);
    let mut same = wrapped(&["shop/a.py", "shop/a.py"], "Failed");
    assert!(further_members(&same).is_empty(), "they fail alike");
    "Gone".clone_into(&mut same.exceptions[0].kind);
    assert_eq!(further_members(&same).len(), 1, "of another type");
    let mut silent = wrapped(&["shop/a.py", "shop/b.py"], "Failed");
    silent.exceptions[0].frames.clear();
    assert!(further_members(&silent).is_empty(), "the second says nowhere");
}

#[test]
fn what_a_member_only_carries_may_be_ignored() {
    let ignoring = || Settings { ignored_exceptions: vec!["SoldOut".to_owned()], ..Settings::default() };
    let rules = Rules::new(ignoring(), Vec::new(), Timestamp::UNIX_EPOCH);
    for paths in [&["shop/a.py"][..], &["shop/a.py", "shop/b.py"]] {
        let report = wrapped(paths, "System.Reflection.TargetInvocationException");
        let choice = choose(&report, &located(&report), &BTreeMap::new(), &rules);
        assert!(matches!(choice, Choice::Dropped(_)), "{choice:?}");
        assert!(told(&report, ignoring()).is_empty());
    }
    let mut first = wrapped(&["shop/a.py", "shop/b.py"], "System.Reflection.TargetInvocationException");
    "Gone".clone_into(&mut first.exceptions[0].kind);
    let choice = choose(&first, &located(&first), &BTreeMap::new(), &rules);
    assert!(matches!(choice, Choice::Culprit { at: (0, 0), .. }), "the second is told: {choice:?}");
}
