//! Groups of exceptions: what was raised as one and is several failures, each to be told to whom it
//! concerns.
//!
//! The group's own report is as any other: it is about the first member that has a line. For each
//! further member there is a report that is about that member ([`Report::member`]), and that counts
//! only where the member has a line of its own.

use super::chain::{members, with_causes};
use super::culprit::{Choice, FrameAt, Located, choose, choose_of_member};
use super::report::{Exception, Member, Report};
use super::rule::Rules;
use super::source::LineFacts;
use std::collections::BTreeMap;

/// Members of a group that are looked at: so many alerts can follow of one event. Whoever gathers
/// more runs the same code on much data, which fails at the same lines.
pub const MOST_MEMBERS: usize = 10;

/// Members that a report of their own is made for, the first aside, whose line the group's report
/// finds: what fails alike is taken once.
pub fn further_members(report: &Report) -> Vec<Member> {
    let members = members(report);
    let Some(group) = report.exceptions.iter().rev().find(|exception| exception.is_group) else { return Vec::new() };
    let of = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let looked_at = &members[..members.len().min(MOST_MEMBERS)];
    let is_new = |&(place, member): &(usize, &usize)| {
        let failure = failure_of(&report.exceptions, *member);
        failure.iter().any(|(_, _, calls)| !calls.is_empty())
            && !looked_at[..place].iter().any(|&before| failure_of(&report.exceptions, before) == failure)
    };
    let further = looked_at.iter().enumerate().skip(1).filter(is_new);
    let numbered = further.filter_map(|(place, _)| u32::try_from(place + 1).ok());
    numbered.map(|number| Member { number, of, group: group.full_name() }).collect()
}

/// Where a frame is: its absolute path, its file and its line.
type Call<'r> = (Option<&'r str>, Option<&'r str>, Option<u32>);

/// Type, module and calls of a member and of its causes: what fails alike has the same of each. A
/// member that another exception caused may have no calls of its own.
fn failure_of(exceptions: &[Exception], member: usize) -> Vec<(&str, Option<&str>, Vec<Call<'_>>)> {
    let of_one = |index: usize| {
        let exception = &exceptions[index];
        let calls = exception.frames.iter();
        let calls = calls.map(|frame| (frame.abs_path.as_deref(), frame.filename.as_deref(), frame.line)).collect();
        (exception.kind.as_str(), exception.module.as_deref(), calls)
    };
    with_causes(exceptions, member).into_iter().map(of_one).collect()
}

/// The report that is only about its member: without the group and its other members. As it is,
/// where it is about no member, or only about it already.
pub fn only_member(report: &Report) -> Report {
    let mut only = report.clone();
    if let Some(member) = member_at(report) {
        let exceptions = with_causes(&report.exceptions, member);
        only.exceptions = exceptions.into_iter().map(|index| report.exceptions[index].clone()).collect();
        if let Some(raised) = only.exceptions.last_mut() {
            (raised.parent, raised.source) = (None, None);
        }
    }
    only
}

/// Index of the member that a report is about.
fn member_at(report: &Report) -> Option<usize> {
    let number = report.member.as_ref()?.number as usize;
    members(report).get(number.checked_sub(1)?).copied()
}

/// Whether the member that a report is about has a line of its own, as far as frames are located:
/// one that is neither the group's nor that of a member before it.
pub fn has_own_line(
    report: &Report,
    located: &BTreeMap<FrameAt, Located>,
    facts: &BTreeMap<FrameAt, LineFacts>,
    rules: &Rules,
) -> bool {
    let Some(asked) = member_at(report) else { return true };
    let line = |choice: Choice| match choice {
        Choice::Culprit { at, .. } => located.get(&at).map(|found| (found.path.as_str(), found.line)),
        Choice::Nobody { .. } | Choice::Dropped(_) => None,
    };
    let of_member = |member: usize| line(choose_of_member(report, member, located, facts, rules));
    let own = of_member(asked);
    own.is_some()
        && own != line(choose(report, located, facts, rules))
        && members(report).into_iter().take_while(|&before| before != asked).all(|before| of_member(before) != own)
}

/// What a verdict says of a report that is about a group, or about one of its members.
pub fn sentence(report: &Report) -> Option<String> {
    let beyond = |of: usize| {
        let more = of > MOST_MEMBERS;
        if more { format!(" Of those after the first {MOST_MEMBERS}, none is looked at.") } else { String::new() }
    };
    if let Some(Member { number, of, group }) = &report.member {
        let beyond = beyond(*of as usize);
        return Some(format!("This is exception {number} of {of} that came together as one {group}.{beyond}"));
    }
    let of = members(report).len();
    (of > 1).then(|| {
        format!(
            "{of} exceptions came together as one: each that has another line of this repository to blame is told by \
             itself.{}",
            beyond(of)
        )
    })
}

#[cfg(test)]
mod tests;
