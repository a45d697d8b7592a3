//! Who wrote one line of a long history: asked by a fresh process, by one that is warm, and twice.

use crate::figure::{Row, Unit, quantile};
use crate::history::{Asked, History};
use crate::process::{Launch, Limits, Process};
use crate::{Bench, database::Database, goals};
use domain::ids::RepositoryId;
use mirror::Mirrors;
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Fresh processes that are asked, each for a line of its own.
const PROCESSES: usize = 10;
/// How long the index of changed paths may take, which a server makes beside its other work.
const INDEXED_WITHIN: Duration = Duration::from_secs(180);
/// A shorter history has no index: it is walked as fast.
const FEWEST_INDEXED: usize = 1_000;
const NAME: &str = "acme/history";
const ON: &str = "mirror";

/// All of it.
///
/// # Errors
/// Git knows somebody else.
pub(crate) async fn measure(bench: &mut Bench) -> Result<(), String> {
    let commits = bench.size.commits;
    bench.say(&format!("blame in {commits} commits"));
    let source = bench.folder.join("history");
    let history = History::build(&source, commits);
    let data = bench.folder.join("blame");
    std::fs::create_dir_all(&data).unwrap();
    let launch = Launch { program: bench.program.clone(), data: data.clone(), database: None, limits: Limits::Off };
    let (_, project) = launch.watch(&source, NAME);
    let began = Instant::now();
    let server = Process::server(&launch);
    Database::file(&data).wait_for("SELECT COUNT(*) AS n FROM repositories WHERE head IS NOT NULL", 1).await;
    Database::file(&data).wait_for("SELECT 1 - COUNT(*) AS n FROM jobs WHERE kind = 'fetch'", 1).await;
    bench.say(&format!("  mirrored in {:.0} s", began.elapsed().as_secs_f64()));
    if commits >= FEWEST_INDEXED {
        indexed(&data.join(format!("mirrors/{project}.git/flawless-changed-paths"))).await?;
        bench.say(&format!("  indexed in {:.0} s", began.elapsed().as_secs_f64()));
    }
    drop(server);
    fresh(bench, &launch, &history)?;
    warm(bench, &data.join("mirrors"), &project, &history)
}

/// Waits until the server has made the index of changed paths.
async fn indexed(index: &Path) -> Result<(), String> {
    let until = Instant::now() + INDEXED_WITHIN;
    while !index.exists() {
        if Instant::now() > until {
            return Err(format!("the server made no {}", index.display()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// By the command, as whoever starts the program anew waits for it.
fn fresh(bench: &mut Bench, launch: &Launch, history: &History) -> Result<(), String> {
    let (mut milliseconds, mut nothing) = (Vec::new(), Vec::new());
    for number in 0..PROCESSES {
        let Asked { path, line, author } = history.line(number);
        nothing.push(timed(launch.command().arg("--version"), "")?);
        let place = format!("{path}:{line}");
        milliseconds.push(timed(launch.command().args(["blame", "--repository", NAME, &place]), &author)?);
    }
    let what = format!("{} commits, a fresh process: its first answer", bench.size.commits);
    bench.report.add(Row::Blame, ON, &what, Unit::Milliseconds, &milliseconds, Some(goals::FIRST_BLAME));
    bench.report.add(Row::Blame, ON, "a process that answers nothing", Unit::Milliseconds, &nothing, None);
    Ok(())
}

/// Runs a command, which has to say something; its milliseconds.
fn timed(command: &mut Command, says: &str) -> Result<f64, String> {
    let began = Instant::now();
    let output = command.output().unwrap();
    let taken = began.elapsed().as_secs_f64() * 1e3;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !said.contains(says) {
        return Err(format!("{command:?} does not say {says:?}: {said}{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(taken)
}

/// As the server asks, in this process.
fn warm(bench: &mut Bench, mirrors: &Path, project: &str, history: &History) -> Result<(), String> {
    let mirrors = Mirrors::open(mirrors.to_owned()).map_err(|error| error.to_string())?;
    let id = RepositoryId(project.parse().unwrap());
    let head = mirrors.head(id).map_err(|error| error.to_string())?.ok_or("the mirror has no commit")?.commit;
    let ask = |asked: &Asked| -> Result<(), String> {
        let found = mirrors.blame(id, &head, &asked.path, asked.line).map_err(|error| error.to_string())?;
        let email = found.map(|blame| blame.author.email).unwrap_or_default();
        if email == asked.author {
            return Ok(());
        }
        Err(format!("{}:{} is by {}, not {email:?}", asked.path, asked.line, asked.author))
    };
    // What the first question reads, none of the others reads again.
    ask(&history.line(0))?;
    let (mut cpu, mut again) = (Vec::new(), Vec::new());
    for number in 1..=bench.size.blamed {
        let asked = history.line(number);
        let before = thread_cpu();
        ask(&asked)?;
        cpu.push((thread_cpu() - before) * 1e3);
        let before = thread_cpu();
        ask(&asked)?;
        again.push((thread_cpu() - before) * 1e3);
    }
    let mut one = |what: &str, values: &mut [f64], part: f64, goal| {
        let value = quantile(values, part);
        bench.report.add(Row::Blame, ON, what, Unit::Milliseconds, &[value], goal);
    };
    one("a warm process, another line: CPU, p50", &mut cpu, 0.5, Some(goals::BLAME));
    one("a warm process, another line: CPU, p99", &mut cpu, 0.99, None);
    one("the same line again: CPU, p50", &mut again, 0.5, Some(goals::BLAME_AGAIN));
    Ok(())
}

/// CPU seconds of this thread so far.
fn thread_cpu() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}
