//! What a block says, apart from how its HTML says it.
//!
//! A [`Shape`] is the meeting place of HTML and Markdown: both can be read into it, and two blocks with
//! equal shapes look alike to a reader of the Markdown. Attributes and wrappers that Markdown has no word
//! for (classes, styles, ids, containers) are no part of a shape's meaning, but their bytes are: each
//! shape keeps the source that opens it, closes it and precedes it. What is not known here is refused, so
//! that it stays raw.

mod blocks;
mod callout;
mod inline;

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::tree::parse;
use crate::articles::images::Images;

use blocks::Reader;
pub use callout::Callout;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind<'a> {
    Paragraph,
    Heading(u8),
    /// The number of the first item, when the list is numbered.
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
    /// White space folded.
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
    /// An inline element that Markdown writes as HTML.
    Html(String),
}

#[derive(Debug, Clone)]
pub struct Shape<'a> {
    pub kind: Kind<'a>,
    /// Source between the sibling before it and its own beginning.
    pub before: &'a str,
    /// Source up to its first child; all of it when it has none.
    pub open: &'a str,
    /// Source behind its last child.
    pub close: &'a str,
    pub children: Vec<Shape<'a>>,
    /// Equal for equal meaning.
    pub hash: u64,
}

impl Shape<'_> {
    pub fn is_blank_text(&self) -> bool {
        matches!(&self.kind, Kind::Text(text) if text.is_empty())
    }

    /// The children that mean something.
    pub fn meaning(&self) -> impl DoubleEndedIterator<Item = &Self> {
        self.children.iter().filter(|it| !it.is_blank_text())
    }

    /// The source without what stands before it.
    pub fn write_source(&self, out: &mut String) {
        out.push_str(self.open);
        for child in &self.children {
            out.push_str(child.before);
            child.write_source(out);
        }
        out.push_str(self.close);
    }
}

/// Reads one block; `None` when it must stay raw.
pub fn read<'a>(source: &'a str, images: &Images) -> Option<Shape<'a>> {
    let mut blocks = read_all(source, images)?;
    let only = blocks.pop().filter(|_| blocks.is_empty())?;
    (only.before.is_empty()).then_some(only)
}

/// Reads a run of blocks.
pub fn read_all<'a>(source: &'a str, images: &Images) -> Option<Vec<Shape<'a>>> {
    let nodes = parse(source)?;
    let mut blocks = Reader { source, images }.blocks(&nodes, 0)?;
    blocks.iter_mut().for_each(seal);
    Some(blocks)
}

/// Works out the hashes, from the leaves up.
fn seal(shape: &mut Shape<'_>) {
    shape.children.iter_mut().for_each(seal);
    let mut hasher = DefaultHasher::new();
    shape.kind.hash(&mut hasher);
    shape.meaning().for_each(|child| child.hash.hash(&mut hasher));
    shape.hash = hasher.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_kept_to_the_byte() {
        for source in [
            "<p class=\"x\"> a <b>b </b> c&nbsp;</p>",
            "<ul>\n <li><p>a</p>\n<ul><li>b</li></ul> </li> </ul>",
            "<div class=\"intercom-interblocks-table-container\"><table><thead><tr><th>a</th></tr></thead>\n<tbody><tr><td><p>b</p></td></tr></tbody></table></div>",
            "<details open> <summary>a</summary> b <p>c</p> </details>",
            "<pre>\n<code>a</code></pre>",
            "<pre><code class=\"language-sh\">a &lt; b\n</code></pre>",
            "<div style=\"x\"><iframe src=\"https://a\"></iframe></div>",
        ] {
            let Some(shape) = read(source, &Images::default()) else {
                assert!(source.starts_with("<pre>\n"), "{source}");
                continue;
            };
            let mut written = String::new();
            shape.write_source(&mut written);
            assert_eq!(written, source);
        }
    }
}
