//! What the repository has for a report that led to no line, so that the reason can be said.

use super::evidence::MirrorCommit;
use super::suspects::Suspicion;
use domain::culprit::{FrameAt, Located};
use domain::deployed_root::Root;
use domain::no_line::{Facts, Files, MirrorState, NoLine, Sighting, looked_at, no_line, stands};
use domain::report::Report;
use domain::rule::Rules;
use domain::test_report::TEST_EXCEPTION;
use mirror::MirrorError;
use std::collections::BTreeMap;

/// What was looked at, and what was found.
#[derive(Clone, Copy)]
pub(super) struct LookedUp<'a> {
    /// The report.
    pub report: &'a Report,
    /// The rules in force.
    pub rules: &'a Rules,
    /// A commit of the mirror.
    pub at: Option<MirrorCommit<'a>>,
    /// There is a mirror that may be asked.
    pub has_mirror: bool,
    /// Why it can't be asked, or is behind.
    pub trouble: Option<&'a str>,
    /// The report's own name for its version led to the commit.
    pub pinned: bool,
    /// The culprit.
    pub culprit: Option<&'a Located>,
    /// Where this report and earlier ones have shown that folders are deployed.
    pub roots: &'a [Root],
}

impl LookedUp<'_> {
    fn state(&self) -> MirrorState {
        match (self.at, self.has_mirror) {
            _ if self.trouble == Some(super::PLAIN) => MirrorState::SetAside,
            (Some(_), _) if self.trouble.is_some() => MirrorState::Behind,
            (Some(_), _) => MirrorState::Whole,
            (None, true) => MirrorState::Empty,
            (None, false) => MirrorState::Unread,
        }
    }
}

/// Why a report led to no line, or to one that nobody is known to have written.
pub(super) fn why_no_line(looked: LookedUp<'_>, suspicion: &Suspicion) -> Result<Vec<NoLine>, MirrorError> {
    let LookedUp { report, rules, pinned, culprit, .. } = looked;
    let sightings = match looked.at.filter(|_| culprit.is_none()) {
        Some(at) => sightings(at, report, rules)?,
        None => BTreeMap::new(),
    };
    Ok(no_line(&Facts {
        report,
        rules,
        is_test: report.raised().is_some_and(|raised| raised.kind == TEST_EXCEPTION),
        mirror: looked.state(),
        pinned,
        culprit,
        passed: suspicion.passed(),
        sightings: &sightings,
        commit: looked.at.map(|at| at.commit),
        roots: looked.roots,
    }))
}

/// The files that frames may have meant, and whether they have their lines.
fn sightings(at: MirrorCommit<'_>, report: &Report, rules: &Rules) -> Result<BTreeMap<FrameAt, Sighting>, MirrorError> {
    let frames = looked_at(report, rules);
    if frames.is_empty() {
        return Ok(BTreeMap::new());
    }
    let paths = at.mirrors.files(at.id, at.commit)?;
    let files = Files::of(&paths);
    let mut found = BTreeMap::new();
    for (frame_at, path) in frames {
        let Some(mut sighting) = files.sighting(&path) else { continue };
        if let Sighting::Fits { files, stands: known, .. } = &mut sighting
            && let Some(first) = files.first()
        {
            let frame = &report.exceptions[frame_at.0].frames[frame_at.1];
            let lines = at.lines(first)?;
            *known = stands(lines.as_deref().map(Vec::as_slice), frame);
        }
        found.insert(frame_at, sighting);
    }
    Ok(found)
}
