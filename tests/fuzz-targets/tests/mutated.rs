//! Every target, with its seeds and with some thousands of mutations of them, on any toolchain. The
//! seed is printed; `FLAWLESS_FUZZ_SEED` replays it.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use fuzz_targets::{TARGETS, seeds, target};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Mutated inputs of each target.
const INPUTS: usize = 1_500;
/// The same of source code, which parsers written in C read slowly where they are not optimised.
const INPUTS_OF_SOURCE: usize = 250;
/// Bytes of a stack here; the program's threads have 2 MiB, and so has the fuzzer.
const STACK: usize = 2 << 20;
/// Longest seed that is mutated, in bytes: a recorded body of 2 MB a thousand times is no quick
/// test.
const LONGEST: usize = 24 * 1024;
/// What formats are made of.
const TOKENS: [&[u8]; 20] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\n",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\x00",
    b"null",
    b"1e999",
    b"-1",
    b"99999999999999999999",
    b"    at ",
    b"\tat ",
    b"Caused by: ",
    b"&a *a",
];

fn mutated(seed: &[u8], other: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=bytes.len());
        let end = (at + rng.random_range(0..64_usize)).min(bytes.len());
        match rng.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] = rng.random(),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, TOKENS[rng.random_range(0..TOKENS.len())].iter().copied())),
            3 => {
                let piece = bytes[at..end].to_vec();
                let times = rng.random_range(1..40);
                bytes.splice(at..at, piece.repeat(times));
            }
            4 if !other.is_empty() => {
                let from = rng.random_range(0..other.len());
                let to = (from + rng.random_range(0..256_usize)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

fn tried(name: &str) {
    let seed = std::env::var("FLAWLESS_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    // What ends the process leaves no word of its input, so a replay notes each before it is tried.
    let noted = seed.is_some().then(|| std::env::temp_dir().join(format!("flawless-{name}-input")));
    let seed: u64 = seed.unwrap_or_else(|| rand::rng().next_u64());
    println!("{name}: FLAWLESS_FUZZ_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let run = target(name).run;
    let all = seeds(name);
    assert!(!all.is_empty(), "{name} has no seeds");
    all.iter().for_each(|seed| run(seed));
    run(b"");
    let short: Vec<&Vec<u8>> = all.iter().filter(|seed| seed.len() <= LONGEST).collect();
    for number in 0..if name == "source" { INPUTS_OF_SOURCE } else { INPUTS } {
        let [one, other] = [0; 2].map(|_: u8| short[rng.random_range(0..short.len())]);
        let input = mutated(one, other, &mut rng);
        if let Some(path) = &noted {
            std::fs::write(path, &input).unwrap();
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&input))) {
            let path = std::env::temp_dir().join(format!("flawless-{name}-{seed}-{number}"));
            std::fs::write(&path, &input).unwrap();
            println!("input {number} of {name} with FLAWLESS_FUZZ_SEED={seed} is in {}", path.display());
            std::panic::resume_unwind(panic);
        }
    }
}

/// Runs this on a thread with room for frames that are not optimised, which are several times as
/// large as those of what ships.
fn with_room(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_target_is_tried_here_and_has_a_file_for_the_fuzzer() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/targets");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
        .collect();
    files.sort();
    let mut named: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    named.sort_unstable();
    assert_eq!(files, named);
    assert_eq!(TRIED.len(), TARGETS.len(), "a target has no test here");
}

macro_rules! try_each {
    ($($name:ident)*) => {
        const TRIED: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { with_room(|| tried(stringify!($name))); })*
    };
}

try_each! {
    encoding envelope event traceback_python traceback_node traceback_ruby traceback_java traceback_go traceback_rust
    traceback_php traceback_dotnet traceback_elixir traceback_dart traceback_perl traceback_swift traceback_cpp
    webhook settings codeowners path_expression source links paths
}
