//! Judging a case as a report would be judged: with its repository, or by what the case itself
//! says.

use super::Failed;
use super::case::{Case, CaseFrame, CaseFunction};
use super::score::Prediction;
use app::steps::attribute::{CodeReading, Evidence, KnownFacts, MirrorCommit, Suspicion, choose_culprit_and_suspects};
use domain::blame::{Author, Blame};
use domain::commit::CommitId;
use domain::culprit::{Choice, FrameAt, Located};
use domain::drift::Drift;
use domain::heuristic::Heuristic;
use domain::ids::RepositoryId;
use domain::report::{Exception, Frame, Report};
use domain::rule::Rules;
use domain::settings::Settings;
use domain::source::Block;
use domain::suspects::Suspect;
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use source::{Source, Work};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where the repositories are, and those that were opened.
pub(super) struct Judge {
    repositories: Option<Repositories>,
}

/// What a case was judged to be.
pub(super) struct Verdict {
    pub(super) predictions: Vec<Prediction>,
    pub(super) used: BTreeSet<Heuristic>,
}

struct Repositories {
    root: PathBuf,
    mirrors: Mirrors,
    /// For mirrors that there are none of. Deleted with this.
    _scratch: TempDir,
    ids: RefCell<HashMap<String, RepositoryId>>,
}

impl Judge {
    pub(super) fn new(root: Option<&Path>) -> Result<Self, Failed> {
        let Some(root) = root else { return Ok(Self { repositories: None }) };
        if !root.is_dir() {
            return Err(
                format!("{} is no folder: --mirrors takes the one that holds OWNER+NAME", root.display()).into()
            );
        }
        let scratch = TempDir::with_prefix("flawless-evaluate-")?;
        let mirrors = Mirrors::open(scratch.path().to_owned())?;
        Ok(Self {
            repositories: Some(Repositories {
                root: root.to_owned(),
                mirrors,
                _scratch: scratch,
                ids: RefCell::default(),
            }),
        })
    }

    /// The suspects of a case, without some rules of thumb, and which of the others had a part in
    /// it.
    pub(super) fn judge(&self, case: &Case, off: &[Heuristic]) -> Result<Verdict, Failed> {
        let Some(repositories) = &self.repositories else { return Self::by_case(case, off) };
        let id = repositories.id(&case.repo)?;
        let commit = repositories.mirrors.resolve(id, &case.revision)?;
        let commit = commit.ok_or_else(|| format!("{} has no commit {}", case.repo, case.revision))?;
        let reading = &CodeReading::default();
        let commit = MirrorCommit { mirrors: &repositories.mirrors, id, commit: &commit, reading };
        verdict(case, Evidence::Mirror(commit), off)
    }

    /// The same by what the case says itself.
    pub(super) fn by_case(case: &Case, off: &[Heuristic]) -> Result<Verdict, Failed> {
        verdict(case, Evidence::KnownFacts(&told_by(case)), off)
    }

    /// The same in the way that is possible.
    pub(super) fn judge_anyhow(&self, case: &Case, off: &[Heuristic]) -> Result<Verdict, Failed> {
        self.judge(case, off).or_else(|_| Self::by_case(case, off))
    }
}

fn verdict(case: &Case, evidence: Evidence<'_>, off: &[Heuristic]) -> Result<Verdict, Failed> {
    let rules = Rules::new(Settings::default(), Vec::new(), Timestamp::UNIX_EPOCH).without(off);
    let suspicion = choose_culprit_and_suspects(
        evidence,
        &report_of(case),
        &located_in(case),
        &rules,
        Timestamp::from_seconds(case.event_time),
    )?;
    let suspects = (1..).zip(&suspicion.suspects);
    let predictions = suspects.map(|(rank, suspect)| prediction(case, rank, suspect)).collect();
    Ok(Verdict { predictions, used: used(&suspicion) })
}

/// The rules of thumb that had a part in it. Without any other one, it would be the same.
fn used(suspicion: &Suspicion) -> BTreeSet<Heuristic> {
    let passed = match &suspicion.choice {
        Choice::Culprit { passed, .. } | Choice::Nobody { passed } => passed.as_slice(),
        Choice::Dropped(_) => &[],
    };
    let stepped = passed.iter().filter_map(|(_, why)| why.heuristic());
    stepped.chain(suspicion.suspects.iter().filter_map(|suspect| suspect.rule.heuristic())).collect()
}

impl Repositories {
    fn id(&self, name: &str) -> Result<RepositoryId, Failed> {
        if let Some(id) = self.ids.borrow().get(name) {
            return Ok(*id);
        }
        let folder = self.root.join(name.replace('/', "+"));
        let places = [folder.clone(), folder.join("repo"), folder.join("repo/.git"), folder.join(".git")];
        let Some(found) = places.iter().find(|place| place.join("HEAD").is_file() && place.join("objects").is_dir())
        else {
            return Err(format!("there is no git repository in {}", folder.display()).into());
        };
        let id = RepositoryId(i64::try_from(self.ids.borrow().len())? + 1);
        self.mirrors.borrow(id, found.clone());
        self.ids.borrow_mut().insert(name.to_owned(), id);
        Ok(id)
    }
}

