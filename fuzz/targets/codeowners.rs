//! libFuzzer's entry to the target `codeowners`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("codeowners"),
    |data: &[u8]| (fuzz_targets::target("codeowners").run)(data)
);
