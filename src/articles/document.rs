//! A body as blocks: the HTML of each to the byte, and the Markdown that stands for it.
//!
//! Every block is checked while it is read: its Markdown, rendered again, must mean what its HTML means,
//! otherwise the block is given as HTML. So an edit never changes what it does not touch, and nothing is
//! dropped because it is unknown.

use std::collections::HashMap;
use std::ops::Range;

use super::html::shape::{self, Kind, Shape};
use super::html::split::split;
use super::images::Images;
use super::lines::{lines_of, spliced};
use super::markdown::read::{self, Form};
use super::markdown::{Resolve, Style, write};
use super::patch::patch;
use super::steady::{fingerprint, hash};

/// A body of the server, read.
#[derive(Debug, Clone)]
pub struct Document {
    pub html: String,
    pub blocks: Vec<Block>,
    /// What follows the last block.
    pub tail: Range<usize>,
    /// Addresses of images to send, by the ones that are shown.
    addresses: HashMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct Block {
    /// White space before it.
    pub before: Range<usize>,
    pub html: Range<usize>,
    pub markdown: String,
    /// Given as HTML.
    pub raw: bool,
    /// Equal for blocks that mean the same.
    pub meaning: u64,
    /// See [`fingerprint`].
    pub fingerprint: u64,
}

/// A block of an author's file.
#[derive(Debug, Clone)]
pub struct Written {
    pub markdown: String,
    pub form: Form,
    pub meaning: u64,
}

/// An author's text as blocks.
#[derive(Debug, Clone, Default)]
pub struct Text {
    pub blocks: Vec<Written>,
    definitions: String,
}

impl Document {
    pub fn read(html: &str, images: &Images) -> Self {
        let pieces = split(html);
        let tail = pieces.last().map_or(0, |it| it.block.end)..html.len();
        let mut addresses = HashMap::new();
        let mut blocks: Vec<Block> = Vec::with_capacity(pieces.len());
        let mut follows_list = false;
        let mut marker = false;
        for piece in pieces {
            let source = &html[piece.block.clone()];
            let shape = shape::read(source, images);
            let is_list = shape.as_ref().is_some_and(|it| matches!(it.kind, Kind::List(_)));
            marker = is_list && follows_list && !marker;
            follows_list = is_list;
            if let Some(shape) = &shape {
                collect(shape, &mut addresses);
            }
            let markdown = shape.as_ref().and_then(|it| faithful(it, marker, images));
            let raw = markdown.is_none();
            let meaning = match (&shape, raw) {
                (Some(shape), false) => shape.hash,
                _ => meaning_of_raw(source),
            };
            blocks.push(Block {
                before: piece.before,
                markdown: markdown.unwrap_or_else(|| raw_markdown(source)),
                html: piece.block,
                raw,
                meaning,
                fingerprint: fingerprint(source),
            });
        }
        let mut document = Document { html: html.to_owned(), blocks, tail, addresses };
        document.keep_apart();
        document
    }

    /// Blocks that would run into each other in one text are put behind fences.
    fn keep_apart(&mut self) {
        for round in 0.. {
            let text = self.markdown();
            let (found, definitions) = read::blocks(&text);
            let same = |(at, block): &(usize, &Block)| {
                found.get(*at).is_none_or(|it| text[it.range.clone()] != block.markdown)
            };
            let wrong = self.blocks.iter().enumerate().find(same).map(|(at, _)| at);
            let surplus = found.len() > self.blocks.len() || !definitions.is_empty();
            let Some(at) = wrong.or(surplus.then_some(0)).filter(|_| !self.blocks.is_empty()) else { return };
            let html = &self.html;
            let fence = |block: &mut Block| {
                let source = &html[block.html.clone()];
                block.markdown = write::fenced_html(&lines_of(source));
                block.raw = true;
                block.meaning = meaning_of_raw(source);
            };
            let last = self.blocks.len().saturating_sub(1);
            match round {
                0..8 => self.blocks[at.min(last).saturating_sub(1)..=at.min(last)].iter_mut().for_each(fence),
                8 => self.blocks.iter_mut().for_each(fence),
                _ => return,
            }
        }
    }

