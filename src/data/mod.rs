//! The bottom room: what every module needs, and what needs none of them.
//!
//! It must never import another module of this crate, and must not know records: callers name the fields.

pub mod lenient;
pub mod locked_file;
