//! The help center as files: converts articles to Markdown in a folder, and back.
//!
//! `convert` turns HTML into Markdown and back, and merges texts. It must not depend on the network, a folder or the
//! manifest. `sync` is built on it: it keeps a folder and the help center in step. Nothing is ever written outside the
//! folder.

#[cfg(feature = "cli")]
pub mod article;
pub mod convert;
#[cfg(feature = "cli")]
pub mod sync;

#[cfg(feature = "cli")]
pub use sync::error::Error;
