//! The outcome of attribution: where a report's failing line is, whose it is, and the words for it.

use super::alert::{Place, Snippet};
use super::blame::{Blame, CommitId};
use super::culprit::{Drift, FrameAt, Located, Passed};
use super::line::Identity;
use super::report::{Frame, Report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Everything that attribution found out about one shape of report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// The identity of the line.
    pub identity: Identity,
    /// Where the line is at [`Self::revision`].
    pub place: Place,
    /// The commit that ran; `None` without a mirror.
    pub revision: Option<CommitId>,
    /// The revision is the report's own, not the default branch's head at that time.
    pub pinned: bool,
    /// The culprit frame, where there is one.
    pub culprit: Option<FrameAt>,
    /// Frames that are in the repository.
    #[serde(with = "frames")]
    pub located: BTreeMap<FrameAt, Located>,
    /// The line's origin; `None` where git could not say.
    pub blame: Option<Blame>,
    /// Lines around the culprit.
    pub snippet: Snippet,
    /// First and last line of the culprit's function at [`Self::revision`], where they are known.
    #[serde(default)]
    pub function_lines: Option<RangeInclusive<u32>>,
    /// What was looked at, passed over and decided, in plain sentences.
    pub verdict: Vec<String>,
}

/// JSON has no keys that are pairs, so the map is stored as a list.
mod frames {
    use super::{BTreeMap, FrameAt, Located};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<FrameAt, Located>, to: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<FrameAt, Located>, D::Error> {
        Ok(Vec::<(FrameAt, Located)>::deserialize(from)?.into_iter().collect())
    }
}

/// How many frames that were passed over are named one by one: the rest is counted.
const NAMED_FRAMES: usize = 4;

/// What the words of a verdict are made from.
#[derive(Debug)]
pub struct Findings<'a> {
    /// The report.
    pub report: &'a Report,
    /// The commit that was looked at.
    pub revision: Option<&'a str>,
    /// Whether the report named it.
    pub pinned: bool,
    /// Name of the default branch.
    pub branch: Option<&'a str>,
    /// Frames that are in the repository.
    pub located: &'a BTreeMap<FrameAt, Located>,
    /// The culprit frame.
    pub culprit: Option<FrameAt>,
    /// Frames passed over, innermost first.
    pub passed: &'a [(FrameAt, Passed)],
    /// Only `raise` statements were left.
    pub only_raises: bool,
    /// The line's origin.
    pub blame: Option<&'a Blame>,
    /// Why git could not say, where it could not.
    pub trouble: Option<&'a str>,
}

/// The verdict in plain sentences, in the order in which things were decided.
pub fn verdict(found: &Findings<'_>) -> Vec<String> {
    let mut words = vec![revision_sentence(found)];
    match found.culprit.and_then(|at| Some((at, found.located.get(&at)?))) {
        Some((at, located)) => {
            let function = found.report.exceptions[at.0].frames[at.1].function_name();
            let what = if found.only_raises {
                "the innermost line of the repository's code (every one of them only raises)"
            } else if found.passed.is_empty() {
                "the line that raised the exception"
            } else {
                "the innermost line of the repository's code that can be to blame"
            };
            words.push(format!("Blamed {}:{} in {function}: {what}.", located.path, located.line));
            match located.drift {
                Drift::None => {}
                Drift::Unchecked => words.push(
                    "The report carries no source text, so the line number was trusted as it is.".to_owned(),
                ),
                Drift::Moved => words.push(format!(
                    "The repository has that text at line {}, not at the reported line: the line was followed by its text.",
                    located.line
                )),
                Drift::Differs => words.push(
                    "The deployed code differs from the repository at this line, so the line is known by its text and git was not asked."
                        .to_owned(),
                ),
            }
        }
        None => words.push("No line of the traceback is code of this repository that can be blamed.".to_owned()),
    }
    if let Some(sentence) = passed_sentence(found) {
        words.push(sentence);
    }
    if let Some(blame) = found.blame {
        words.push(format!(
            "Git says that {} wrote this line in {} ({}).",
            blame.author.name,
            short(&blame.commit),
            blame.summary
        ));
    }
    if let Some(trouble) = found.trouble {
        words.push(trouble.to_owned());
    }
    words
}

fn revision_sentence(found: &Findings<'_>) -> String {
    let named = found.report.revision.as_deref().or(found.report.release.as_deref());
    match (found.revision, found.pinned, named) {
        (Some(commit), true, Some(named)) if named != commit => {
            format!("Release {named} is commit {}.", short(commit))
        }
        (Some(commit), true, _) => format!("The report comes from commit {}.", short(commit)),
        (Some(commit), false, Some(named)) => format!(
            "Release {named} names no commit or tag of the repository, so {} was looked at as of the report ({}).",
            found.branch.unwrap_or("the default branch"),
            short(commit)
        ),
        (Some(commit), false, None) => format!(
            "The report names no release, so {} was looked at as of the report ({}).",
            found.branch.unwrap_or("the default branch"),
            short(commit)
        ),
        (None, ..) => "There was no mirror of the repository to look at.".to_owned(),
    }
}

fn passed_sentence(found: &Findings<'_>) -> Option<String> {
    if found.passed.is_empty() || found.culprit.is_none() {
        return None;
    }
    let name = |at: &FrameAt, why: &Passed| {
        let frame = &found.report.exceptions[at.0].frames[at.1];
        let place = match found.located.get(at) {
            Some(located) => format!("{}:{}", located.path, located.line),
            None => place_outside(frame),
        };
        let why = match why {
            Passed::Outside => "not in the repository",
            Passed::Package => "an installed package",
            Passed::IgnoredPath => "left out by only_blame_filepaths_matching",
            Passed::LibraryCode(_) => "library code by a rule",
            Passed::Raise => "only raises",
        };
        format!("{place} ({why})")
    };
    let mut names: Vec<String> = found.passed.iter().take(NAMED_FRAMES).map(|(at, why)| name(at, why)).collect();
    if found.passed.len() > NAMED_FRAMES {
        names.push(format!("{} more", found.passed.len() - NAMED_FRAMES));
    }
    Some(format!("Passed over: {}.", names.join(", ")))
}

/// The last two components of a path outside the repository: enough to recognise it by.
fn place_outside(frame: &Frame) -> String {
    let path = frame.path().unwrap_or("?").replace('\\', "/");
    let mut parts: Vec<&str> = path.rsplit('/').take(2).collect();
    parts.reverse();
    match frame.line {
        Some(line) => format!("{}:{line}", parts.join("/")),
        None => parts.join("/"),
    }
}

/// The first seven digits of a commit.
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
