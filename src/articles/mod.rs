//! The help center as files: converts articles to Markdown in a folder, and back.
//!
//! The folder holds one file per article and language for authors, and in a hidden folder the HTML that the
//! server last had. Blocks that the author did not edit are sent back byte for byte. What a colleague changed
//! on the server in the meantime is merged block by block, or reported as a conflict and left unchanged.
//! This layer talks to the API and to one folder. It knows nothing about flags or terminals, and never writes
//! outside its folder.

pub mod address_map;
pub mod article;
pub mod blocks;
mod create;
mod deletions;
mod dialect;
mod download;
pub mod error;
pub mod finding;
pub mod folder;
pub mod front_matter;
pub mod gate;
pub mod html;
mod insertions;
pub mod line_endings;
pub mod links;
pub mod lint;
pub mod lock;
pub mod manifest;
pub mod markdown;
pub mod merge;
pub mod normalize;
mod order;
pub mod outcome;
mod outgoing_links;
pub mod patch;
pub mod pull;
pub mod push;
pub mod rebase;
mod relink;
pub mod remote;
mod renamed_links;
pub mod resolve;
pub mod selection;
pub mod status;
pub mod working_copy;

pub use error::Error;

/// Checks that reading a body and merging it without an edit yields the same bytes, whatever the body holds.
/// The fuzz target and the property tests both call this.
///
/// # Panics
/// When the body changes.
pub fn check_round_trip(html: &str) {
    let addresses = address_map::AddressMap::default();
    let document = blocks::Document::read(html, &addresses);
    let text = blocks::EditedDocument::read(&document.markdown(), &document, &addresses);
    let merged = merge::merge(&document, &text, &document, &addresses, merge::Prefer::Neither);
    assert!(merged.html == html && merged.conflicts.is_empty() && merged.changes.is_empty());
}
