//! libFuzzer's entry to the target `encoding`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("encoding"),
    |data: &[u8]| (fuzz_targets::target("encoding").run)(data)
);
