//! Looking a report up in the mirror: revision, files, lines, culprit and blame, all in one go,
//! blocking.

use super::evidence::{CodeReading, Evidence, KnownFacts, MirrorCommit};
use super::frame_fits::Deployment;
use super::frame_locations::{Locations, locate_frames};
use super::line_history::{before_edit, history};
use super::named_places::locate_named;
use super::no_line::{LookedUp, why_no_line};
use super::suspects::{Suspicion, choose_culprit_and_suspects};
use domain::alert::{Place, Snippet};
use domain::attribution::{Attribution, Findings, verdict};
use domain::blame::Blame;
use domain::commit::CommitId;
use domain::confidence::{Confidence, Grounds};
use domain::culprit::{Choice, Dropped, FrameAt, Located, frames_in_order};
use domain::deployed_root::Root;
use domain::drift::Drift;
use domain::group::{has_own_line, member_with, only_member};
use domain::identity::Identity;
use domain::no_line::NoLine;
use domain::report::{Frame, Member, Report};
use domain::repository::Repository;
use domain::rule::Rules;
use domain::suspects::name_before;
use domain::timestamp::Timestamp;
use mirror::{MirrorError, Mirrors};
use std::collections::BTreeMap;

/// Lines shown before and after the culprit.
const SNIPPET_AROUND: u32 = 4;
/// Files that fit equally well which are kept: one is named where the others matter.
const TIES_KEPT: usize = 3;

/// What came of it.
#[derive(Debug)]
pub struct ReportAnalysis {
    /// The culprit frame, or why there is none.
    pub choice: Choice,
    /// Where the line is and whose.
    pub attribution: Attribution,
    /// Where the report shows that it was deployed.
    pub shown: Vec<Root>,
    /// The member of a group that it is about, as [`only_member`] has it.
    pub member: Option<Member>,
}

/// What an analysis has to go by.
#[derive(Clone, Copy)]
pub struct AnalysisInput<'a> {
    /// The mirrors; `None`: they are not to be asked.
    pub mirrors: Option<&'a Mirrors>,
    /// The repository.
    pub repository: &'a Repository,
    /// The report.
    pub report: &'a Report,
    /// The rules in force.
    pub rules: &'a Rules,
    /// What is known of where it was deployed.
    pub deployment: Deployment<'a>,
    /// When it happened.
    pub event_at: Timestamp,
    /// Why the mirror can't be asked, or is behind, as a sentence.
    pub trouble: Option<&'a str>,
}

/// Analyzes a report; of a group the member whose line it is, and one that is about a member only
/// where that has a line of its own. Without a mirror, or where nothing fits, the attribution
/// is by text.
///
/// # Errors
/// The mirror is there and can't be read.
pub fn analyze(input: AnalysisInput<'_>) -> Result<ReportAnalysis, MirrorError> {
    let Some(member) = input.report.member.clone() else { return analyze_group(input) };
    let only = only_member(input.report);
    let analysis = analyze_whole(AnalysisInput { report: &only, ..input })?;
    let is_own = match analysis.choice {
        Choice::Culprit { .. } => is_own_line(input, &analysis)?,
        // Nothing could be looked up: it is told by its text, as others are.
        Choice::Nobody { .. } => analysis.attribution.revision.is_none() && is_own_place(input.report, &only),
        Choice::Dropped(_) => false,
    };
    let choice = if is_own { analysis.choice } else { Choice::Dropped(Dropped::Member) };
    Ok(ReportAnalysis { choice, member: Some(member), ..analysis })
}

/// Analyzes what was raised. Where that is a group and the line one of its members', it is told of
/// that member, so that its alert has the type and message of what failed there.
fn analyze_group(input: AnalysisInput<'_>) -> Result<ReportAnalysis, MirrorError> {
    let whole = analyze_whole(input)?;
    let (exception, has_culprit) = match whole.choice {
        Choice::Culprit { at, .. } => (Some(at.0), true),
        Choice::Nobody { .. } if whole.attribution.revision.is_none() => {
            (innermost_call(input.report).map(|at| at.0), false)
        }
        Choice::Nobody { .. } | Choice::Dropped(_) => (None, false),
    };
    let member = exception.and_then(|exception| member_with(input.report, exception));
    let Some(member) = member else { return Ok(whole) };
    let of_member = only_member(&Report { member: Some(member.clone()), ..input.report.clone() });
    let only = analyze_whole(AnalysisInput { report: &of_member, ..input })?;
    let is_same = match only.choice {
        Choice::Culprit { .. } => has_culprit && only.attribution.identity == whole.attribution.identity,
        Choice::Nobody { .. } => !has_culprit,
        Choice::Dropped(_) => false,
    } && only.attribution.place == whole.attribution.place;
    Ok(if is_same { ReportAnalysis { shown: whole.shown, member: Some(member), ..only } } else { whole })
}