fn prediction(case: &Case, rank: u32, suspect: &Suspect) -> Prediction {
    let frame = suspect.frame.map(|at| &frames(case)[at.0].1[at.1]);
    Prediction {
        case_id: case.case_id.clone(),
        rank,
        path: suspect.path.clone(),
        lineno: suspect.line,
        function: frame.and_then(|frame| frame.qualname.clone()).unwrap_or_else(|| suspect.function.clone()),
        commit: suspect.blame.as_ref().map(|blame| blame.commit.clone().into()),
        author_email: suspect.blame.as_ref().map(|blame| blame.author.email.clone()),
        rule: suspect.rule,
    }
}

/// The exceptions of a case in a report's order, causes first: type, and frames.
fn frames(case: &Case) -> Vec<(Option<&str>, &[CaseFrame])> {
    let causes = case.chained.iter().map(|one| (one.kind.as_deref(), one.frames.as_slice()));
    causes.chain([(Some(case.exception.kind.as_str()), case.frames.as_slice())]).collect()
}

fn report_of(case: &Case) -> Report {
    let frame = |frame: &CaseFrame| Frame {
        filename: Some(frame.filename.clone()),
        abs_path: frame.abs_path.clone(),
        module: frame.module.clone(),
        function: frame.function.clone(),
        line: frame.lineno,
        context_line: frame.context_line.clone(),
        ..Frame::default()
    };
    let last = case.chained.len();
    let exceptions = frames(case).into_iter().enumerate().map(|(index, (kind, frames))| Exception {
        kind: kind.unwrap_or("Exception").to_owned(),
        module: case.exception.module.clone().filter(|_| index == last),
        value: match case.chained.get(index) {
            Some(cause) => cause.value.clone(),
            None => case.exception.value.as_deref().map(unquoted),
        },
        frames: frames.iter().map(frame).collect(),
        ..Exception::default()
    });
    Report { exceptions: exceptions.collect(), count: 1, ..Report::default() }
}

/// Some messages were recorded with the quotes of their representation.
fn unquoted(message: &str) -> String {
    let inner = message.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(message).to_owned()
}

/// The frames that the case counts as the application's own: it names them by their paths in the
/// repository.
fn located_in(case: &Case) -> BTreeMap<FrameAt, Located> {
    let mut located = BTreeMap::new();
    for (exception, (_, frames)) in frames(case).into_iter().enumerate() {
        for (index, frame) in frames.iter().enumerate().filter(|(_, frame)| frame.in_app) {
            let Some(line) = frame.lineno else { continue };
            let code = frame.context_line.clone().unwrap_or_default();
            let found = Located { path: frame.filename.clone(), line, code, drift: Drift::None };
            located.insert((exception, index), found);
        }
    }
    located
}

/// What the case says of its frames itself.
fn told_by(case: &Case) -> KnownFacts {
    let (mut told, work) = (KnownFacts::default(), Work::default());
    for (exception, (_, frames)) in frames(case).into_iter().enumerate() {
        for (index, frame) in frames.iter().enumerate().filter(|(_, frame)| frame.in_app) {
            let (Some(line), Some(code)) = (frame.lineno, frame.context_line.as_deref()) else { continue };
            // A line by itself: what it calls can be read, where its values come from can not.
            let Ok(source) = Source::parse(&frame.filename, code.trim(), &work) else { continue };
            let Ok(mut facts) = source.line(1) else { continue };
            facts.function = function_of(case, frame, line);
            told.facts.insert((exception, index), facts);
            if let Some(origin) = origin_of(case, frame, line) {
                told.origins.insert((frame.filename.clone(), line), origin);
            }
        }
    }
    told
}

fn function_of(case: &Case, frame: &CaseFrame, line: u32) -> Option<Block> {
    let same = |one: &&CaseFunction| {
        one.path == frame.filename && (one.start..=one.end).contains(&line) && one.qualname != "<module>"
    };
    let found = case.functions.iter().filter(same).min_by_key(|one| one.end - one.start)?;
    Some(Block {
        name: frame.function.clone().unwrap_or_default(),
        qualified: found.qualname.clone(),
        start: found.start,
        end: found.end,
        is_class: false,
        parameters: Vec::new(),
    })
}

fn origin_of(case: &Case, frame: &CaseFrame, line: u32) -> Option<Blame> {
    let id = frame.blame.as_ref()?;
    let commit = case.commits.get(id)?;
    Some(Blame {
        commit: CommitId::new(id),
        path: frame.filename.clone(),
        line,
        author: Author { name: commit.author_name.clone().unwrap_or_default(), email: commit.author_email.clone() },
        authored_at: Timestamp::from_seconds(commit.atime),
        summary: commit.subject.clone().unwrap_or_default(),
        committed_at: Timestamp::from_seconds(commit.ctime),
        co_authors: Vec::new(),
        passed: Vec::new(),
    })
}
