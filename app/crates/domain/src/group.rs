//! Groups of exceptions: what was raised as one and is several failures, each to be told to whom it
//! concerns.
//!
//! The group's own report is about the first member that has a line, or as any other where none
//! has. For each further member there is a report that is about that member ([`Report::member`]),
//! and that counts only where the member has a line of its own.

use super::chain::{members, members_of, with_causes};
use super::culprit::{Choice, FrameAt, Located, choose, choose_of_member};
use super::report::{Exception, LeftOut, Member, Report};
use super::rule::Rules;
use super::source::LineFacts;
use std::collections::BTreeMap;

/// Members of a group that are looked at: so many alerts can follow of one event. Whoever gathers
/// more runs the same code on much data, which fails at the same lines.
pub const MOST_MEMBERS: usize = 10;

/// Members that a group's message may say it has: whatever was written into it, the sum stays a
/// number.
const MOST_SAID: u32 = 1_000_000;

/// Members that a report of their own is made for, the first aside, whose line the group's report
/// finds: what fails alike is taken once.
pub fn further_members(report: &Report) -> Vec<Member> {
    let members = members(report);
    let Some(group) = report.exceptions.iter().rev().find(|exception| exception.is_group) else { return Vec::new() };
    let size = size_of(report, &members);
    let looked_at = &members[..members.len().min(MOST_MEMBERS)];
    let is_new = |&(place, member): &(usize, &usize)| {
        let failure = failure_of(&report.exceptions, *member);
        failure.iter().any(|(_, _, calls)| !calls.is_empty())
            && !looked_at[..place].iter().any(|&before| failure_of(&report.exceptions, before) == failure)
    };
    let further = looked_at.iter().enumerate().skip(1).filter(is_new);
    let numbered = further.filter_map(|(place, _)| u32::try_from(place + 1).ok());
    let Size { of, at_least } = size;
    numbered.map(|number| Member { number, of, at_least, group: group.full_name() }).collect()
}

/// How many members a group has.
#[derive(Clone, Copy)]
struct Size {
    of: u32,
    /// It may have more.
    at_least: bool,
}

/// How many members were sent: those that are kept, and what is known of those that are not.
fn size_of(report: &Report, members: &[usize]) -> Size {
    let is_group = |exception: &&Exception| exception.is_group;
    let groups = report.exceptions.iter().filter(is_group).count();
    let unprinted: u32 = (0..report.exceptions.len()).filter_map(|index| unprinted_of(report, index)).sum();
    let left_out = report.left_out.unwrap_or(LeftOut { members: 0, is_exact: true });
    let further = unprinted.max(left_out.members);
    Size {
        of: u32::try_from(members.len()).unwrap_or(u32::MAX).saturating_add(further),
        // Of a group in a group nobody knows how many of its own were left out.
        at_least: !left_out.is_exact || (further > 0 && groups > 1),
    }
}

/// How many members of a group are not in the report, by its message: Python prints 15 of them, and
/// in the message how many there are.
fn unprinted_of(report: &Report, index: usize) -> Option<u32> {
    let exception = report.exceptions.get(index).filter(|exception| exception.is_group)?;
    let said = exception.value.as_deref()?.lines().next()?.trim_end().strip_suffix(" sub-exceptions)")?;
    let said: u32 = said.rsplit_once('(')?.1.parse().ok().filter(|said| *said <= MOST_SAID)?;
    let kept = u32::try_from(members_of(&report.exceptions, index).len()).unwrap_or(u32::MAX);
    said.checked_sub(kept).filter(|missing| *missing > 0)
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

/// The member whose exception, or a cause of it, is this one; `None` where it belongs to none.
pub fn member_with(report: &Report, exception: usize) -> Option<Member> {
    let members = members(report);
    let group = report.exceptions.iter().rev().find(|exception| exception.is_group)?;
    let place = members.iter().position(|&member| with_causes(&report.exceptions, member).contains(&exception))?;
    let (number, Size { of, at_least }) = (u32::try_from(place + 1).ok()?, size_of(report, &members));
    Some(Member { number, of, at_least, group: group.full_name() })
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
    let told = |of: u32| {
        let told = "each that has another line of this repository to blame is told by itself.";
        let is_more = usize::try_from(of).is_ok_and(|of| of > MOST_MEMBERS);
        let beyond = format!(" Of those after the first {MOST_MEMBERS}, none is looked at.");
        format!("{told}{}", if is_more { beyond.as_str() } else { "" })
    };
    let number_of = |of: u32, at_least: bool| format!("{}{of}", if at_least { "at least " } else { "" });
    if let Some(Member { number, of, at_least, group }) = &report.member {
        if *of == 1 && !at_least {
            return Some(format!("It is the only exception of one {group}."));
        }
        let this = format!("This is exception {number} of {}", number_of(*of, *at_least));
        return Some(format!("{this} that came together as one {group}: {}", told(*of)));
    }
    let members = members(report);
    let Size { of, at_least } = size_of(report, &members);
    (members.len() > 1).then(|| format!("{} exceptions came together as one: {}", number_of(of, at_least), told(of)))
}

#[cfg(test)]
mod tests;