/// Whether the line of a member is told by no other report of its group.
fn is_own_line(input: AnalysisInput<'_>, analysis: &ReportAnalysis) -> Result<bool, MirrorError> {
    let (Some(mirrors), Some(commit)) = (input.mirrors, &analysis.attribution.revision) else { return Ok(true) };
    let at = MirrorCommit { mirrors, id: input.repository.id, commit, reading: &CodeReading::of(input.report) };
    let located = locate(at, input)?.located;
    let facts = Evidence::Mirror(at).facts(&located, input.rules)?;
    Ok(has_own_line(input.report, &located, &facts, input.rules))
}

/// Whether a member failed at another place than those that are told before it: the group as a
/// whole and the members before it.
fn is_own_place(report: &Report, only: &Report) -> bool {
    let own = place_of(only, None, None);
    let is_told_before = |number: u32| {
        let member = report.member.clone().map(|member| Member { number, ..member });
        place_of(&only_member(&Report { member, ..report.clone() }), None, None) == own
    };
    let before = 1..report.member.as_ref().map_or(1, |member| member.number);
    place_of(report, None, None) != own && !before.into_iter().any(is_told_before)
}

fn analyze_whole(input: AnalysisInput<'_>) -> Result<ReportAnalysis, MirrorError> {
    let (report, rules, id) = (input.report, input.rules, input.repository.id);
    let mirrors = input.mirrors.filter(|mirrors| mirrors.exists(id));
    let deployed = mirrors.map(|mirrors| deployed(mirrors, input.repository, report)).transpose()?.unwrap_or_default();
    let reading = &CodeReading::of(report);
    let at = mirrors.zip(deployed.revision.as_ref());
    let at = at.map(|(mirrors, commit)| MirrorCommit { mirrors, id, commit, reading });
    let locations = at.map(|at| locate(at, input)).transpose()?.unwrap_or_default();
    let Locations { located, ties, objections, elsewhere, shown } = locations;
    let nothing = KnownFacts::default();
    let evidence = at.map_or(Evidence::KnownFacts(&nothing), Evidence::Mirror);
    let mut suspicion = choose_culprit_and_suspects(evidence, report, &located, rules, input.event_at)?;
    suspicion.tell_elsewhere(&elsewhere);
    let culprit = suspicion.culprit();
    let ties = culprit.and_then(|at| ties.get(&at)).map_or(&[][..], Vec::as_slice);
    let found = culprit.and_then(|culprit| located.get(&culprit));
    let default_branch = input.repository.default_branch.as_deref().unwrap_or("the default branch");
    let objection = culprit.and_then(|at| objections.get(&at)).zip(found);
    let objection = objection.and_then(|(one, found)| one.sentence(found, deployed.is_pinned, default_branch));
    let doubts = Doubts { ties, objection: objection.as_deref() };
    let snippet = at.zip(found).map(|(at, found)| snippet_of(at, found)).transpose()?.unwrap_or_default();
    let blame = suspicion.blame_of_culprit();
    let (trouble, pinned, has_mirror) = (input.trouble, deployed.is_pinned, mirrors.is_some());
    let roots = [shown.as_slice(), input.deployment.remembered].concat();
    let looked = LookedUp { report, rules, at, has_mirror, trouble, pinned, culprit: found, roots: &roots };
    let no_line = if blame.is_none() { why_no_line(looked, &suspicion)? } else { Vec::new() };
    let place = place_of(report, culprit, found);
    let line = at.zip(found).zip(blame.as_ref());
    let branch = input.repository.default_branch.as_deref();
    // What is looked at is the default branch itself, unless the report names another commit.
    let branch = branch.filter(|_| deployed.is_pinned && !deployed.is_stray);
    let before = line.map(|((at, _), blame)| before_edit(at, blame)).transpose()?.flatten();
    if let (Some(culprit), Some((before, edit))) = (culprit, before) {
        name_before(&mut suspicion.suspects, culprit, before, edit);
    }
    let history = line.map(|((at, found), blame)| history(at, found, blame, branch)).transpose()?.unwrap_or_default();
    let attribution = Attribution {
        identity: identity_of(report, &place, blame.as_ref()),
        verdict: verdict_of(input, &deployed, &located, (&suspicion, doubts), &history, (&reading.unread(), &no_line)),
        confidence: confidence_of(&suspicion, doubts, input.event_at),
        no_line,
        function_lines: suspicion.function_of_culprit().map(|function| function.start..=function.end),
        place,
        revision: deployed.revision,
        pinned: deployed.is_pinned,
        is_stray: deployed.is_stray,
        culprit,
        located,
        not_ours: suspicion.not_ours().cloned(),
        ties: ties.iter().take(TIES_KEPT).cloned().collect(),
        is_doubted: doubts.objection.is_some(),
        blame,
        snippet,
        suspects: suspicion.suspects,
    };
    Ok(ReportAnalysis { choice: suspicion.choice, attribution, shown, member: None })
}

