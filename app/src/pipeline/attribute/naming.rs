//! Naming the suspects of a report: the culprit's line, what stands around it in the traceback, and what it leads to.

use super::elsewhere::{Start, elsewhere};
use super::reading::Reading;
use crate::domain::culprit::{Drift, FrameAt, Located, Passed, frames_in_order};
use crate::domain::report::Report;
use crate::domain::rule::{CodeAt, Rules};
use crate::domain::source::LineFacts;
use crate::domain::steps::step_over;
use crate::domain::suspects::{FRESH_REACH, Found, Rule, Suspect, changed_ms, rank};
use crate::mirror::MirrorError;
use std::collections::BTreeMap;

/// A function longer than this is not asked for its latest change: that would be of anything.
const LONGEST_FUNCTION: u32 = 300;

/// What is known of a report once its culprit was chosen.
pub(super) struct Known<'a> {
    pub(super) report: &'a Report,
    pub(super) located: &'a BTreeMap<FrameAt, Located>,
    pub(super) facts: &'a BTreeMap<FrameAt, LineFacts>,
    pub(super) rules: &'a Rules,
    pub(super) culprit: FrameAt,
    pub(super) passed: &'a [(FrameAt, Passed)],
}

/// The suspects, the most likely first.
pub(super) fn suspects(reading: Reading<'_>, known: &Known<'_>, event_ms: i64) -> Result<Vec<Suspect>, MirrorError> {
    let Some(culprit) = known.suspect(reading, known.culprit)? else { return Ok(Vec::new()) };
    let stepped: Vec<FrameAt> =
        known.passed.iter().filter(|(_, why)| why.is_step()).map(|(at, _)| *at).collect();
    let mut callers = Vec::new();
    for at in known.callers() {
        if callers.len() < FRESH_REACH {
            callers.extend(known.suspect(reading, at)?);
        }
    }
    let stepped_over = match stepped.first() {
        Some(at) => known.suspect(reading, *at)?,
        None => None,
    };
    let no_facts = LineFacts::default();
    let facts = known.facts.get(&known.culprit).unwrap_or(&no_facts);
    let elsewhere = elsewhere(
        reading,
        &Start {
            exception: &known.report.exceptions[known.culprit.0],
            facts,
            blame: culprit.blame.as_ref(),
            paths: &known.paths(),
        },
    )?;
    let latest_change = match &facts.function {
        Some(function) if callers.is_empty() && stepped_over.is_none() && function.length() <= LONGEST_FUNCTION => {
            let origins = reading.blame_lines(&culprit.path, function.start..=function.end)?;
            let latest = origins.into_iter().max_by_key(|(_, blame)| changed_ms(blame));
            latest.map(|(line, blame)| Suspect { line, blame: Some(blame), frame: None, ..culprit.clone() })
        }
        _ => None,
    };
    let found =
        Found { culprit: Some(culprit), stepped: !stepped.is_empty(), elsewhere, callers, stepped_over, latest_change };
    Ok(rank(found, event_ms))
}

impl<'a> Known<'a> {
    /// A frame as a suspect, with its origin where git can tell it.
    fn suspect(&self, reading: Reading<'_>, at: FrameAt) -> Result<Option<Suspect>, MirrorError> {
        let Some(found) = self.located.get(&at) else { return Ok(None) };
        let blame = match found.drift {
            Drift::Differs => None,
            _ => reading.blame(&found.path, found.line)?,
        };
        let function = self.facts.get(&at).and_then(|facts| facts.function.as_ref());
        let function = function.map_or_else(
            || self.report.exceptions[at.0].frames[at.1].function_name().to_owned(),
            |function| function.qualified.clone(),
        );
        Ok(Some(Suspect { path: found.path.clone(), line: found.line, function, frame: Some(at), blame, rule: Rule::Caller }))
    }

    /// Own frames outwards of the culprit, nearest first: each of another function than the one before, and none that would
    /// be stepped over or that the settings leave out.
    fn callers(&self) -> Vec<FrameAt> {
        let order = frames_in_order(self.report);
        let outwards = order.iter().skip_while(|at| **at != self.culprit).skip(1);
        let mut last = self.function(self.culprit);
        let mut found = Vec::new();
        for &at in outwards.filter(|at| at.0 == self.culprit.0) {
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
            || self.rules.building_block(code).is_some()
            || matches!(
                step_over(&self.report.exceptions[at.0], &located.code, self.facts.get(&at), false),
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
