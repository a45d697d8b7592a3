//! Runs a command as if nobody were between it and its caller.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::clock::Deadline;
use super::watch::{Growing, pass_on};
use super::{say, signals};

/// Exit codes of what never ran, as shells have them.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// What shells add to the number of the signal that ended a command.
const BY_SIGNAL: i32 = 128;

/// How long more output is awaited once the command has ended: what it wrote itself is in the pipe
/// already, and processes that it left behind may hold the pipe open for as long as they run. Time
/// in which our own reader is slow does not count.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// Bytes that can be the command's own once it has ended: the largest pipe that Linux lets a user
/// make. Whatever comes beyond is of a process that it left behind, and may go on for ever.
const LARGEST_PIPE: u64 = 1 << 20;

/// How often one looks whether output still moves.
const GLANCE: Duration = Duration::from_millis(100);

/// How often the command is looked at although nothing said that it ended.
const LOOK: Duration = Duration::from_secs(1);

/// What happens while the command runs.
enum Event {
    Signal(Signal),
    EndOfStream,
}

/// How the command ended.
pub(super) struct Ended {
    pub(super) code: u8,
    /// The same in words: `exit status 3`, `signal 9`; what is said where it could not run.
    pub(super) how: String,
    /// It ran at all. Where it did not, that was said.
    pub(super) ran: bool,
    /// The ends of what it wrote, standard error first.
    pub(super) tails: Vec<Vec<u8>>,
}

/// Runs the command to its end. Standard input is inherited, and so is standard output unless it is
/// watched too.
pub(super) fn run(command: &[OsString], watch_stdout: bool) -> Ended {
    let (tell, events) = channel();
    let hear = tell.clone();
    // Without signals, the command still runs and ends as it would.
    if let Err(error) = signals::listen(move |signal| drop(hear.send(Event::Signal(signal)))) {
        say(&format!("signals can't be passed on to the command: {error}"));
    }
    let Some((program, arguments)) = command.split_first() else { return never_ran(NOT_FOUND, "not found") };
    let mut order = Command::new(program);
    order.args(arguments).stderr(Stdio::piped());
    if watch_stdout {
        order.stdout(Stdio::piped());
    }
    let mut child = match order.spawn() {
        Ok(child) => child,
        Err(error) => {
            let (code, how) = match error.kind() {
                ErrorKind::NotFound => (NOT_FOUND, "not found"),
                _ => (NOT_EXECUTABLE, "it can't be run"),
            };
            say(&format!("{}: {error}", program.to_string_lossy()));
            return never_ran(code, how);
        }
    };
    let tails = streams(&mut child, &tell);
    let status = wait(&mut child, &events, &tails);
    let tails = tails.iter().map(Growing::take).collect();
    let how = match &status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown end".to_owned(),
        },
        Err(_) => "an unknown end".to_owned(),
    };
    Ended { code: code(status), how, ran: true, tails }
}

fn never_ran(code: u8, how: &str) -> Ended {
    Ended { code, how: how.to_owned(), ran: false, tails: Vec::new() }
}

/// Begins to pass on what is watched.
fn streams(child: &mut Child, tell: &Sender<Event>) -> Vec<Growing> {
    let mut tails = Vec::new();
    let mut begin = |from: Box<dyn io::Read + Send>, to: io::Result<File>| {
        let tell = tell.clone();
        let end = move || drop(tell.send(Event::EndOfStream));
        match to.and_then(|to| pass_on(from, to, end)) {
            Ok(tail) => tails.push(tail),
            Err(error) => say(&format!("the command's output can't be passed on: {error}")),
        }
    };
    // Files of our own, because Rust's standard output waits for the end of a line.
    if let Some(from) = child.stderr.take() {
        begin(Box::new(from), io::stderr().as_fd().try_clone_to_owned().map(File::from));
    }
    if let Some(from) = child.stdout.take() {
        begin(Box::new(from), io::stdout().as_fd().try_clone_to_owned().map(File::from));
    }
    tails
}

/// Waits for the command, passing signals on, and then for the rest of its output.
fn wait(child: &mut Child, events: &Receiver<Event>, tails: &[Growing]) -> io::Result<ExitStatus> {
    let mut open = tails.len();
    // Nobody else waits for the child, so its id stays its own for as long as this finds it
    // running.
    let status = loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => break Ok(status),
            Err(error) => break Err(error),
        }
        match events.recv_timeout(LOOK) {
            Ok(Event::EndOfStream) => open = open.saturating_sub(1),
            Ok(Event::Signal(signal)) => forward(child, signal),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break child.wait(),
        }
    };
    let came = || tails.iter().map(|tail| tail.progress().0).sum::<u64>();
    let at_the_end = came();
    let mut before = at_the_end;
    let mut deadline = Deadline::after(LAST_OUTPUT);
    while open > 0 && deadline.left().is_some() {
        if let Ok(Event::EndOfStream) = events.recv_timeout(GLANCE) {
            open -= 1;
        }
        let now = came();
        let is_held_up = tails.iter().any(|tail| tail.progress().1);
        if (is_held_up || now > before) && now - at_the_end <= LARGEST_PIPE {
            deadline = Deadline::after(LAST_OUTPUT);
        }
        before = now;
    }
    status
}

fn forward(child: &Child, signal: Signal) {
    if signal == Signal::Child || signals::comes_by_itself(signal) {
        return;
    }
    // It may have ended by now; then there is nobody to tell.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// The exit code of a shell for this end.
fn code(status: io::Result<ExitStatus>) -> u8 {
    let code = status.map(|status| status.code().or_else(|| status.signal().map(|signal| BY_SIGNAL + signal)));
    match code {
        Ok(Some(code)) => u8::try_from(code).unwrap_or(u8::MAX),
        Ok(None) => NOT_EXECUTABLE,
        Err(error) => {
            say(&format!("the command's end can't be learnt: {error}"));
            NOT_EXECUTABLE
        }
    }
}
