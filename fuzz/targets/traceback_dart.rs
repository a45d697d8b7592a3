//! libFuzzer's entry to the target `traceback_dart`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_dart"),
    |data: &[u8]| (fuzz_targets::target("traceback_dart").run)(data)
);
