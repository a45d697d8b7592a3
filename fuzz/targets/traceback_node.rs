//! libFuzzer's entry to the target `traceback_node`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_node"),
    |data: &[u8]| (fuzz_targets::target("traceback_node").run)(data)
);
