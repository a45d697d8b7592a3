//! The walk of one line against `git blame`, on real repositories: thousands of lines, at HEAD and
//! at old revisions.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use blame::{IgnoreRevs, Walker};
use git_fixture::isolated_git;
use gix::ObjectId;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A directory of bare repositories (or of folders that hold one as `repo`, `repo.git` or `.git`).
const REPOSITORIES: &str = "FLAWLESS_TEST_REPOSITORIES";

/// Lines for each repository, a quarter of them in files that were renamed.
const LINES: usize = 2_000;

/// Lines for each repository with a list, that git blames on a commit of the list unless told not
/// to.
const IGNORED_LINES: usize = 200;

/// HEAD, and old revisions at equal distances.
const REVISIONS: usize = 5;

/// In a thousand, how many answers must be git's.
const AGREEMENT: usize = 995;

/// One question.
#[derive(Clone, Debug)]
struct Question {
    commit: String,
    path: String,
    line: u32,
}

/// One answer: commit, path, line.
type Answer = (String, String, u32);

/// A sequence that is the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// A repository, and the file with its list if it has one.
struct Subject {
    directory: PathBuf,
    list: Option<tempfile::NamedTempFile>,
    ignored: HashSet<String>,
}

impl Subject {
    fn open(directory: PathBuf) -> Self {
        let mut subject = Self { directory, list: None, ignored: HashSet::new() };
        let listed = subject.try_git(&["show", "HEAD:.git-blame-ignore-revs"]);
        if let Some(text) = listed {
            let ids = text.lines().map(|line| line.split('#').next().unwrap().trim().to_owned());
            subject.ignored = ids.filter(|id| id.len() == 40).collect();
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), text).unwrap();
            subject.list = Some(file);
        }
        subject
    }

    fn try_git(&self, arguments: &[&str]) -> Option<String> {
        let output = isolated_git().current_dir(&self.directory).args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.try_git(arguments).unwrap_or_else(|| panic!("git {arguments:?} in {}", self.directory.display()))
    }

    fn files(&self, commit: &str) -> Vec<String> {
        let listing = self.git(&["ls-tree", "-r", "-z", commit]);
        let file = |entry: &str| entry.starts_with("100").then(|| entry.split_once('\t').unwrap().1.to_owned());
        listing.split('\0').filter_map(file).filter(|path| !path.contains('\u{fffd}')).collect()
    }

    /// Some line of a file that is not blank.
    fn line(&self, commit: &str, path: &str, dice: &mut Dice) -> Option<Question> {
        let text = self.try_git(&["cat-file", "blob", &format!("{commit}:{path}")])?;
        if text.contains('\0') || text.len() > 1 << 20 {
            return None;
        }
        let lines: Vec<u32> =
            (1..).zip(text.split('\n')).filter(|(_, text)| !text.trim().is_empty()).map(|(n, _)| n).collect();
        let line = *lines.get(dice.below(lines.len().max(1)))?;
        Some(Question { commit: commit.to_owned(), path: path.to_owned(), line })
    }

    fn questions(&self) -> Vec<Question> {
        let mut dice = Dice(5);
        let line = self.git(&["rev-list", "--first-parent", "HEAD"]);
        let line: Vec<&str> = line.lines().collect();
        let mut questions = Vec::new();
        for revision in 0..REVISIONS {
            let commit = line[revision * line.len() / REVISIONS];
            let files = self.files(commit);
            let log = self
                .try_git(&["log", "-M", "--diff-filter=R", "--format=", "--name-status", "-n4000", commit])
                .unwrap_or_default();
            let known: BTreeSet<&str> = files.iter().map(String::as_str).collect();
            let renamed: Vec<String> = log
                .lines()
                .filter_map(|line| line.rsplit('\t').next())
                .filter(|path| known.contains(path))
                .map(str::to_owned)
                .collect();
            let before = questions.len();
            for turn in 0..LINES * 4 {
                if questions.len() - before == LINES / REVISIONS || files.is_empty() {
                    break;
                }
                let among = if turn % 4 == 0 && !renamed.is_empty() { &renamed } else { &files };
                questions.extend(self.line(commit, &among[dice.below(among.len())], &mut dice));
            }
        }
        questions
    }

    /// Lines at HEAD that are blamed on commits of the list, as long as it is not heeded.
    fn ignored_questions(&self) -> Vec<Question> {
        let head = self.git(&["rev-parse", "HEAD"]).trim().to_owned();
        let there: BTreeSet<String> = self.files(&head).into_iter().collect();
        let mut files: Vec<String> = Vec::new();
        for commit in &self.ignored.iter().collect::<BTreeSet<_>>() {
            let changed =
                self.try_git(&["diff-tree", "-r", "--no-commit-id", "--name-only", commit]).unwrap_or_default();
            files.extend(changed.lines().filter(|path| there.contains(*path)).map(str::to_owned));
        }
        let (mut dice, mut questions) = (Dice(7), Vec::new());
        for _ in 0..IGNORED_LINES * 2 {
            if files.is_empty() || questions.len() >= IGNORED_LINES {
                break;
            }
            let path = files.swap_remove(dice.below(files.len()));
            let blame = self.git(&["blame", "-w", "-s", "-l", "--root", &head, "--", &path]);
            let mut lines: Vec<u32> = (1..)
                .zip(blame.lines())
                .filter(|(_, text)| self.ignored.contains(&text[..40]))
                .map(|(line, _)| line)
                .collect();
            for _ in 0..lines.len().min(3) {
                let line = lines.swap_remove(dice.below(lines.len()));
                questions.push(Question { commit: head.clone(), path: path.clone(), line });
            }
        }
        questions.truncate(IGNORED_LINES);
        questions
    }

    /// What git says, and the CPU time that it took in microseconds.
    fn ask_git(&self, question: &Question) -> (Option<Answer>, u64) {
        let range = format!("{0},{0}", question.line);
        let mut command = isolated_git();
        command.current_dir(&self.directory).args(["-c", "core.quotePath=false", "blame", "-w"]);
        command.args(["--porcelain", "-L", &range]);
        if let Some(list) = &self.list {
            command.arg("--ignore-revs-file").arg(list.path());
        }
        command.args([&question.commit, "--", &question.path]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut text = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut text).unwrap();
        // What it has used is known until it is waited for; its end may take a moment more.
        let process = format!("/proc/{}", child.id());
        while fs::read_to_string(format!("{process}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
            std::thread::yield_now();
        }
        let used = cpu(&format!("{process}/schedstat"));
        child.wait().unwrap();
        let text = String::from_utf8_lossy(&text);
        let mut words = text.split([' ', '\n']);
        let commit = words.next().filter(|word| word.len() == 40).map(str::to_owned);
        let line = words.next().and_then(|word| word.parse().ok());
        let path = text.lines().find_map(|line| line.strip_prefix("filename ")).map(str::to_owned);
        (commit.zip(path).zip(line).map(|((commit, path), line)| (commit, path, line)), used)
    }
}

