//! libFuzzer's entry to the target `traceback_ruby`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_ruby"),
    |data: &[u8]| (fuzz_targets::target("traceback_ruby").run)(data)
);
