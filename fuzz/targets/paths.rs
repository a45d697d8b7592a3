//! libFuzzer's entry to the target `paths`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("paths"),
    |data: &[u8]| (fuzz_targets::target("paths").run)(data)
);
