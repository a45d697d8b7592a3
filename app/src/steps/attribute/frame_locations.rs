//! Finding the frames of a report in a commit: which file of the repository each is in, and at
//! which line. They are located together, as they were deployed together.

use super::evidence::MirrorCommit;
use super::frame_fits::{Deployment, Finder, Sought};
use super::frame_signs::telling;
use domain::bare_line::{only_closes, only_closes_sentence};
use domain::culprit::{FrameAt, Located, frames_in_order};
use domain::deployed_root::{Fit, Root, Roots};
use domain::drift::Drift;
use domain::function_names::Misplaced;
use domain::report::{Frame, Report};
use domain::rule::Rules;
use domain::step_over::Passed;
use mirror::{MirrorError, PathStanding};
use std::collections::BTreeMap;

/// Roots that one report shows for those to come: an application has one or two.
const MOST_SHOWN: usize = 4;

/// Components at a path's end that are looked for among a repository's links: trees are not as
/// deep, and what a report says may be.
const MOST_PARTS: usize = 16;

/// Where the frames of a report are.
#[derive(Debug, Default)]
pub(super) struct Locations {
    /// Frames that are in the repository.
    pub(super) located: BTreeMap<FrameAt, Located>,
    /// Files that fit such a frame equally well.
    pub(super) ties: BTreeMap<FrameAt, Vec<String>>,
    /// What speaks against where a frame was found.
    pub(super) objections: BTreeMap<FrameAt, Objection>,
    /// Frames that fall where the repository shows what is not its own, and what that is.
    pub(super) elsewhere: BTreeMap<FrameAt, Passed>,
    /// Roots that the report shows by its texts.
    pub(super) shown: Vec<Root>,
}

/// What speaks against where a frame was found.
#[derive(Clone, Debug)]
pub(super) enum Objection {
    /// Its line is in another function.
    Misplaced(Misplaced),
    /// Its line only closes what others opened.
    OnlyCloses,
    /// The path has other letters, by their case.
    OtherCase,
}

impl Objection {
    /// In a sentence, where it holds: of a commit that the report names, no line moves.
    pub(super) fn sentence(&self, found: &Located, is_pinned: bool, branch: &str) -> Option<String> {
        match self {
            Self::Misplaced(_) | Self::OnlyCloses if is_pinned => None,
            Self::OnlyCloses => Some(only_closes_sentence(found.line, branch)),
            Self::Misplaced(misplaced) => Some(misplaced.sentence(found.line, branch)),
            Self::OtherCase => {
                Some(format!("The reported path is {} in other letters (upper and lower case).", found.path))
            }
        }
    }
}

/// A frame that is looked up, for all that are equal to it (recursion).
struct Distinct<'a> {
    frame: &'a Frame,
    at: Vec<FrameAt>,
    sought: Sought,
}

/// Finds the frames that are in the repository.
pub(super) fn locate_frames(
    reading: MirrorCommit<'_>,
    report: &Report,
    rules: &Rules,
    deployment: Deployment<'_>,
) -> Result<Locations, MirrorError> {
    let finder = Finder::new(reading, rules, report.platform, deployment);
    let mut frames = distinct(&finder, report)?;
    let roots = Roots::count(frames.iter().map(|one| &one.sought.sighting), deployment.remembered);
    let mut found = Locations::default();
    for one in &mut frames {
        let elsewhere = look_under(&finder, &roots, one)?;
        let agrees = |fit: &Fit| fit.agrees;
        let elsewhere = match elsewhere {
            None if one.sought.is_package => Some(Passed::Package),
            None if !one.sought.sighting.fits.iter().any(agrees) => match below_submodule(&finder, &one.sought)? {
                None => through_link(&finder, &one.sought)?,
                submodule => submodule,
            },
            elsewhere => elsewhere,
        };
        if let Some(why) = elsewhere {
            found.elsewhere.extend(one.at.iter().map(|at| (*at, why.clone())));
            continue;
        }
        let Some(chosen) = roots.choose(&one.sought.sighting) else { continue };
        let fit = &one.sought.sighting.fits[chosen.fit];
        let located = located(reading, fit, one.frame)?;
        let objection = match finder.compare_function(one.frame, fit)?.1 {
            Some(misplaced) => Some(Objection::Misplaced(misplaced)),
            None if located.drift == Drift::Unchecked && only_closes(&located.code) => Some(Objection::OnlyCloses),
            None => (fit.is_folded && !fit.agrees).then_some(Objection::OtherCase),
        };
        for at in &one.at {
            found.located.insert(*at, located.clone());
            found.objections.extend(objection.clone().map(|objection| (*at, objection)));
            if !chosen.ties.is_empty() {
                found.ties.insert(*at, chosen.ties.clone());
            }
        }
        if chosen.ties.is_empty() && is_shown(one, fit) && !found.shown.contains(&fit.root) {
            found.shown.push(fit.root.clone());
        }
    }
    found.shown.truncate(MOST_SHOWN);
    Ok(found)
}

