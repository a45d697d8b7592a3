//! libFuzzer's entry to the target `path_expression`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("path_expression"),
    |data: &[u8]| (fuzz_targets::target("path_expression").run)(data)
);
