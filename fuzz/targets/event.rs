//! libFuzzer's entry to the target `event`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (fuzz_targets::target("event").run)(data));
