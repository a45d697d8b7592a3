//! What `flawless-report` is told on its command line.

use ingest_client::Options;
use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Reports the tracebacks that programs print to Flawless.

  flawless-report [OPTIONS] run [--stdout] -- COMMAND [ARGUMENT...]
        runs a command; its output and exit code pass through. Where it fails and
        has printed a traceback, that is reported
  flawless-report [OPTIONS] send [FILE]
        reports the last traceback of a file, or of standard input
  flawless-report [OPTIONS] flush
        sends what could not be sent before (run and send do so as well)

Options:
  --dsn DSN             where to; else FLAWLESS_DSN, else SENTRY_DSN
  --release REVISION    the commit or tag that runs; else FLAWLESS_RELEASE, else
                        SENTRY_RELEASE, else the commit that is checked out here
  --environment NAME    such as production; else SENTRY_ENVIRONMENT
  --server-name NAME    else the machine's name
  --spool DIRECTORY     where reports wait while the server is down; else
                        FLAWLESS_SPOOL, else flawless/spool in the user's state directory
  --verbose             say what was reported
  --help, --version
";

/// A command line, understood.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    /// What to do.
    pub(crate) action: Action,
    /// Where to and under which circumstances.
    pub(crate) options: Options,
    /// The spool, where it is given.
    pub(crate) spool: Option<PathBuf>,
    /// Standard output is looked through as well.
    pub(crate) stdout: bool,
    /// Says what it does.
    pub(crate) verbose: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Run a command.
    Run(Vec<OsString>),
    /// Report a text.
    Send(Option<PathBuf>),
    /// Send what waits.
    Flush,
}

/// Why there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Asked for.
    Help,
    /// Asked for.
    Version,
    /// What is wrong.
    Wrong(String),
}

/// Understands a command line. Options may stand before and after the action; what follows `--` is the command's own.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Arguments, Usage> {
    let wrong = |text: &str| Usage::Wrong(text.to_owned());
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut options = Options::default();
    let (mut spool, mut stdout, mut verbose) = (None, false, false);
    let mut action: Option<Action> = None;
    while let Some(argument) = parser.next().map_err(|error| Usage::Wrong(error.to_string()))? {
        use lexopt::Arg::{Long, Short, Value};
        let text = |parser: &mut lexopt::Parser| -> Result<String, Usage> {
            let value = parser.value().map_err(|error| Usage::Wrong(error.to_string()))?;
            value.into_string().map_err(|_| wrong("an option's value is not UTF-8"))
        };
        match argument {
            Long("help") | Short('h') => return Err(Usage::Help),
            Long("version") | Short('V') => return Err(Usage::Version),
            Long("dsn") => options.dsn = Some(text(&mut parser)?),
            Long("release") => options.release = Some(text(&mut parser)?),
            Long("environment") => options.environment = Some(text(&mut parser)?),
            Long("server-name") => options.server_name = Some(text(&mut parser)?),
            Long("spool") => spool = Some(PathBuf::from(text(&mut parser)?)),
            Long("stdout") => stdout = true,
            Long("verbose") | Short('v') => verbose = true,
            Value(word) => match &mut action {
                None if word == "run" => action = Some(Action::Run(Vec::new())),
                None if word == "send" => action = Some(Action::Send(None)),
                None if word == "flush" => action = Some(Action::Flush),
                None => return Err(Usage::Wrong(format!("there is no action {word:?}: run, send or flush"))),
                Some(Action::Run(command)) => {
                    // The first word that is no option of ours, with or without `--` before it: the rest is the command's.
                    command.push(word);
                    let rest = parser.raw_args().map_err(|error| Usage::Wrong(error.to_string()))?;
                    command.extend(rest);
                }
                Some(Action::Send(file @ None)) => *file = Some(PathBuf::from(word)),
                Some(_) => return Err(Usage::Wrong(format!("{word:?} is one word too many"))),
            },
            other => return Err(Usage::Wrong(other.unexpected().to_string())),
        }
    }
    match action {
        None => Err(wrong("say what to do: run, send or flush")),
        Some(Action::Run(command)) if command.is_empty() => Err(wrong("run needs a command: run -- COMMAND")),
        Some(action) => Ok(Arguments { action, options, spool, stdout, verbose }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Arguments, Usage> {
        parse(words.iter().map(OsString::from))
    }

    #[test]
    fn what_follows_the_command_is_its_own() {
        let told = of(&["run", "--release", "v1", "--", "sh", "-c", "exit 3", "--verbose"]).unwrap();
        assert_eq!(told.action, Action::Run(["sh", "-c", "exit 3", "--verbose"].map(OsString::from).to_vec()));
        assert_eq!((told.options.release.as_deref(), told.verbose), (Some("v1"), false));
        let told = of(&["--dsn=x", "run", "--stdout", "make", "--help"]).unwrap();
        assert_eq!(told.action, Action::Run(["make", "--help"].map(OsString::from).to_vec()));
        assert!(told.stdout);
    }

    #[test]
    fn wrong_usage_is_said() {
        for (words, said) in [
            (&["run"][..], "run needs a command"),
            (&[], "run, send or flush"),
            (&["sned"], "there is no action \"sned\""),
            (&["send", "a", "b"], "one word too many"),
            (&["--dns", "x", "send"], "--dns"),
            (&["send", "--release"], "--release"),
        ] {
            match of(words) {
                Err(Usage::Wrong(text)) => assert!(text.contains(said), "{words:?}: {text}"),
                other => panic!("{words:?}: {other:?}"),
            }
        }
        assert_eq!(of(&["send", "-h"]).unwrap_err(), Usage::Help);
    }
}
