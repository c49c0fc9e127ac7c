//! Answers to questions about a workspace, worked out from the mirror.
//!
//! Layer: above `mirror`, below `cli`. A report reads the store and nothing else; it returns data with
//! what is missing from it, and never prints.

pub mod error;
pub mod percentile;
pub mod recent;
pub mod sla;
pub mod timeline;

pub use error::Error;
