//! libFuzzer's entry to the target `paths`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (fuzz_targets::target("paths").run)(data));
