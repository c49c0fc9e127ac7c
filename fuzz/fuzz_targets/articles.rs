//! Parsing an arbitrary article body and merging it with itself must not change it.

#![no_main]

libfuzzer_sys::fuzz_target!(|html: &str| intercom::articles::convert::check_round_trip(html));
