//! Talking to the Intercom API.

pub mod operation;
