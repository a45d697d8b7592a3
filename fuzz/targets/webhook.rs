//! libFuzzer's entry to the target `webhook`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("webhook"),
    |data: &[u8]| (fuzz_targets::target("webhook").run)(data)
);
