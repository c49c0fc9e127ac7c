//! The Intercom API: the operation table, the typed client, pagination and the transport.
//!
//! This layer knows HTTP and Intercom's conventions. It must not depend on flags, files, SQLite or a
//! terminal: it compiles without them.

pub mod access;
pub mod app_version;
pub mod builder;
pub mod client;
#[rustfmt::skip]
#[path = "../../generated/commands.rs"]
pub mod commands;
pub mod conflict;
pub mod effect;
pub mod error;
pub mod error_budget;
mod error_response;
#[rustfmt::skip]
#[path = "../../generated/client.rs"]
mod generated;
pub mod identity;
pub mod ids;
mod json_repair;
mod limiter;
pub mod list;
pub(crate) mod model;
pub mod observer;
pub(crate) mod open_enum;
pub mod operation;
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
pub mod version_history;
pub mod web_address;

pub use builder::ClientBuilder;
pub use client::{Client, Response};
pub use error::Error;
pub use error_budget::ErrorBudget;
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
