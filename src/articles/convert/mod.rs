//! Articles as text: HTML to Markdown and back, and the merge of two edits.
//!
//! Blocks that the author did not edit come back byte for byte. This module works on texts in memory only: it
//! must never know the network, a folder or a manifest.

pub mod addresses;
pub mod blocks;
mod compare;
pub mod dialect;
#[cfg(feature = "cli")]
pub mod front_matter;
pub mod html;
mod insertions;
pub mod markdown;
pub mod merge;
pub mod normalize;
pub mod patch;
pub mod sequence;

/// Checks that reading a body and merging it without an edit yields the same bytes, whatever the body holds.
/// The fuzz target and the property tests both call this.
///
/// # Panics
/// When the body changes.
pub fn check_round_trip(html: &str) {
    let addresses = addresses::AddressMap::default();
    let document = blocks::Document::read(html, &addresses);
    let text = blocks::EditedDocument::read(&document.markdown(), &document, &addresses);
    let merged = merge::merge(&document, &text, &document, &addresses, merge::Prefer::Neither);
    assert!(merged.html == html && merged.conflicts.is_empty() && merged.changes.is_empty());
}
