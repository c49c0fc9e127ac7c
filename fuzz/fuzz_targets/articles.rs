#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| intercom::articles::body::probe(data));
