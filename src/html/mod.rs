//! Parses untrusted HTML: messages, notes, articles.
//!
//! The whole crate uses this one tokenizer, so that all parts agree where a tag ends. It must not know
//! anything about records; callers decide what to do with the tokens.

pub mod compose;
pub mod plain;
pub mod readable;
pub mod scan;
