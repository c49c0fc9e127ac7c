//! The help center as files: articles as Markdown in a folder, and back.
//!
//! The folder holds a file per article and language for authors, and beside them, hidden, the HTML that the
//! server last had. What an author did not touch goes back byte for byte; what a colleague changed on the
//! server meanwhile is merged block by block, or reported as a conflict and left alone. This layer talks to
//! the API and to one folder. It knows no flags and no terminal, and never writes outside its folder.

mod absent;
pub mod article;
pub mod combine;
mod create;
pub mod document;
mod download;
pub mod error;
pub mod folder;
pub mod front_matter;
pub mod html;
pub mod images;
pub mod lines;
pub mod lint;
pub mod local;
pub mod manifest;
pub mod markdown;
pub mod merge;
pub mod only;
pub mod outcome;
pub mod patch;
pub mod pull;
pub mod push;
pub mod remote;
pub mod status;
pub mod steady;

pub use error::Error;

/// What must hold for any body: read and merged without an edit it is itself. The fuzz target and the
/// property tests both drive this.
///
/// # Panics
/// When it does not hold.
pub fn unharmed(html: &str) {
    let images = images::Images::default();
    let document = document::Document::read(html, &images);
    let text = document::Text::read(&document.markdown(), &document, &images);
    let merged = merge::merge(&document, &text, &document, &images, merge::Prefer::Neither);
    assert!(merged.html == html && merged.conflicts.is_empty() && merged.changes.is_empty());
}
