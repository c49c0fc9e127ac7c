//! Normal forms in which texts are compared.
//!
//! Files use line feeds only, and the server mixes several line endings. It also regenerates heading ids and
//! image signatures on every read. None of that may ever count as an edit, and text that comes back from a
//! file unchanged must never change a byte on the server.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Text with line feeds only, and without NUL, as files and Markdown parsers expect it.
pub fn normalize_line_endings(text: &str) -> String {
    if !text.bytes().any(|byte| matches!(byte, b'\r' | b'\0')) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

/// `edited`, with the original bytes of `source` before and after the edit, so that line endings survive.
pub fn splice(source: &str, edited: &str) -> String {
    if normalize_line_endings(source) == source {
        return edited.to_owned();
    }
    let letters: Vec<(usize, char)> = source
        .char_indices()
        .filter(|(at, letter)| *letter != '\n' || !source[..*at].ends_with('\r'))
        .map(|(at, letter)| match letter {
            '\r' => (at, '\n'),
            '\0' => (at, '\u{fffd}'),
            letter => (at, letter),
        })
        .collect();
    let same = |(old, new): &(char, char)| old == new;
    let forwards = letters.iter().map(|letter| letter.1).zip(edited.chars());
    let before: usize = forwards.take_while(same).map(|pair| pair.1.len_utf8()).sum();
    let kept = edited[..before].chars().count();
    let backwards = letters[kept..].iter().rev().map(|letter| letter.1).zip(edited[before..].chars().rev());
    let after: Vec<char> = backwards.take_while(same).map(|pair| pair.1).collect();
    let offset = |index: usize| letters.get(index).map_or(source.len(), |letter| letter.0);
    let end = edited.len() - after.iter().map(|letter| letter.len_utf8()).sum::<usize>();
    let (head, tail) = (&source[..offset(kept)], &source[offset(letters.len() - after.len())..]);
    [head, &edited[before..end], tail].concat()
}

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

/// An address without its signature query.
pub fn strip_signature(src: &str) -> &str {
    let Some((address, query)) = src.split_once('?') else { return src };
    let is_signature = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default().trim_start_matches("amp;").to_ascii_lowercase();
        matches!(name.as_str(), "expires" | "signature" | "sig" | "x-amz-signature" | "key-pair-id")
    };
    if query.split('&').any(is_signature) { address } else { src }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_keeps_the_line_endings_around_it() {
        for (source, from, to, expected) in [
            ("a\r\nb\rc\nd", "b", "x", "a\r\nx\rc\nd"),
            ("a\r\nb", "", "x\n", "x\na\r\nb"),
            ("a\r\r\nb\r", "\nb", "\nb!", "a\r\r\nb!\r"),
            ("a\r\na\r\na", "a\na\na", "a\na", "a\r\na"),
            ("a\r\n", "a\n", "", ""),
        ] {
            let edited = normalize_line_endings(source).replacen(from, to, 1);
            let result = splice(source, &edited);
            assert_eq!(normalize_line_endings(&result), edited, "{source:?}");
            assert_eq!(result, expected);
        }
    }

    #[test]
    fn signatures_and_heading_ids_do_not_count_as_edits() {
        let one = "<h2 id=\"h_ab12\">a</h2><img src=\"https://a/b?expires=1&amp;signature=2\">";
        let other = "<h2 id=\"h_ffff\">a</h2><img src=\"https://a/b?expires=7&amp;signature=8\">";
        assert_eq!(fingerprint(one), fingerprint(other));
        assert_ne!(fingerprint(one), fingerprint("<h2>b</h2>"));
        assert_ne!(fingerprint("<a href=\"/?a=1\">"), fingerprint("<a href=\"/?a=2\">"));
    }
}
