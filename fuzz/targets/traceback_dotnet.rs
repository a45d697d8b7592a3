//! libFuzzer's entry to the target `traceback_dotnet`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: fuzz_targets::warm_up("traceback_dotnet"),
    |data: &[u8]| (fuzz_targets::target("traceback_dotnet").run)(data)
);
