//! libFuzzer's entry to the target `traceback_perl`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_perl"),
    |data: &[u8]| (fuzz_targets::target("traceback_perl").run)(data)
);
