//! HTML tokenizer: tags and texts with their positions in the source.
//!
//! Follows the tokenizer of the HTML standard where it matters for messages and articles: quoted attribute
//! values, comments, raw text elements. Every byte of the input belongs to exactly one token, in order, and
//! the time must be linear in the length of the input.

use std::borrow::Cow;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtmlToken<'a> {
    pub kind: TokenKind<'a>,
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind<'a> {
    Text,
    /// The name as written.
    Start {
        name: &'a str,
        self_closing: bool,
    },
    End {
        name: &'a str,
    },
    /// A comment, a doctype, or anything else that browsers treat as a comment.
    Comment,
}

/// Elements whose content is text up to their end tag.
const RAW_TEXT: &[&str] = &[
    "script",
    "style",
    "textarea",
    "title",
    "iframe",
    "noembed",
    "noframes",
    "xmp",
    "noscript",
    "plaintext",
];

/// Elements without content.
pub fn is_void(name: &str) -> bool {
    const VOID: &[&str] = &[
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
        "track", "wbr",
    ];
    VOID.iter().any(|known| known.eq_ignore_ascii_case(name))
}

pub fn is_raw_text(name: &str) -> bool {
    RAW_TEXT.iter().any(|known| known.eq_ignore_ascii_case(name))
}

pub struct Scanner<'a> {
    source: &'a str,
    at: usize,
    /// The raw text element whose content comes next.
    raw_text: Option<&'a str>,
}

impl<'a> Scanner<'a> {
    pub fn new(source: &'a str) -> Self {
        Scanner { source, at: 0, raw_text: None }
    }

    fn token(&mut self, kind: TokenKind<'a>, end: usize) -> Option<HtmlToken<'a>> {
        let range = self.at..end;
        self.at = end;
        Some(HtmlToken { kind, range })
    }

    /// The end of the text that starts here: the start of the next tag or comment.
    fn text_end(&self) -> usize {
        let bytes = self.source.as_bytes();
        let mut at = self.at;
        while let Some(found) = self.source[at..].find('<') {
            let open = at + found;
            match bytes.get(open + 1) {
                Some(b'!' | b'?') => return open,
                Some(b'/') if bytes.get(open + 2).is_some() => return open,
                Some(letter) if letter.is_ascii_alphabetic() => return open,
                _ => at = open + 1,
            }
        }
        self.source.len()
    }

    fn raw_text_end(&self, name: &str) -> usize {
        let bytes = self.source.as_bytes();
        let mut at = self.at;
        while let Some(found) = self.source[at..].find("</") {
            let open = at + found;
            let end = open + 2 + name.len();
            let same_name =
                bytes.get(open + 2..end).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
            let name_ends =
                bytes.get(end).is_none_or(|byte| matches!(byte, b'>' | b'/') || byte.is_ascii_whitespace());
            if same_name && name_ends {
                return open;
            }
            at = open + 2;
        }
        self.source.len()
    }

    /// The end of the tag that starts here: after the first `>` outside quotes, or the end of the source.
    fn tag_end(&self) -> usize {
        let bytes = self.source.as_bytes();
        let (mut at, mut after_equals) = (self.at + 1, false);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'>' => return at + 1,
                b'"' | b'\'' if after_equals => match self.source[at + 1..].find(char::from(*byte)) {
                    Some(length) => {
                        at += length + 1;
                        after_equals = false;
                    }
                    None => return bytes.len(),
                },
                b'=' => after_equals = true,
                byte if byte.is_ascii_whitespace() => {}
                _ => after_equals = false,
            }
            at += 1;
        }
        bytes.len()
    }

    fn comment_end(&self) -> usize {
        let rest = &self.source[self.at..];
        let length = match rest.strip_prefix("<!--") {
            Some(inner) if inner.starts_with('>') => Some(5),
            Some(inner) if inner.starts_with("->") => Some(6),
            Some(inner) => [inner.find("-->").map(|at| at + 7), inner.find("--!>").map(|at| at + 8)]
                .into_iter()
                .flatten()
                .min(),
            None => rest.find('>').map(|at| at + 1),
        };
        length.map_or(self.source.len(), |length| self.at + length)
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = HtmlToken<'a>;

    fn next(&mut self) -> Option<HtmlToken<'a>> {
        if self.at >= self.source.len() {
            return None;
        }
        if let Some(name) = self.raw_text.take() {
            let end = self.raw_text_end(name);
            if end > self.at {
                return self.token(TokenKind::Text, end);
            }
        }
        let end = self.text_end();
        if end > self.at {
            return self.token(TokenKind::Text, end);
        }
        let rest = &self.source[self.at + 1..];
        if rest.starts_with(['!', '?']) || rest.starts_with('/') && !rest[1..].starts_with(is_letter) {
            let end = self.comment_end();
            return self.token(TokenKind::Comment, end);
        }
        let end = self.tag_end();
        let tag = &self.source[self.at..end];
        let closing = tag.starts_with("</");
        let inner = &tag[if closing { 2 } else { 1 }..];
        let length = inner.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '/' | '>'));
        let name = &inner[..length.unwrap_or(inner.len())];
        if closing {
            return self.token(TokenKind::End { name }, end);
        }
        if is_raw_text(name) {
            self.raw_text = Some(name);
        }
        let self_closing = tag.ends_with("/>");
        self.token(TokenKind::Start { name, self_closing }, end)
    }
}

