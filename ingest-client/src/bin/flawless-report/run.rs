//! `flawless-report run`: a command in between, which sees everything, changes nothing, and reports at its end.

use crate::arguments::Arguments;
use crate::tail::Tail;
use crate::{OWN_FAILURE, deliver, destination, say, signals};
use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long after the command's end its output may still come. What it started in the background may hold the pipes for
/// ever, and nobody waits for that.
const LATE_OUTPUT: Duration = Duration::from_secs(1);
/// Read at once.
const PIECE: usize = 64 << 10;

/// What each language begins a traceback with, or has in every line of one. Anything else that a failing command says is
/// not sent: it is none of the server's business, and it would refuse it.
const SIGNS: [&str; 8] = [
    "Traceback (most recent call last)",
    "\n    at ",
    "\n\tat ",
    ": in `",
    ":in '",
    "\tfrom ",
    "goroutine ",
    "panicked at ",
];

pub(crate) fn run(arguments: &Arguments, command: &[OsString]) -> ExitCode {
    let Some((program, rest)) = command.split_first() else { return ExitCode::from(OWN_FAILURE) };
    let mut child = Command::new(program);
    child.args(rest).stderr(Stdio::piped());
    if arguments.stdout {
        child.stdout(Stdio::piped());
    }
    let mut child = match child.spawn() {
        Ok(child) => child,
        Err(error) => {
            say(&format!("{}: {error}", program.to_string_lossy()));
            // As a shell says it.
            return ExitCode::from(if error.kind() == ErrorKind::NotFound { 127 } else { 126 });
        }
    };
    signals::hand_on_to(child.id());
    let tail = Arc::new(Mutex::new(Tail::default()));
    let (ended, ends) = channel();
    let mut pumps = 0;
    if let Some(stderr) = child.stderr.take() {
        let (tail, ended) = (Arc::clone(&tail), ended.clone());
        thread::spawn(move || {
            pump(stderr, std::io::stderr(), &tail);
            let _ = ended.send(());
        });
        pumps += 1;
    }
    if let Some(stdout) = child.stdout.take() {
        let tail = Arc::clone(&tail);
        thread::spawn(move || {
            pump(stdout, std::io::stdout(), &tail);
            let _ = ended.send(());
        });
        pumps += 1;
    }
    let status = match child.wait() {
        Ok(status) => status,
        Err(error) => {
            say(&format!("what became of the command can't be told: {error}"));
            return ExitCode::from(OWN_FAILURE);
        }
    };
    wait_for(&ends, pumps);
    if !status.success() {
        let text = tail.lock().unwrap_or_else(PoisonError::into_inner).text();
        report(arguments, &text);
    }
    code(status)
}

/// Passes a stream through as it comes, and keeps its end. Where nobody reads it any more, it is still taken off the
/// command, which would stop otherwise.
fn pump(mut from: impl Read, mut to: impl Write, tail: &Mutex<Tail>) {
    let mut piece = vec![0; PIECE];
    let mut is_read = true;
    loop {
        match from.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => {
                is_read = is_read && to.write_all(&piece[..read]).and_then(|()| to.flush()).is_ok();
                tail.lock().unwrap_or_else(PoisonError::into_inner).push(&piece[..read]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn wait_for(ends: &Receiver<()>, pumps: usize) {
    for _ in 0..pumps {
        if ends.recv_timeout(LATE_OUTPUT) == Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn report(arguments: &Arguments, text: &[u8]) {
    if !has_traceback(text) {
        if arguments.verbose {
            say("the command failed, but printed no traceback: nothing is reported");
        }
        return;
    }
    let Some(destination) = destination(arguments) else { return };
    if let Err(why) = deliver(arguments, &destination, text) {
        say(&format!("not reported: {why}"));
    }
}

fn has_traceback(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    SIGNS.iter().any(|sign| text.contains(sign))
}

/// The command's exit code; 128 and the signal's number where one ended it, as shells have it.
fn code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let by_signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let by_signal = None::<i32>;
    let code = match (status.code(), by_signal) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => i32::from(OWN_FAILURE),
    };
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(OWN_FAILURE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracebacks_of_six_languages_are_seen_and_other_noise_is_not() {
        for text in [
            "Traceback (most recent call last):\n  File \"a.py\", line 1",
            "Error: x\n    at total (/srv/shop/cart.js:3:9)",
            "Exception in thread \"main\" java.lang.X\n\tat a.B.c(B.java:3)",
            "cart.rb:3:in 'Integer#/': divided by 0 (ZeroDivisionError)\n\tfrom cart.rb:3",
            "panic: x\n\ngoroutine 1 [running]:\n",
            "thread 'main' panicked at src/main.rs:3:5:\n",
        ] {
            assert!(has_traceback(text.as_bytes()), "{text}");
        }
        for text in ["make: *** [all] Error 1", "rsync error: some files could not be transferred (code 23)", ""] {
            assert!(!has_traceback(text.as_bytes()), "{text}");
        }
    }
}
