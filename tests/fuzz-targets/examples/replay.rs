//! Runs a target over files: `cargo run -p fuzz-targets --example replay -- TARGET FILE…`.
#![expect(clippy::unwrap_used, reason = "a tool for developers")]

fn main() {
    let mut arguments = std::env::args().skip(1);
    let target = fuzz_targets::target(&arguments.next().expect("a target"));
    for file in arguments {
        (target.run)(&std::fs::read(file).unwrap());
    }
}
