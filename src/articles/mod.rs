//! The help center as files: articles as Markdown that people edit, and their way back to the server.
//!
//! A body is never converted as a whole. It is split into blocks; each is shown as Markdown only when that
//! Markdown gives the same markup again, and goes back as the bytes that came from the server unless its
//! Markdown was edited. This layer knows files and the API; it must not know flags or a terminal, and it
//! must never write outside the folder it was given.

pub mod body;
pub mod calls;
pub mod changes;
pub mod error;
pub mod folder;
mod html;
pub mod lint;
pub mod local;
pub mod merge;
pub mod outcome;
mod page;
mod pieces;
pub mod pull;
pub mod push;
pub mod remote;
mod render;
mod split;
pub mod store;
mod style;
mod write;

pub use error::Error;
