//! Any bytes as the body of an article: reading it, and merging it with itself, changes nothing.

#![no_main]

libfuzzer_sys::fuzz_target!(|html: &str| intercom::articles::unharmed(html));
