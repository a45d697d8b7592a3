//! The bench: the real server under load, on both databases, beside a bare handler, and what comes
//! of it beside the goals.
//!
//! `cargo run --release -p bench`; docs/performance.md says how figures are made and read.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that can't go on says so and ends")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod alerts;
mod bare;
mod blame;
mod client;
mod database;
mod event;
mod figure;
mod fill;
mod goals;
mod growth;
mod history;
mod kills;
mod memory;
mod peer;
mod postgres;
mod process;
mod repeats;
mod saved;
mod size;
mod stage;
mod table;

use clap::Parser;
use figure::{Report, Row};
use futures_util::FutureExt as _;
use peer::Peer;
use postgres::Postgres;
use saved::Machine;
use size::Size;
use stage::{Scene, Stage};
use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;
use table::Table;
use tokio::signal::unix::{SignalKind, signal};

/// What a run that is worth nothing ends with.
const FAILED: u8 = 2;

/// The real server under load, beside a bare handler and the goals.
#[derive(Parser)]
#[command(name = "bench", about, max_term_width = 100)]
struct Arguments {
    /// The program; built where left out.
    #[arg(long)]
    server: Option<PathBuf>,
    /// A PostgreSQL whose user may create databases; else one is started, where `initdb` is found.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// On SQLite alone.
    #[arg(long, conflicts_with = "postgres")]
    sqlite: bool,
    /// These rows only.
    #[arg(long, value_delimiter = ',', value_name = "ROWS")]
    only: Vec<Row>,
    /// Some seconds of everything, to see that it works. Nothing is held against its goal.
    #[arg(long)]
    quick: bool,
    /// How long each load goes on in each turn.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Turns of each load.
    #[arg(long, value_name = "N")]
    turns: Option<usize>,
    /// Of repeats: loads from so many connections.
    #[arg(long, value_delimiter = ',', value_name = "N")]
    connections: Vec<usize>,
    /// Minutes of full load, to see whether memory grows.
    #[arg(long, value_name = "MINUTES")]
    soak: Option<u64>,
    /// Rounds of SIGKILL on each database.
    #[arg(long, value_name = "N")]
    kills: Option<u64>,
    /// Ends with 1 where a figure falls short of its goal.
    #[arg(long, conflicts_with = "quick")]
    strict: bool,
    /// Writes the run to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Puts the figures of such a file beside these.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// The DSN of another server that takes Sentry's envelopes, on this machine, to be sent the
    /// same repeats.
    #[arg(long, value_name = "DSN")]
    peer: Option<String>,
    /// The peer's process, for its CPU and memory.
    #[arg(long, requires = "peer", value_name = "PID")]
    peer_pid: Option<u32>,
}

/// What all rows share.
pub(crate) struct Bench {
    pub(crate) size: Size,
    pub(crate) report: Report,
    pub(crate) program: PathBuf,
    /// All that a run writes is below it.
    pub(crate) folder: PathBuf,
    pub(crate) peer: Option<Peer>,
    scene: Scene,
    postgres: Option<Postgres>,
    began: Instant,
}

