//! The `flawless` command.

use app::allocator;
use app::clock::Clock;
use app::commands::{self, Command};
use app::config::{Config, ConfigError};
use app::log::{self, Log};
use app::terminal;
use clap::Parser;
use domain::url_text::without_secrets_within;
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
    let command = match Arguments::try_parse() {
        Ok(arguments) => arguments.command.unwrap_or(Command::Serve),
        Err(error) => return misunderstood(&error),
    };
    if matches!(command, Command::Serve | Command::Demo(_)) {
        allocator::begin_with_few_arenas();
    }
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

/// Says what is wrong with the arguments, or the help that they ask for. An argument that is
/// repeated there may be a URL with a password, and a terminal's output be somebody's log.
fn misunderstood(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let shown = without_secrets_within(&text);
    if shown == text {
        // With its colours. Who reads no further than this is no failure.
        let _ = error.print();
    } else {
        terminal::complain(shown.trim_end());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
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
