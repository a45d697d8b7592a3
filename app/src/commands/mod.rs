//! The commands of the terminal.

pub mod blame;
pub mod check;
pub mod check_rules;
pub mod configure;
pub mod demo;
pub mod known_error;
pub mod move_to;
pub mod report;
pub mod repository;
mod scene;
pub mod serve;
mod stop;

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use clap::Subcommand;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a command failed with: a sentence for the terminal.
pub type Failed = Box<dyn Error + Send + Sync>;

/// A folder of one command's own, for mirrors that there are none of. Deleted with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new(command: &str) -> Self {
        Self(std::env::temp_dir().join(format!("flawless-{command}-{}", std::process::id())))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it is an empty folder among the system's temporary ones.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server (also without any command). Needs no configuration.
    Serve,
    /// Tell the whole story on a small repository, without configuration, account or network.
    Demo(demo::Options),
    /// Answer some questions, and have `flawless.toml` written.
    Configure,
    /// Say who wrote a line, or who is to blame for a traceback.
    Blame(blame::Options),
    /// Verify configuration, database, mail, GitHub and mirrors.
    #[command(visible_alias = "doctor")]
    Check,
    /// Verify a repository's own settings file, `.github/flawless.yml`.
    CheckRules(check_rules::Options),
    /// Watch plain git repositories, without GitHub; make and revoke the keys of all.
    Repository {
        /// What to do with them.
        #[command(subcommand)]
        action: repository::Action,
    },
    /// Errors that are counted but not alerted.
    KnownError {
        /// What to do with them.
        #[command(subcommand)]
        action: known_error::Action,
    },
    /// Move an installation from SQLite to PostgreSQL.
    MoveTo(move_to::Options),
    /// Print a week's report.
    Report(report::Options),
}

/// Runs a command. Those that need no configuration do not ask for it: none of it can be in their
/// way.
///
/// # Errors
/// What went wrong, in words for the terminal.
pub async fn run(
    command: Command,
    configured: impl FnOnce() -> Result<Config, ConfigError>,
    clock: Clock,
) -> Result<ExitCode, Failed> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve => serve::serve(configured()?, clock).await.map(done),
        Command::Demo(options) => demo::demo(&options).await.map(done),
        // The file that is to be written anew may be the one that is wrong.
        Command::Configure => configure::configure().await.map(done),
        Command::Blame(options) => blame::blame(options, configured, &clock).await,
        Command::Check => check::check(configured()?, clock).await,
        // It looks at one file.
        Command::CheckRules(options) => check_rules::check_rules(&options),
        Command::Repository { action } => repository::run(action, configured()?, clock).await.map(done),
        Command::KnownError { action } => known_error::run(action, configured()?, clock).await.map(done),
        Command::MoveTo(options) => move_to::run(options, configured()?, clock).await.map(done),
        Command::Report(options) => report::run(options, configured()?, clock).await.map(done),
    }
}
