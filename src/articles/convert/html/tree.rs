//! Parses well-formed HTML into a tree with the source range of every tag.
//!
//! Mismatched or missing end tags, comments and extreme depth are rejected, because the result must never
//! depend on a guess of how browsers repair them.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{Scanner, TokenKind, is_void};

/// Maximum nesting of elements.
const MAX_DEPTH: usize = 48;

#[derive(Debug)]
pub enum HtmlNode<'a> {
    /// Text, with character references not yet decoded.
    Text(Range<usize>),
    Element(Element<'a>),
}

#[derive(Debug)]
pub struct Element<'a> {
    /// In lower case.
    pub name: Cow<'a, str>,
    /// Names in lower case, values decoded.
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub open: Range<usize>,
    /// The end tag; empty for void elements.
    pub close: Range<usize>,
    pub children: Vec<HtmlNode<'a>>,
}

impl Element<'_> {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_ref())
    }

    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .is_some_and(|classes| classes.split_ascii_whitespace().any(|name| name == class))
    }
}

impl HtmlNode<'_> {
    pub fn range(&self) -> Range<usize> {
        match self {
            HtmlNode::Text(range) => range.clone(),
            HtmlNode::Element(element) => element.open.start..element.close.end,
        }
    }
}

/// The nodes of a source; `None` if it is not well-formed.
pub fn parse(source: &str) -> Option<Vec<HtmlNode<'_>>> {
    // Browsers replace these characters before parsing.
    if source.bytes().any(|byte| matches!(byte, b'\r' | b'\0')) {
        return None;
    }
    let mut nodes: Vec<HtmlNode<'_>> = Vec::new();
    let mut open: Vec<(Element<'_>, Vec<HtmlNode<'_>>)> = Vec::new();
    for token in Scanner::new(source) {
        match token.kind {
            TokenKind::Text => nodes.push(HtmlNode::Text(token.range)),
            TokenKind::Comment => return None,
            TokenKind::Start { name, .. } => {
                let tag = &source[token.range.clone()];
                if !tag.ends_with('>') || open.len() >= MAX_DEPTH {
                    return None;
                }
                let (open_range, end) = (token.range.clone(), token.range.end);
                let element = Element {
                    name: lower(name),
                    attributes: attributes(&tag[1 + name.len()..tag.len() - 1])?,
                    open: open_range,
                    close: end..end,
                    children: Vec::new(),
                };
                if is_void(name) {
                    nodes.push(HtmlNode::Element(element));
                } else {
                    open.push((element, std::mem::take(&mut nodes)));
                }
            }
            TokenKind::End { name } => {
                let (mut element, before) = open.pop()?;
                let tag = &source[token.range.clone()];
                if !element.name.eq_ignore_ascii_case(name) || !tag.ends_with('>') {
                    return None;
                }
                element.close = token.range;
                element.children = std::mem::replace(&mut nodes, before);
                nodes.push(HtmlNode::Element(element));
            }
        }
    }
    open.is_empty().then_some(nodes)
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    Cow::Borrowed(name)
}

type Attributes<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The attributes of a tag, from the text between its name and its `>`; `None` if a name is repeated.
fn attributes(text: &str) -> Option<Attributes<'_>> {
    let mut found: Attributes<'_> = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('/') {
            rest = after.trim_ascii_start();
            continue;
        }
        let length = rest
            .char_indices()
            .find(|(at, letter)| letter.is_ascii_whitespace() || *letter == '/' || *letter == '=' && *at > 0)
            .map_or(rest.len(), |(at, _)| at);
        let (name, after) = rest.split_at(length);
        let after = after.trim_ascii_start();
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after.trim_ascii_start()),
            None => ("", after),
        };
        let name = lower(name);
        if found.iter().any(|(other, _)| *other == name) {
            return None;
        }
        found.push((name, htmlize::unescape_attribute(value)));
        rest = after.trim_ascii_start();
    }
    Some(found)
}

fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_with_and_without_quotes_are_read() {
        let found = attributes(" a=1 B='x y' c=\"&amp;&lt;\" d href=/x?a=1&copy=2 /").unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_ref(), b.as_ref())).collect();
        assert_eq!(found, [("a", "1"), ("b", "x y"), ("c", "&<"), ("d", ""), ("href", "/x?a=1&copy=2")]);
        assert!(attributes(" a=1 A=2").is_none());
    }

    #[test]
    fn malformed_html_is_rejected() {
        for source in ["<p>a", "<b><i></b></i>", "a</p>", "<!-- x -->", "<p>a\r</p>", "<p"] {
            assert!(parse(source).is_none(), "{source}");
        }
        assert_eq!(parse("<P>a<br>b</p> c").unwrap().len(), 2);
        assert!(parse(&"<i>".repeat(100_000)).is_none());
    }
}
