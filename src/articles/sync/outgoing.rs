//! A file's text as it is sent: with the addresses of its links instead of paths.
//!
//! A path becomes the address of its article, and the name of a heading becomes the heading's id. Links
//! without an address are left out here; the gate must have blocked the article before.

use std::collections::HashMap;

use super::folder::Folder;
use super::manifest::{self, Manifest};
use super::working_copy::LocalFile;
use crate::articles::convert::addresses::{AddressMap, LinkTarget};
use crate::articles::convert::blocks::{Document, EditedDocument};
use crate::articles::convert::html::scan::{Scanner, TokenKind, attribute_value, links};
use crate::articles::convert::merge::{Prefer, merge};

/// A file's text beside the HTML that it was made from, or is compared with.
#[derive(Debug)]
pub struct OutgoingText {
    pub base: Document,
    pub text: EditedDocument,
    pub addresses: AddressMap,
}

impl OutgoingText {
    /// `id` is the article of the file, if it has one.
    pub fn read(
        folder: &Folder,
        manifest: &Manifest,
        id: Option<&str>,
        locale: &str,
        local: &LocalFile,
        html: &str,
    ) -> Self {
        let mut addresses = manifest.address_map(&local.path);
        let base = Document::read(html, &addresses);
        let text = EditedDocument::read(&local.body, &base, &addresses);
        let anchor = |id: &str, locale: &str, fragment: String| {
            find_anchor(folder, id, locale, &fragment).unwrap_or(fragment)
        };
        for block in &text.blocks {
            for (_, href) in links(&text.render(block)) {
                let same_page = |fragment: String| match id {
                    Some(id) => format!("#{}", anchor(id, locale, fragment)),
                    None => format!("#{fragment}"),
                };
                let address = match manifest.links.target(&local.path, &href) {
                    LinkTarget::SamePage { fragment } => Some(same_page(fragment)),
                    LinkTarget::Path { path, fragment } if path.as_ref() == Some(&local.path) => {
                        Some(same_page(fragment))
                    }
                    LinkTarget::Article { id, locale, fragment } => {
                        manifest.links.address(&id, &locale).map(|address| match fragment.as_str() {
                            "" => address,
                            _ => format!("{address}#{}", anchor(&id, &locale, fragment)),
                        })
                    }
                    _ => None,
                };
                if let Some(address) = address.filter(|address| *address != href) {
                    addresses.outgoing.insert(href.into_owned(), address);
                }
            }
        }
        OutgoingText { base, text, addresses }
    }

    /// Whether the text means the same as the HTML, however it is formatted.
    pub fn is_equivalent(&self) -> bool {
        is_equivalent(&self.text, &self.base, &self.addresses)
    }
}

/// Whether an author's text means the same as the server's, however it is formatted.
pub fn is_equivalent(text: &EditedDocument, document: &Document, addresses: &AddressMap) -> bool {
    merge(document, text, document, addresses, Prefer::Neither).html == document.html
}

/// The id of a heading for a `#fragment`, which is either that id or the name of the heading.
pub fn find_anchor(folder: &Folder, id: &str, locale: &str, fragment: &str) -> Option<String> {
    let html = manifest::read_html(folder, id, locale).ok()?;
    let decoded = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned();
    let mut named = None;
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut open: Option<(String, String)> = None;
    for token in Scanner::new(&html) {
        let source = &html[token.range.clone()];
        match token.kind {
            TokenKind::Start { name, .. } => {
                let element_id = attribute_value(source, "id").map(|value| source[value].to_owned());
                if element_id.as_deref() == Some(fragment) {
                    return element_id;
                }
                if is_heading(name) {
                    open = Some((element_id.unwrap_or_default(), String::new()));
                }
            }
            TokenKind::End { name } if is_heading(name) => {
                let Some((element_id, text)) = open.take() else { continue };
                let name = heading_name(&text);
                let count = counts.entry(name.clone()).or_default();
                let name = if *count == 0 { name } else { format!("{name}-{count}") };
                *count += 1;
                if name == decoded.to_lowercase() && !element_id.is_empty() && named.is_none() {
                    named = Some(element_id);
                }
            }
            TokenKind::Text => {
                if let Some((_, text)) = &mut open {
                    text.push_str(&htmlize::unescape(source));
                }
            }
            _ => {}
        }
    }
    named
}

/// The name that Markdown tools derive from a heading: its words in lower case, joined by hyphens.
pub fn heading_name(text: &str) -> String {
    let mut name = String::new();
    for letter in text.trim().to_lowercase().chars() {
        match letter {
            letter if letter.is_alphanumeric() || matches!(letter, '-' | '_') => name.push(letter),
            letter if letter.is_whitespace() => name.push('-'),
            _ => {}
        }
    }
    name
}

fn is_heading(name: &str) -> bool {
    matches!(name.as_bytes(), [b'h' | b'H', b'1'..=b'6'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_by_id_and_by_name() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let html = "<h2 id=\"h_1\">Set <b>it</b> up &amp; go!</h2><h3 id=\"h_2\">More</h3><h3 id=\"h_3\">More</h3><p id=\"x\">a</p><h2>None</h2>";
        manifest::save_html(&folder, "1", "en", html).unwrap();
        for (fragment, id) in [
            ("h_1", Some("h_1")),
            ("x", Some("x")),
            ("set-it-up--go", Some("h_1")),
            ("Set-it-up--go", Some("h_1")),
            ("more", Some("h_2")),
            ("more-1", Some("h_3")),
            ("none", None),
            ("other", None),
        ] {
            assert_eq!(find_anchor(&folder, "1", "en", fragment).as_deref(), id, "{fragment}");
        }
    }
}
