//! The HTML of articles, cut and read without losing where each byte came from.
//!
//! [`split`] cuts a body into top-level blocks for any input, however broken. [`shape`] reads one block
//! strictly: what is not well-formed, or not known, is refused and stays raw. Nothing here recurses on the
//! depth of what it is given.

pub mod scan;
pub mod shape;
pub mod split;
pub mod tree;
