//! Talking to the Intercom API: the operation table, the typed client, paging, and the one transport
//! beneath them.
//!
//! This layer knows HTTP and Intercom's conventions. It must not know flags, files, SQLite or a
//! terminal: it compiles without any of them.

pub mod client;
#[rustfmt::skip]
#[path = "../../generated/commands.rs"]
pub mod commands;
pub mod error;
pub mod executor;
#[rustfmt::skip]
#[path = "../../generated/client.rs"]
mod generated;
mod limiter;
pub mod operation;
pub mod page_arguments;
pub mod paging;
pub mod region;
mod repair;
pub mod reply;
mod retry;
pub mod secret;
mod tolerant;
pub mod transport;

pub use client::{Client, Response};
pub use error::Error;
pub use generated::types;
pub use region::Region;
pub use reply::Reply;
pub use secret::Token;
pub use transport::{Download, Repeat, Settings, Transport};
