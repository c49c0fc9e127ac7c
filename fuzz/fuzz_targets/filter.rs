//! Parsing, printing and compiling an arbitrary filter must terminate, with consistent results.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    drop(intercom::filter::round_trip(text));
});
