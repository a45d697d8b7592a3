//! `flawless blame`: who wrote a line, or who is to blame for a traceback, as the server would say
//! it.

use super::Failed;
use super::repository::named;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::steps::attribute::{AnalysisInput, Deployment, ReportAnalysis, analyze};
use crate::terminal::say;
use crate::wiring::Handles;
use clap::Args;
use domain::attribution::{before_sentence, passed_commits_sentence};
use domain::blame::Blame;
use domain::counted::counted;
use domain::culprit::{Choice, Dropped};
use domain::group::{further_members, only_member};
use domain::ids::RepositoryId;
use domain::names::RepositoryName;
use domain::no_line::{Lacking, NoLine, sentences};
use domain::report::Report;
use domain::repository::Repository;
use domain::rule::Rules;
use domain::settings::{SETTINGS_FILE, Settings};
use domain::timestamp::Timestamp;
use mirror::settings::parse as parse_settings;
use mirror::{MirrorError, Mirrors, Storage, checkout_around};
use source::Source;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use wire::traceback;

/// The largest traceback that is read: as the server takes them.
const LARGEST_TRACEBACK: u64 = 1 << 20;

/// What the command ends with where it read the traceback, and nobody is known to have written a
/// line of it: 1 is that it could not be asked, 2 that it was not understood.
const NO_AUTHOR: u8 = 3;

/// What to look at.
#[derive(Debug, Args)]
pub struct Options {
    /// FILE:LINE, or FILE:LINE@REVISION (a commit, tag or branch).
    #[arg(required_unless_present = "traceback")]
    line: Option<String>,
    /// A file with a traceback as printed; `-` reads it from standard input.
    #[arg(long, conflicts_with = "line", value_name = "FILE")]
    traceback: Option<PathBuf>,
    /// With --traceback: the revision that ran, else the checkout's head (with --repository, the
    /// default branch's).
    #[arg(long, requires = "traceback", value_name = "REVISION")]
    release: Option<String>,
    /// OWNER/NAME: ask the server's mirror of a watched repository instead of the checkout around
    /// this folder.
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<RepositoryName>,
}

/// A repository that can be asked.
struct Subject {
    mirrors: Mirrors,
    repository: Repository,
    rules: Rules,
    /// From the repository's root to the folder in which the command runs.
    folder: String,
    /// What is peculiar about it.
    storage: Storage,
    /// Deleted with this.
    _scratch: Option<super::Scratch>,
}

/// Answers on standard output, and by how it ends whether somebody wrote the line.
///
/// # Errors
/// There is no such repository, revision, file or line, or the traceback can't be read.
pub async fn blame(
    options: Options,
    configured: impl FnOnce() -> Result<Config, ConfigError>,
    clock: &Clock,
) -> Result<ExitCode, Failed> {
    let now = clock.now();
    let subject = match &options.repository {
        Some(name) => watched(name, &configured()?, clock).await?,
        // Nothing of the server's is needed, so nothing of its can be in the way.
        None => checkout(now)?,
    };
    let answered = match (&options.traceback, &options.line) {
        (Some(file), _) => of_traceback(&subject, file, options.release, now),
        (None, Some(line)) => of_line(&subject, line),
        (None, None) => Err("say FILE:LINE, or --traceback FILE".into()),
    };
    match answered {
        Err(error) => Err(of_partial(subject.storage, error)),
        Ok(code) if subject.storage.has_grafts => {
            say!("{GRAFTS}");
            Ok(code)
        }
        Ok(code) => Ok(code),
    }
}

/// What failed, with what is to be done where a partial checkout has not all that git needs.
fn of_partial(storage: Storage, error: Failed) -> Failed {
    match error.downcast_ref() {
        Some(MirrorError::Git { .. }) if storage.is_partial => format!("{error}. {PARTIAL}").into(),
        _ => error,
    }
}

const SHA256: &str = "this checkout names its objects by SHA-256, which is not supported; only SHA-1 repositories are";

const REFTABLE: &str = "this checkout keeps its branches and tags in reftables, which are not read: \
                        `git clone --ref-format=files . OTHER_FOLDER` makes one that is";

const PARTIAL: &str = "This checkout is a partial clone (git clone --filter), which has not fetched all of its history: \
                       `git fetch --refetch --no-filter` fetches the rest";

const GRAFTS: &str = "This checkout has grafts (.git/info/grafts), which are not followed, so git may say otherwise: \
                      `git replace --convert-graft-file` makes of them what is.";

/// Refuses an answer that would be the last commit of a shallow checkout for all that is older.
fn refuse_cut_off<'a>(subject: &Subject, answers: impl IntoIterator<Item = &'a Blame>) -> Result<(), Failed> {
    if !subject.storage.is_shallow {
        return Ok(());
    }
    for blame in answers {
        if subject.mirrors.is_cut_off_at(subject.repository.id, &blame.commit)? {
            return Err(format!(
                "nobody can say who wrote {}:{}: this checkout is shallow, and its history is cut off at {}, which has \
                 all that is older as well; `git fetch --unshallow` fetches the rest (for actions/checkout: \
                 `fetch-depth: 0`)",
                blame.path,
                blame.line,
                blame.commit.short()
            )
            .into());
        }
    }
    Ok(())
}

