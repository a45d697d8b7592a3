//! Which reasons hold for a report that led to no line, or to one that nobody is known to have
//! written.

use super::client::Client;
use super::frames::{Kind, kind};
use super::sighting::{Sighting, Stands};
use super::words::{
    help_of_path, is_rejected_text, minified, named, no_frames, no_line_numbers, of_extension, place, rejected_text,
    several, unknown_path, untracked,
};
use super::{NoLine, Reason};
use crate::commit::CommitId;
use crate::counted::counted;
use crate::culprit::{FrameAt, Located};
use crate::deployed_root::Root;
use crate::drift::Drift;
use crate::frame_names::parts_of;
use crate::report::{Frame, Report};
use crate::rule::Rules;
use crate::step_over::Passed;
use std::collections::BTreeMap;

/// Which state of the repository was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorState {
    /// As new as it can be.
    Whole,
    /// An older one, as it could not be fetched.
    Behind,
    /// None of its commits: it has none.
    Empty,
    /// None: there is no mirror, or it can't be read.
    Unread,
    /// None, as looking has ended the process.
    SetAside,
}

/// What is known of a report that was looked up.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The report.
    pub report: &'a Report,
    /// The rules in force.
    pub rules: &'a Rules,
    /// It was sent by hand from our page: it has no frames only where there was no mirror.
    pub is_test: bool,
    /// What was looked at.
    pub mirror: MirrorState,
    /// The report's own name for its version led to the commit.
    pub pinned: bool,
    /// The culprit, where it was found.
    pub culprit: Option<&'a Located>,
    /// Frames that were passed over, innermost first; without a culprit all.
    pub passed: &'a [(FrameAt, Passed)],
    /// What the repository has for frames that are in none of its files.
    pub sightings: &'a BTreeMap<FrameAt, Sighting>,
    /// The commit that was looked at.
    pub commit: Option<&'a CommitId>,
    /// Where other frames, or earlier reports, have shown that folders of it are deployed.
    pub roots: &'a [Root],
}

/// The reasons, the telling one first. Only for reports whose culprit nobody is known to have
/// written, or that have none.
pub fn no_line(facts: &Facts<'_>) -> Vec<NoLine> {
    let report = facts.report;
    let client = Client::of(report);
    let has_frames = report.exceptions.iter().any(|exception| !exception.frames.is_empty());
    match facts.mirror {
        MirrorState::Unread | MirrorState::SetAside | MirrorState::Empty if !has_frames && !facts.is_test => {
            vec![no_frames(report, client)]
        }
        MirrorState::Unread => {
            vec![NoLine::plain(Reason::NoMirror, "the repository could not be looked at".to_owned())]
        }
        MirrorState::SetAside => vec![NoLine::plain(
            Reason::SetAside,
            "looking it up in the repository ended the server several times".to_owned(),
        )],
        MirrorState::Empty => vec![NoLine::plain(
            Reason::EmptyRepository,
            "the repository has no commit on its default branch".to_owned(),
        )],
        MirrorState::Whole | MirrorState::Behind if !has_frames => vec![no_frames(report, client)],
        MirrorState::Whole | MirrorState::Behind => explained(facts, found(facts, client)),
    }
}

fn found(facts: &Facts<'_>, client: Client) -> NoLine {
    match facts.culprit {
        Some(culprit) if culprit.drift == Drift::Differs && culprit.code.is_empty() => NoLine::plain(
            Reason::TextDiffers,
            format!(
                "nothing can fail at {}:{} as the repository has it (a blank line, a comment, or too short for the reported column), so git was not asked",
                named(&culprit.path),
                culprit.line
            ),
        ),
        Some(culprit) if culprit.drift == Drift::Differs => text_differs(&culprit.path, culprit.line),
        Some(culprit) => NoLine::git_cannot_say(&culprit.path),
        None => own_code_passed(facts)
            .or_else(|| led_away(facts))
            .or_else(|| seen(facts))
            .unwrap_or_else(|| by_names(facts, client)),
    }
}

