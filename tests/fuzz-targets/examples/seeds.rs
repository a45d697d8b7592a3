//! Writes the seeds of every target below a folder, one folder for each: what `fuzz/run` begins
//! with.
#![expect(clippy::unwrap_used, reason = "a tool for developers")]

fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).expect("a folder"));
    for target in &fuzz_targets::TARGETS {
        let of_it = folder.join(target.name);
        std::fs::create_dir_all(&of_it).unwrap();
        for (number, seed) in fuzz_targets::seeds(target.name).iter().enumerate() {
            std::fs::write(of_it.join(format!("seed-{number:03}")), seed).unwrap();
        }
    }
}
