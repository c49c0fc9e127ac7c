//! Tests of everything that needs the command line, in one binary, because each binary links the whole crate.
//!
//! A module is named after the command or the room that it tests. Tests of the client library alone are in
//! `tests/transport`, which builds without the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod agents;
mod articles;
mod asking;
mod bulk;
mod cli;
#[path = "../../src/codegen/mod.rs"]
#[allow(dead_code, reason = "build.rs uses the rest")]
mod codegen;
mod endpoints;
mod generator;
mod golden;
mod mirror;
mod readme;
mod sandbox;
mod sandboxed;
mod screens;
mod sla;
mod style;
mod support;
mod sync_changes;
mod sync_cli;
mod sync_faults;
