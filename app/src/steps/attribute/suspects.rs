//! Naming the suspects of a report: the culprit's line, what stands around it in the traceback, and
//! what it leads to.

use super::elsewhere::{Start, elsewhere};
use super::evidence::Evidence;
use domain::blame::Blame;
use domain::chain::is_remote_traceback;
use domain::culprit::{Choice, ChosenAs, FrameAt, Located, choose, culprit_of_cause, frames_in_order};
use domain::drift::Drift;
use domain::not_ours::NotOurs;
use domain::report::Report;
use domain::rule::{CodeAt, Rules};
use domain::source::{Block, LineFacts};
use domain::step_over::Passed;
use domain::step_over::step_over;
use domain::suspects::{FRESH_REACH, Found, Suspect, SuspectedBy, rank};
use domain::timestamp::Timestamp;
use mirror::MirrorError;
use std::collections::BTreeMap;

/// A function longer than this is not asked for its latest change: that would be of anything.
const LONGEST_FUNCTION: u32 = 300;

/// Chooses the culprit among the located frames, and names the suspects.
///
/// # Errors
/// The mirror can't be read.
pub fn choose_culprit_and_suspects(
    evidence: Evidence<'_>,
    report: &Report,
    located: &BTreeMap<FrameAt, Located>,
    rules: &Rules,
    event_at: Timestamp,
) -> Result<Suspicion, MirrorError> {
    let facts = evidence.facts(located, rules)?;
    let choice = choose(report, located, &facts, rules);
    let suspects = match &choice {
        Choice::Culprit { at, passed, .. } => {
            let known = Known { report, located, facts: &facts, rules, culprit: *at, passed };
            suspects(evidence, &known, event_at)?
        }
        Choice::Nobody { .. } | Choice::Dropped(_) => Vec::new(),
    };
    Ok(Suspicion { choice, facts, suspects })
}

/// The culprit frame and who is suspected.
#[derive(Debug)]
pub struct Suspicion {
    /// The culprit frame, or why there is none.
    pub choice: Choice,
    /// What the source says of the located frames.
    pub facts: BTreeMap<FrameAt, LineFacts>,
    /// Who may be to blame, the most likely first.
    pub suspects: Vec<Suspect>,
}

impl Suspicion {
    /// The culprit frame.
    pub(super) fn culprit(&self) -> Option<FrameAt> {
        match &self.choice {
            Choice::Culprit { at, .. } => Some(*at),
            Choice::Nobody { .. } | Choice::Dropped(_) => None,
        }
    }

    /// The frames that were passed over on the way to the culprit, and why.
    pub(super) fn passed(&self) -> &[(FrameAt, Passed)] {
        match &self.choice {
            Choice::Culprit { passed, .. } | Choice::Nobody { passed } => passed,
            Choice::Dropped(_) => &[],
        }
    }

    /// Says of frames that are not the repository's what they are instead, where the repository
    /// itself tells.
    pub(super) fn tell_elsewhere(&mut self, elsewhere: &BTreeMap<FrameAt, Passed>) {
        let (Choice::Culprit { passed, .. } | Choice::Nobody { passed }) = &mut self.choice else { return };
        for (at, why) in passed.iter_mut().filter(|(_, why)| why.is_outside()) {
            if let Some(told) = elsewhere.get(at) {
                *why = told.clone();
            }
        }
    }

    /// Who wrote the culprit's line, where git can tell.
    pub(super) fn blame_of_culprit(&self) -> Option<Blame> {
        let culprit = self.suspects.iter().find(|one| one.frame.is_some() && one.frame == self.culprit());
        culprit.and_then(|one| one.blame.clone())
    }

    /// Why the culprit is not the repository's people's, where it was chosen though it is not.
    pub(super) fn not_ours(&self) -> Option<&NotOurs> {
        let Choice::Culprit { at, chosen_as: ChosenAs::OnlyLibraryCode, .. } = &self.choice else { return None };
        self.facts.get(at)?.not_ours.as_ref()
    }

    /// The function around the culprit's line.
    pub(super) fn function_of_culprit(&self) -> Option<&Block> {
        self.facts.get(&self.culprit()?)?.function.as_ref()
    }
}

/// What is known of a report once its culprit was chosen.
struct Known<'a> {
    report: &'a Report,
    located: &'a BTreeMap<FrameAt, Located>,
    facts: &'a BTreeMap<FrameAt, LineFacts>,
    rules: &'a Rules,
    culprit: FrameAt,
    passed: &'a [(FrameAt, Passed)],
}

