//! Answers to questions about a workspace, worked out from the mirror.
//!
//! Layer: above `mirror`, below `cli`. A report reads the store and writes nothing to it but what it can
//! work out again ([`timelines`]); it returns data with what is missing from it, and never prints.

pub mod candidate;
pub mod contact_360;
pub mod duplicates;
pub mod error;
pub mod office;
pub mod percentile;
pub mod sla;
pub mod stale;
pub mod timeline;
pub mod timelines;
pub mod translations;
pub mod volume;

pub use error::Error;
