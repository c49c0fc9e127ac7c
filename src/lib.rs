//! Work with an Intercom workspace from Rust.
//!
//! [`Client`] has every operation of the API as a typed function, a paging stream for every list and
//! search, and the document behind every answer as it was received. With the default feature `cli`
//! the crate is also the command-line program; `default-features = false` leaves the client alone.

pub mod api;
#[cfg(feature = "cli")]
pub mod articles;
#[cfg(feature = "cli")]
pub mod bulk;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "cli")]
pub mod filter;
#[cfg(feature = "cli")]
pub mod mirror;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod sandbox;

pub use api::{Client, Error, Region, Response, Settings, Token, types};

/// The README's Rust examples, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
