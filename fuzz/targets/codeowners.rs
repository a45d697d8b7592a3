//! libFuzzer's entry to the target `codeowners`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (fuzz_targets::target("codeowners").run)(data));
