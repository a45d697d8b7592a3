//! The log, on standard error, so that what a command prints can be piped.

use crate::config::{Config, ConfigError};
use domain::visible::{line, visible};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal as _, Write as _};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::OnceLock;
use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::debug_fn;

/// Lines that wait to be written: two megabytes or so, more than a busy second has. Beyond, lines
/// are lost: a pipe that nobody empties must not stop what logs.
const WAITING_LINES: usize = 10_000;

/// Counts the lines that were lost. There is one log, as `tracing` has one subscriber.
static LOST_LINES: OnceLock<ErrorCounter> = OnceLock::new();

/// Lines of the log that were lost since the start, because nobody took them.
pub fn lost_lines() -> usize {
    LOST_LINES.get().map_or(0, ErrorCounter::dropped_lines)
}

/// What writes the log, until it is dropped: what waits then is written as far as it is taken
/// within a second.
#[derive(Debug)]
#[must_use = "without it nothing is written"]
pub struct Log(Option<WorkerGuard>);

impl Drop for Log {
    fn drop(&mut self) {
        let writing = self.0.take();
        // Where nobody takes the log, `tracing-appender` says so by `println!`, which may panic in
        // its turn; that all else went well stays true.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(writing)));
    }
}

/// Logs as the configuration says from now on, panics as well. What can't be written is lost, as
/// where the reader of a pipe is gone or a disk is full: there is nowhere left to say so, and
/// `tracing`'s own words on it, by `eprintln!`, would panic in whoever logs.
///
/// # Errors
/// `LOG_LEVEL` can't be understood.
pub fn start(config: &Config) -> Result<Log, ConfigError> {
    let filter =
        EnvFilter::try_new(&config.log_level).map_err(|error| ConfigError::log_level(&config.log_level, error))?;
    let lines = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).thread_name("log");
    let (lines, writing) = lines.finish(std::io::stderr());
    let _ = LOST_LINES.set(lines.error_counter());
    let panics = lines.clone();
    std::panic::set_hook(Box::new(move |panic| log_panic(panic, &panics)));
    if config.log_json {
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines).json();
        start_with(log.log_internal_errors(false).finish());
        return Ok(Log(Some(writing)));
    }
    // In a file, colours are noise (and see no-color.org).
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    start_with(text(filter, coloured, lines));
    Ok(Log(Some(writing)))
}

/// As Rust does it, but that it waits for nobody to take it.
fn log_panic(panic: &PanicHookInfo<'_>, lines: &NonBlocking) {
    let (thread, backtrace) = (std::thread::current(), Backtrace::capture());
    let mut text = format!("thread {:?} {}\n", thread.name().unwrap_or_default(), line(&panic.to_string()));
    if backtrace.status() == BacktraceStatus::Captured {
        text.push_str(&visible(&backtrace.to_string()));
        text.push('\n');
    }
    // What can't be written is lost, as all of the log.
    let _ = lines.clone().write_all(text.as_bytes());
}

fn start_with(log: impl Subscriber + Send + Sync) {
    tracing::subscriber::set_global_default(log).expect("the log is started once");
}

/// The log as text: each event is one line, whatever its values hold. A path with a line end in it
/// would otherwise forge an event, and an escape would be obeyed by the terminal of who reads it.
fn text<W>(filter: EnvFilter, coloured: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let fields = debug_fn(|out, field, value| {
        let value = line(&format!("{value:?}"));
        match field.name() {
            "message" => write!(out, "{value}"),
            name => write!(out, "{name}={value}"),
        }
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(coloured)
        .with_target(false)
        .fmt_fields(fields.delimited(" "))
        .with_writer(writer)
        .log_internal_errors(false)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn logged(event: impl FnOnce()) -> String {
        let file = Arc::new(Mutex::new(Vec::new()));
        let writer = {
            let file = Arc::clone(&file);
            move || Lines(Arc::clone(&file))
        };
        tracing::subscriber::with_default(text(EnvFilter::new("info"), false, writer), event);
        String::from_utf8(file.lock().unwrap().clone()).unwrap()
    }

    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_others_put_into_it() {
        let path = "a.py\n2026-11-28T00:00:00Z ERROR forged \u{1b}[2J\u{202e}";
        let log = logged(|| {
            let _job = tracing::info_span!("job", path).entered();
            tracing::info!(%path, ?path, path, "can't read {path}");
        });
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'), "{log}");
        assert!(log.contains(r"can't read a.py\n2026"), "{log}");
        assert!(log.contains(r"path=a.py\n2026") && log.contains(r"job{path="), "{log}");
    }

    /// The log of a process that does this: it has one, and one for all that panic.
    fn logged_by_a_process(test: &str) -> Option<String> {
        const CHILD: &str = "FLAWLESS_LOG_OF_A_TEST";
        if std::env::var_os(CHILD).is_some() {
            return None;
        }
        let mut test_alone = std::process::Command::new(std::env::current_exe().unwrap());
        test_alone.args(["--exact", "--nocapture", test]).env(CHILD, "1").env("RUST_BACKTRACE", "0");
        let output = test_alone.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        Some(String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn a_panic_is_one_line_whatever_it_says() {
        let Some(log) = logged_by_a_process("log::tests::a_panic_is_one_line_whatever_it_says") else {
            let settings = std::collections::BTreeMap::new();
            let _log = start(&Config::from_parts(None, settings).unwrap()).unwrap();
            let says = "no a.py\n2026-11-28T00:00:00Z ERROR forged \u{1b}[2J\u{202e}";
            std::thread::spawn(move || panic!("{says}")).join().expect_err("it panics");
            return;
        };
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.starts_with("thread ") && log.contains(r"no a.py\n2026-11-28T00:00:00Z ERROR forged"), "{log}");
        assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'), "{log}");
    }
}