/// The frames that are in the repository, and the places that exceptions name.
fn locate(at: MirrorCommit<'_>, input: AnalysisInput<'_>) -> Result<Locations, MirrorError> {
    let name = input.repository.full_name.to_string();
    let deployment = Deployment { repository: Some(&name), ..input.deployment };
    let mut locations = locate_frames(at, input.report, input.rules, deployment)?;
    locate_named(at, input.report, input.rules, &mut locations.located)?;
    Ok(locations)
}

/// What was decided, in words.
fn verdict_of(
    input: AnalysisInput<'_>,
    deployed: &Deployed,
    located: &BTreeMap<FrameAt, Located>,
    (suspicion, doubts): (&Suspicion, Doubts<'_>),
    history: &[String],
    (unread, no_line): (&[String], &[NoLine]),
) -> Vec<String> {
    let (culprit, blame) = (suspicion.culprit(), suspicion.blame_of_culprit());
    verdict(&Findings {
        report: input.report,
        rules: input.rules,
        revision: deployed.revision.as_ref(),
        pinned: deployed.is_pinned,
        branch: input.repository.default_branch.as_deref(),
        located,
        culprit,
        passed: suspicion.passed(),
        chosen_as: match suspicion.choice {
            Choice::Culprit { chosen_as, .. } => Some(chosen_as),
            Choice::Nobody { .. } | Choice::Dropped(_) => None,
        },
        not_ours: suspicion.not_ours(),
        blame: blame.as_ref(),
        history,
        suspects: &suspicion.suspects,
        confidence: confidence_of(suspicion, doubts, input.event_at),
        ties: doubts.ties,
        objection: doubts.objection,
        trouble: input.trouble,
        unread,
        no_line,
    })
}

/// How sure it is; nothing where nobody is blamed.
fn confidence_of(suspicion: &Suspicion, doubts: Doubts<'_>, event_at: Timestamp) -> Option<Confidence> {
    let culprit = suspicion.culprit()?;
    if suspicion.choice.is_only_counted() {
        return None;
    }
    suspicion.blame_of_culprit()?;
    let first = suspicion.suspects.first().and_then(|suspect| suspect.blame.as_ref());
    let passed = suspicion.passed();
    Some(Confidence::of(Grounds {
        age: first.map(|blame| event_at - blame.changed_at()),
        raises: suspicion.facts.get(&culprit).is_some_and(|facts| facts.raises),
        outside: passed.iter().any(|(_, why)| why.is_outside()),
        stepped: passed.iter().any(|(_, why)| why.heuristic().is_some()),
        tied: !doubts.ties.is_empty() || doubts.objection.is_some(),
    }))
}

/// What speaks against the culprit's file or line.
#[derive(Clone, Copy)]
struct Doubts<'a> {
    /// Files that fit as well.
    ties: &'a [String],
    /// Something else, as a sentence.
    objection: Option<&'a str>,
}

/// The commit that ran.
#[derive(Default)]
struct Deployed {
    revision: Option<CommitId>,
    /// The report itself names it.
    is_pinned: bool,
    /// It is on no branch or tag.
    is_stray: bool,
}

/// The commit that ran: the report's own where it names one, else the default branch's head.
fn deployed(mirrors: &Mirrors, repository: &Repository, report: &Report) -> Result<Deployed, MirrorError> {
    for name in [&report.revision, &report.release].into_iter().flatten() {
        if let Some(commit) = mirrors.resolve(repository.id, name)? {
            let is_stray = mirrors.is_stray(repository.id, &commit)?;
            return Ok(Deployed { revision: Some(commit), is_pinned: true, is_stray });
        }
    }
    let head = mirrors.head(repository.id)?;
    Ok(Deployed { revision: head.map(|head| head.commit), ..Deployed::default() })
}

fn place_of(report: &Report, culprit: Option<FrameAt>, found: Option<&Located>) -> Place {
    if let (Some(at), Some(found)) = (culprit, found) {
        let frame = &report.exceptions[at.0].frames[at.1];
        let code = frame.context_line.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(&found.code);
        return Place {
            path: found.path.clone(),
            function: frame.function_name().to_owned(),
            line: found.line,
            code: code.trim().to_owned(),
        };
    }
    // Nobody can be blamed: the place is where it was raised, as the client names it.
    let innermost = innermost_call(report).map(|at| &report.exceptions[at.0].frames[at.1]);
    innermost.map_or_else(|| place_without_frames(report), place_of_frame)
}

fn innermost_call(report: &Report) -> Option<FrameAt> {
    frames_in_order(report).into_iter().find(|at| !report.exceptions[at.0].frames[at.1].is_named)
}

