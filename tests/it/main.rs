//! All tests that need the command line, in one binary to save link time.
//!
//! Each module is named after the command or the `src` module that it tests. Tests of the client library are in
//! `tests/transport`, which builds without the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod answers;
mod articles;
mod bulk;
mod cli;
#[path = "../../src/codegen/mod.rs"]
#[allow(dead_code, reason = "build.rs uses the rest")]
mod codegen;
mod commands;
mod documents;
mod endpoints;
mod filter;
mod filter_syntax;
mod generator;
mod generator_hostile;
mod generator_stamp;
mod generator_table;
mod generator_update;
mod local;
mod mcp;
mod mirror;
mod readme;
mod report;
mod sandbox;
mod sandboxed;
mod screens;
mod style;
mod support;
mod sync_changes;
mod sync_faults;
mod typed_client;
mod versions;
