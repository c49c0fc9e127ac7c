//! The Intercom API: the operation table, the typed client, pagination and the transport.
//!
//! Most programs need only what the crate root re-exports. Here is what is below: operations by id with raw documents
//! ([`client::Client::execute`], [`request_builder`], [`commands`]), pages with records as received ([`paging`]), requests
//! of any path ([`transport`]), and hooks for metrics ([`observer`]).
//!
//! This layer knows HTTP and Intercom's conventions. It must not depend on flags, files, SQLite or a
//! terminal: it compiles without them.

#[doc(hidden)]
pub mod access;
#[doc(hidden)]
pub mod app_version;
pub mod builder;
pub mod client;
/// The operation table: every operation of the described API versions, with its path, parameters and paging.
///
/// [`request_builder::operation`] finds a row by its id.
#[rustfmt::skip]
#[path = "../../generated/commands.rs"]
pub mod commands;
pub mod conflict;
#[doc(hidden)]
pub mod effect;
pub mod error;
#[doc(hidden)]
pub mod error_budget;
mod error_response;
#[rustfmt::skip]
#[path = "../../generated/client.rs"]
pub(crate) mod generated;
#[doc(hidden)]
pub mod identity;
pub mod ids;
mod json_repair;
mod limiter;
pub mod list;
pub(crate) mod model;
pub mod observer;
pub(crate) mod open_enum;
pub mod operation;
#[doc(hidden)]
pub mod page_arguments;
pub mod paging;
pub mod region;
pub mod reply;
pub mod request_builder;
mod retry;
pub mod search_filter;
pub mod secret;
#[cfg(feature = "filter")]
pub(crate) mod tested_search;
pub mod timestamp;
pub mod transport;
pub mod version;
#[doc(hidden)]
pub mod version_history;
#[doc(hidden)]
pub mod web_address;

pub use builder::ClientBuilder;
pub use client::{Client, Response};
pub use error::Error;
#[doc(hidden)]
pub use error_budget::ErrorBudget;
#[doc(hidden)]
pub use generated::{groups, types};
pub use ids::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId};
pub use list::{List, Page};
pub use observer::Observer;
pub use region::Region;
pub use reply::Reply;
pub use search_filter::{Filter, Order};
pub use secret::Token;
pub use timestamp::Timestamp;
pub use transport::{Download, Idempotency, Settings, Transport};
pub use version::ApiVersion;