    /// The whole text for an author, with a line feed at its end unless it is empty.
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

    pub fn source(&self, block: &Block) -> &str {
        &self.html[block.html.clone()]
    }

    /// The address to send for an image that is shown under this one.
    pub fn address(&self, shown: &str) -> Option<String> {
        self.addresses.get(shown).cloned()
    }

    /// The HTML for an author's block that replaces `old`, or is new. Bytes of the server are used
    /// wherever they say the same.
    pub fn html_for(&self, written: &Written, old: Option<&Block>, text: &Text, images: &Images) -> String {
        let own = old.filter(|it| it.meaning == written.meaning);
        if let Some(block) = own.or_else(|| self.blocks.iter().find(|it| it.markdown == written.markdown)) {
            return self.source(block).to_owned();
        }
        let rendered = text.html(written, &|shown| self.address(shown));
        let Some(old) = old else { return rendered };
        if old.raw {
            let is_html = matches!(written.form, Form::Html | Form::FencedHtml);
            return if is_html { spliced(self.source(old), &rendered) } else { rendered };
        }
        let patched = {
            let before = shape::read(self.source(old), images);
            let after = shape::read(&rendered, images);
            before.zip(after).map(|(before, after)| (patch(&before, &after), after.hash))
        };
        match patched {
            Some((html, wanted)) if shape::read(&html, images).is_some_and(|it| it.hash == wanted) => html,
            _ => rendered,
        }
    }
}

impl Text {
    /// Reads an author's text; `base` is what the folder last had from the server.
    pub fn read(text: &str, base: &Document, images: &Images) -> Self {
        let text = lines_of(text);
        let (found, definitions) = read::blocks(&text);
        let known: HashMap<&str, u64> =
            base.blocks.iter().map(|it| (it.markdown.as_str(), it.meaning)).collect();
        let mut read = Text { blocks: Vec::with_capacity(found.len()), definitions };
        for block in found {
            let markdown = text[block.range].to_owned();
            let mut written = Written { markdown, form: block.form, meaning: 0 };
            written.meaning = match known.get(written.markdown.as_str()) {
                Some(meaning) => *meaning,
                None => read.meaning(&written, images),
            };
            read.blocks.push(written);
        }
        read
    }

    fn meaning(&self, written: &Written, images: &Images) -> u64 {
        let html = self.html(written, &|_| None);
        if matches!(written.form, Form::Html | Form::FencedHtml) {
            return meaning_of_raw(&html);
        }
        // Attributes of HTML in the text are no part of a shape's meaning, but are meant.
        match shape::read(&html, images).filter(|_| !written.markdown.contains('<')) {
            Some(shape) => shape.hash,
            None => hash(&(1u8, &written.markdown)),
        }
    }

