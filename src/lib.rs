//! Work with an Intercom workspace from Rust.

pub mod api;
