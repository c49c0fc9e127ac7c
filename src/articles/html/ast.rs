//! The syntax tree of a block: its meaning, separate from the details of its HTML.
//!
//! HTML and Markdown are both read into [`AstNode`]s, and two blocks with equal nodes look the same in
//! Markdown. Attributes and wrappers that Markdown cannot express (classes, styles, ids, containers) are not
//! part of the meaning, but no byte of them may be lost: each node keeps the source before it, its opening
//! and its closing source. Unknown HTML is rejected, so that the block stays raw.

mod blocks;
mod callout;
mod inline;

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::tree::parse;
use crate::articles::address_map::AddressMap;

use blocks::AstBuilder;
pub use callout::Callout;

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

/// Reads a single block; `None` if it must stay raw.
pub fn read<'a>(source: &'a str, addresses: &AddressMap) -> Option<AstNode<'a>> {
    let mut blocks = read_all(source, addresses)?;
    let only = blocks.pop().filter(|_| blocks.is_empty())?;
    (only.before.is_empty()).then_some(only)
}

/// Reads consecutive blocks.
pub fn read_all<'a>(source: &'a str, addresses: &AddressMap) -> Option<Vec<AstNode<'a>>> {
    let nodes = parse(source)?;
    let mut blocks = AstBuilder { source, addresses }.blocks(&nodes, 0)?;
    blocks.iter_mut().for_each(compute_hashes);
    Some(blocks)
}

/// Computes the hashes, from the leaves up.
fn compute_hashes(node: &mut AstNode<'_>) {
    node.children.iter_mut().for_each(compute_hashes);
    let mut hasher = DefaultHasher::new();
    node.kind.hash(&mut hasher);
    node.meaningful_children().for_each(|child| child.hash.hash(&mut hasher));
    node.hash = hasher.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_kept_byte_for_byte() {
        for source in [
            "<p class=\"x\"> a <b>b </b> c&nbsp;</p>",
            "<ul>\n <li><p>a</p>\n<ul><li>b</li></ul> </li> </ul>",
            "<div class=\"intercom-interblocks-table-container\"><table><thead><tr><th>a</th></tr></thead>\n<tbody><tr><td><p>b</p></td></tr></tbody></table></div>",
            "<details open> <summary>a</summary> b <p>c</p> </details>",
            "<pre>\n<code>a</code></pre>",
            "<pre><code class=\"language-sh\">a &lt; b\n</code></pre>",
            "<div style=\"x\"><iframe src=\"https://a\"></iframe></div>",
        ] {
            let Some(node) = read(source, &AddressMap::default()) else {
                assert!(source.starts_with("<pre>\n"), "{source}");
                continue;
            };
            let mut written = String::new();
            node.write_source(&mut written);
            assert_eq!(written, source);
        }
    }
}
