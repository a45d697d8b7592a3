//! Large files that are read at once, by as many as read reports: by itself, for what counts is the
//! memory of a process.

use source::{Source, Work};

/// As many as a server has workers.
const AT_ONCE: usize = 4;

/// Most memory, in MB, that the process may have taken: what parsing one of them takes, and the
/// trees of the others, which are a part of that.
const MEMORY: u64 = 350;

#[test]
fn several_large_files_take_little_more_memory_than_one() {
    // Parsing each takes some 160 MB.
    let text = format!("{}1", "a=>".repeat(349_000));
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                let work = Work::default();
                drop(Source::parse("a.js", &text, &work));
                assert!(work.left() < source::MOST_WORK - 900_000, "it was parsed up to the limit");
            });
        }
    });
    let peak = peak_memory();
    assert!(peak <= MEMORY, "{peak} MB");
}

/// The most memory that this process ever had, in MB; nothing where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|peak| peak.trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}
