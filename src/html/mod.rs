//! Parses untrusted HTML: messages, notes, articles.
//!
//! The whole crate uses this one tokenizer, so that all parts agree where a tag ends. It must not know
//! anything about records; callers decide what to do with the tokens.

#![cfg_attr(not(feature = "cli"), allow(dead_code, reason = "each feature uses another part"))]

#[cfg(feature = "sandbox")]
pub mod compose;
pub mod plain;
#[cfg(feature = "sandbox")]
pub mod readable;
pub mod scan;
