//! A body as blocks: the exact HTML of each, and the Markdown that represents it.
//!
//! Every block is checked when it is read: its Markdown, rendered again, must have the same meaning as its
//! HTML; otherwise the block is represented as HTML. An edit therefore never changes other blocks, and
//! unknown content is never dropped.

use std::collections::HashMap;
use std::ops::Range;

use super::addresses::AddressMap;
use super::html::ast::{self, AstNode, NodeKind};
use super::html::scan::values;
use super::html::split::split;
use super::markdown::read::{self, BlockForm};
use super::markdown::{AddressResolver, Style, write};
use super::normalize::{fingerprint, hash, normalize_line_endings, splice};
use super::patch::patch;

/// A body from the server.
#[derive(Debug, Clone)]
pub struct Document {
    pub html: String,
    pub blocks: Vec<Block>,
    /// White space after the last block.
    pub tail: Range<usize>,
    /// Image addresses to send, by the displayed ones.
    image_sources: HashMap<String, String>,
}

/// A block of the server's body.
#[derive(Debug, Clone)]
pub struct Block {
    /// White space before it.
    pub before: Range<usize>,
    pub html: Range<usize>,
    pub markdown: String,
    /// Whether it is represented as HTML.
    pub raw: bool,
    /// Hash; equal for blocks with the same meaning.
    pub meaning: u64,
    /// See [`fingerprint`].
    pub fingerprint: u64,
}

/// A block of an author's file.
#[derive(Debug, Clone)]
pub struct EditedBlock {
    pub markdown: String,
    pub form: BlockForm,
    pub meaning: u64,
    /// Offset in the text.
    pub at: usize,
}

/// An author's text as blocks.
#[derive(Debug, Clone, Default)]
pub struct EditedDocument {
    pub blocks: Vec<EditedBlock>,
    definitions: String,
}

impl Document {
    pub fn read(html: &str, addresses: &AddressMap) -> Self {
        let spans = split(html);
        let tail = spans.last().map_or(0, |span| span.block.end)..html.len();
        let mut image_sources = HashMap::new();
        let mut blocks: Vec<Block> = Vec::with_capacity(spans.len());
        let mut follows_list = false;
        let mut other_marker = false;
        for span in spans {
            let source = &html[span.block.clone()];
            let node = ast::read(source, addresses);
            let is_list = node.as_ref().is_some_and(|node| matches!(node.kind, NodeKind::List(_)));
            other_marker = is_list && follows_list && !other_marker;
            follows_list = is_list;
            if let Some(node) = &node {
                collect_image_sources(node, &mut image_sources);
            }
            let markdown = node.as_ref().and_then(|node| checked_markdown(node, other_marker, addresses));
            let (markdown, raw, meaning) = match (node, markdown) {
                (Some(node), Some(markdown)) => (markdown, false, node.hash),
                _ => {
                    let shown = addresses.display_html(source);
                    (raw_markdown(&shown), true, raw_meaning(&shown))
                }
            };
            let fingerprint = fingerprint(source);
            blocks.push(Block { before: span.before, html: span.block, markdown, raw, meaning, fingerprint });
        }
        let mut document = Document { html: html.to_owned(), blocks, tail, image_sources };
        document.separate_blocks(addresses);
        document
    }

    /// Fences blocks that would merge with their neighbours when the whole text is parsed.
    fn separate_blocks(&mut self, addresses: &AddressMap) {
        for round in 0.. {
            let text = self.markdown();
            let (found, definitions) = read::split_blocks(&text);
            let differs = |(at, block): &(usize, &Block)| {
                found.get(*at).is_none_or(|span| text[span.range.clone()] != block.markdown)
            };
            let first_difference = self.blocks.iter().enumerate().find(differs).map(|(at, _)| at);
            let surplus = found.len() > self.blocks.len() || !definitions.is_empty();
            let Some(at) = first_difference.or(surplus.then_some(0)).filter(|_| !self.blocks.is_empty())
            else {
                return;
            };
            let html = &self.html;
            let fence = |block: &mut Block| {
                let shown = addresses.display_html(&html[block.html.clone()]);
                block.markdown = write::fenced_html(&shown);
                block.raw = true;
                block.meaning = raw_meaning(&shown);
            };
            let last = self.blocks.len().saturating_sub(1);
            match round {
                0..8 => self.blocks[at.min(last).saturating_sub(1)..=at.min(last)].iter_mut().for_each(fence),
                8 => self.blocks.iter_mut().for_each(fence),
                _ => return,
            }
        }
    }

