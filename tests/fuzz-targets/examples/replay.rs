//! Runs a target over files: `cargo run -p fuzz-targets --example replay -- TARGET FILE…`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for developers")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let files: Vec<String> = arguments.collect();
    let Some(target) = fuzz_targets::TARGETS.iter().find(|target| target.name == name && !files.is_empty()) else {
        let names: Vec<&str> = fuzz_targets::TARGETS.iter().map(|target| target.name).collect();
        eprintln!("replay TARGET FILE…, where TARGET is one of {}", names.join(", "));
        return ExitCode::from(2);
    };
    let all_held = files.iter().map(|file| held(target.run, file)).fold(true, |all, held| all & held);
    if all_held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether what is promised holds for this file; says so.
fn held(run: fn(&[u8]), file: &str) -> bool {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("{file}: {error}");
            return false;
        }
    };
    // Said before: what ends the process is the last that was said.
    println!("{file}: {} bytes", bytes.len());
    // On a thread, which has as much stack as those of the program.
    let held = std::thread::spawn(move || run(&bytes)).join().is_ok();
    println!("{file}: {}", if held { "holds" } else { "BROKEN" });
    held
}
