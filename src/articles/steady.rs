//! HTML without what the server makes anew each time it is read or written: ids of headings, signatures of
//! image addresses. Two texts that are steadily equal are no change to anybody.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::images::unsigned;

/// Equal for HTML that differs in nothing but what the server makes anew.
pub fn fingerprint(html: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    steady(html).hash(&mut hasher);
    hasher.finish()
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
