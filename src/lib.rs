//! Work with an Intercom workspace from Rust.

pub mod api;
#[cfg(feature = "cli")]
pub mod sandbox;
