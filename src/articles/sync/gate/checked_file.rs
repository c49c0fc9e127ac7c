//! A file under check, beside the text that the help center already has.
//!
//! A check must report the line in the file, not the position in a block.

use std::collections::HashSet;

use crate::articles::convert::addresses::AddressMap;
use crate::articles::convert::blocks::{Document, EditedBlock, EditedDocument};
use crate::articles::sync::manifest::Manifest;
use crate::articles::sync::working_copy::LocalFile;

/// A file to check, and its base in the help center.
pub struct CheckedFile<'a> {
    pub id: Option<&'a str>,
    pub locale: &'a str,
    pub local: &'a LocalFile,
    pub addresses: AddressMap,
    pub base: Document,
    pub text: EditedDocument,
    /// Whether the HTML that the file was made from is available.
    pub has_base: bool,
}

impl<'a> CheckedFile<'a> {
    /// `html` is the HTML that the file was made from.
    pub fn read(
        manifest: &Manifest,
        id: Option<&'a str>,
        locale: &'a str,
        local: &'a LocalFile,
        html: Option<&str>,
    ) -> Self {
        let addresses = manifest.address_map(&local.path);
        let base = Document::read(html.unwrap_or_default(), &addresses);
        let text = EditedDocument::read(&local.body, &base, &addresses);
        CheckedFile { id, locale, local, addresses, base, text, has_base: html.is_some() }
    }

    /// Blocks that the help center does not have with the same meaning.
    pub fn edited_blocks(&self) -> impl Iterator<Item = &EditedBlock> {
        let known: HashSet<u64> = self.base.blocks.iter().map(|block| block.meaning).collect();
        self.text.blocks.iter().filter(move |block| !known.contains(&block.meaning))
    }

    /// The line number in the file of an offset in the text.
    pub fn line(&self, at: usize) -> usize {
        let before = self.local.body.get(..at).unwrap_or_default();
        self.local.first + before.bytes().filter(|byte| *byte == b'\n').count()
    }

    /// The line number of an address in a block.
    pub fn line_of_address(&self, block: &EditedBlock, address: &str) -> usize {
        self.line(block.at + block.markdown.find(address).filter(|_| !address.is_empty()).unwrap_or(0))
    }
}
