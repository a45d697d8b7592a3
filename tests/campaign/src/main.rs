//! The campaign: the program as a process, under everything that can go wrong, in rounds whose
//! choices a seed replays; and a table of hostile requests.
//!
//! `cargo run --release -p campaign -- --rounds 200`, `cargo run --release -p campaign -- hostile`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, which says by panicking what went wrong")]
#![expect(unreachable_pub, reason = "a program of its own")]
#![expect(clippy::disallowed_methods, reason = "it measures how long the program takes")]

mod clockwork;
/// The outside world of the stories, which the campaign shares: GitHub, a git server, a mail
/// server.
#[expect(dead_code, unused_imports, reason = "stories use the rest of it")]
#[path = "../../harness"]
mod fakes {
    pub mod fake_github;
    pub mod git_server;
    pub(crate) mod smtp;
    pub use git_fixture as git_repo;
}
mod faults;
mod hostile;
mod ledger;
mod postgres;
mod proxy;
mod round;
mod server;
mod settle;
mod stage;
mod table;

use clap::{Parser, Subcommand};
use faults::Fault;
use rand::RngExt;
use stage::{Channels, Database, Stage};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use table::Table;

/// The program under everything that can go wrong.
#[derive(Parser)]
#[command(name = "campaign", about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Rounds of SIGKILL for each database; a tenth as many of every other fault.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// These faults only, each for as many rounds.
    #[arg(long, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// These databases only.
    #[arg(long, value_delimiter = ',')]
    databases: Vec<Database>,
    /// Where the choices come from; a new one each time where left out.
    #[arg(long)]
    seed: Option<u64>,
    /// The number of the first round: with `--rounds 1`, a seed, a fault and a database, one round
    /// is replayed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How much longer restarts and answers may take than a second and five: by this factor, for
    /// what is not optimised, or on a machine that has other work.
    #[arg(long, default_value_t = 1)]
    patience: u32,
    /// The program; built where left out.
    #[arg(long, global = true)]
    server: Option<PathBuf>,
}

/// Another part of the campaign.
#[derive(Subcommand)]
enum Part {
    /// The table of hostile requests, in place of rounds.
    Hostile,
}

/// What holds for all rounds.
#[derive(Clone, Copy)]
struct Rules {
    seed: u64,
    from: u64,
    /// Factor of the times that are allowed.
    patience: u32,
}

/// Rounds in the outbox, of all: alerts as files need less to go wrong.
const OUTBOX_SHARE: u64 = 4;
/// Rounds of a fault that is no kill, of those of a kill.
const OTHERS_SHARE: u64 = 10;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> ExitCode {
    app::serve::install_crypto();
    raise_descriptor_limit();
    sqlx::any::install_default_drivers();
    // Servers are started in folders of their own.
    let program = arguments.server.clone().unwrap_or_else(build).canonicalize().expect("the program is there");
    if let Some(Part::Hostile) = arguments.part {
        return if hostile::run(&program).await { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let seed = arguments.seed.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}");
    let all = [Database::Sqlite, Database::Postgres, Database::Replicas];
    let databases = if arguments.databases.is_empty() { all.to_vec() } else { arguments.databases.clone() };
    let mut table = Table::default();
    let rules = Rules { seed, from: arguments.from, patience: arguments.patience };
    let mut campaigns = tokio::task::JoinSet::new();
    for database in databases {
        for channels in [Channels::Services, Channels::Outbox] {
            let faults = schedule(&arguments, database, channels);
            campaigns.spawn(campaign(database, channels, faults, rules, program.clone()));
        }
    }
    for part in campaigns.join_all().await {
        table.add(part);
    }
    println!("\n{table}");
    if table.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The table opens more connections than most systems allow by default.
fn raise_descriptor_limit() {
    let pid = std::process::id().to_string();
    let _ =
        Command::new("prlimit").args(["--pid", &pid, "--nofile=8192:"]).stderr(std::process::Stdio::null()).status();
}

/// The program as it ships, or as it is tested where the campaign itself is not optimised.
fn build() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--locked", "-p", "app", "--bin", "flawless"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    assert!(command.status().is_ok_and(|status| status.success()), "the program can't be built");
    own.with_file_name("flawless")
}

/// The fault of each round.
fn schedule(arguments: &Arguments, database: Database, channels: Channels) -> Vec<Fault> {
    let share = |rounds: u64| match channels {
        Channels::Outbox => rounds / OUTBOX_SHARE,
        Channels::Services => rounds - rounds / OUTBOX_SHARE,
    };
    let all = <Fault as clap::ValueEnum>::value_variants().iter().copied();
    let mut rounds = Vec::new();
    for fault in all.filter(|fault| fault.is_possible(database, channels)) {
        let count = match arguments.faults.contains(&fault) {
            true => share(arguments.rounds).max(u64::from(channels == Channels::Services)),
            false if !arguments.faults.is_empty() => 0,
            false if fault == Fault::Killed => share(arguments.rounds),
            false => share(arguments.rounds.div_ceil(OTHERS_SHARE)),
        };
        // Spread over the campaign, so that each strikes what others left.
        rounds.extend((0..count).map(|n| ((2 * n + 1) * 1_000_000 / (2 * count), fault)));
    }
    rounds.sort();
    rounds.into_iter().map(|(_, fault)| fault).collect()
}

async fn campaign(database: Database, channels: Channels, faults: Vec<Fault>, rules: Rules, program: PathBuf) -> Table {
    let Rules { seed, from, patience } = rules;
    let mut table = Table::default();
    if faults.is_empty() {
        return table;
    }
    let Some(mut stage) = begin(database, channels, &program).await else {
        println!("NOT RUN: {database:?}, there is no PostgreSQL on this machine (Debian: apt-get install postgresql)");
        table.left_out(database);
        return table;
    };
    for (number, fault) in (from..).zip(faults) {
        if fault == Fault::FullDisk && !stage.can_fill_the_disk() {
            println!("NOT RUN: {fault:?} on {database:?}, only root can mount a small file system");
            continue;
        }
        let outcome = round::play(&mut stage, fault, round::chance(seed, number), patience).await;
        for broken in &outcome.violations {
            let what = format!(
                "{database:?} {channels:?} round {number} {fault:?} (--seed {seed} --from {number} --rounds 1 --databases \
                 {} --faults {}): {:?}: {}",
                value_name(&database),
                value_name(&fault),
                broken.kind,
                broken.what
            );
            println!("{what}");
            table.broken(what);
        }
        let is_spoilt = !outcome.violations.is_empty();
        table.round(database, fault, &outcome);
        if is_spoilt {
            for server in &stage.servers {
                println!("the last words of its server: {}", server.last_words());
            }
            // What is broken would be found again by each round that follows, under another fault's
            // name.
            drop(stage);
            stage = begin(database, channels, &program).await.unwrap();
        }
    }
    table
}

async fn begin(database: Database, channels: Channels, program: &Path) -> Option<Stage> {
    Stage::start(database, channels, program).await
}

fn value_name(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
}
