//! libFuzzer's entry to the target `links`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("links"),
    |data: &[u8]| (fuzz_targets::target("links").run)(data)
);
