//! The nodes of the syntax tree, cut from the source of a block.
//!
//! The sources of a node and its children must add up to the source of the block, byte for byte.

use std::borrow::Cow;
use std::ops::Range;

use super::callout::Callout;
use crate::articles::convert::addresses::AddressMap;
use crate::articles::convert::html::tree::Element;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NodeKind<'a> {
    Paragraph,
    Heading(u8),
    /// The number of the first item of a numbered list; `None` for a bulleted one.
    List(Option<u64>),
    Item,
    Quote,
    Callout(Callout),
    Code(String),
    /// The text of a code block, without its last line feed.
    Verbatim(Cow<'a, str>),
    Rule,
    Table,
    Row,
    Cell,
    Details,
    Summary,
    Video(String),
    /// Text with collapsed white space.
    Text(Cow<'a, str>),
    Strong,
    Emphasis,
    Strike,
    InlineCode,
    Link {
        href: String,
        title: String,
    },
    Button {
        href: String,
    },
    Image {
        src: String,
        alt: String,
        title: String,
        width: String,
        height: String,
    },
    Break,
    /// Opening tag of an inline element that is written as HTML in Markdown.
    Html(String),
}

#[derive(Debug, Clone)]
pub struct AstNode<'a> {
    pub kind: NodeKind<'a>,
    /// Source between the previous sibling and this node.
    pub before: &'a str,
    /// Source up to the first child; the whole source of a node without children.
    pub open: &'a str,
    /// Source after the last child.
    pub close: &'a str,
    pub children: Vec<AstNode<'a>>,
    /// Hash of the meaning.
    pub hash: u64,
}

impl AstNode<'_> {
    pub fn is_blank_text(&self) -> bool {
        matches!(&self.kind, NodeKind::Text(text) if text.is_empty())
    }

    /// The children without blank text.
    pub fn meaningful_children(&self) -> impl DoubleEndedIterator<Item = &Self> {
        self.children.iter().filter(|child| !child.is_blank_text())
    }

    /// Appends the source of the node, without the source before it.
    pub fn write_source(&self, out: &mut String) {
        out.push_str(self.open);
        for child in &self.children {
            out.push_str(child.before);
            child.write_source(out);
        }
        out.push_str(self.close);
    }
}

/// Converts the parsed HTML of one source.
pub(super) struct AstBuilder<'a, 'i> {
    pub source: &'a str,
    pub addresses: &'i AddressMap,
}

impl<'a> AstBuilder<'a, '_> {
    pub(super) fn ast_node(
        &self,
        kind: NodeKind<'a>,
        element: &Element<'_>,
        mut children: Vec<AstNode<'a>>,
    ) -> AstNode<'a> {
        let (start, end) = (element.open.start, element.close.end);
        let offset = |text: &str| text.as_ptr() as usize - self.source.as_ptr() as usize;
        let (open, close) = match (children.first(), children.last()) {
            (Some(first), Some(last)) => (
                &self.source[start..offset(first.open)],
                &self.source[offset(last.close) + last.close.len()..end],
            ),
            _ => (&self.source[start..end], &self.source[end..end]),
        };
        if let Some(first) = children.first_mut() {
            first.before = "";
        }
        AstNode { kind, before: "", open, close, children, hash: 0 }
    }

    /// A node without children.
    pub(super) fn leaf(&self, kind: NodeKind<'a>, range: Range<usize>) -> AstNode<'a> {
        let close = &self.source[range.end..range.end];
        AstNode { kind, before: "", open: &self.source[range], close, children: Vec::new(), hash: 0 }
    }
}
