//! The command `flawless-report`: printed tracebacks of programs that report nothing by themselves.

mod arguments;
mod clock;
mod delivery;
mod marks;
mod parcel;
mod post;
mod run;
mod signals;
mod spool;
mod watch;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sentry::types::Dsn;

use self::arguments::{About, Action, Arguments, Flush, Run, Send, SpoolPlace};
use self::clock::Deadline;
use self::delivery::{Backlog, Fate};
use self::marks::{Likeness, likeness};
use self::parcel::{Circumstances, Parcel};
use self::run::Ended;
use self::spool::Spool;
use self::watch::Tail;
use crate::options::{self, InitError, Options};

/// Reporting may hold up a command's end by this much, with what waits from before: cron jobs
/// follow each other, and what is not sent by then is in the spool.
const REPORT_TIME: Duration = Duration::from_secs(10);

/// How long a person who asks for it waits for a full spool.
const FLUSH_TIME: Duration = Duration::from_secs(600);

/// Exit codes of our own: something is left undone; the arguments or the DSN can't be used; the
/// same of `run`, whose other codes are the command's (as of `env` and `timeout`).
const UNDONE: u8 = 1;
const USAGE: u8 = 2;
const USAGE_OF_RUN: u8 = 125;

/// Characters told of a command: its name and enough of its arguments to know it by.
const COMMAND: usize = 200;

/// Bytes of a file that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Does what the program's arguments say; `main` of `flawless-report`.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // To a closed terminal there is nothing more to say.
            let _ = error.print();
            let is_run = std::env::args_os().nth(1).is_some_and(|action| action == "run");
            let usage = if is_run { USAGE_OF_RUN } else { USAGE };
            return ExitCode::from(if error.use_stderr() { usage } else { 0 });
        }
    };
    match arguments.action {
        Action::Run(run) => run_and_report(run),
        Action::Send(send) => send_text(send),
        Action::Flush(flush) => flush_spool(flush),
    }
}

/// Says something to whoever looks at standard error; where nobody does, the exit code has to do.
fn say(text: &str) {
    let _ = io::stderr().write_all(format!("flawless-report: {text}\n").as_bytes());
}

fn run_and_report(run: Run) -> ExitCode {
    // Before it runs: a command may check another commit out.
    let settings = settings(run.about, None);
    let ended = run::run(&run.command, run.stdout);
    let deadline = Deadline::after(REPORT_TIME);
    let spool = open(run.spool);
    let texts = to_report(&run.command, run.any_failure, &ended);
    let mut is_without = texts.is_empty() && ended.code != 0 && ended.ran;
    if !texts.is_empty() {
        // Whatever is wrong here, the command is none the worse for it.
        match settings {
            Ok((dsn, mut told)) => {
                told.failed = run.any_failure.then_some(ended.how.clone());
                match send_failure(&dsn, &told, texts, spool.as_ref(), deadline) {
                    Some(Fate::Accepted) => {}
                    Some(_) => return ExitCode::from(ended.code),
                    None => is_without = true,
                }
            }
            Err(fault) => say(&format!("the failure is not reported: {fault}")),
        }
    }
    if is_without {
        say(&nothing_reported(&ended.how, run.stdout));
    }
    if let Some(spool) = &spool {
        delivery::flush(spool, deadline);
    }
    ExitCode::from(ended.code)
}

/// What a server says of a text in which it finds nothing to report.
const UNRECOGNISED: &str = "no traceback was recognised";

/// Sends the first of these texts in which the server recognises a traceback; `None`: there is none
/// in any of them.
fn send_failure(
    dsn: &Dsn,
    told: &Circumstances,
    texts: Vec<Vec<u8>>,
    spool: Option<&Spool>,
    deadline: Deadline,
) -> Option<Fate> {
    for text in texts {
        let parcel = Parcel::new(dsn.clone(), told, text);
        let fate = delivery::deliver(&parcel, spool, deadline);
        match &fate {
            Fate::Refused(words) if told.failed.is_none() && words.contains(UNRECOGNISED) => {}
            Fate::Refused(words) => {
                delivery::set_aside(&parcel, words, spool);
                return Some(fate);
            }
            _ => return Some(fate),
        }
    }
    None
}

