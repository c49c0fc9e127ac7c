//! Splits and parses the HTML of articles, with the source range of every part.
//!
//! [`split`] cuts a body into top-level blocks, whatever the input. [`ast`] parses one block strictly:
//! malformed or unknown HTML is rejected and stays raw. Nothing here may recurse with the depth of the input.

pub mod ast;
pub mod split;
pub mod tree;

pub use crate::html::scan;
