//! HTML without what the server makes anew each time it is asked: ids of headings and signatures of images.
//!
//! Such a difference is no change of anybody's.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::images::unsigned;

/// Equal for equal values, within one version of the program.
pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Equal for HTML that differs only in what the server makes anew.
pub fn fingerprint(html: &str) -> u64 {
    hash(&steady(html))
}

/// HTML without what the server makes anew each time.
pub fn steady(html: &str) -> Cow<'_, str> {
    if !html.contains(" id=\"h_") && !html.contains('?') {
        return html.into();
    }
    let mut steady = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find([' ', '?']) {
        let found = &rest[at..];
        let skipped = match found.strip_prefix(" id=\"h_") {
            Some(id) => id.find('"').map(|length| length + 8),
            None if found.starts_with('?') => {
                let end = found.find(['"', '\'', ' ', '<', '>']).unwrap_or(found.len());
                (unsigned(&found[..end]).is_empty()).then_some(end)
            }
            None => None,
        };
        steady.push_str(&rest[..at]);
        match skipped {
            Some(length) => rest = &found[length..],
            None => {
                steady.push_str(&found[..1]);
                rest = &found[1..];
            }
        }
    }
    steady.push_str(rest);
    steady.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_and_heading_ids_are_no_change() {
        let one = "<h2 id=\"h_ab12\">a</h2><img src=\"https://a/b?expires=1&amp;signature=2\">";
        let other = "<h2 id=\"h_ffff\">a</h2><img src=\"https://a/b?expires=7&amp;signature=8\">";
        assert_eq!(fingerprint(one), fingerprint(other));
        assert_ne!(fingerprint(one), fingerprint("<h2>b</h2>"));
        assert_ne!(fingerprint("<a href=\"/?a=1\">"), fingerprint("<a href=\"/?a=2\">"));
    }
}
