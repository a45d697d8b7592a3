//! libFuzzer's entry to the target `source`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("source"),
    |data: &[u8]| (fuzz_targets::target("source").run)(data)
);