fn place_of_frame(frame: &Frame) -> Place {
    Place {
        path: frame.place_name().to_owned(),
        function: frame.function_name().to_owned(),
        line: frame.line.unwrap_or(0),
        code: frame.context_line.as_deref().unwrap_or("").trim().to_owned(),
    }
}

fn place_without_frames(report: &Report) -> Place {
    let name = report.logger.clone().or_else(|| report.transaction.clone());
    let path = name.unwrap_or_else(|| "(no traceback)".to_owned());
    Place { path, function: "?".to_owned(), line: 0, code: String::new() }
}

fn identity_of(report: &Report, place: &Place, blame: Option<&Blame>) -> Identity {
    if let Some(blame) = blame {
        return Identity::of_blame(blame);
    }
    if place.code.is_empty() {
        // Without a text, the exception's type and what is constant of its message stand for it.
        return Identity::of_text(&place.path, &place.function, &constant_part(&report.headline()));
    }
    Identity::of_text(&place.path, &place.function, &place.code)
}

/// A message with its digits and quoted parts taken out: ids and values make every message another
/// one.
fn constant_part(headline: &str) -> String {
    let mut out = String::with_capacity(headline.len());
    let mut quote = None;
    for c in headline.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_ascii_digit() => out.push('0'),
            None => out.push(c),
        }
    }
    while out.contains("00") {
        out = out.replace("00", "0");
    }
    out
}

fn snippet_of(at: MirrorCommit<'_>, found: &Located) -> Result<Snippet, MirrorError> {
    let Some(lines) = at.lines(&found.path)? else { return Ok(Snippet::default()) };
    if found.line == 0 || found.drift == Drift::Differs {
        return Ok(Snippet::default());
    }
    let first = found.line.saturating_sub(SNIPPET_AROUND).max(1);
    let last = (found.line + SNIPPET_AROUND).min(u32::try_from(lines.len()).unwrap_or(u32::MAX));
    let texts = lines.get(first as usize - 1..last as usize).unwrap_or_default();
    Ok(Snippet { first, lines: texts.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::RepositoryId;
    use domain::names::RepositoryName;
    use domain::report::Exception;

    /// A group whose members failed at these lines.
    fn group(lines: &[u32]) -> Report {
        let member = |(number, line): (u32, &u32)| Exception {
            kind: format!("Failed{number}"),
            id: Some(number),
            parent: Some(0),
            source: Some(format!("errors[{}]", number - 1)),
            frames: vec![Frame { filename: Some("cart.py".to_owned()), line: Some(*line), ..Frame::default() }],
            ..Exception::default()
        };
        let mut exceptions: Vec<Exception> = (1..).zip(lines).map(member).collect();
        exceptions.reverse();
        exceptions.push(Exception { kind: "Group".to_owned(), id: Some(0), is_group: true, ..Exception::default() });
        Report { exceptions, ..Report::default() }
    }

    /// What a report leads to whose repository can't be looked at, and the type that is told.
    fn unseen(report: &Report) -> (Choice, String) {
        let repository = Repository {
            id: RepositoryId(1),
            full_name: RepositoryName::new("acme/shop"),
            clone_url: String::new(),
            github: None,
            public: false,
            default_branch: None,
            head: None,
        };
        let analysis = analyze(AnalysisInput {
            mirrors: None,
            repository: &repository,
            report,
            rules: &Rules::default(),
            deployment: Deployment::default(),
            event_at: Timestamp::UNIX_EPOCH,
            trouble: None,
        })
        .unwrap();
        let told = only_member(&Report { member: analysis.member, ..report.clone() }).headline();
        (analysis.choice, told)
    }

    #[test]
    fn a_member_of_a_group_is_told_though_its_repository_cannot_be_looked_at() {
        let of_member = |lines: &[u32], number: u32| {
            let member = Member { number, of: 3, at_least: false, group: "Group".to_owned() };
            unseen(&Report { member: Some(member), ..group(lines) })
        };
        let (choice, told) = unseen(&group(&[3, 4, 3]));
        assert!(matches!(choice, Choice::Nobody { .. }) && told == "Failed1", "{told}");
        let (choice, told) = of_member(&[3, 4, 3], 2);
        assert!(matches!(choice, Choice::Nobody { .. }) && told == "Failed2", "{choice:?} {told}");
        for number in [2, 3] {
            let (choice, _) = of_member(&[3, 3, 3], number);
            assert_eq!(choice, Choice::Dropped(Dropped::Member), "it is told with the first");
        }
    }

    #[test]
    fn messages_are_compared_without_their_values() {
        assert_eq!(constant_part("Timeout: job 1234 of 'ada'"), constant_part("Timeout: job 9 of 'bob'"));
        assert_ne!(constant_part("Timeout: job 1"), constant_part("Refused: job 1"));
    }
}
