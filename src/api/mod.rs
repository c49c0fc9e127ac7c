//! Talking to the Intercom API.

#[rustfmt::skip]
#[path = "../../generated/commands.rs"]
pub mod commands;
pub mod operation;