async fn watched(name: &RepositoryName, config: &Config, clock: &Clock) -> Result<Subject, Failed> {
    let handles = Handles::open_existing(config, clock).await?;
    let now = clock.now();
    let row = named(&handles.store, name).await?;
    let rules = store::rules::of_repository(&handles.store, row.repository.id, row.settings.clone(), now).await?;
    let (mirrors, repository) = (handles.mirrors.clone(), row.repository);
    if !mirrors.exists(repository.id) {
        return Err(format!("there is no mirror of {name} yet: the server makes it").into());
    }
    Ok(Subject { mirrors, repository, rules, folder: String::new(), storage: Storage::default(), _scratch: None })
}

fn checkout(now: Timestamp) -> Result<Subject, Failed> {
    let here = std::env::current_dir()?;
    let found = checkout_around(&here)
        .ok_or("this folder is in no git checkout: go into one, or name a watched repository with --repository")?;
    let storage = Storage::of(&found.git_directory);
    if storage.is_sha256 {
        return Err(SHA256.into());
    }
    if storage.is_reftable {
        return Err(REFTABLE.into());
    }
    let scratch = super::Scratch::new("blame");
    let mirrors = Mirrors::open(scratch.path().to_owned())?;
    let id = RepositoryId(1);
    mirrors.borrow(id, found.git_directory);
    let settings = match mirrors.head_file(id, SETTINGS_FILE).map_err(|error| of_partial(storage, error.into()))? {
        Some((_, text)) => parse_settings(&text).map_err(|error| format!("{SETTINGS_FILE}: {error}"))?,
        None => Settings::default(),
    };
    let folder = found.root.map(|root| here.strip_prefix(root).unwrap_or(Path::new("")).to_owned());
    let repository = Repository {
        id,
        full_name: RepositoryName::new(here.file_name().unwrap_or_default().to_string_lossy()),
        clone_url: String::new(),
        github: None,
        public: false,
        default_branch: Some("the checkout's head".to_owned()),
        head: None,
    };
    Ok(Subject {
        mirrors,
        repository,
        rules: Rules::new(settings, Vec::new(), now),
        folder: folder.unwrap_or_default().to_string_lossy().into_owned(),
        storage,
        _scratch: Some(scratch),
    })
}

fn of_line(subject: &Subject, what: &str) -> Result<ExitCode, Failed> {
    let (place, revision) = match what.rsplit_once('@') {
        Some((place, revision)) if place.contains(':') => (place, Some(revision)),
        _ => (what, None),
    };
    let (file, number) = place.rsplit_once(':').ok_or_else(|| format!("{what:?} is not FILE:LINE"))?;
    let number: u32 = number.parse().map_err(|_| format!("{number:?} is no line number, in {what:?}"))?;
    let (mirrors, id) = (&subject.mirrors, subject.repository.id);
    let commit = match revision {
        Some(name) => {
            mirrors.resolve(id, name)?.ok_or_else(|| format!("there is no commit, tag or branch called {name:?}"))?
        }
        None => mirrors.head(id)?.ok_or("the repository has no commit yet")?.commit,
    };
    let path = normal(&subject.folder, file);
    let lines = mirrors
        .lines(id, &commit, &path)?
        .ok_or_else(|| format!("there is no text file {path} in {}", commit.short()))?;
    let text = (number as usize).checked_sub(1).and_then(|at| lines.get(at)).ok_or_else(|| {
        format!("{path} has {} in {}, no line {number}", counted(lines.len(), "line", "lines"), commit.short())
    })?;
    let joined = lines.join("\n");
    let work = source::Work::default();
    let source = Source::parse(&path, &joined, &work).ok();
    let function = source.as_ref().and_then(|source| source.function_at(number));
    let within = function.map(|function| format!(" in {}", function.qualified)).unwrap_or_default();
    let found = mirrors.blame(id, &commit, &path, number)?;
    refuse_cut_off(subject, &found)?;
    say!("{path}:{number}{within} at {}", commit.short());
    say!("    {}", text.trim());
    let words = match &found {
        Some(found) => {
            let before = mirrors.before_trivial_edit(id, found)?;
            let before = before.filter(|(before, _)| !before.is_by_author_of(found));
            let before = before.map(|(before, edit)| before_sentence(&before, found, edit));
            of_blame(found, &path, number).into_iter().chain(before).collect()
        }
        None => sentences(&[NoLine::git_cannot_say(&path)], Lacking::Author),
    };
    for sentence in words {
        say!("{sentence}");
    }
    Ok(if found.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NO_AUTHOR) })
}