    /// The whole text as Markdown, with a line feed at the end unless it is empty.
    pub fn markdown(&self) -> String {
        let mut text = String::with_capacity(self.html.len());
        for block in &self.blocks {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&block.markdown);
            text.push('\n');
        }
        text
    }

    /// The HTML of a block.
    pub fn source(&self, block: &Block) -> &str {
        &self.html[block.html.clone()]
    }

    /// The address to send for a displayed image address.
    pub fn image_source(&self, displayed: &str) -> Option<String> {
        self.image_sources.get(displayed).cloned()
    }

    /// The HTML for an author's block that replaces `old` or is new. Uses the server's bytes wherever the
    /// meaning is the same.
    pub fn html_for(
        &self,
        edited: &EditedBlock,
        old: Option<&Block>,
        text: &EditedDocument,
        addresses: &AddressMap,
    ) -> String {
        let unchanged = old.filter(|block| block.meaning == edited.meaning);
        let is_copy = |block: &&Block| block.markdown == edited.markdown;
        if let Some(block) = unchanged.or_else(|| self.blocks.iter().find(is_copy)) {
            return self.source(block).to_owned();
        }
        let rendered = text.html(edited, &|displayed| self.image_source(displayed));
        let replaced = old.map(|block| self.source(block)).unwrap_or_default();
        let rendered = addresses.outgoing_html(&rendered, replaced).into_owned();
        let Some(old) = old else { return rendered };
        if old.raw {
            let is_html = matches!(edited.form, BlockForm::Html | BlockForm::FencedHtml);
            return if is_html { splice(self.source(old), &rendered) } else { rendered };
        }
        let patched = {
            let before = ast::read(self.source(old), addresses);
            let after = ast::read(&rendered, addresses);
            before.zip(after).map(|(before, after)| (patch(&before, &after), after.hash))
        };
        match patched {
            Some((html, hash)) if ast::read(&html, addresses).is_some_and(|node| node.hash == hash) => html,
            _ => rendered,
        }
    }
}

impl EditedDocument {
    /// Reads an author's text; `base` is the server's version that it was made from.
    pub fn read(text: &str, base: &Document, addresses: &AddressMap) -> Self {
        let text = normalize_line_endings(text);
        let (found, definitions) = read::split_blocks(&text);
        let known: HashMap<&str, u64> =
            base.blocks.iter().map(|block| (block.markdown.as_str(), block.meaning)).collect();
        let mut document = EditedDocument { blocks: Vec::with_capacity(found.len()), definitions };
        for block in found {
            let at = block.range.start;
            let markdown = text[block.range].to_owned();
            let mut edited = EditedBlock { markdown, form: block.form, meaning: 0, at };
            edited.meaning = match known.get(edited.markdown.as_str()) {
                Some(meaning) => *meaning,
                None => document.meaning(&edited, addresses),
            };
            document.blocks.push(edited);
        }
        document
    }

    fn meaning(&self, edited: &EditedBlock, addresses: &AddressMap) -> u64 {
        let html = self.html(edited, &|_| None);
        if matches!(edited.form, BlockForm::Html | BlockForm::FencedHtml) {
            return raw_meaning(&addresses.display_html(&html));
        }
        // The hash of a node ignores attributes, which the author may have edited in inline HTML.
        match ast::read(&html, addresses).filter(|_| !edited.markdown.contains('<')) {
            Some(node) => node.hash,
            None => hash(&(1u8, &edited.markdown)),
        }
    }

    /// The HTML of a block, with the addresses as they are written in the file.
    pub fn render(&self, edited: &EditedBlock) -> String {
        self.html(edited, &|_| None)
    }

    fn html(&self, edited: &EditedBlock, resolve: AddressResolver<'_>) -> String {
        read::block_html(&edited.markdown, edited.form, &self.definitions, resolve)
    }
}

/// The Markdown of a node, if it reads back with the same meaning.
fn checked_markdown(node: &AstNode<'_>, other_marker: bool, addresses: &AddressMap) -> Option<String> {
    [false, true].into_iter().find_map(|tags| {
        let markdown = write::block(node, Style { tags, other_marker })?;
        let form = match node.kind {
            NodeKind::Details => BlockForm::Details,
            _ => BlockForm::Markdown,
        };
        let html = read::block_html(&markdown, form, "", &|_| None);
        let same = ast::read(&html, addresses).is_some_and(|read| read.hash == node.hash);
        same.then_some(markdown)
    })
}

