//! Strips heading ids and image signatures, which the server regenerates on every read.
//!
//! They must never count as edits.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::address_map::strip_signature;

/// Equal for equal values, within one version of the program.
pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Equal for HTML that differs only in heading ids and image signatures.
pub fn fingerprint(html: &str) -> u64 {
    hash(&strip_volatile(html))
}

/// HTML without heading ids and image signatures.
pub fn strip_volatile(html: &str) -> Cow<'_, str> {
    if !html.contains(" id=\"h_") && !html.contains('?') {
        return html.into();
    }
    let mut stripped = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find([' ', '?']) {
        let tail = &rest[at..];
        let skipped = match tail.strip_prefix(" id=\"h_") {
            Some(id) => id.find('"').map(|length| length + 8),
            None if tail.starts_with('?') => {
                let end = tail.find(['"', '\'', ' ', '<', '>']).unwrap_or(tail.len());
                (strip_signature(&tail[..end]).is_empty()).then_some(end)
            }
            None => None,
        };
        stripped.push_str(&rest[..at]);
        match skipped {
            Some(length) => rest = &tail[length..],
            None => {
                stripped.push_str(&tail[..1]);
                rest = &tail[1..];
            }
        }
    }
    stripped.push_str(rest);
    stripped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_and_heading_ids_do_not_count_as_edits() {
        let one = "<h2 id=\"h_ab12\">a</h2><img src=\"https://a/b?expires=1&amp;signature=2\">";
        let other = "<h2 id=\"h_ffff\">a</h2><img src=\"https://a/b?expires=7&amp;signature=8\">";
        assert_eq!(fingerprint(one), fingerprint(other));
        assert_ne!(fingerprint(one), fingerprint("<h2>b</h2>"));
        assert_ne!(fingerprint("<a href=\"/?a=1\">"), fingerprint("<a href=\"/?a=2\">"));
    }
}
