//! Reads well-formed HTML into a tree that knows the place of every tag.
//!
//! Strict on purpose: an end tag that does not match, a missing one, a comment or extreme depth is refused,
//! because whoever reads it would have to guess what a browser makes of it.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{Kind, Scanner, is_void};

/// Elements inside each other; more is refused.
const DEPTH: usize = 48;

#[derive(Debug)]
pub enum Node<'a> {
    /// Character references still in it.
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
    /// The end tag; empty for elements that have none.
    pub close: Range<usize>,
    pub children: Vec<Node<'a>>,
}

impl Element<'_> {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_ref())
    }

    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|it| it.split_ascii_whitespace().any(|it| it == class))
    }
}

impl Node<'_> {
    pub fn range(&self) -> Range<usize> {
        match self {
            Node::Text(range) => range.clone(),
            Node::Element(element) => element.open.start..element.close.end,
        }
    }
}

/// The nodes of a source; `None` when it is not well-formed.
pub fn parse(source: &str) -> Option<Vec<Node<'_>>> {
    // Browsers rewrite these before they look at anything else.
    if source.bytes().any(|it| matches!(it, b'\r' | b'\0')) {
        return None;
    }
    let mut nodes: Vec<Node<'_>> = Vec::new();
    let mut open: Vec<(Element<'_>, Vec<Node<'_>>)> = Vec::new();
    for token in Scanner::new(source) {
        match token.kind {
            Kind::Text => nodes.push(Node::Text(token.range)),
            Kind::Comment => return None,
            Kind::Start { name, .. } => {
                let tag = &source[token.range.clone()];
                if !tag.ends_with('>') || open.len() >= DEPTH {
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
                match is_void(name) {
                    true => nodes.push(Node::Element(element)),
                    false => open.push((element, std::mem::take(&mut nodes))),
                }
            }
            Kind::End { name } => {
                let (mut element, before) = open.pop()?;
                let tag = &source[token.range.clone()];
                if !element.name.eq_ignore_ascii_case(name) || !tag.ends_with('>') {
                    return None;
                }
                element.close = token.range;
                element.children = std::mem::replace(&mut nodes, before);
                nodes.push(Node::Element(element));
            }
        }
    }
    open.is_empty().then_some(nodes)
}

fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|it| it.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

type Attributes<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The attributes of a tag between its name and its `>`; `None` when one stands twice.
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
            .find(|(at, it)| it.is_ascii_whitespace() || *it == '/' || *it == '=' && *at > 0)
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
    text.split_at(text.find(|it: char| it.is_ascii_whitespace()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_every_spelling() {
        let found = attributes(" a=1 B='x y' c=\"&amp;&lt;\" d href=/x?a=1&copy=2 /").unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_ref(), b.as_ref())).collect();
        assert_eq!(found, [("a", "1"), ("b", "x y"), ("c", "&<"), ("d", ""), ("href", "/x?a=1&copy=2")]);
        assert!(attributes(" a=1 A=2").is_none());
    }

    #[test]
    fn only_well_formed_is_read() {
        for source in ["<p>a", "<b><i></b></i>", "a</p>", "<!-- x -->", "<p>a\r</p>", "<p"] {
            assert!(parse(source).is_none(), "{source}");
        }
        assert_eq!(parse("<P>a<br>b</p> c").unwrap().len(), 2);
        assert!(parse(&"<i>".repeat(100_000)).is_none());
    }
}
