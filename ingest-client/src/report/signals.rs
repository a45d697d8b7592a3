//! Signals that the command has to get, and the one that says that it ended.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Signal, getpgrp};
use rustix::termios::tcgetpgrp;
use signal_hook::{flag, low_level};

/// What is passed on: how a program is told to end, or to look at something again.
const PASSED_ON: [Signal; 6] = [Signal::Int, Signal::Quit, Signal::Hup, Signal::Term, Signal::Usr1, Signal::Usr2];

/// What a terminal sends to every process in front of it.
const BY_TERMINAL: [Signal; 3] = [Signal::Int, Signal::Quit, Signal::Hup];

/// Catches signals from here on, and hands each to `hear`: those to pass on, and `SIGCHLD` when the
/// command changed.
///
/// A signal that is ignored already (`nohup`, background jobs of a shell) stays ignored: to catch
/// it would undo that for the command too.
pub(super) fn listen(hear: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
    let ignored = ignored();
    let (mut wakes, wake) = UnixStream::pair()?;
    let mut flags = Vec::new();
    for signal in PASSED_ON.into_iter().chain([Signal::Child]) {
        let bit = 1_u64 << (signal as i32 - 1);
        if ignored & bit != 0 && signal != Signal::Child {
            continue;
        }
        let came = Arc::new(AtomicBool::new(false));
        // In this order: first the flag is set, then the thread wakes and finds it.
        flag::register(signal as i32, Arc::clone(&came))?;
        low_level::pipe::register(signal as i32, wake.try_clone()?)?;
        flags.push((signal, came));
    }
    thread::Builder::new().name("flawless-signals".into()).spawn(move || {
        let mut bytes = [0; 64];
        while wakes.read(&mut bytes).is_ok_and(|read| read > 0) {
            for (signal, came) in &flags {
                if came.swap(false, Ordering::SeqCst) {
                    hear(*signal);
                }
            }
        }
    })?;
    Ok(())
}

/// Whether the command gets this signal without us: a terminal sends it to all that stand in front
/// of it, and twice would be once too often (many programs give up their clean end at the second
/// Ctrl-C).
pub(super) fn comes_by_itself(signal: Signal) -> bool {
    let in_front = || Some(tcgetpgrp(File::open("/dev/tty").ok()?).ok()? == getpgrp());
    BY_TERMINAL.contains(&signal) && in_front().unwrap_or(false)
}

/// The signals that are ignored, a bit each, where the system says so in a file (Linux); else none.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
