//! libFuzzer's entry to the target `traceback_cpp`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_cpp"),
    |data: &[u8]| (fuzz_targets::target("traceback_cpp").run)(data)
);
