//! Texts of six languages, real ones where the language was at hand, and what becomes of them when they are damaged.

use super::*;
use std::fmt::Write;

macro_rules! samples {
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), include_str!(concat!("../../../../tests/data/tracebacks/", stringify!($name), ".txt")))),*]
    };
}

const ALL: &[(&str, &str)] = samples!(
    go_fatal, go_gin, go_nil, go_panic, go_recovered, java_log, java_main, java_thread, node_aggregate, node_cause,
    node_missing_module, node_module, node_rejection, node_stack, node_string, node_syntax, node_uncaught, python_313_note,
    python_broken_script, python_chain, python_docker, python_group, python_logged, python_note, python_recursion,
    python_syntax, ruby_33, ruby_34_cause, ruby_logged, ruby_rails, ruby_reversed, rust_anyhow, rust_backtrace,
    rust_full, rust_old, rust_short, rust_threads, rust_unwrap
);

/// An exception a line, its frames below it, oldest call first.
fn shown(report: &Report) -> String {
    let mut text = format!("{:?}\n", report.platform);
    for exception in &report.exceptions {
        let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let _ = write!(text, "{}", exception.dotted_name());
        let _ = write!(text, " {:?}", exception.value.as_deref().unwrap_or("(nothing)"));
        if let Some(source) = &exception.source {
            let _ = write!(text, ", {source}");
        }
        if exception.is_group {
            text.push_str(", group");
        }
        text.push('\n');
        for frame in &exception.frames {
            let path = frame.path().unwrap_or("?");
            let _ = write!(text, "  {path}:{} {}", number(frame.line), frame.function_name());
            if let Some(code) = &frame.context_line {
                let _ = write!(text, " | {code}");
            }
            text.push('\n');
        }
    }
    text
}

fn read(name: &str) -> String {
    let (_, text) = ALL.iter().find(|(known, _)| *known == name).unwrap();
    shown(&parse(text).unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[test]
fn show() {
    for (name, _) in ALL { println!("=== {name}\n{}", read(name)); }
}