/// Code of the repository that is not to be blamed.
fn own_code_passed(facts: &Facts<'_>) -> Option<NoLine> {
    let (at, why) = facts.passed.iter().find(|(_, why)| !why.is_outside())?;
    let place = place(frame(facts.report, *at));
    Some(match why {
        Passed::IgnoredPath => NoLine::plain(
            Reason::LeftOut,
            format!("only_blame_filepaths_matching leaves out what is the repository's ({place})"),
        ),
        _ => NoLine::plain(
            Reason::NotToBlame,
            format!("what is the repository's ({place}) is not to be blamed, and nothing of the repository calls it"),
        ),
    })
}

/// What the repository itself says is elsewhere.
fn led_away(facts: &Facts<'_>) -> Option<NoLine> {
    facts.passed.iter().find_map(|(at, why)| {
        let place = place(frame(facts.report, *at));
        Some(match why {
            Passed::Submodule(folder) => NoLine::with_help(
                Reason::OnlyPackages,
                format!("{place} is in the submodule {}, another repository", named(folder)),
                "Who wrote it is known to the repository that has it: give it a DSN of its own there.",
            ),
            Passed::LinkedOutside => {
                NoLine::plain(Reason::LinkedOutside, format!("a symbolic link leads to {place}, out of the repository"))
            }
            _ => return None,
        })
    })
}

/// That a frame may be in any of several files; a text that was sent did not tell them apart.
fn any_of(frame: &Frame, files: &[String], count: usize) -> NoLine {
    let what = format!("{} may be any of {}", place(frame), several(files, count));
    if frame.context_line.as_deref().is_none_or(|text| text.trim().is_empty()) {
        return NoLine::plain(Reason::SeveralFiles, what);
    }
    let help = "Have the client send whole paths, or say in path_mappings which folder is meant; a key for each folder does as well.";
    NoLine::with_help(Reason::SeveralFiles, what, help)
}

/// What the repository has at the innermost frame for which it has something.
fn seen(facts: &Facts<'_>) -> Option<NoLine> {
    let order = || {
        let passed = facts.passed.iter().filter(|(_, why)| *why != Passed::Package);
        passed.filter_map(|(at, _)| Some((*at, facts.sightings.get(at)?)))
    };
    for (at, sighting) in order() {
        let Sighting::Fits { files, count, is_sure, stands } = sighting else { continue };
        let (frame, file) = (frame(facts.report, at), named(files.first().map_or("", String::as_str)));
        let line = frame.line.unwrap_or(0);
        return Some(match stands {
            Stands::Unreadable => {
                NoLine::plain(Reason::UnreadableFile, format!("{file} is no text, or too large to be read"))
            }
            Stands::Beyond(_) | Stands::Differs if !is_sure => NoLine::with_help(
                Reason::UnknownPaths,
                format!("the path {} ends as {file} does, whose text is another", place(frame)),
                help_of_path(frame.path().unwrap_or("")),
            ),
            Stands::Beyond(lines) => NoLine::plain(
                Reason::LineBeyondEnd,
                format!("{file} has {} in the repository, and no line {line}", counted(*lines, "line", "lines")),
            ),
            Stands::Differs => text_differs(&file, line),
            Stands::Agrees if *count > 1 => any_of(frame, files, *count),
            // Something else kept it from being taken; what is known is that nothing was.
            Stands::Agrees => NoLine::with_help(
                Reason::UnknownPaths,
                format!("the path {} could not be taken for {file}: nothing else of the report agrees", place(frame)),
                help_of_path(frame.path().unwrap_or("")),
            ),
        });
    }
    None
}

