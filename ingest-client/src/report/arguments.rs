//! The words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Reports tracebacks that programs print to Flawless, without changing the programs.
#[derive(Debug, Parser)]
#[command(name = "flawless-report", version, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Runs a command, passes its output and exit code through, and reports the traceback that it
    /// fails with
    ///
    /// A command that works is not reported. One that fails without a traceback is only with
    /// --any-failure; else standard error says that nothing is reported, and what to do. The exit
    /// code is always the command's: 128 + the signal's number where a signal ended it, 127 where
    /// it is not found, 126 where it can't be run, and 125 where these arguments can't be
    /// understood.
    Run(Run),
    /// Sends a traceback from a file or from standard input
    ///
    /// Exit code 0: it was accepted, or the server is away and it waits in the spool. 1: it was
    /// refused.
    Send(Send),
    /// Sends what waits in the spool; so do `run` and `send` by themselves
    ///
    /// Exit code 0: nothing waits any more. 1: something does.
    Flush(Flush),
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) about: About,
    /// Looks for a traceback in standard output as well
    #[arg(long)]
    pub(super) stdout: bool,
    /// Reports a failure without a traceback as well: the command, how it ended, and the last lines
    /// that it wrote. No line is to blame, so it goes to the repository's default contact
    #[arg(long)]
    pub(super) any_failure: bool,
    #[command(flatten)]
    pub(super) spool: SpoolPlace,
    /// The command and its arguments; before it, two dashes
    #[arg(required = true, last = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(super) struct Send {
    #[command(flatten)]
    pub(super) about: About,
    /// How often it happened
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    #[command(flatten)]
    pub(super) spool: SpoolPlace,
    /// The file; standard input where there is none
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Flush {
    #[command(flatten)]
    pub(super) spool: SpoolPlace,
}

#[derive(Debug, Args)]
pub(super) struct About {
    /// Address of the project, from the repository's page [else FLAWLESS_DSN, else SENTRY_DSN]
    #[arg(long)]
    pub(super) dsn: Option<String>,
    /// Commit or tag that runs
    /// [else FLAWLESS_RELEASE, else SENTRY_RELEASE, else the commit checked out here]
    #[arg(long)]
    pub(super) release: Option<String>,
    /// Such as production [else SENTRY_ENVIRONMENT]
    #[arg(long)]
    pub(super) environment: Option<String>,
    /// Name of this machine [else what it calls itself]
    #[arg(long)]
    pub(super) server_name: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SpoolPlace {
    /// Directory for reports that can't be sent yet
    /// [else FLAWLESS_SPOOL, else $XDG_STATE_HOME/flawless/spool, else
    /// ~/.local/state/flawless/spool]
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) spool: Option<PathBuf>,
}

impl SpoolPlace {
    /// The directory; none where neither an argument, nor a variable, nor a home says one.
    pub(super) fn directory(self, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // The XDG specification: a relative path counts as absent.
        let absolute = |name: &str| given(name).filter(|path| path.is_absolute());
        self.spool.or_else(|| given("FLAWLESS_SPOOL")).or_else(|| {
            let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
            state.map(|state| state.join("flawless/spool"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_after_the_dashes_is_the_commands() {
        let words =
            ["flawless-report", "run", "--stdout", "--release", "v1", "--", "job", "--dsn", "-x", "--", "--help"];
        let Action::Run(run) = Arguments::try_parse_from(words).unwrap().action else { panic!("run is run") };
        assert_eq!(run.command, ["job", "--dsn", "-x", "--", "--help"]);
        assert_eq!((run.stdout, run.about.release.as_deref(), run.about.dsn), (true, Some("v1"), None));
        // A misspelt option is not taken for the command.
        for words in [&["run"][..], &["run", "--"], &["run", "--relase", "v1", "--", "job"], &["send", "--count", "0"]]
        {
            assert!(Arguments::try_parse_from([&["flawless-report"], words].concat()).is_err(), "{words:?}");
        }
    }

    #[test]
    fn the_spool_is_where_it_is_said_to_be() {
        let variables = [("FLAWLESS_SPOOL", "/a"), ("XDG_STATE_HOME", "/b"), ("HOME", "/c")];
        let place = |given: Option<&str>, from: usize| {
            let variable = |name: &str| {
                variables[from..].iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
            };
            SpoolPlace { spool: given.map(PathBuf::from) }.directory(variable)
        };
        assert_eq!(place(Some("here"), 0), Some("here".into()));
        assert_eq!(place(None, 0), Some("/a".into()));
        assert_eq!(place(None, 1), Some("/b/flawless/spool".into()));
        assert_eq!(place(None, 2), Some("/c/.local/state/flawless/spool".into()));
        assert_eq!(place(None, 3), None);
    }
}
