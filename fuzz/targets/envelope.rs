//! libFuzzer's entry to the target `envelope`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("envelope"),
    |data: &[u8]| (fuzz_targets::target("envelope").run)(data)
);
