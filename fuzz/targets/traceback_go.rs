//! libFuzzer's entry to the target `traceback_go`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_go"),
    |data: &[u8]| (fuzz_targets::target("traceback_go").run)(data)
);
