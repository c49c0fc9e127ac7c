//! The syntax tree of a block: its meaning, separate from the details of its HTML.
//!
//! HTML and Markdown are both read into [`AstNode`]s, and two blocks with equal nodes look the same in
//! Markdown. Attributes and wrappers that Markdown cannot express (classes, styles, ids, containers) are not
//! part of the meaning, but no byte of them may be lost: each node keeps the source before it, its opening
//! and its closing source. Unknown HTML is rejected, so that the block stays raw.

mod blocks;
mod callout;
mod inline;
mod node;

use std::hash::{DefaultHasher, Hash, Hasher};

use super::tree::parse;
use crate::articles::convert::addresses::AddressMap;

pub use callout::Callout;
use node::AstBuilder;
pub use node::{AstNode, NodeKind};

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
