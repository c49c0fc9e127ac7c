//! The help center as files: articles as Markdown that people edit, and their way back to the server.
//!
//! A body is never converted as a whole. It is split into blocks; each is shown as Markdown only when that
//! Markdown gives the same markup again, and goes back as the bytes that came from the server unless its
//! Markdown was edited. This layer knows files and the API; it must not know flags or a terminal, and it
//! must never write outside the folder it was given.

pub mod body;
mod html;
mod pieces;
mod render;
mod split;
mod style;
mod write;
