//! libFuzzer's entry to the target `traceback_php`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_php"),
    |data: &[u8]| (fuzz_targets::target("traceback_php").run)(data)
);
