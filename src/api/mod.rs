//! Talking to the Intercom API.

#[rustfmt::skip]
#[path = "../../generated/commands.rs"]
pub mod commands;
pub mod error;
mod limiter;
pub mod operation;
pub mod region;
mod repair;
pub mod reply;
mod retry;
pub mod secret;
pub mod transport;

pub use error::Error;
pub use region::Region;
pub use reply::Reply;
pub use secret::Token;
pub use transport::{Download, Repeat, Settings, Transport};