/// What the frames are by their names: the kind that its readers can do most about.
fn by_names(facts: &Facts<'_>, client: Client) -> NoLine {
    let kind_of = |at: FrameAt, why: &Passed| {
        let frame = frame(facts.report, at);
        match (kind(frame, client, facts.rules), why, &frame.application) {
            // The repository has applications, and not this one.
            (Kind::Path, Passed::Package, Some(application)) => Kind::Package(application.clone()),
            (kind, ..) => kind,
        }
    };
    let all: Vec<(FrameAt, Kind)> = facts.passed.iter().map(|(at, why)| (*at, kind_of(*at, why))).collect();
    let first = |wanted: &Kind| all.iter().find(|(_, kind)| kind == wanted).map(|(at, _)| frame(facts.report, *at));
    if let Some(frame) = first(&Kind::Minified) {
        return minified(frame, client);
    }
    if let Some(frame) = first(&Kind::Obfuscated) {
        let name = frame.module.as_deref().map(named);
        let name = name.unwrap_or_else(|| place(frame));
        return NoLine::plain(Reason::Obfuscated, format!("the names are obfuscated by R8 or ProGuard ({name})"));
    }
    if let Some(reason) = below_root(facts, &all) {
        return reason;
    }
    if let Some(reason) = path(facts, &all, client, first(&Kind::NoLine).is_some()) {
        return reason;
    }
    if let Some(frame) = first(&Kind::NoLine) {
        return no_line_numbers(frame, client);
    }
    if let Some(frame) = first(&Kind::NoSymbol) {
        let what = format!("the program has no symbols, so the frames name no code ({})", place(frame));
        return NoLine::plain(Reason::NoSymbols, what);
    }
    if let Some(frame) = first(&Kind::Evaluated) {
        let what = format!("the code was evaluated, and never in a file ({})", place(frame));
        return NoLine::plain(Reason::EvaluatedCode, what);
    }
    if let Some(frame) = first(&Kind::Extension) {
        return of_extension(frame);
    }
    if is_rejected_text(facts.report) {
        return rejected_text();
    }
    if let Some(frame) = first(&Kind::NoFile) {
        return NoLine::plain(Reason::NoFileNames, format!("the frames name no file ({})", place(frame)));
    }
    only_packages(&all, facts)
}

/// A path below a folder of which it is known where it is deployed: only the file is missing.
fn below_root(facts: &Facts<'_>, all: &[(FrameAt, Kind)]) -> Option<NoLine> {
    let paths = all.iter().filter(|(_, kind)| *kind == Kind::Path).map(|(at, _)| *at);
    paths.take(super::sighting::MOST_FRAMES).find_map(|at| {
        let parts = parts_of(frame(facts.report, at).path()?);
        let mut roots = facts.roots.iter().filter(|root| !root.prefix.is_empty());
        let path = roots.find_map(|root| root.path_of(&parts)).filter(|path| !path.is_empty())?;
        Some(untracked(&path, facts.commit))
    })
}

/// A path that fits nothing. Where others have no lines, a library's is only worth a word if the
/// repository has such a name: on the JVM any may be one; .NET's packages were built below `/_/`.
fn path(facts: &Facts<'_>, all: &[(FrameAt, Kind)], client: Client, is_without_lines: bool) -> Option<NoLine> {
    let mut paths = all.iter().filter(|(_, kind)| *kind == Kind::Path).map(|(at, _)| *at);
    let like = paths.clone().find_map(|at| match facts.sightings.get(&at)? {
        Sighting::SameName { files, count } => Some((at, Some((files.as_slice(), *count)))),
        Sighting::Fits { .. } => None,
    });
    let may_be_library = |at: FrameAt| {
        let path = frame(facts.report, at).path();
        client == Client::Jvm || path.is_some_and(|path| path.starts_with("/_/"))
    };
    let other = paths.find(|&at| !is_without_lines || !may_be_library(at));
    let (at, same_name) = like.or_else(|| other.map(|at| (at, None)))?;
    let frame = frame(facts.report, at);
    let is_script = client == Client::Browser && frame.path().is_some_and(|path| path.contains("://"));
    if same_name.is_none() && is_script {
        // Nothing of the repository is called so: it was made when the application was built.
        return Some(minified(frame, client));
    }
    let class = frame.module.as_deref().filter(|module| client == Client::Jvm && module.contains('.'));
    if let Some(class) = class {
        // A file of the repository says its package: one of another is no other path of it.
        let what = format!("the class {} ({}) is in no file of the repository", named(class), place(frame));
        let help = "If it is a library's, nothing is to be done; if it is your own, give it its repository's DSN.";
        return Some(NoLine::with_help(Reason::UnknownPaths, what, help));
    }
    match same_name {
        Some((files, count)) if count > 1 => Some(any_of(frame, files, count)),
        same_name => Some(unknown_path(frame, frame.path().unwrap_or(""), same_name)),
    }
}

