//! Intercom client library, and the command-line program built on it.
//!
//! [`Client`] offers every API operation as a typed function, a stream of pages for every list and search,
//! and the raw document behind every response. The default feature `cli` adds the command-line program;
//! `default-features = false` builds only the client.

// Files are opened in `cli::files`. Modules that open files themselves are marked below, with the reason.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod api;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "the articles folder, which `cli::files` has checked")]
pub mod articles;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "journals of bulk runs and imports")]
pub mod bulk;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "the config file and the data folder")]
pub mod config;
#[cfg(feature = "cli")]
mod data;
#[cfg(feature = "cli")]
pub mod filter;
#[cfg(feature = "cli")]
mod html;
#[cfg(feature = "cli")]
pub mod mcp;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "the mirror, its lock file and its exports")]
pub mod mirror;
#[cfg(feature = "cli")]
pub mod program;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod sandbox;
#[cfg(feature = "cli")]
mod selection;

pub use api::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId};
pub use api::{Client, ClientBuilder, Error, Observer, Region, Response, Settings, Timestamp, Token, types};
pub use api::{Filter, List, Order, Page};

/// The Rust examples of the documentation, compiled with its tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Documentation;
