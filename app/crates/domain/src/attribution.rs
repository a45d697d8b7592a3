//! The outcome of attribution: where a report's failing line is, whose it is, and the words for it.

use super::alert::{Place, Snippet};
use super::blame::{Blame, PassedCommit, PassedWhy};
use super::chain;
use super::commit::CommitId;
use super::confidence::Confidence;
use super::culprit::{ChosenAs, FrameAt, Located};
use super::drift::Drift;
use super::group;
use super::identity::Identity;
use super::no_line::{Lacking, NoLine, Reason, seems_a_commit, sentences};
use super::not_ours::NotOurs;
use super::report::{Frame, Report, within};
use super::rule::Rules;
use super::step_over::Passed;
use super::suspects::{Suspect, SuspectedBy};
use super::trivial_edit::TrivialEdit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Everything that attribution found out about one fingerprint.
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
    /// No branch or tag reaches the revision: it may be anybody's, and so may be what it says of
    /// the line and of who wrote it.
    #[serde(default)]
    pub is_stray: bool,
    /// The culprit frame, where there is one.
    pub culprit: Option<FrameAt>,
    /// Frames that are in the repository.
    #[serde(with = "frames")]
    pub located: BTreeMap<FrameAt, Located>,
    /// The culprit is vendored or generated code that nothing of the repository calls here.
    #[serde(default)]
    pub not_ours: Option<NotOurs>,
    /// Other files that fit the culprit frame as well.
    #[serde(default)]
    pub ties: Vec<String>,
    /// Something speaks against the line: its number is now in another function than the frame's.
    #[serde(default)]
    pub is_doubted: bool,
    /// The line's origin; `None` where git could not say.
    pub blame: Option<Blame>,
    /// Lines around the culprit.
    pub snippet: Snippet,
    /// First and last line of the culprit's function at [`Self::revision`], where they are known.
    #[serde(default)]
    pub function_lines: Option<RangeInclusive<u32>>,
    /// Who may be to blame, the most likely first. Empty where no frame is the repository's, and in
    /// rows from before they were kept.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
    /// How sure the verdict is; `None` where nobody is blamed, and in rows from before it was kept.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// Why there is no culprit, or nobody who is known to have written it; the telling reason
    /// first. Empty where somebody is blamed, and in rows from before it was kept.
    #[serde(default)]
    pub no_line: Vec<NoLine>,
    /// What was looked at, passed over and decided, in plain sentences.
    pub verdict: Vec<String>,
}

impl Attribution {
    /// Why there is no line, or nobody to blame for it, and what to do about it.
    pub fn why_no_line(&self) -> Vec<String> {
        let lacking = if self.culprit.is_some() { Lacking::Author } else { Lacking::Line };
        sentences(&self.no_line, lacking)
    }

    /// The file that was blamed, and the first that fits as well.
    pub fn tie(&self) -> Option<(&str, &str)> {
        Some((&self.place.path, self.ties.first()?))
    }

    /// All that there is to say: why there is no line, then the verdict.
    pub fn words(&self) -> Vec<String> {
        [self.why_no_line(), self.verdict.clone()].concat()
    }
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
    pub revision: Option<&'a CommitId>,
    /// Whether the report named it.
    pub pinned: bool,
    /// Name of the default branch.
    pub branch: Option<&'a str>,
    /// The rules in force.
    pub rules: &'a Rules,
    /// Frames that are in the repository.
    pub located: &'a BTreeMap<FrameAt, Located>,
    /// The culprit frame.
    pub culprit: Option<FrameAt>,
    /// Frames passed over, innermost first.
    pub passed: &'a [(FrameAt, Passed)],
    /// What the culprit is among the frames; `None`: there is none.
    pub chosen_as: Option<ChosenAs>,
    /// Why the culprit's file is not the repository's people's.
    pub not_ours: Option<&'a NotOurs>,
    /// The line's origin.
    pub blame: Option<&'a Blame>,
    /// What became of the line beside its origin, in sentences.
    pub history: &'a [String],
    /// Who may be to blame, the most likely first.
    pub suspects: &'a [Suspect],
    /// How sure the verdict is.
    pub confidence: Option<Confidence>,
    /// Files that fit the culprit frame as well as the one that was taken.
    pub ties: &'a [String],
    /// What speaks against the culprit's line or file, as a sentence.
    pub objection: Option<&'a str>,
    /// Why git could not say, where it could not.
    pub trouble: Option<&'a str>,
    /// Files whose code was more than what is read.
    pub unread: &'a [String],
    /// Why there is no line, or nobody to blame: it is said before the verdict.
    pub no_line: &'a [NoLine],
}

impl Findings<'_> {
    /// Nobody is blamed or told: it is library code, and nothing of the repository calls it.
    fn is_only_counted(&self) -> bool {
        self.chosen_as == Some(ChosenAs::OnlyLibraryCode)
    }
}

