//! Where a native stack ends for a reader: the panic's machinery and the SDK's own frames lie inwards of it.

use crate::domain::report::Platform;

/// The runtime takes over here: everything inwards is how Rust panics, and what a hook does then.
/// `core::panicking` at first, `rust_begin_unwind` where the optimiser left nothing of it.
const PANIC: &[&str] = &[
    "core::panicking::",
    "std::panicking::begin_panic",
    "std::panicking::panic_with_hook",
    "std::panicking::rust_panic_with_hook",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "rust_begin_unwind",
    "__rustc::rust_begin_unwind",
];

/// What takes the stack, innermost: a client's frames, and those of libraries that capture a backtrace with each error.
const CAPTURE: &[&str] = &[
    "sentry::",
    "sentry_anyhow::",
    "sentry_backtrace::",
    "sentry_core::",
    "sentry_log::",
    "sentry_panic::",
    "sentry_tracing::",
    "backtrace::",
    "std::backtrace::",
    "std::backtrace_rs::",
    "anyhow::",
    "eyre::",
    "color_eyre::",
];

/// How many of a stack's frames concern the program, oldest call first: its innermost frames are cut where they are the
/// panic's or the client's own (every recorded stack of Rust ends in the client).
pub(super) fn concerning<'a>(
    platform: Platform,
    functions: impl DoubleEndedIterator<Item = Option<&'a str>> + ExactSizeIterator + Clone,
) -> usize {
    let all = functions.len();
    if platform != Platform::Native {
        return all;
    }
    if let Some(panic) = functions.clone().position(|function| function.is_some_and(is_panic)) {
        return panic;
    }
    all - functions.rev().take_while(|function| function.is_some_and(is_capture)).count()
}

fn is_panic(function: &str) -> bool {
    PANIC.iter().any(|start| function.starts_with(start))
}

/// Also `<sentry_panic::PanicIntegration as …>::setup`.
fn is_capture(function: &str) -> bool {
    let function = function.trim_start_matches(['<', '&']);
    CAPTURE.iter().any(|start| function.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(platform: Platform, functions: &[&str]) -> usize {
        concerning(platform, functions.iter().map(|function| Some(*function)))
    }

    #[test]
    fn cuts_panics_and_captures() {
        let panic = [
            "std::panicking::catch_unwind",
            "shop::main",
            "core::panicking::panic_fmt",
            "shop::hook",
            "sentry_core::x",
        ];
        assert_eq!(count(Platform::Native, &panic), 2);
        assert_eq!(count(Platform::Python, &panic), 5);
        let captured =
            ["sentry_core::hub::Hub::run", "shop::main", "anyhow::error::new", "std::backtrace::Backtrace::capture"];
        assert_eq!(count(Platform::Native, &captured), 2);
        assert_eq!(count(Platform::Native, &["shop::main", "<sentry_panic::P as sentry_core::I>::setup"]), 1);
        assert_eq!(count(Platform::Native, &[]), 0);
    }
}
