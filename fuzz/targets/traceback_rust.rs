//! libFuzzer's entry to the target `traceback_rust`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_rust"),
    |data: &[u8]| (fuzz_targets::target("traceback_rust").run)(data)
);
