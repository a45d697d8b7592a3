//! libFuzzer's entry to the target `links`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (fuzz_targets::target("links").run)(data));
