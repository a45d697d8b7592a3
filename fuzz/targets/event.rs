//! libFuzzer's entry to the target `event`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("event"),
    |data: &[u8]| (fuzz_targets::target("event").run)(data)
);