/// The verdict in plain sentences: who is blamed for what, who else may be, what was passed over
/// and why, how sure that is.
pub fn verdict(found: &Findings<'_>) -> Vec<String> {
    let mut words = Vec::new();
    // Why there is none is said before, by the reasons of `no_line`.
    if let Some((at, located)) = found.culprit.and_then(|at| Some((at, found.located.get(&at)?))) {
        words.push(blamed_sentence(found, at, located));
        if !found.is_only_counted() {
            words.extend(chain::cause_sentence(found.report, at));
            words.extend(found.history.iter().cloned());
            let others = found.suspects.iter().filter(|one| one.frame != Some(at));
            let is_named = found.report.exceptions[at.0].frames[at.1].is_named;
            words.extend(others.map(|one| suspect_sentence(one, found.blame, is_named)));
        }
    }
    words.extend(group::sentence(found.report));
    words.extend(passed_sentence(found));
    words.extend(found.blame.and_then(passed_commits_sentence));
    words.extend(revision_sentence(found));
    words.extend(drift_sentence(found));
    words.extend(tie_sentence(found));
    words.extend(found.objection.map(str::to_owned));
    words.extend(unread_sentence(found.unread));
    words.extend(found.trouble.map(str::to_owned));
    // How often verdicts are right says nothing where nobody is blamed.
    if found.blame.is_some() {
        words.extend(found.confidence.map(Confidence::sentence));
    }
    words
}

fn blamed_sentence(found: &Findings<'_>, at: FrameAt, located: &Located) -> String {
    let frame = &found.report.exceptions[at.0].frames[at.1];
    if found.is_only_counted() {
        let kind = found.not_ours.map_or_else(|| "library code".to_owned(), NotOurs::words);
        return format!(
            "Nobody is blamed: {}:{} is {kind}, and no line of the repository calls it. It is counted.",
            located.path, located.line
        );
    }
    let what = match found.chosen_as {
        Some(ChosenAs::OnlyRaises) if found.located.len() == 1 => {
            "the innermost line of the repository's code; the value may come from its caller, which is not in the traceback"
        }
        Some(ChosenAs::OnlyRaises) => "the innermost line of the repository's code (every one of them only leads on)",
        _ if frame.is_named => "the line that the exception names",
        _ if found.passed.is_empty() => "the line that raised the exception",
        _ => "the innermost line of the repository's code that can be to blame",
    };
    let mut place = format!("{}:{}", located.path, located.line);
    if !frame.is_named {
        place.push_str(&within(frame.function_name()));
    }
    match found.blame {
        Some(blame) => format!("Blamed {}: {place}, {what}.", blame.written_by()),
        None => format!("It failed at {place}: {what}."),
    }
}

/// Who wrote a line before a trivial edit, as a sentence.
pub fn before_sentence(before: &Blame, blame: &Blame, edit: TrivialEdit) -> String {
    format!(
        "Look next at who wrote it before: the line was {}'s until {} changed {} in it.",
        before.written_by(),
        blame.author.name,
        edit.words()
    )
}

/// A place that is suspected beside the blamed line; a line that an exception names was read.
fn suspect_sentence(suspect: &Suspect, blame: Option<&Blame>, is_named: bool) -> String {
    if let (SuspectedBy::Before(edit), Some(before), Some(blame)) = (suspect.rule, &suspect.blame, blame) {
        return before_sentence(before, blame, edit);
    }
    let place = format!("{}:{}{}", suspect.path, suspect.line, within(&suspect.function));
    let by = suspect.blame.as_ref().map(|blame| format!(", by {}", blame.written_by())).unwrap_or_default();
    match suspect.rule {
        SuspectedBy::Constructor => {
            format!("Probably to be mended at {place}: the constructor should have set what the line asks for.")
        }
        SuspectedBy::Signature => {
            format!("More likely at fault: {place}{by}: it was changed after the call was written.")
        }
        SuspectedBy::Fresh => format!(
            "More likely at fault: {place}{by}: it leads to the blamed line and was changed within 30 days before, the blamed line long ago."
        ),
        SuspectedBy::Cause => format!("Look next at {place}{by}: it led to the error that this one was raised for."),
        SuspectedBy::SteppedOver => format!("Look next at {place}{by}: it was passed over."),
        SuspectedBy::LatestChange => format!("Look next at {place}{by}: the latest change to this function."),
        SuspectedBy::Before(_) => format!("Look next at who wrote {place} before{by}."),
        SuspectedBy::Caller | SuspectedBy::Innermost | SuspectedBy::SteppedTo => {
            let did = if is_named { "read" } else { "called" };
            format!("Look next at {place}{by}: it {did} the blamed line.")
        }
    }
}

/// How many commits that were passed over are named one by one.
const NAMED_COMMITS: usize = 3;