/// The suspects, the most likely first.
fn suspects(reading: Evidence<'_>, known: &Known<'_>, event_at: Timestamp) -> Result<Vec<Suspect>, MirrorError> {
    let Some(culprit) = known.suspect(reading, known.culprit)? else { return Ok(Vec::new()) };
    let first_step = known.passed.iter().find(|(_, why)| why.heuristic().is_some()).map(|(at, _)| *at);
    let mut callers = Vec::new();
    for at in known.callers() {
        if callers.len() < FRESH_REACH {
            callers.extend(known.suspect(reading, at)?);
        }
    }
    let stepped_over = first_step.map(|at| known.suspect(reading, at)).transpose()?.flatten();
    let cause = culprit_of_cause(known.report, known.located, known.facts, known.rules, known.passed);
    let cause = cause.filter(|at| *at != known.culprit).map(|at| known.suspect(reading, at)).transpose()?.flatten();
    let no_facts = LineFacts::default();
    let facts = known.facts.get(&known.culprit).unwrap_or(&no_facts);
    let elsewhere = elsewhere(
        reading,
        &Start {
            exception: &known.report.exceptions[known.culprit.0],
            facts,
            blame: culprit.blame.as_ref(),
            stepped: first_step.is_some(),
            paths: &known.paths(),
            rules: known.rules,
        },
    )?;
    let is_alone = callers.is_empty() && stepped_over.is_none();
    let function = facts.function.as_ref().filter(|_| is_alone);
    let latest_change = function.map(|function| latest_change(reading, &culprit, function)).transpose()?.flatten();
    let stepped = first_step.is_some();
    let found = Found { culprit: Some(culprit), stepped, elsewhere, callers, cause, stepped_over, latest_change };
    Ok(rank(found, known.rules, event_at))
}

/// The line of the culprit's function that was changed last.
fn latest_change(reading: Evidence<'_>, culprit: &Suspect, function: &Block) -> Result<Option<Suspect>, MirrorError> {
    if function.length() > LONGEST_FUNCTION {
        return Ok(None);
    }
    let origins = reading.blame_lines(&culprit.path, function.start..=function.end)?;
    let lines = match reading {
        Evidence::Mirror(at) => at.lines(&culprit.path)?,
        Evidence::KnownFacts(_) => None,
    };
    let text_of = |line: u32| lines.as_ref()?.get(line as usize - 1).map(String::as_str);
    let latest = domain::suspects::latest_change(origins, culprit.blame.as_ref(), text_of);
    Ok(latest.map(|(line, blame)| Suspect { line, blame: Some(blame), frame: None, ..culprit.clone() }))
}

impl<'a> Known<'a> {
    /// A frame as a suspect, with its origin where git can tell it.
    fn suspect(&self, reading: Evidence<'_>, at: FrameAt) -> Result<Option<Suspect>, MirrorError> {
        let Some(found) = self.located.get(&at) else { return Ok(None) };
        let blame = match found.drift {
            Drift::Differs => None,
            _ => reading.blame(&found.path, found.line)?,
        };
        let function = self.facts.get(&at).and_then(|facts| facts.function.as_ref());
        let name = self.function(at).1;
        Ok(Some(Suspect {
            path: found.path.clone(),
            line: found.line,
            function: name,
            frame: Some(at),
            function_lines: function.map(|function| (function.start, function.end)),
            blame,
            rule: SuspectedBy::Caller,
        }))
    }

    /// Own frames outwards of the culprit, nearest first: each of another function than the one
    /// before, and none that would be stepped over or that the settings leave out. What a worker
    /// did was called by the process that waited for it, whose exception comes next.
    fn callers(&self) -> Vec<FrameAt> {
        let order = frames_in_order(self.report);
        let outwards = order.iter().skip_while(|at| **at != self.culprit).skip(1);
        let is_remote = is_remote_traceback(&self.report.exceptions[self.culprit.0].kind);
        let waiting = outwards.clone().map(|at| at.0).find(|at| *at != self.culprit.0).filter(|_| is_remote);
        let mut last = self.function(self.culprit);
        let mut found = Vec::new();
        for &at in outwards.filter(|at| at.0 == self.culprit.0 || Some(at.0) == waiting) {
            let Some(located) = self.located.get(&at) else { continue };
            let function = self.function(at);
            if function == last || self.is_passed(at, located) {
                continue;
            }
            last = function;
            found.push(at);
        }
        found
    }

    fn is_passed(&self, at: FrameAt, located: &Located) -> bool {
        let frame = &self.report.exceptions[at.0].frames[at.1];
        let code = CodeAt { path: &located.path, inside: true, function: frame.function_name(), code: &located.code };
        !self.rules.may_blame(&located.path)
            || self.rules.library_code(code).is_some()
            || self.facts.get(&at).is_some_and(|facts| facts.not_ours.is_some())
            || matches!(
                step_over(self.rules, &self.report.exceptions[at.0], &located.code, self.facts.get(&at), false),
                Some(Passed::Forwards | Passed::CallsGiven)
            )
    }

    fn function(&self, at: FrameAt) -> (&'a str, String) {
        let path = self.located.get(&at).map_or("", |located| located.path.as_str());
        let facts = self.facts.get(&at).and_then(|facts| facts.function.as_ref());
        let name = facts.map_or_else(
            || self.report.exceptions[at.0].frames[at.1].function_name().to_owned(),
            |function| function.qualified.clone(),
        );
        (path, name)
    }

    /// Files of the located frames, from the culprit outwards and then inwards.
    fn paths(&self) -> Vec<&'a str> {
        let order = frames_in_order(self.report);
        let from = order.iter().position(|at| *at == self.culprit).unwrap_or(0);
        let (inner, outer) = order.split_at(from);
        let mut paths = Vec::new();
        for path in outer.iter().chain(inner).filter_map(|at| Some(self.located.get(at)?.path.as_str())) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }
}