/// Displayed HTML, unchanged if Markdown parses it as a single block, otherwise fenced.
fn raw_markdown(shown: &str) -> String {
    let is_whole =
        |block: &read::MarkdownBlock| block.form == BlockForm::Html && block.range == (0..shown.len());
    match read::split_blocks(shown).0.as_slice() {
        [block] if is_whole(block) => shown.to_owned(),
        _ => write::fenced_html(shown),
    }
}

/// The meaning of a block that is represented as HTML.
fn raw_meaning(shown: &str) -> u64 {
    hash(&(0u8, shown.trim_ascii()))
}

/// Collects the addresses of images that are displayed differently.
fn collect_image_sources(node: &AstNode<'_>, image_sources: &mut HashMap<String, String>) {
    if let NodeKind::Image { src: displayed, .. } = &node.kind
        && let Some((_, actual)) = values(node.open, "img", "src").next()
        && actual != *displayed
    {
        image_sources.insert(displayed.clone(), actual.into_owned());
    }
    node.children.iter().for_each(|child| collect_image_sources(child, image_sources));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> Document {
        Document::read(html, &AddressMap::default())
    }

    #[track_caller]
    fn assert_markdown(html: &str, markdown: &str) {
        assert_eq!(read(html).markdown().trim_end(), markdown, "{html}");
    }

    /// The HTML after one edit of the Markdown.
    #[track_caller]
    fn edited(html: &str, from: &str, to: &str) -> String {
        let addresses = AddressMap::default();
        let base = read(html);
        assert_eq!(base.blocks.len(), 1, "{:?}", base.markdown());
        let markdown = base.markdown();
        assert!(markdown.contains(from), "{markdown}");
        let text = EditedDocument::read(&markdown.replacen(from, to, 1), &base, &addresses);
        assert_eq!(text.blocks.len(), 1, "{text:?}");
        base.html_for(&text.blocks[0], Some(&base.blocks[0]), &text, &addresses)
    }

    #[test]
    fn documented_constructs_become_markdown() {
        assert_markdown("<h2 id=\"h_1\">A &amp; b</h2>", "## A & b");
        assert_markdown("<p class=\"no-margin\">a <b>b</b> <i>c</i> <code>d</code></p>", "a **b** *c* `d`");
        assert_markdown("<ul><li><p>a</p><ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c");
        assert_markdown("<ol start=\"3\"><li>a</li><li>b</li></ol>", "3. a\n4. b");
        assert_markdown("<p>a<br>b</p>", "a\\\nb");
        assert_markdown("<pre><code class=\"language-sh\">a &lt; b\nc</code></pre>", "```sh\na < b\nc\n```");
        assert_markdown(
            "<div class=\"intercom-container\"><img src=\"https://a/b.png?expires=1&amp;signature=2\" alt=\"x\" width=\"3\"></div>",
            "![x](https://a/b.png){width=3}",
        );
        assert_markdown(
            "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80\"><p>a</p></div>",
            "> [!WARNING]\n> a",
        );
        assert_markdown(
            "<p class=\"intercom-align-center\"><a class=\"intercom-h2b-button\" href=\"https://a\">Open</a></p>",
            "[Open](https://a){.button}",
        );
        assert_markdown(
            "<div><iframe src=\"https://www.youtube.com/embed/a\"></iframe></div>",
            "[▶ Video](https://www.youtube.com/embed/a)",
        );
        assert_markdown(
            "<details><summary>a</summary><p>b</p></details>",
            "<details>\n<summary>a</summary>\n\nb\n\n</details>",
        );
        assert_markdown(
            "<table><tbody><tr><td><p>a|b</p></td><td></td></tr><tr><td>c</td><td>d</td></tr></tbody></table>",
            "| a\\|b | |\n| --- | --- |\n| c | d |",
        );
        assert_markdown("<section>a</section>", "<section>a</section>");
        assert_markdown(
            "<p>a <u>b</u> <span style=\"color:red\">c</span></p>",
            "a <u>b</u> <span style=\"color:red\">c</span>",
        );
    }

    #[test]
    fn a_list_of_another_type_or_start_keeps_its_items() {
        let items = "<li><p class=\"c\">b</p></li><li id=\"d\">e</li>";
        let old = format!("<ol class=\"x\"><li>a</li>{items}</ol>");
        assert_eq!(
            edited(&old, "1. a\n2. b\n3. e", "2. b\n3. e"),
            format!("<ol class=\"x\" start=\"2\">{items}</ol>")
        );
        let old = format!("<ol start='7' class=\"x\">\n{items}\n</ol>");
        assert_eq!(edited(&old, "7. b\n8. e", "1. b\n2. e"), old.replace("start='7'", "start=\"1\""));
        assert_eq!(
            edited(&format!("<ul>{items}</ul>"), "- b\n- e", "1. b\n2. e"),
            format!("<ol>{items}</ol>")
        );
        assert_eq!(
            edited(&format!("<ol>{items}</ol>"), "1. b\n2. e", "- b\n- e"),
            format!("<ul>{items}</ul>")
        );
    }

    #[test]
    fn an_edit_preserves_white_space_and_entities() {
        for (html, word) in [
            ("<p>    one two  </p>", "two"),
            ("<p>\u{a0}\u{a0}one\u{a0}</p>", "one"),
            ("<p>&#13;one &eacute;t&eacute;\u{a0}&mdash;two&hellip;</p>", "two"),
            ("<ul>\n  <li>one\n  </li>\n</ul>", "one"),
            ("<p>one <b>two </b> three\n</p>", "three"),
            ("<section>\r\none\r\ntwo\r</section>", "one"),
            ("<section>\r\none\r\ntwo\r</section>", "two"),
            ("<p>nul\0 one\r\n two</p>", "one"),
            ("<p>nul\0 one\r\n two</p>", "two"),
            ("<pre><code>&#97;b&amp;&amp;one\u{a0}x</code></pre>", "one"),
        ] {
            assert_eq!(edited(html, word, "three"), html.replacen(word, "three", 1), "{html}");
        }
    }

    #[test]
    fn adjacent_lists_stay_separate() {
        let document = read("<ul><li>a</li></ul><ul><li>b</li></ul><ul><li>c</li></ul>");
        assert_eq!(document.markdown(), "- a\n\n* b\n\n- c\n");
        assert!(document.blocks.iter().all(|block| !block.raw));
    }

    #[test]
    fn an_edit_changes_only_the_edited_words() {
        assert_eq!(
            edited("<p class=\"no-margin\">one&nbsp;two  three &quot;<b class=x>four</b></p>", "three", "3"),
            "<p class=\"no-margin\">one&nbsp;two  3 &quot;<b class=x>four</b></p>"
        );
        assert_eq!(
            edited(
                "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td style=\"x\"><p>a</p></td></tr><tr><td><p class=\"y\">b</p></td></tr></tbody></table></div>",
                "| b |",
                "| c & d |"
            ),
            "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td style=\"x\"><p>a</p></td></tr><tr><td><p class=\"y\">c &amp; d</p></td></tr></tbody></table></div>"
        );
        assert_eq!(
            edited("<ul class=\"a\">\n<li id=\"b\"><p class=\"c\">x</p></li>\n</ul>", "- x", "- x\n- y"),
            "<ul class=\"a\">\n<li id=\"b\"><p class=\"c\">x</p></li><li id=\"b\"><p class=\"c\">y</p></li>\n</ul>"
        );
        assert_eq!(
            edited(
                "<p><a target=\"_blank\" href=\"https://a\" rel=\"x\">t</a></p>",
                "https://a",
                "https://b"
            ),
            "<p><a target=\"_blank\" href=\"https://b\" rel=\"x\">t</a></p>"
        );
        assert_eq!(edited("<h2 id=\"h_1\">a b</h2>", "## a", "### a"), "<h3 id=\"h_1\">a b</h3>");
        assert_eq!(edited("<section>a</section>", "a<", "b<"), "<section>b</section>");
        assert_eq!(
            edited("<pre><code>a &gt; b\nc &quot;</code></pre>", "\nc", "\nd"),
            "<pre><code>a &gt; b\nd &quot;</code></pre>"
        );
        assert_eq!(
            edited("<p>see <img src=\"https://a/b.png?expires=1&amp;signature=2\"> it</p>", " it", " this"),
            "<p>see <img src=\"https://a/b.png?expires=1&amp;signature=2\"> this</p>"
        );
    }
}
