//! The `flawless` command.

use app::clock::Clock;
use app::commands::{self, Command};
use app::config::{Config, ConfigError};
use app::log::{self, Log};
use app::terminal;
use clap::Parser;
use std::process::ExitCode;
use std::time::Duration;

/// How long git work that does not notice that all is over keeps the process: it only reads, or is
/// begun anew at the next start.
const LAST_WORK: Duration = Duration::from_secs(2);

/// One alert per failing line, to the person who wrote it.
#[derive(Parser)]
#[command(name = "flawless", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    // Ends last, so that what the others say at their ends is written.
    let mut log = None;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("the system gives no threads: {error}")),
    };
    let ended = runtime.block_on(commands::run(command, || configured(&mut log), Clock::system()));
    runtime.shutdown_timeout(LAST_WORK);
    drop(log);
    match ended {
        Ok(code) if terminal::failed() && code == ExitCode::SUCCESS => ExitCode::FAILURE,
        Ok(code) => code,
        Err(error) => complain(&error.to_string()),
    }
}

/// Reads the configuration, and logs as it says from then on.
fn configured(log: &mut Option<Log>) -> Result<Config, ConfigError> {
    let config = Config::load()?;
    *log = Some(log::start(&config)?);
    Ok(config)
}

fn complain(what: &str) -> ExitCode {
    terminal::complain(what);
    ExitCode::FAILURE
}
