//! The help center as files, end to end: the binary against a sandbox whose articles hold what real ones do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "../support/mod.rs"]
mod support;

mod converter;
mod files;
mod help_center;
mod new_files;
mod push;
mod round_trip;
