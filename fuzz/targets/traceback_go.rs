//! libFuzzer's entry to the target `traceback_go`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (fuzz_targets::target("traceback_go").run)(data));
