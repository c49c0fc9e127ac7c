//! How the address of an image is shown in Markdown.
//!
//! The server signs addresses anew with every answer; the signature says nothing to an author and would
//! make every pull a change. So it is left out of what is shown and compared, and taken from the HTML
//! again when something is sent.

use std::borrow::Cow;
use std::collections::HashMap;

/// Which images stand in the folder, and under which address the server knows them.
#[derive(Debug, Clone, Default)]
pub struct Images {
    /// Path in the folder by address without signature.
    pub local: HashMap<String, String>,
}

impl Images {
    /// What an author sees instead of this address.
    pub fn shown<'a>(&self, src: &'a str) -> Cow<'a, str> {
        let plain = unsigned(src);
        match self.local.get(plain) {
            Some(path) => Cow::Owned(path.clone()),
            None => Cow::Borrowed(plain),
        }
    }
}

/// An address without the query that signs it.
pub fn unsigned(src: &str) -> &str {
    let Some((address, query)) = src.split_once('?') else { return src };
    let signs = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default().trim_start_matches("amp;").to_ascii_lowercase();
        matches!(name.as_str(), "expires" | "signature" | "sig" | "x-amz-signature" | "key-pair-id")
    };
    if query.split('&').any(signs) { address } else { src }
}
