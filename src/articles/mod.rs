//! The help center as files: converts articles to Markdown in a folder, and back.
//!
//! `convert` turns HTML into Markdown and back, and merges texts. It knows no network, no folder and no
//! manifest. `sync` is built on it: it keeps a folder and the help center in step. Neither knows flags or
//! terminals, and nothing is ever written outside the folder.

pub mod article;
pub mod convert;
pub mod sync;

pub use sync::error::Error;
