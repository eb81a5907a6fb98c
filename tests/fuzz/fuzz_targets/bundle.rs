#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ckptmap_fuzz::bundle(data));
