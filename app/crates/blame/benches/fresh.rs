//! What the first question costs that a process is asked, with the index of changed paths and
//! without, and the next ones: `cargo bench -p blame --bench fresh`, which makes a history of
//! 80,000 commits for it; `-- GIT_DIRECTORY` asks another one's files.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints what it finds")]

use blame::{ChangedPaths, IgnoreRevs, Walker};
use git_fixture::{GitRepo, isolated_git};
use gix::ObjectId;
use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

type Failed = Box<dyn Error>;

/// Files that are asked about, a line of each.
const ASKED: usize = 25;

/// Which one that is.
const ASKED_LINE: u32 = 1;

/// Lines that a file of the history made for this has.
const LINES: usize = 60;

fn main() -> Result<(), Failed> {
    let (options, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|it| it.starts_with("--"));
    let commits = if options.iter().any(|option| option == "--bench") { 80_000 } else { 400 };
    let folder = std::env::temp_dir().join(format!("blame-bench-{}", std::process::id()));
    let directory = match words.first() {
        Some(directory) => PathBuf::from(directory),
        None => made(&folder, commits)?,
    };
    let measured = measure(&directory);
    if words.is_empty() {
        std::fs::remove_dir_all(&folder)?;
    }
    measured
}

/// A repository as one is after its process began: nothing is known of it.
fn fresh(directory: &Path) -> Result<gix::Repository, Failed> {
    let mut repo = gix::open_opts(directory, gix::open::Options::isolated())?;
    repo.object_cache_size_if_unset(blame::OBJECT_CACHE);
    Ok(repo)
}

fn measure(directory: &Path) -> Result<(), Failed> {
    let repo = fresh(directory)?;
    let head = repo.head_id()?.detach();
    let index = ChangedPaths::default();
    let (took, commits) = milliseconds(|| Ok(index.catch_up(&repo, [head], &mut || true)?))?;
    let bytes = index.to_bytes();
    println!("index of {commits} commits: {:.2} s, {} kB", took / 1e3, bytes.len() / 1_000);
    let read = || ChangedPaths::from_bytes(&bytes).ok_or("it is an index");
    println!("reading it: {:.2} ms", milliseconds(|| Ok(read()?))?.0);

    let files = repo.rev_parse_single("HEAD^{tree}")?.object()?.into_tree().traverse().breadthfirst.files()?;
    let files: Vec<_> = files.into_iter().filter(|file| file.mode.is_blob()).collect();
    let step = (files.len() / ASKED).max(1);
    let (mut without, mut with, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for file in files.iter().step_by(step) {
        // In turns, so that a busy machine is so for all.
        let path = file.filepath.as_ref();
        without.push(milliseconds(|| ask(&fresh(directory)?, None, head, path))?.0);
        with.push(milliseconds(|| ask(&fresh(directory)?, Some(Arc::new(read()?)), head, path))?.0);
        let (repo, memory) = (fresh(directory)?, Some(Arc::new(read()?)));
        ask(&repo, memory.clone(), head, path)?;
        warm.push(milliseconds(|| ask(&repo, memory, head, path))?.0);
    }
    let (without, with, warm) = (Summary::of(without), Summary::of(with), Summary::of(warm));
    println!("first question of a process, without: {without} of one core");
    println!("first question of a process, with:    {with}");
    println!("the same question again:              {warm}");
    println!("with / without: {:.3}", with.median / without.median);
    Ok(())
}

fn ask(
    repo: &gix::Repository,
    memory: Option<Arc<ChangedPaths>>,
    commit: ObjectId,
    path: &gix::bstr::BStr,
) -> Result<(), Failed> {
    let mut walker = Walker::new(repo).with_ignore_revs(IgnoreRevs::of_head(repo)?);
    if let Some(memory) = memory {
        walker = walker.with_changed_paths(memory);
    }
    walker.line(commit, path, ASKED_LINE)?.ok_or("it has a line")?;
    Ok(())
}

/// How long this thread was on a core while it worked, in milliseconds.
fn milliseconds<T>(work: impl FnOnce() -> Result<T, Failed>) -> Result<(f64, T), Failed> {
    let (begun, on_core) = (Instant::now(), on_core());
    let made = work()?;
    let took = on_core.zip(self::on_core()).map(|(before, after)| (after - before) as f64 / 1e6);
    Ok((took.unwrap_or_else(|| begun.elapsed().as_secs_f64() * 1e3), made))
}

/// How long this thread has been on a core, in nanoseconds, where Linux says so: on a busy machine
/// a clock says what others do. It is up to date after another thread may have had its turn.
fn on_core() -> Option<u64> {
    std::thread::yield_now();
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    said.split(' ').next()?.parse().ok()
}

/// Some times, in milliseconds.
struct Summary {
    median: f64,
    most: f64,
}

impl Summary {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |at: usize| times.get(at).copied().unwrap_or_default();
        Self { median: at(times.len() / 2), most: at(times.len().saturating_sub(1)) }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:.2} ms, max {:.2} ms", self.median, self.most)
    }
}

/// A history of that many commits: 6,000 files or fewer, each commit changes three, every tenth one
/// is a merge.
fn made(folder: &Path, commits: usize) -> Result<PathBuf, Failed> {
    let repo = GitRepo::init(folder);
    let mut command = isolated_git();
    command.current_dir(folder).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut git = command.spawn()?;
    let mut stream = BufWriter::new(git.stdin.take().ok_or("it reads")?);
    let files = (commits / 13).max(3);
    let mut versions = vec![0_usize; files];
    // Some numbers that come again: Knuth's linear congruential generator.
    let mut number = 7_u64;
    let mut next = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as usize % below
    };
    for at in 0..commits {
        let (person, time) = (at % 50, 1_300_000_000 + at * 600);
        let branch = if at % 10 == 8 { "side" } else { "main" };
        writeln!(stream, "commit refs/heads/{branch}\nmark :{}", at + 1)?;
        writeln!(stream, "author A{person} <a{person}@example.com> {time} +0000")?;
        writeln!(stream, "committer A{person} <a{person}@example.com> {time} +0000\ndata 7\nChange.")?;
        match at % 10 {
            8 => writeln!(stream, "from :{at}")?,
            9 => writeln!(stream, "from :{}\nmerge :{at}", at - 1)?,
            _ => {}
        }
        for _ in 0..3 {
            // Some change often.
            let file = next(files).min(next(files)).min(next(files));
            versions[file] += 1;
            let version = versions[file];
            // Each version changes one line, and lines take turns.
            let written = |line: usize| if version < line { 0 } else { version - (version - line) % LINES };
            let lines: String = (0..LINES).map(|line| format!("    value_{line} = {}\n", written(line))).collect();
            let path = format!("src/part{}/area{}/file{file}.py", file % 31, file % 17);
            write!(stream, "M 100644 inline {path}\ndata {}\n{lines}\n", lines.len())?;
        }
    }
    drop(stream.into_inner()?);
    git.wait()?;
    Ok(repo.git_dir())
}
