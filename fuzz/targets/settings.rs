//! libFuzzer's entry to the target `settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("settings"),
    |data: &[u8]| (fuzz_targets::target("settings").run)(data)
);
