#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| protect_fuzz::run("one_stack_errors", data));