/// What may be sent of a command that failed, what looks most like a traceback first.
fn to_report(command: &[OsString], any_failure: bool, ended: &Ended) -> Vec<Vec<u8>> {
    if ended.code == 0 {
        return Vec::new();
    }
    let mut tails: Vec<(Likeness, &Vec<u8>)> = ended.tails.iter().map(|text| (likeness(text), text)).collect();
    tails.sort_by_key(|(likeness, _)| std::cmp::Reverse(*likeness));
    if !any_failure {
        let may = tails.into_iter().filter(|(likeness, _)| *likeness != Likeness::None);
        return may.map(|(_, text)| text.clone()).collect();
    }
    // Standard error first, unless it says nothing.
    let said = tails.iter().find(|(_, text)| !text.trim_ascii().is_empty()).map(|(_, text)| *text);
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let line: String = words.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).take(COMMAND).collect();
    let mut text = line.into_bytes();
    text.push(b'\n');
    text.extend_from_slice(said.map_or(&[], Vec::as_slice));
    vec![text]
}

/// What to do about a failure that nobody hears of.
fn nothing_reported(how: &str, is_all_watched: bool) -> String {
    let (place, also) = match is_all_watched {
        true => ("its output", ""),
        false => ("its standard error", "--stdout looks at standard output as well, "),
    };
    format!(
        "the command failed ({how}), and no traceback was recognised in {place}, so nothing is reported: {also}\
         --any-failure reports it without one"
    )
}

fn send_text(send: Send) -> ExitCode {
    let (dsn, told) = match settings(send.about, send.count) {
        Ok(settings) => settings,
        Err(fault) => {
            say(&fault);
            return ExitCode::from(USAGE);
        }
    };
    let text = match &send.file {
        Some(path) => File::open(path).and_then(read_tail).map_err(|error| format!("{}: {error}", path.display())),
        None => read_tail(io::stdin().lock()).map_err(|error| format!("standard input: {error}")),
    };
    let text = match text {
        Ok(text) => text,
        Err(fault) => {
            say(&fault);
            return ExitCode::from(UNDONE);
        }
    };
    let deadline = Deadline::after(REPORT_TIME);
    let spool = open(send.spool);
    match delivery::deliver(&Parcel::new(dsn, &told, text), spool.as_ref(), deadline) {
        Fate::Accepted => {
            if let Some(spool) = &spool {
                delivery::flush(spool, deadline);
            }
            ExitCode::SUCCESS
        }
        Fate::Spooled => ExitCode::SUCCESS,
        Fate::Refused(words) => {
            say(&format!("the server refuses the report: {words}"));
            ExitCode::from(UNDONE)
        }
        Fate::Lost => ExitCode::from(UNDONE),
    }
}

fn flush_spool(flush: Flush) -> ExitCode {
    let Some(spool) = open(flush.spool) else {
        say(NO_SPOOL);
        return ExitCode::from(USAGE);
    };
    match delivery::flush(&spool, Deadline::after(FLUSH_TIME)) {
        Backlog::Busy => {
            say("another process is sending what waits");
            ExitCode::SUCCESS
        }
        Backlog::Done { sent, refused, waiting, away } => {
            for server in away {
                say(&format!("no report could be sent to {server}"));
            }
            say(&format!("{sent} sent, {refused} refused, {waiting} waiting"));
            ExitCode::from(if waiting == 0 { 0 } else { UNDONE })
        }
        Backlog::Unreadable => ExitCode::from(UNDONE),
    }
}

/// What is said where reports can't wait anywhere.
const NO_SPOOL: &str = "there is no place for waiting reports: set --spool, FLAWLESS_SPOOL or HOME";

fn open(place: SpoolPlace) -> Option<Spool> {
    place.directory(|name| std::env::var_os(name)).map(Spool::at)
}

/// The project and what is told about the report, from arguments first and the environment second.
fn settings(about: About, count: Option<u64>) -> Result<(Dsn, Circumstances), String> {
    let variable = |name: &str| std::env::var(name).ok();
    let options = Options {
        dsn: about.dsn,
        release: about.release,
        environment: about.environment.or_else(|| variable("SENTRY_ENVIRONMENT")),
        server_name: about.server_name.or_else(|| rustix::system::uname().nodename().to_str().ok().map(str::to_owned)),
    };
    let settings = options::resolve(options, variable).map_err(|InitError { origin, fault }| {
        let origin = if origin == options::GIVEN { "--dsn" } else { origin };
        InitError { origin, fault }.to_string()
    })?;
    let told = Circumstances {
        release: settings.release,
        environment: settings.environment,
        server_name: settings.server_name,
        count,
        failed: None,
    };
    let dsn =
        settings.dsn.ok_or("no project is named: give --dsn or set FLAWLESS_DSN, as the repository's page shows it")?;
    Ok((dsn, told))
}

/// The end of a text, which may be a log of any length.
fn read_tail(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut tail = Tail::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(tail.take()),
            Ok(read) => tail.push(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