/// The decoded link targets of a piece of HTML, each with the position of its tag.
pub fn links(html: &str) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    values(html, "a", "href")
}

/// The decoded values of one attribute of all elements with this name, each with the position of its tag.
pub fn values<'a>(
    html: &'a str,
    element: &'static str,
    attribute: &'static str,
) -> impl Iterator<Item = (usize, Cow<'a, str>)> {
    Scanner::new(html).filter_map(move |token| match token.kind {
        TokenKind::Start { name, .. } if name.eq_ignore_ascii_case(element) => {
            let tag = &html[token.range.clone()];
            let value = attribute_value(tag, attribute)?;
            Some((token.range.start, htmlize::unescape_attribute(&tag[value])))
        }
        _ => None,
    })
}

/// The position of an attribute value in a start tag, without quotes.
pub fn attribute_value(tag: &str, name: &str) -> Option<Range<usize>> {
    let bytes = tag.as_bytes();
    let end = tag.strip_suffix('>').unwrap_or(tag).len();
    let is_space = |at: usize| bytes[at].is_ascii_whitespace();
    let mut at = tag.find(|letter: char| letter.is_ascii_whitespace() || letter == '/')?;
    while at < end {
        if is_space(at) || bytes[at] == b'/' {
            at += 1;
            continue;
        }
        let start = at;
        while at < end && !is_space(at) && bytes[at] != b'/' && (bytes[at] != b'=' || at == start) {
            at += 1;
        }
        let is_wanted = tag[start..at].eq_ignore_ascii_case(name);
        let mut value = at;
        while value < end && is_space(value) {
            value += 1;
        }
        if value >= end || bytes[value] != b'=' {
            continue;
        }
        value += 1;
        while value < end && is_space(value) {
            value += 1;
        }
        let quote = bytes.get(value).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let (from, to) = match quote {
            Some(quote) => {
                let length = tag[value + 1..end].find(char::from(quote));
                (value + 1, length.map_or(end, |length| value + 1 + length))
            }
            None => {
                let length = tag[value..end].find(|letter: char| letter.is_ascii_whitespace());
                (value, length.map_or(end, |length| value + length))
            }
        };
        if is_wanted {
            return Some(from..to);
        }
        at = if quote.is_some() { (to + 1).min(end) } else { to };
    }
    None
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(source: &str) -> Vec<&str> {
        Scanner::new(source).map(|token| &source[token.range]).collect()
    }

    #[test]
    fn attribute_values_are_found() {
        for (tag, value) in [
            ("<a href=\"x y\" b>", Some("x y")),
            ("<a data-href='n' HREF = 'x' >", Some("x")),
            ("<a title=\"href=n\" href=x/y?z=1>", Some("x/y?z=1")),
            ("<a b href>", None),
            ("<a/href=x>", Some("x")),
            ("<a href=\"\">", Some("")),
            ("<a href=\"x", Some("x")),
            ("<a>", None),
            ("<a =href=x>", None),
        ] {
            assert_eq!(attribute_value(tag, "href").map(|range| &tag[range]), value, "{tag}");
        }
    }

    #[test]
    fn every_byte_belongs_to_one_token() {
        for source in [
            "<p class='a>b'>x < y</p><!-- <p> --><br/>",
            "<",
            "<a",
            "</",
            "<!--",
            "<!-->x",
            "a<b c=\"d",
            "</>x",
            "<script>if (a</b) {}</script>t",
            "<iframe src=x><p></iframe>",
            "<textarea>",
            "<p =\"> x\">",
        ] {
            assert_eq!(pieces(source).concat(), source);
        }
        assert_eq!(pieces("<p class='a>b'>x < y</p>"), ["<p class='a>b'>", "x < y", "</p>"]);
        assert_eq!(pieces("<script>a</b></script >t"), ["<script>", "a</b>", "</script >", "t"]);
    }
}
