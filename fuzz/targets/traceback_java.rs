//! libFuzzer's entry to the target `traceback_java`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_java"),
    |data: &[u8]| (fuzz_targets::target("traceback_java").run)(data)
);
