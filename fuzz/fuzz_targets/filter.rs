//! Any text at all: parsing, printing and compiling it must end, and agree.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    drop(intercom::filter::round_trip(text));
});
