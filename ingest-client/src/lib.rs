//! Reports the errors and panics of a Rust program to Flawless.
//!
//! ```no_run
//! # fn work() -> Result<(), std::io::Error> { Ok(()) }
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // The address of the project comes from FLAWLESS_DSN. Keep the guard until the program ends.
//!     let _reporting = ingest_client::init(ingest_client::Options::default())?;
//!     if let Err(error) = work() {
//!         ingest_client::capture_error(&error);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Panics are reported by themselves, also with `panic = "abort"`. A server that is down, slow or
//! refusing changes nothing for the program: reports wait in a short queue for a thread of their
//! own, and what does not fit is dropped.
//!
//! With the feature `tower`, `tower::ReportLayer` reports what happens in a web server with its
//! request; with the feature `anyhow`, `capture_anyhow` sends the backtrace of the place where an
//! error was made.
//!
//! Flawless blames lines, so the program needs line numbers: `debug = "line-tables-only"` in its
//! release profile.

mod options;
#[cfg(feature = "report")]
pub mod report;
mod revision;
#[cfg(feature = "tower")]
pub mod tower;
mod transport;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use sentry::integrations::backtrace::current_stacktrace;
use sentry::protocol::{Frame, Stacktrace};
use sentry::{ClientInitGuard, Hub};

pub use options::{DsnFault, InitError, Options};

/// How long a panic, and the end of the program, wait for reports to leave. Long enough for a
/// distant server, short enough that a restart is not held up by one that is down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Functions of the reporting itself, by the path that they begin with: they stand above the caller
/// in every stack.
const OWN_FUNCTIONS: [&str; 4] = ["backtrace::", "sentry", "ingest_client::capture_", "<sentry"];

/// Functions that stand above the place where an error of anyhow was made, by the paths that they
/// begin with.
#[cfg(feature = "anyhow")]
const MAKING_ERRORS: [&str; 7] = [
    "anyhow::",
    "<anyhow",
    "<E as anyhow::",
    "<core::result::Result",
    "<core::option::Option",
    "<std::backtrace",
    "std::backtrace",
];

/// Reporting is on while this lives; dropping it sends what still waits, for two seconds at most.
#[must_use = "reporting ends when the guard is dropped: bind it to a name such as `_reporting`"]
pub struct Guard(ClientInitGuard);

impl Guard {
    /// Whether reports go anywhere: false where no DSN was given.
    pub fn is_enabled(&self) -> bool {
        self.0.is_enabled()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Guard").field("is_enabled", &self.is_enabled()).finish()
    }
}

/// Starts reporting. Call it first in `main`, before other threads start: they report to what is
/// set up by then.
///
/// Without a DSN (neither in `options`, nor in `FLAWLESS_DSN` or `SENTRY_DSN`) reporting is off and
/// all calls do nothing, so that a program needs no other switch.
///
/// # Errors
/// [`InitError`] where a DSN is given that can't be used; it says where the DSN was read and what
/// is wrong with it.
///
/// ```
/// use ingest_client::{Options, init};
///
/// let error = init(Options { dsn: Some("https://errors.example.com/7".into()), ..Options::default() }).unwrap_err();
/// assert_eq!(error.to_string(), "the DSN in Options::dsn can't be used: it has no key (https://KEY@HOST/PROJECT)");
/// ```
pub fn init(options: Options) -> Result<Guard, InitError> {
    let settings = options::resolve(options, |name| std::env::var(name).ok())?;
    let mut client = sentry::ClientOptions::new()
        .maybe_release(settings.release)
        .shutdown_timeout(SHUTDOWN_TIMEOUT)
        .transport(transport::Factory);
    client.dsn = settings.dsn;
    if let Some(environment) = settings.environment {
        client = client.environment(environment);
    }
    if let Some(server_name) = settings.server_name {
        client = client.server_name(server_name);
    }
    Ok(Guard(sentry::init(client)))
}

/// Reports an error with its chain of sources, and with the stack from here: an error does not say
/// where it was made, so report it close to there. Returns the report's id of 32 hexadecimal
/// digits, to show to a person; none where reporting is off.
///
/// ```
/// let error = "NaN".parse::<u32>().unwrap_err();
/// assert_eq!(ingest_client::capture_error(&error), None, "no DSN, so nothing was sent");
/// ```
pub fn capture_error<E: Error + ?Sized>(error: &E) -> Option<String> {
    let hub = Hub::current();
    hub.client().filter(|client| client.is_enabled())?;
    let mut event = sentry::event_from_error(error);
    // The list begins with the first cause: the last one is the error itself.
    if let Some(exception) = event.exception.values.last_mut() {
        exception.stacktrace = current_stacktrace().map(without_own_frames);
    }
    let id = hub.capture_event(event);
    (!id.is_nil()).then(|| id.simple().to_string())
}

/// Reports an error of anyhow with its chain, and with the backtrace that it took where it was
/// made. It takes one where `RUST_LIB_BACKTRACE=1` or `RUST_BACKTRACE=1` is set as the program
/// starts; else the stack from here is sent, as by [`capture_error`].
///
/// ```
/// let error = anyhow::anyhow!("no price for tea").context("can't place the order");
/// assert_eq!(ingest_client::capture_anyhow(&error), None, "no DSN, so nothing was sent");
/// ```
#[cfg(feature = "anyhow")]
pub fn capture_anyhow(error: &anyhow::Error) -> Option<String> {
    let hub = Hub::current();
    hub.client().filter(|client| client.is_enabled())?;
    let mut event = sentry::integrations::anyhow::event_from_error(error);
    if let Some(exception) = event.exception.values.last_mut() {
        exception.stacktrace = match exception.stacktrace.take() {
            Some(stack) => Some(without(stack, &MAKING_ERRORS)),
            None => current_stacktrace().map(without_own_frames),
        };
    }
    let id = hub.capture_event(event);
    (!id.is_nil()).then(|| id.simple().to_string())
}

/// Waits until all reports so far have left, or the time is over; true where none is left. A
/// program that ends by `std::process::exit` drops no guard and calls this instead.
pub fn flush(timeout: Duration) -> bool {
    Hub::current().client().is_none_or(|client| client.flush(Some(timeout)))
}

/// The stack without the frames of the reporting itself: the innermost frame is the one that called
/// [`capture_error`].
fn without_own_frames(stack: Stacktrace) -> Stacktrace {
    without(stack, &OWN_FUNCTIONS)
}

/// The stack without its innermost frames of functions whose paths begin so.
fn without(mut stack: Stacktrace, functions: &[&str]) -> Stacktrace {
    let is_one = |frame: &Frame| {
        frame.function.as_deref().is_some_and(|name| functions.iter().any(|function| name.starts_with(function)))
    };
    // Frames stand outermost first.
    while stack.frames.last().is_some_and(is_one) {
        stack.frames.pop();
    }
    stack
}
