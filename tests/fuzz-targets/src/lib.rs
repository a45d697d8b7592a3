//! A function for everything that strangers write and the program reads: it takes any bytes, and
//! panics where a promise is broken. `fuzz/` gives them to libFuzzer, `tests/mutated.rs` some
//! thousands of mutated recordings.
//!
//! There is neither a reader of source maps nor one of zip files, so neither is here.
#![expect(clippy::unwrap_used, reason = "for tests, which say by panicking what went wrong")]

mod links;
mod paths;
mod reports;
mod seeds;
mod texts;
mod tracebacks;
mod webhooks;

pub use seeds::seeds;

/// Something that is read.
pub struct Target {
    /// As the fuzzer and its folders call it.
    pub name: &'static str,
    /// Reads these bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 23] = [
    Target { name: "encoding", run: reports::encoding },
    Target { name: "envelope", run: reports::envelope },
    Target { name: "event", run: reports::event },
    Target { name: "traceback_python", run: tracebacks::python },
    Target { name: "traceback_node", run: tracebacks::node },
    Target { name: "traceback_ruby", run: tracebacks::ruby },
    Target { name: "traceback_java", run: tracebacks::java },
    Target { name: "traceback_go", run: tracebacks::go },
    Target { name: "traceback_rust", run: tracebacks::rust },
    Target { name: "traceback_php", run: tracebacks::php },
    Target { name: "traceback_dotnet", run: tracebacks::dotnet },
    Target { name: "traceback_elixir", run: tracebacks::elixir },
    Target { name: "traceback_dart", run: tracebacks::dart },
    Target { name: "traceback_perl", run: tracebacks::perl },
    Target { name: "traceback_swift", run: tracebacks::swift },
    Target { name: "traceback_cpp", run: tracebacks::cpp },
    Target { name: "webhook", run: webhooks::webhook },
    Target { name: "settings", run: texts::settings },
    Target { name: "codeowners", run: texts::codeowners },
    Target { name: "path_expression", run: texts::path_expression },
    Target { name: "source", run: texts::source },
    Target { name: "links", run: links::links },
    Target { name: "paths", run: paths::paths },
];

/// The target of this name.
///
/// # Panics
/// There is none.
pub fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name}"))
}

/// Tries the seeds of this target, so that all tables are made that are made once: the first input
/// must not count as slow because of them.
///
/// # Panics
/// There is no such target, or a seed breaks what it promises.
pub fn warm_up(name: &str) {
    let run = target(name).run;
    seeds(name).iter().for_each(|seed| run(seed));
}