/// The commits that blame passed over, as a sentence.
pub fn passed_commits_sentence(blame: &Blame) -> Option<String> {
    let name = |one: &PassedCommit| {
        let why = match one.why {
            PassedWhy::ListedInIgnoreRevs => "listed in .git-blame-ignore-revs",
            PassedWhy::Reformatted => "it only laid out the code anew",
        };
        format!("{} ({why})", one.commit.short())
    };
    let mut names: Vec<String> = blame.passed.iter().take(NAMED_COMMITS).map(name).collect();
    if blame.passed.len() > NAMED_COMMITS {
        names.push(format!("{} more", blame.passed.len() - NAMED_COMMITS));
    }
    (!names.is_empty()).then(|| format!("Commits passed over: {}.", names.join(", ")))
}

fn drift_sentence(found: &Findings<'_>) -> Option<String> {
    let located = found.located.get(&found.culprit?)?;
    match located.drift {
        Drift::None => None,
        Drift::Unchecked => {
            Some("The report carries no source text, so the line number was trusted as it is.".to_owned())
        }
        Drift::Moved => Some(format!(
            "The repository has that text at line {}, not at the reported line: the line was followed by its text.",
            located.line
        )),
        // Why it is not known says the reason.
        Drift::Differs if located.code.is_empty() => None,
        Drift::Differs => Some("The line is known by its text alone.".to_owned()),
    }
}

/// How many files that fit equally well are named one by one.
const NAMED_TIES: usize = 3;

fn tie_sentence(found: &Findings<'_>) -> Option<String> {
    let located = found.located.get(&found.culprit?)?;
    let mut names: Vec<String> = found.ties.iter().take(NAMED_TIES).cloned().collect();
    names.extend((found.ties.len() > NAMED_TIES).then(|| format!("{} more", found.ties.len() - NAMED_TIES)));
    let last = names.pop()?;
    let others = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
    Some(format!(
        "{} and {others} fit equally well: nothing tells which of them was deployed. A key for the folder, or path_mappings, would.",
        located.path
    ))
}

/// How many files that were not read are named one by one.
const NAMED_FILES: usize = 2;

fn unread_sentence(unread: &[String]) -> Option<String> {
    let (first, more) = (unread.iter().take(NAMED_FILES), unread.len().saturating_sub(NAMED_FILES));
    let mut names: Vec<String> = first.cloned().collect();
    names.extend((more > 0).then(|| format!("{more} more")));
    (!names.is_empty()).then(|| {
        format!("Too large or too deeply nested to be read, so its code was not looked at: {}.", names.join(", "))
    })
}

fn revision_sentence(found: &Findings<'_>) -> Option<String> {
    let named = found.report.revision.as_deref().or(found.report.release.as_deref());
    let branch = found.branch.unwrap_or("the default branch");
    let sentence = match (found.revision, found.pinned, named) {
        (Some(commit), true, Some(named)) if *commit != named => {
            format!("Release {named} is commit {}.", commit.short())
        }
        (Some(commit), true, _) => format!("The report comes from commit {}.", commit.short()),
        (Some(commit), false, Some(named)) if seems_a_commit(named) => {
            let named = CommitId::of_text(named).map_or_else(|| named.to_owned(), |one| one.short().to_owned());
            format!(
                "The report comes from {named}, a commit that is in no fetched branch (push it), so {branch} was looked at as of the report ({}).",
                commit.short()
            )
        }
        (Some(commit), false, Some(named)) => format!(
            "Release {named} names no commit or tag of the repository, so {branch} was looked at as of the report ({}).",
            commit.short()
        ),
        (Some(commit), false, None) => {
            format!("The report names no release, so {branch} was looked at as of the report ({}).", commit.short())
        }
        (None, ..) => return None,
    };
    let is_of_release =
        |one: &NoLine| matches!(one.reason, Reason::NoRelease | Reason::UnknownRelease | Reason::CommitNotFetched);
    match found.revision.filter(|_| found.no_line.iter().any(is_of_release)) {
        Some(commit) => Some(format!("Looked at: {branch} as of the report ({}).", commit.short())),
        None => Some(sentence),
    }
}

fn passed_sentence(found: &Findings<'_>) -> Option<String> {
    let is_outside = |why: &Passed| matches!(why, Passed::Outside | Passed::Package);
    if found.passed.is_empty() || (found.culprit.is_none() && found.passed.iter().all(|(_, why)| is_outside(why))) {
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
            Passed::Submodule(folder) => return format!("{place} (in the submodule {folder})"),
            Passed::LinkedOutside => "a symbolic link leads to it, out of the repository",
            Passed::IgnoredPath => "left out by only_blame_filepaths_matching",
            Passed::LibraryCode(None) => "library code by .github/flawless.yml",
            Passed::LibraryCode(Some(rule)) => {
                return format!("{place} (library code by {})", found.rules.source(*rule));
            }
            Passed::NotOurs(why) => return format!("{place} ({})", why.words()),
            Passed::Raise => "only raises",
            Passed::Recovers => "only tells of a panic",
            Passed::Forwards => "passes its arguments on",
            Passed::CallsGiven => "calls what it was given",
            Passed::GivenValue(name) => return format!("{place} (was given {name} as it is)"),
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

#[cfg(test)]
mod tests;
