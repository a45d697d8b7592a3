//! libFuzzer's entry to the target `traceback_swift`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_swift"),
    |data: &[u8]| (fuzz_targets::target("traceback_swift").run)(data)
);
