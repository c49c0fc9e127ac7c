//! Intercom client library, and the command-line program built on it.
//!
//! [`Client`] offers every API operation as a typed function, a stream of pages for every list and search,
//! and the raw document behind every response. The default feature `cli` adds the command-line program;
//! `default-features = false` builds only the client.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs)]
// Files are opened in `cli::files`. Modules that open files themselves are marked below, with the reason.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

#[allow(missing_docs, reason = "documented as its parts become public")]
pub mod api;
#[cfg(feature = "articles")]
#[allow(clippy::disallowed_methods, reason = "the articles folder, which `cli::files` has checked")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod articles;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "journals of bulk runs and imports")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod bulk;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod cli;
#[cfg(feature = "cli")]
#[allow(clippy::disallowed_methods, reason = "the config file and the data folder")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod config;
#[cfg(feature = "articles")]
pub mod convert;
mod data;
#[cfg(feature = "filter")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod filter;
#[cfg(any(feature = "articles", feature = "filter", feature = "sandbox"))]
#[allow(missing_docs, reason = "shared by the other modules")]
mod html;
#[cfg(feature = "mirror")]
pub mod local;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod mcp;
#[cfg(feature = "mirror")]
#[allow(clippy::disallowed_methods, reason = "the mirror, its lock file and its exports")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod mirror;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod program;
#[cfg(feature = "mirror")]
#[doc(hidden)]
#[allow(missing_docs, reason = "belongs to the programs")]
pub mod report;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "filter")]
#[cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports, reason = "the programs use all of it"))]
mod selection;

pub use api::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId};
pub use api::{Client, ClientBuilder, Error, Observer, Region, Response, Settings, Timestamp, Token, types};
pub use api::{Filter, List, Order, Page};
#[cfg(feature = "mirror")]
pub use local::Mirror;

/// The Rust examples of the documentation, compiled with its tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Documentation;