fn only_packages(all: &[(FrameAt, Kind)], facts: &Facts<'_>) -> NoLine {
    let packages = all.iter().filter_map(|(_, kind)| match kind {
        Kind::Package(name) => Some(name.as_str()),
        _ => None,
    });
    let mut names: Vec<String> = Vec::new();
    for name in packages {
        let name = named(name);
        if !names.contains(&name) && names.len() < super::sighting::NAMED_FILES {
            names.push(name);
        }
    }
    let what = if names.is_empty() {
        let innermost = facts.passed.first().map(|(at, _)| place(frame(facts.report, *at))).unwrap_or_default();
        format!("all frames are of the language's own library ({innermost})")
    } else {
        format!("all frames are of packages and of the language's own library ({})", names.join(", "))
    };
    if names.is_empty() {
        const HELP: &str =
            "Catch the error where your code hands its work over to the library, and your frames are on the stack.";
        return NoLine::with_help(Reason::OnlyPackages, what, HELP);
    }
    NoLine::plain(Reason::OnlyPackages, what)
}

/// What explains that the repository's code is not what ran.
fn explained(facts: &Facts<'_>, main: NoLine) -> Vec<NoLine> {
    let is_of_another_version = matches!(
        main.reason,
        Reason::TextDiffers | Reason::LineBeyondEnd | Reason::UnknownPaths | Reason::SeveralFiles
    );
    let mut reasons = vec![main];
    if facts.mirror == MirrorState::Behind && is_of_another_version {
        reasons.push(NoLine::plain(Reason::OldMirror, "an older state of the repository was looked at".to_owned()));
    }
    if facts.pinned || !is_of_another_version {
        return reasons;
    }
    let report = facts.report;
    let is_of_text = reasons[0].reason != Reason::UnknownPaths;
    match report.revision.as_deref().or(report.release.as_deref()) {
        Some(name) if seems_a_commit(name) => {
            let name = CommitId::of_text(name).map_or_else(|| named(name), |commit| commit.short().to_owned());
            let what = format!("commit {name}, which the report names, is in no fetched branch");
            let missing = NoLine::plain(Reason::CommitNotFetched, what);
            // It is the cause of the other: of what was never seen no text can agree.
            reasons.insert(usize::from(!is_of_text), missing);
        }
        Some(name) if is_of_text => reasons.push(NoLine::plain(
            Reason::UnknownRelease,
            format!("release {} leads to no commit or tag of the repository", named(name)),
        )),
        None if is_of_text => {
            reasons.push(NoLine::plain(Reason::NoRelease, "the report names no release".to_owned()));
        }
        _ => {}
    }
    reasons
}

fn text_differs(path: &str, line: u32) -> NoLine {
    let at = if line > 0 { format!("{}:{line}", named(path)) } else { named(path) };
    NoLine::plain(
        Reason::TextDiffers,
        format!("the text on the server is not the repository's ({at}), so git was not asked"),
    )
}

fn frame(report: &Report, at: FrameAt) -> &Frame {
    &report.exceptions[at.0].frames[at.1]
}

/// Whether 7 to 40 hexadecimal digits stand in a version's name, letters among them: a commit.
pub fn seems_a_commit(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let digits = part.strip_prefix('g').unwrap_or(part);
        (7..=CommitId::DIGITS).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            && digits.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}