fn of_blame(found: &Blame, path: &str, line: u32) -> Vec<String> {
    let author = &found.author;
    // A commit may name nobody that can be read; then these are git's words.
    let who = match (author.name.as_str(), author.email.as_str()) {
        ("", "") => "(unknown) (unknown)".to_owned(),
        (name, email) => format!("{name} <{email}>"),
    };
    let mut words = vec![format!(
        "{who} wrote it on {} in {} ({}){}.",
        found.written_at().date(),
        found.commit.short(),
        found.summary,
        found.came_later_at().map(|at| format!("; it is here since {}", at.date())).unwrap_or_default()
    )];
    if found.path != path {
        words.push(format!("The file was called {} then, and it was line {}.", found.path, found.line));
    } else if found.line != line {
        words.push(format!("It was line {} then.", found.line));
    }
    if !found.co_authors.is_empty() {
        let names: Vec<String> = found.co_authors.iter().map(|one| format!("{} <{}>", one.name, one.email)).collect();
        words.push(format!("Written together with {}.", names.join(", ")));
    }
    words.extend(passed_commits_sentence(found));
    words
}

fn of_traceback(subject: &Subject, file: &Path, release: Option<String>, now: Timestamp) -> Result<ExitCode, Failed> {
    let text = read(file)?;
    let mut report = traceback::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    if let Some(name) = &release
        && subject.mirrors.resolve(subject.repository.id, name)?.is_none()
    {
        return Err(format!("there is no commit, tag or branch called {name:?}").into());
    }
    report.release = release;
    let input = AnalysisInput {
        mirrors: Some(&subject.mirrors),
        repository: &subject.repository,
        report: &report,
        rules: &subject.rules,
        deployment: Deployment::default(),
        event_at: now,
        trouble: None,
    };
    let analysis = analyze(input)?;
    refuse_cut_off(subject, blames_of(&analysis))?;
    say_analysis(&headline(&report, &analysis), &analysis);
    for member in further_members(&report) {
        let of_member = Report { member: Some(member), ..report.clone() };
        let analysis = analyze(AnalysisInput { report: &of_member, ..input })?;
        if !matches!(analysis.choice, Choice::Dropped(Dropped::Member)) {
            refuse_cut_off(subject, blames_of(&analysis))?;
            say!("");
            say_analysis(&headline(&report, &analysis), &analysis);
        }
    }
    Ok(match analysis.choice {
        Choice::Culprit { .. } | Choice::Nobody { .. }
            if analysis.attribution.blame.is_none() || analysis.choice.is_only_counted() =>
        {
            ExitCode::from(NO_AUTHOR)
        }
        _ => ExitCode::SUCCESS,
    })
}

/// Type and message of what an analysis is about.
fn headline(report: &Report, analysis: &ReportAnalysis) -> String {
    only_member(&Report { member: analysis.member.clone(), ..report.clone() }).headline()
}

/// Whom an analysis speaks of, by the lines that they wrote.
fn blames_of(analysis: &ReportAnalysis) -> impl Iterator<Item = &Blame> {
    let suspected = analysis.attribution.suspects.iter().filter_map(|suspect| suspect.blame.as_ref());
    analysis.attribution.blame.iter().chain(suspected)
}

fn say_analysis(headline: &str, analysis: &ReportAnalysis) {
    say!("{headline}");
    match &analysis.choice {
        Choice::Dropped(Dropped::IgnoredException) => say!("It is not counted: ignored_exceptions names its type."),
        Choice::Dropped(Dropped::ThirdParty) => say!("It is not counted: third_party_whitelist covers a frame."),
        Choice::Dropped(Dropped::Member) => {
            say!("It is not counted: another exception of its group has the same line.")
        }
        Choice::Culprit { .. } | Choice::Nobody { .. } => {
            for sentence in analysis.attribution.words() {
                say!("- {sentence}");
            }
        }
    }
}

fn read(file: &Path) -> Result<String, Failed> {
    let said = |error: std::io::Error| format!("{} can't be read: {error}", file.display());
    let mut text = String::new();
    let size = if file == Path::new("-") {
        std::io::stdin().lock().take(LARGEST_TRACEBACK + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(LARGEST_TRACEBACK + 1).read_to_string(&mut text))
    }
    .map_err(said)?;
    if size as u64 > LARGEST_TRACEBACK {
        return Err(
            format!("{} is larger than {LARGEST_TRACEBACK} bytes, which is no traceback", file.display()).into()
        );
    }
    Ok(text)
}

/// The path from the repository's root, of a file named in a folder of it.
fn normal(folder: &str, file: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for component in Path::new(folder).join(file).components() {
        match component {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn files_are_named_from_the_repositorys_root() {
        assert_eq!(normal("", "shop/cart.py"), "shop/cart.py");
        assert_eq!(normal("shop", "cart.py"), "shop/cart.py");
        assert_eq!(normal("shop/web", "../cart.py"), "shop/cart.py");
        assert_eq!(normal("shop", "./cart.py"), "shop/cart.py");
    }
}
