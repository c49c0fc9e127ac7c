//! Maps addresses between the server's HTML and the author's Markdown.
//!
//! A link to an article is displayed as the path of its file. The server signs image addresses differently in
//! every response, which would make every pull a change. Signatures are therefore stripped before addresses
//! are displayed or compared, and taken from the stored HTML when something is sent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::links::{LinkIndex, rewrite_links};

/// The images and articles that one file can refer to.
#[derive(Debug, Clone, Default)]
pub struct AddressMap {
    /// Path of the file.
    pub path: String,
    pub links: Arc<LinkIndex>,
    /// Addresses to send, by the links as they are written in the file.
    pub outgoing: HashMap<String, String>,
    /// Paths of downloaded images, by address without signature.
    pub image_paths: HashMap<String, String>,
}

impl AddressMap {
    /// The form in which an author sees the address of an image.
    pub fn display_image<'a>(&self, src: &'a str) -> Cow<'a, str> {
        let plain = strip_signature(src);
        match self.image_paths.get(plain) {
            Some(path) => Cow::Owned(path.clone()),
            None => Cow::Borrowed(plain),
        }
    }

    /// The form in which an author sees the address of a link.
    pub fn display_link<'a>(&self, href: &'a str) -> Cow<'a, str> {
        self.links.display(&self.path, href)
    }

    /// HTML with the link addresses that an author sees.
    pub fn display_html<'a>(&self, html: &'a str) -> Cow<'a, str> {
        rewrite_links(html, |href| match self.display_link(href) {
            Cow::Borrowed(_) => None,
            Cow::Owned(displayed) => Some(displayed),
        })
    }

    /// An author's HTML with the addresses to send. Links that are also in `old`, the HTML that it replaces,
    /// keep their address.
    pub fn outgoing_html<'a>(&self, html: &'a str, old: &str) -> Cow<'a, str> {
        if self.outgoing.is_empty() {
            return html.into();
        }
        let kept = addresses_by_display(old, |href| self.display_link(href).into_owned());
        rewrite_links(html, |href| {
            kept.get(self.display_link(href).as_ref()).or_else(|| self.outgoing.get(href)).cloned()
        })
    }
}

/// The link addresses in HTML, by the form in which each is displayed.
fn addresses_by_display(html: &str, display: impl Fn(&str) -> String) -> HashMap<String, String> {
    let mut found = HashMap::new();
    super::html::scan::links(html).for_each(|(_, href)| {
        found.entry(display(&href)).or_insert_with(|| href.into_owned());
    });
    found
}

/// An address without its signature query.
pub fn strip_signature(src: &str) -> &str {
    let Some((address, query)) = src.split_once('?') else { return src };
    let is_signature = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default().trim_start_matches("amp;").to_ascii_lowercase();
        matches!(name.as_str(), "expires" | "signature" | "sig" | "x-amz-signature" | "key-pair-id")
    };
    if query.split('&').any(is_signature) { address } else { src }
}
