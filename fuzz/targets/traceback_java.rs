//! libFuzzer's entry to the target `traceback_java`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (fuzz_targets::target("traceback_java").run)(data));