    fn html(&self, written: &Written, resolve: Resolve<'_>) -> String {
        read::html(&written.markdown, written.form, &self.definitions, resolve)
    }
}

/// The Markdown of a shape that reads back as the same shape.
fn faithful(shape: &Shape<'_>, other_marker: bool, images: &Images) -> Option<String> {
    [false, true].into_iter().find_map(|tags| {
        let markdown = write::block(shape, Style { tags, other_marker })?;
        let form = match shape.kind {
            Kind::Details => Form::Details,
            _ => Form::Markdown,
        };
        let html = read::html(&markdown, form, "", &|_| None);
        let same = shape::read(&html, images).is_some_and(|it| it.hash == shape.hash);
        same.then_some(markdown)
    })
}

/// HTML as a block of its own if Markdown takes it for one, else behind a fence.
fn raw_markdown(source: &str) -> String {
    let text = lines_of(source);
    let (found, _) = read::blocks(&text);
    let whole = |it: &read::Block| it.form == Form::Html && it.range == (0..text.len());
    match found.as_slice() {
        [only] if whole(only) => text,
        _ => write::fenced_html(&text),
    }
}

fn meaning_of_raw(html: &str) -> u64 {
    hash(&(0u8, lines_of(html).trim_ascii()))
}

/// Addresses of images whose shown form is another.
fn collect(shape: &Shape<'_>, addresses: &mut HashMap<String, String>) {
    if let Kind::Image { src: shown, .. } = &shape.kind
        && let Some(actual) = super::html::tree::parse(shape.open).and_then(|nodes| match nodes.first()? {
            super::html::tree::Node::Element(element) => element.attribute("src").map(str::to_owned),
            super::html::tree::Node::Text(_) => None,
        })
        && actual != *shown
    {
        addresses.insert(shown.clone(), actual);
    }
    shape.children.iter().for_each(|child| collect(child, addresses));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> Document {
        Document::read(html, &Images::default())
    }

    #[track_caller]
    fn shown(html: &str, markdown: &str) {
        assert_eq!(read(html).markdown().trim_end(), markdown, "{html}");
    }

    /// What one edit of the Markdown makes of the HTML.
    #[track_caller]
    fn edited(html: &str, from: &str, to: &str) -> String {
        let images = Images::default();
        let base = read(html);
        assert_eq!(base.blocks.len(), 1, "{:?}", base.markdown());
        let markdown = base.markdown();
        assert!(markdown.contains(from), "{markdown}");
        let text = Text::read(&markdown.replacen(from, to, 1), &base, &images);
        assert_eq!(text.blocks.len(), 1, "{text:?}");
        base.html_for(&text.blocks[0], Some(&base.blocks[0]), &text, &images)
    }

    #[test]
    fn the_documented_forms() {
        shown("<h2 id=\"h_1\">A &amp; b</h2>", "## A & b");
        shown("<p class=\"no-margin\">a <b>b</b> <i>c</i> <code>d</code></p>", "a **b** *c* `d`");
        shown("<ul><li><p>a</p><ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c");
        shown("<ol start=\"3\"><li>a</li><li>b</li></ol>", "3. a\n4. b");
        shown("<p>a<br>b</p>", "a\\\nb");
        shown("<pre><code class=\"language-sh\">a &lt; b\nc</code></pre>", "```sh\na < b\nc\n```");
        shown(
            "<div class=\"intercom-container\"><img src=\"https://a/b.png?expires=1&amp;signature=2\" alt=\"x\" width=\"3\"></div>",
            "![x](https://a/b.png){width=3}",
        );
        shown(
            "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80\"><p>a</p></div>",
            "> [!WARNING]\n> a",
        );
        shown(
            "<p class=\"intercom-align-center\"><a class=\"intercom-h2b-button\" href=\"https://a\">Open</a></p>",
            "[Open](https://a){.button}",
        );
        shown(
            "<div><iframe src=\"https://www.youtube.com/embed/a\"></iframe></div>",
            "[▶ Video](https://www.youtube.com/embed/a)",
        );
        shown(
            "<details><summary>a</summary><p>b</p></details>",
            "<details>\n<summary>a</summary>\n\nb\n\n</details>",
        );
        shown(
            "<table><tbody><tr><td><p>a|b</p></td><td></td></tr><tr><td>c</td><td>d</td></tr></tbody></table>",
            "| a\\|b | |\n| --- | --- |\n| c | d |",
        );
        shown("<section>a</section>", "<section>a</section>");
        shown(
            "<p>a <u>b</u> <span style=\"color:red\">c</span></p>",
            "a <u>b</u> <span style=\"color:red\">c</span>",
        );
    }

    #[test]
    fn another_number_or_kind_of_list_keeps_its_items() {
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
    fn an_edit_leaves_white_space_and_spellings_alone() {
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
            assert_eq!(edited(html, word, "drei"), html.replacen(word, "drei", 1), "{html}");
        }
    }

    #[test]
    fn lists_in_a_row_stay_apart() {
        let document = read("<ul><li>a</li></ul><ul><li>b</li></ul><ul><li>c</li></ul>");
        assert_eq!(document.markdown(), "- a\n\n* b\n\n- c\n");
        assert!(document.blocks.iter().all(|it| !it.raw));
    }

    #[test]
    fn an_edit_changes_words_and_nothing_else() {
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
