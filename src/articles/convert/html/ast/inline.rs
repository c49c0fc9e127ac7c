//! Converts inline content to syntax tree nodes: text, emphasis, links, images, line breaks.
//!
//! White space is collapsed as in a browser. Unknown HTML is rejected, never guessed.

use std::borrow::Cow;

use super::node::{AstBuilder, AstNode, NodeKind};
use crate::articles::convert::html::split::is_inline;
use crate::articles::convert::html::tree::{Element, HtmlNode};

impl<'a> AstBuilder<'a, '_> {
    /// The inline content of a block, without white space at its edges.
    pub(super) fn inline_root(&self, nodes: &[HtmlNode<'a>]) -> Option<Vec<AstNode<'a>>> {
        let mut inlines = self.inline(nodes, &mut true, false)?;
        trim_end(&mut inlines);
        Some(inlines)
    }

    /// `at_space` is whether white space at this point would be collapsed into what precedes it.
    fn inline(&self, nodes: &[HtmlNode<'a>], at_space: &mut bool, in_link: bool) -> Option<Vec<AstNode<'a>>> {
        let mut inlines: Vec<AstNode<'a>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let inline = match node {
                HtmlNode::Text(range) => {
                    let text = htmlize::unescape(&self.source[range.clone()]);
                    self.leaf(NodeKind::Text(collapse(text, at_space)), range.clone())
                }
                HtmlNode::Element(element) => {
                    let inline = self.inline_element(element, at_space, in_link)?;
                    if inline.kind == NodeKind::Break {
                        trim_end(&mut inlines);
                        *at_space = true;
                    } else if matches!(inline.kind, NodeKind::Image { .. }) {
                        *at_space = false;
                    }
                    inline
                }
            };
            inlines.push(inline);
        }
        Some(inlines)
    }

    fn inline_element(
        &self,
        element: &Element<'a>,
        at_space: &mut bool,
        in_link: bool,
    ) -> Option<AstNode<'a>> {
        let text = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        let link = || self.addresses.display_link(element.attribute("href").unwrap_or_default()).into_owned();
        let size = |name: &str| {
            let is_size = |size: &&str| {
                !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit() || byte == b'%')
            };
            element.attribute(name).filter(is_size).unwrap_or_default().to_owned()
        };
        let kind = match element.name.as_ref() {
            "b" | "strong" => NodeKind::Strong,
            "i" | "em" => NodeKind::Emphasis,
            "s" | "del" | "strike" => NodeKind::Strike,
            "code" => NodeKind::InlineCode,
            "br" => NodeKind::Break,
            "img" => NodeKind::Image {
                src: self.addresses.display_image(element.attribute("src")?).into_owned(),
                alt: text("alt"),
                title: text("title"),
                width: size("width"),
                height: size("height"),
            },
            "a" if in_link => return None,
            "a" if element.has_class("intercom-h2b-button") => NodeKind::Button { href: link() },
            "a" if element.attribute("href").is_some() => {
                NodeKind::Link { href: link(), title: text("title") }
            }
            name if is_inline(name) => {
                let open = &self.source[element.open.clone()];
                (!open.contains('\n')).then(|| NodeKind::Html(open.to_owned()))?
            }
            _ => return None,
        };
        let in_link = in_link || element.name == "a";
        let children = self.inline(&element.children, at_space, in_link)?;
        let is_plain = children.iter().all(|child| matches!(child.kind, NodeKind::Text(_)));
        if kind == NodeKind::InlineCode && !is_plain {
            return None;
        }
        Some(self.ast_node(kind, element, children))
    }
}

/// Collapses white space as a browser does.
fn collapse<'a>(text: Cow<'a, str>, at_space: &mut bool) -> Cow<'a, str> {
    let mut space = *at_space;
    let is_collapsed = text.bytes().all(|byte| {
        let valid = !byte.is_ascii_whitespace() || byte == b' ' && !space;
        space = byte == b' ';
        valid
    });
    if is_collapsed {
        *at_space = space && !text.is_empty() || text.is_empty() && *at_space;
        return text;
    }
    let mut collapsed = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_space = letter.is_ascii_whitespace();
        if !is_space {
            collapsed.push(letter);
        } else if !*at_space {
            collapsed.push(' ');
        }
        *at_space = is_space;
    }
    Cow::Owned(collapsed)
}

/// Removes white space that a browser would not show at the end of a line.
fn trim_end(inlines: &mut [AstNode<'_>]) {
    for inline in inlines.iter_mut().rev() {
        match &mut inline.kind {
            NodeKind::Text(text) => {
                match text {
                    Cow::Borrowed(text) => *text = text.trim_ascii_end(),
                    Cow::Owned(text) => text.truncate(text.trim_ascii_end().len()),
                }
                if !text.is_empty() {
                    return;
                }
            }
            NodeKind::Image { .. } | NodeKind::Break => return,
            _ => {
                trim_end(&mut inline.children);
                if inline.meaningful_children().next().is_some() {
                    return;
                }
            }
        }
    }
}
