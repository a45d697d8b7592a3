//! libFuzzer's entry to the target `traceback_python`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_python"),
    |data: &[u8]| (fuzz_targets::target("traceback_python").run)(data)
);