/// CPU time in microseconds, by the kernel's statistics; 0 where there are none.
fn cpu(statistics: &str) -> u64 {
    // The kernel adds up what a thread has used when it lets another run.
    std::thread::yield_now();
    let text = fs::read_to_string(statistics).unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default() / 1000
}

fn quantiles(mut times: Vec<u64>) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default() as f64 / 1000.0;
    let most = times.last().copied().unwrap_or_default() as f64 / 1000.0;
    let mean = times.iter().sum::<u64>() as f64 / 1000.0 / times.len().max(1) as f64;
    format!("median {:.2} ms, mean {mean:.2} ms, p95 {:.2} ms, most {most:.1} ms", at(50), at(95))
}

fn bare(entry: &Path) -> Option<PathBuf> {
    let inside = ["", "repo", "repo.git", "repo/.git", ".git"].map(|name| entry.join(name));
    inside.into_iter().find(|path| path.join("HEAD").is_file() && path.join("objects").is_dir())
}

/// Asks both, and prints each difference. Returns how many answers there were, and how many were
/// the same.
fn compare(subject: &Subject, name: &str, questions: &[Question]) -> (usize, usize) {
    let mut repo = gix::open_opts(&subject.directory, gix::open::Options::isolated()).unwrap();
    repo.object_cache_size_if_unset(blame::OBJECT_CACHE);
    let mut walker = Walker::new(&repo).with_ignore_revs(IgnoreRevs::of_head(&repo).unwrap()).as_git();
    let (mut same, mut moved) = (0, 0);
    let (mut ours_took, mut gits_took) = (Vec::new(), Vec::new());
    for question in questions {
        let (gits, took) = subject.ask_git(question);
        gits_took.push(took);
        let commit = ObjectId::from_hex(question.commit.as_bytes()).unwrap();
        let begin = cpu("/proc/thread-self/schedstat");
        let blame = walker.line(commit, question.path.as_str(), question.line).unwrap();
        ours_took.push(cpu("/proc/thread-self/schedstat") - begin);
        let ours = blame.map(|blame| (blame.commit.to_string(), blame.path.to_string(), blame.line));
        moved += usize::from(gits.as_ref().is_some_and(|(_, path, _)| *path != question.path));
        if ours == gits {
            same += 1;
        } else {
            println!(
                "  {}:{} at {}\n    git  {gits:?}\n    ours {ours:?}",
                question.path, question.line, question.commit
            );
        }
    }
    let total = questions.len();
    println!(
        "{name}: {same} of {total} answers are git's ({:.2} %), {moved} with another path",
        100.0 * same as f64 / total.max(1) as f64
    );
    println!("{name}: walker {}; git {}", quantiles(ours_took), quantiles(gits_took));
    (total, same)
}

/// `FLAWLESS_TEST_REPOSITORIES=DIR cargo test -p blame --test agrees_with_git -- --ignored
/// --nocapture`.
#[test]
#[ignore = "needs clones of large repositories"]
fn blame_agrees_with_git() {
    let directory = std::env::var(REPOSITORIES).unwrap_or_else(|_| panic!("{REPOSITORIES} is not set"));
    let mut repositories: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if let Some(bare) = bare(&path) {
            repositories.insert(path.file_name().unwrap().to_string_lossy().into_owned(), bare);
        }
    }
    assert!(!repositories.is_empty(), "{directory} holds no bare repository");
    let mut short = Vec::new();
    for (name, path) in repositories {
        let subject = Subject::open(path);
        let (mut total, mut same) = compare(&subject, &name, &subject.questions());
        if !subject.ignored.is_empty() {
            let (more, agreed) = compare(&subject, &format!("{name}, ignored"), &subject.ignored_questions());
            (total, same) = (total + more, same + agreed);
        }
        if same * 1000 < total * AGREEMENT {
            short.push(format!("{name}: {same} of {total}"));
        }
    }
    assert!(short.is_empty(), "less than {AGREEMENT} in 1000: {short:?}");
}
