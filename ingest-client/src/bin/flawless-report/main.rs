//! `flawless-report`: reports the tracebacks that programs print, from cron jobs, scripts and any language.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what a command is for")]

mod arguments;
mod run;
mod signals;
mod spool;
mod tail;

use arguments::{Action, Arguments, Usage};
use ingest_client::printed::{Destination, Sent};
use spool::Spool;
use std::io::{IsTerminal, Read};
use std::process::ExitCode;
use std::time::Duration;

/// How long sending one report may hold the end of a command up; then it is spooled.
const SEND_TIME: Duration = Duration::from_secs(5);
/// How long reports of before may hold it up.
const FLUSH_TIME: Duration = Duration::from_secs(10);
/// Exit code for wrong usage of this command itself under `run`, as `env`, `timeout` and `docker run` have it.
const OWN_FAILURE: u8 = 125;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(Usage::Help) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(Usage::Version) => {
            println!("flawless-report {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Err(Usage::Wrong(why)) => {
            say(&format!("{why}; `flawless-report --help` says how it is used"));
            return ExitCode::from(OWN_FAILURE);
        }
    };
    match arguments.action.clone() {
        Action::Run(command) => run::run(&arguments, &command),
        Action::Send(file) => send(&arguments, file.as_deref()),
        Action::Flush => flush(&arguments),
    }
}

/// One line on standard error, which is also the wrapped command's: so it says who speaks.
fn say(text: &str) {
    eprintln!("flawless-report: {text}");
}

/// Where reports go. `None` is said: without a DSN this command does nothing.
fn destination(arguments: &Arguments) -> Option<Destination> {
    match Destination::from_options(arguments.options.clone()) {
        Ok(Some(destination)) => Some(destination),
        Ok(None) => {
            say("nothing is reported: set FLAWLESS_DSN, or give --dsn, as the repository's page shows it");
            None
        }
        Err(error) => {
            say(&format!("nothing is reported: {error}"));
            None
        }
    }
}

/// Sends a text, or spools it; then what was spooled before. `Err` where the server refused it.
fn deliver(arguments: &Arguments, destination: &Destination, text: &[u8]) -> Result<(), String> {
    let spool = Spool::open(arguments.spool.as_deref());
    match destination.send(text, SEND_TIME) {
        Sent::Accepted(id) => {
            if arguments.verbose {
                say(&format!("reported as {id}"));
            }
            if let Ok(spool) = spool {
                flush_into(arguments, &spool);
            }
            Ok(())
        }
        Sent::Refused(why) => Err(why),
        Sent::NotNow(why) => match spool.and_then(|spool| spool.put(destination, text)) {
            Ok(path) => {
                say(&format!("kept for later in {}: {why}", path.display()));
                Ok(())
            }
            Err(error) => Err(format!("{why}; and it could not be kept for later: {error}")),
        },
    }
}

/// Sends what was spooled, as far as it goes.
fn flush_into(arguments: &Arguments, spool: &Spool) -> bool {
    match spool.flush(SEND_TIME, FLUSH_TIME) {
        Ok(flushed) => {
            for note in &flushed.notes {
                say(note);
            }
            if arguments.verbose && flushed.sent > 0 {
                say(&format!("sent {} reports of before", flushed.sent));
            }
            flushed.left == 0
        }
        Err(error) => {
            say(&format!("reports of before could not be sent: {error}"));
            false
        }
    }
}

fn send(arguments: &Arguments, file: Option<&std::path::Path>) -> ExitCode {
    let Some(destination) = destination(arguments) else { return ExitCode::FAILURE };
    let mut tail = tail::Tail::default();
    let read = match file {
        Some(path) => std::fs::File::open(path).and_then(|file| tail.read(file)),
        None => {
            if std::io::stdin().is_terminal() {
                say("reading a traceback from the terminal; end it with Ctrl-D");
            }
            tail.read(std::io::stdin().lock())
        }
    };
    if let Err(error) = read {
        say(&format!("{}: {error}", file.map_or("standard input".into(), |path| path.display().to_string())));
        return ExitCode::FAILURE;
    }
    match deliver(arguments, &destination, &tail.text()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

fn flush(arguments: &Arguments) -> ExitCode {
    match Spool::open(arguments.spool.as_deref()) {
        Ok(spool) if flush_into(arguments, &spool) => ExitCode::SUCCESS,
        Ok(_) => {
            say("some reports are still waiting");
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Reads as far as it goes, for what is small.
fn read_all(path: &std::path::Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
