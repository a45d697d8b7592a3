//! The `flawless` command.

use app::clock::Clock;
use app::commands::{self, Command};
use app::config::{Config, ConfigError};
use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// One alert per failing line, to the person who wrote it.
#[derive(Parser)]
#[command(name = "flawless", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("the system gives no threads: {error}")),
    };
    match runtime.block_on(commands::run(command, configured, Clock::system())) {
        Ok(code) => code,
        Err(error) => complain(&error.to_string()),
    }
}

/// Reads the configuration, and logs as it says from then on.
fn configured() -> Result<Config, ConfigError> {
    let config = Config::load()?;
    start_log(&config)?;
    Ok(config)
}

/// Logs to standard error, so that what a command prints can be piped.
fn start_log(config: &Config) -> Result<(), ConfigError> {
    let filter =
        EnvFilter::try_new(&config.log_level).map_err(|error| ConfigError::log_level(&config.log_level, error))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_json {
        log.json().init();
    } else {
        log.with_target(false).init();
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the last words of a command that failed")]
fn complain(what: &str) -> ExitCode {
    eprintln!("flawless: {what}");
    ExitCode::FAILURE
}
