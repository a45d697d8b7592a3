//! libFuzzer's entry to the target `traceback_elixir`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_elixir"),
    |data: &[u8]| (fuzz_targets::target("traceback_elixir").run)(data)
);