fn main() -> ExitCode {
    if let Ok(role) = std::env::var(bare::ROLE) {
        bare::serve(&role);
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    let earlier = match arguments.compare.as_deref().map(saved::values).transpose() {
        Ok(earlier) => earlier,
        Err(error) => return refuse(&error),
    };
    let machine = Machine::now();
    // The load is one thread's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = match runtime.block_on(interruptible(run(&arguments))) {
        Ok(report) => report,
        Err(error) => return refuse(&error),
    };
    println!("\n{}\n", machine.words());
    println!("{}", Table { report: &report, earlier: earlier.as_ref(), is_judged: !arguments.quick });
    if let Some(path) = &arguments.json
        && let Err(error) = std::fs::write(path, format!("{:#}\n", saved::json(&machine, &report)))
    {
        return refuse(&format!("{}: {error}", path.display()));
    }
    if !report.failures.is_empty() {
        return ExitCode::from(FAILED);
    }
    let falls_short = report.figures.iter().any(figure::Figure::falls_short);
    if arguments.strict && falls_short { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Ends what was started, and what it wrote, also where somebody ends the run.
async fn interruptible(run: impl Future<Output = Result<Report, String>>) -> Result<Report, String> {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    tokio::select! {
        ran = run => ran,
        _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
        _ = terminated.recv() => Err("terminated".to_owned()),
    }
}

fn refuse(what: &str) -> ExitCode {
    println!("FAILED: {what}");
    ExitCode::from(FAILED)
}

async fn run(arguments: &Arguments) -> Result<Report, String> {
    let began = Instant::now();
    app::serve::install_crypto();
    sqlx::any::install_default_drivers();
    let program = arguments.server.clone().unwrap_or_else(build);
    let program = program.canonicalize().map_err(|error| format!("{}: {error}", program.display()))?;
    // On the disk of the build: where temporary files live in memory, being durable would cost
    // nothing.
    let own = std::env::current_exe().unwrap();
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(own.parent().unwrap()).unwrap();
    let mut size = Size::of(arguments.quick, arguments.seconds, arguments.turns, arguments.soak, arguments.kills);
    if !arguments.connections.is_empty() {
        size.connections.clone_from(&arguments.connections);
    }
    let wanted = |row: Row| arguments.only.is_empty() || arguments.only.contains(&row);
    let scene = Scene::build(folder.path(), size.lines());
    let peer = match &arguments.peer {
        Some(dsn) => Some(Peer::new(dsn, arguments.peer_pid, scene.template())?),
        None => None,
    };
    let postgres = match &arguments.postgres {
        Some(url) => Some(Postgres::at(url)),
        None if arguments.sqlite => None,
        None => Postgres::start(folder.path()),
    };
    let folder_path = folder.path().to_owned();
    let report = Report::default();
    let mut bench = Bench { size, report, program, folder: folder_path, peer, scene, postgres, began };
    if bench.postgres.is_none() {
        let why = if arguments.sqlite {
            "--sqlite"
        } else {
            "there is none on this machine (Debian: apt-get install postgresql)"
        };
        bench.report.left_out.push(format!("PostgreSQL: {why}"));
    }
    let (plain, packed) = bench.scene.sizes();
    println!("an event has {:.1} kB, {:.1} kB as sent", plain as f64 / 1e3, packed as f64 / 1e3);
    let served: Vec<Row> = [Row::Repeats, Row::Growth, Row::Alerts, Row::Memory, Row::Kills]
        .into_iter()
        .filter(|row| wanted(*row))
        .collect();
    if !served.is_empty()
        && let Some(mut stages) = kept(&mut bench, None, async |bench| stages(bench).await).await
    {
        for row in served {
            kept(&mut bench, Some(row), async |bench| measure(bench, row, &mut stages).await).await;
        }
    }
    bench.delete_databases("bench").await;
    if wanted(Row::Blame) {
        kept(&mut bench, Some(Row::Blame), async |bench| blame::measure(bench).await).await;
    }
    Ok(bench.report)
}

async fn measure(bench: &mut Bench, row: Row, stages: &mut [Stage]) -> Result<(), String> {
    match row {
        Row::Repeats => repeats::measure(bench, stages).await,
        Row::Growth => growth::measure(bench, stages).await,
        Row::Alerts => alerts::measure(bench, stages).await,
        Row::Memory => memory::measure(bench, stages).await,
        Row::Kills => kills::measure(bench, stages).await,
        Row::Blame => blame::measure(bench).await,
    }
}

/// A server on each database, whose hot lines have failed for the first time.
async fn stages(bench: &mut Bench) -> Result<Vec<Stage>, String> {
    let mut stages = Vec::new();
    for is_sqlite in [true, false] {
        if is_sqlite || bench.postgres.is_some() {
            let mut stage = bench.stage(is_sqlite, "bench").await;
            let sent_at = stage.first_failures().await?;
            alerts::at_once(bench, &stage, sent_at).await;
            stages.push(stage);
        }
    }
    Ok(stages)
}

/// Runs a part of the bench. What goes wrong in it is noted, and the others go on.
async fn kept<T>(
    bench: &mut Bench,
    row: Option<Row>,
    part: impl AsyncFnOnce(&mut Bench) -> Result<T, String>,
) -> Option<T> {
    let failed = match caught(part(bench)).await {
        Ok(Ok(done)) => return Some(done),
        Ok(Err(what)) | Err(what) => what,
    };
    let name = row.map_or_else(|| "the beginning".to_owned(), |row| row.to_string());
    bench.say(&format!("FAILED: {name}: {failed}"));
    bench.report.failures.push(format!("{name}: {failed}"));
    None
}

async fn caught<T>(part: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(part).catch_unwind().await.map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
    })
}

impl Bench {
    /// A server of a name of its own.
    pub(crate) async fn stage(&self, is_sqlite: bool, name: &str) -> Stage {
        let postgres = self.postgres.as_ref().filter(|_| !is_sqlite);
        let database = database_name(name);
        Stage::start(&self.scene, &self.program, &self.folder, postgres, &database).await
    }

    /// Takes a stage's database away again.
    pub(crate) async fn delete_databases(&self, name: &str) {
        if let Some(postgres) = &self.postgres {
            postgres.delete(&database_name(name)).await;
        }
    }

    /// What is being done, for who waits.
    pub(crate) fn say(&self, what: &str) {
        println!("{:>5.0} s  {what}", self.began.elapsed().as_secs_f64());
    }
}

/// Nobody else's on a PostgreSQL that is not our own.
fn database_name(name: &str) -> String {
    format!("{name}_{}", std::process::id())
}

/// The program as it ships, or as it is tested where the bench itself is not optimised.
fn build() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--locked", "-p", "app", "--bin", "flawless"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    assert!(command.status().is_ok_and(|status| status.success()), "the program can't be built");
    own.parent().map(|folder: &Path| folder.join("flawless")).unwrap()
}
