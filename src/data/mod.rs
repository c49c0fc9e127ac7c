//! Small pieces without dependencies: lenient reading of JSON, locked files, text that is safe for a terminal, lengths of
//! time as text, times that people type, misspelled names, patterns of names, reasons of file errors.
//!
//! Must never import another module of this crate, and must not know records: callers name the fields.

#![allow(dead_code, reason = "each feature uses another part")]

pub mod io_reason;
#[cfg(feature = "jiff")]
pub mod lenient;
pub mod locked_file;
pub mod printable;
pub mod span;
pub mod spelling;
#[cfg(feature = "jiff")]
pub mod times;
pub mod wildcard;