/// The frames of a report, each with what it may be.
fn distinct<'a>(finder: &Finder<'_>, report: &'a Report) -> Result<Vec<Distinct<'a>>, MirrorError> {
    let mut seen = BTreeMap::new();
    let mut frames: Vec<Distinct<'a>> = Vec::new();
    // Some clients call nothing the application's own, as long as they are not told what is.
    let mut all = report.exceptions.iter().flat_map(|exception| &exception.frames);
    let has_own = all.any(|frame| frame.in_app == Some(true));
    for at in frames_in_order(report) {
        let frame = &report.exceptions[at.0].frames[at.1];
        // Of what errors name themselves, less is known (`named_places`).
        if frame.line.is_none() || frame.is_named {
            continue;
        }
        let names = (frame.abs_path.as_deref(), frame.filename.as_deref(), frame.module.as_deref());
        let names = (names, frame.application.as_deref());
        let key = (names, frame.line, frame.context_line.as_deref(), frame.function.as_deref());
        match seen.get(&key) {
            Some(&index) => {
                let known: &mut Distinct<'_> = &mut frames[index];
                known.at.push(at);
            }
            None => {
                seen.insert(key, frames.len());
                let mut sought = finder.seek(frame)?;
                sought.sighting.is_disowned = has_own && frame.in_app == Some(false) && telling(frame).is_none();
                frames.push(Distinct { frame, at: vec![at], sought });
            }
        }
    }
    Ok(frames)
}

/// Looks for a frame under the roots that the other frames show: a file that its name alone would
/// not tell, and what is there that is not the repository's own.
fn look_under(finder: &Finder<'_>, roots: &Roots, one: &mut Distinct<'_>) -> Result<Option<Passed>, MirrorError> {
    for root in roots.supported() {
        for reported in &one.sought.paths {
            let Some(path) = root.path_of(reported).filter(|path| !path.is_empty()) else { continue };
            if one.sought.sighting.is_foreign || !roots.is_supported(&root, &path) {
                continue;
            }
            match finder.standing_of(&path)? {
                PathStanding::Submodule(folder) => return Ok(Some(Passed::Submodule(folder))),
                PathStanding::Outside => return Ok(Some(Passed::LinkedOutside)),
                PathStanding::File(file) => {
                    let known = &mut one.sought.sighting.fits;
                    if !known.iter().any(|fit| fit.path == file && fit.root == root) {
                        known.extend(finder.fit_by_root(one.frame, reported, &file, &root)?);
                    }
                    return Ok(None);
                }
                PathStanding::Nothing => {}
            }
        }
    }
    Ok(None)
}

/// Whether a path leads through a submodule's folder, where no other frame tells what was deployed
/// and the folder's own name would be no proof.
fn below_submodule(finder: &Finder<'_>, sought: &Sought) -> Result<Option<Passed>, MirrorError> {
    for folder in finder.submodules()? {
        let parts: Vec<&str> = folder.split('/').collect();
        let is_through = |path: &Vec<String>| path.windows(parts.len()).any(|run| run.iter().eq(parts.iter()));
        if parts.len() > 1 && sought.paths.iter().any(is_through) {
            return Ok(Some(Passed::Submodule(folder.clone())));
        }
    }
    Ok(None)
}

/// Whether a path leads through a symbolic link out of the repository, where no other frame tells
/// what was deployed and no file of the repository fits.
fn through_link(finder: &Finder<'_>, sought: &Sought) -> Result<Option<Passed>, MirrorError> {
    if sought.sighting.is_foreign || !sought.sighting.fits.is_empty() {
        return Ok(None);
    }
    for path in &sought.paths {
        // The file's own name would be no proof.
        for from in path.len().saturating_sub(MOST_PARTS)..path.len().saturating_sub(1) {
            if matches!(finder.standing_of(&path[from..].join("/"))?, PathStanding::Outside) {
                return Ok(Some(Passed::LinkedOutside));
            }
        }
    }
    Ok(None)
}

/// Whether a frame shows where it was deployed, for reports to come.
fn is_shown(one: &Distinct<'_>, fit: &Fit) -> bool {
    let is_absolute = || one.frame.path().is_some_and(|path| path.starts_with('/') || path.get(1..3) == Some(":\\"));
    let says_more = !fit.root.prefix.is_empty() || (!fit.root.folder.is_empty() && is_absolute());
    fit.agrees && fit.stand.drift == Drift::None && !one.sought.sighting.is_foreign && says_more
}

fn located(at: MirrorCommit<'_>, fit: &Fit, frame: &Frame) -> Result<Located, MirrorError> {
    let lines = at.lines(&fit.path)?;
    let index = (fit.stand.line as usize).checked_sub(1).filter(|_| fit.stand.drift != Drift::Differs);
    let text = lines.as_ref().zip(index).and_then(|(lines, index)| lines.get(index)).cloned();
    let code = text.or_else(|| telling(frame).map(str::to_owned)).unwrap_or_default();
    Ok(Located { path: fit.path.clone(), line: fit.stand.line, code, drift: fit.stand.drift.clone() })
}
