//! What commands print: whole lines, in which nothing that others chose hides, colours or forges
//! anything.
//!
//! A path, a function's name, a subject of a commit can hold what a terminal obeys: escapes that
//! move the cursor, clear the line, rename the window. Clippy keeps `println!` out of the program,
//! so this is the only way out.

use domain::visible::line;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether something could not be printed.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line. A line end within it is written out, so what looks like a line is one.
macro_rules! say {
    ($($what:tt)*) => { $crate::terminal::print(format_args!($($what)*), "\n") };
}
pub(crate) use say;

/// Prints what is answered in the same line.
pub(crate) fn prompt(text: impl Display) {
    print(text, "");
}

/// Prints a heading, with a blank line before it.
pub(crate) fn heading(text: &str) {
    say!("");
    if std::io::stdout().is_terminal() {
        write("\u{1b}[1m", text, "\u{1b}[0m\n");
    } else {
        say!("{text}");
    }
}

/// Prints text and an end, which is ours.
pub(crate) fn print(text: impl Display, end: &str) {
    write("", &text.to_string(), end);
}

fn write(beginning: &str, text: &str, end: &str) {
    let mut out = std::io::stdout().lock();
    let done = write!(out, "{beginning}{}{end}", line(text)).and_then(|()| out.flush());
    // Who reads no further (`| head -1`) has what they wanted, and is no failure.
    if let Err(error) = done
        && error.kind() != ErrorKind::BrokenPipe
        && !FAILED.swap(true, Ordering::Relaxed)
    {
        complain(&format!("standard output can't be written: {error}"));
    }
}

/// Says on standard error what went wrong, in as many lines as it takes.
pub fn complain(what: &str) {
    // By `eprintln!` it would panic where nobody can be told; the exit code says that it failed.
    let _ = writeln!(std::io::stderr(), "flawless: {}", domain::visible::visible(what));
}

/// Whether something that was to be printed could not be.
pub fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}
