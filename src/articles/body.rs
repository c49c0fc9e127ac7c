//! A body as blocks that are HTML and Markdown at once, and the way back from edited Markdown.

use super::html::{self, Node};
use super::pieces;
use super::render;
use super::split;
pub use super::style::Style;
use super::write::Writer;

/// A block: its bytes, the white space before it, and how people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub gap: String,
    pub html: String,
    pub markdown: String,
}

/// All of an article's HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body {
    pub blocks: Vec<Block>,
    /// White space after the last block.
    pub tail: String,
}

impl Body {
    /// Reads any text: put together again, gaps and blocks are the input.
    pub fn read(html: &str) -> Self {
        let tokens = html::tokens(html);
        let mut body = Body::default();
        let mut before = 0;
        for place in split::blocks(&tokens) {
            let (Some(gap), Some(own)) = (html.get(before..place.bytes.start), html.get(place.bytes.clone()))
            else {
                return Body::whole(html);
            };
            let markdown = match html::tree(&tokens[place.tokens]) {
                Some(tree) => markdown_of(own, &tree),
                None => raw(own),
            };
            body.blocks.push(Block { gap: gap.to_owned(), html: own.to_owned(), markdown });
            before = place.bytes.end;
        }
        html.get(before..).unwrap_or_default().clone_into(&mut body.tail);
        body.stand_apart();
        body
    }

    fn whole(html: &str) -> Self {
        let block = Block { gap: String::new(), html: html.to_owned(), markdown: raw(html) };
        Body { blocks: vec![block], tail: String::new() }
    }

    /// The Markdown of the whole body.
    pub fn markdown(&self) -> String {
        pieces::join(self.blocks.iter().map(|block| block.markdown.as_str()))
    }

    pub fn html(&self) -> String {
        let mut html = String::new();
        for block in &self.blocks {
            html.push_str(&block.gap);
            html.push_str(&block.html);
        }
        html + &self.tail
    }

    /// Makes raw what would not be the same piece again among its neighbours.
    fn stand_apart(&mut self) {
        for _ in 0..4 {
            let found = pieces::split(&self.markdown());
            let same =
                found.iter().zip(&self.blocks).take_while(|(piece, block)| **piece == block.markdown).count();
            if same == self.blocks.len() && same == found.len() {
                return;
            }
            for block in self.blocks.iter_mut().skip(same.saturating_sub(1)).take(3) {
                block.markdown = raw(&block.html);
            }
        }
        self.blocks.iter_mut().for_each(|block| block.markdown = raw(&block.html));
    }

    /// The style for blocks that stand for nothing that was there.
    pub fn usual_style(&self) -> Style {
        let usual = self.blocks.iter().any(|block| block.html.starts_with("<p class=\"no-margin\""));
        Style { paragraph_class: usual.then(|| "no-margin".to_owned()), ..Style::default() }
    }
}

/// The Markdown of a block, when it gives the same markup again; else its HTML.
fn markdown_of(html: &str, tree: &[Node]) -> String {
    let style = Style::of(tree);
    for tagged_emphasis in [false, true] {
        let Some(markdown) = (Writer { tagged_emphasis }).blocks(tree) else { break };
        let again = html::tree(&html::tokens(&render::piece(&markdown, &style, "")));
        if again.is_some_and(|again| html::same(&again, tree))
            && pieces::split(&markdown) == [markdown.as_str()]
        {
            return markdown;
        }
    }
    raw(html)
}

/// HTML as it is: bare where Markdown leaves it alone, else between marks.
fn raw(html: &str) -> String {
    let text = html.replace("\r\n", "\n").replace('\r', "\n");
    let plain = text.starts_with('<')
        && !text.starts_with("<!--")
        && !text.starts_with("<details")
        && text.len() < 100_000;
    if plain && pieces::split(&text) == [text.as_str()] && render::piece(&text, &Style::default(), "") == text
    {
        return text;
    }
    pieces::raw(&text)
}

/// The HTML of a piece that stands in the place of `before`, or is new.
pub fn html_of(piece: &str, before: Option<&Block>, usual: &Style, definitions: &str) -> String {
    let block = match before {
        None => return render::piece(piece, usual, definitions),
        Some(block) if block.markdown == piece => return block.html.clone(),
        Some(block) => block,
    };
    let tree = html::tree(&html::tokens(&block.html));
    let mut style = tree.as_deref().map_or_else(|| usual.clone(), Style::of);
    style.paragraph_class = style
        .paragraph_class
        .or_else(|| usual.paragraph_class.clone().filter(|_| !block.html.contains("<p")));
    let html = render::piece(piece, &style, definitions);
    if pieces::raw_content(piece).is_some() {
        return html;
    }
    let again = html::tree(&html::tokens(&html));
    // An edit of the form of the Markdown alone changes nothing.
    match (again, tree) {
        (Some(again), Some(tree)) if html::same(&again, &tree) => block.html.clone(),
        _ => html,
    }
}

/// What a piece renders to in the place of a block, before an edit of the form alone is undone.
pub fn rendered(piece: &str, before: &Block) -> String {
    let tree = html::tree(&html::tokens(&before.html));
    render::piece(piece, &tree.as_deref().map_or_else(Style::default, Style::of), "")
}

/// The pieces of a text, one per block.
pub fn pieces_of(markdown: &str) -> Vec<String> {
    pieces::split(markdown)
}

/// Takes any bytes as HTML and as Markdown and checks what must hold for both; panics when it does not.
/// For tests and fuzzing.
///
/// # Panics
/// When a byte is lost, or a merge without edits is none.
pub fn probe(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let body = Body::read(&text);
    assert_eq!(body.html(), text, "bytes are lost");
    let same = super::merge::merge(&body, &body.markdown(), &body);
    assert_eq!(same, super::merge::Merged::Html(text.to_string()), "an unedited file changes something");
    let empty = Body::default();
    if let super::merge::Merged::Html(html) = super::merge::merge(&empty, &text, &empty) {
        assert_eq!(Body::read(&html).html(), html, "bytes are lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        let body = Body::read(html);
        assert_eq!(body.html(), html);
        let markdown = body.markdown();
        let pieces = pieces::split(&markdown);
        assert_eq!(pieces, body.blocks.iter().map(|block| block.markdown.clone()).collect::<Vec<_>>());
        for (piece, block) in pieces.iter().zip(&body.blocks) {
            assert_eq!(html_of(piece, Some(block), &Style::default(), ""), block.html, "{piece}");
        }
        markdown
    }

    #[test]
    fn what_markdown_can_say_is_markdown() {
        let cases = [
            ("<p>Most need <b>two</b> <i>min</i>, a*b.</p>", "Most need **two** *min*, a\\*b.\n"),
            ("<h2 id=\"h_12\">Before</h2>", "## Before\n"),
            ("<p class=\"no-margin\">a<br>b &lt;c&gt; &amp;amp;</p>", "a\\\nb \\<c> \\&amp;\n"),
            (
                "<ul><li><p>A <a href=\"https://x.y/z?a=1&amp;b=2\" target=\"_blank\">l</a></p><ul><li><p>B</p></li></ul></li><li><p>C</p></li></ul>",
                "- A [l](https://x.y/z?a=1&amp;b=2)\n  - B\n- C\n",
            ),
            ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b\n"),
            (
                "<div class=\"intercom-container\"><img src=\"https://d.x/s.png?e=1&amp;s=a\" alt=\"The page\"></div>",
                "![The page](https://d.x/s.png?e=1&amp;s=a)\n",
            ),
            (
                "<div class=\"intercom-container\"><img src=\"https://d.x/s.png\" alt=\"P\" width=\"300\"></div>",
                "<img src=\"https://d.x/s.png\" alt=\"P\" width=\"300\">\n",
            ),
            (
                "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80; border-color: #fbc91633;\"><p>No <b>way</b></p></div>",
                "> [!WARNING]\n> No **way**\n",
            ),
            ("<pre><code>a\n\n&lt;b&gt;</code></pre>", "```\na\n\n<b>\n```\n"),
            (
                "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td><p>Plan</p></td><td><p>a|b</p></td></tr><tr><td><p>Free</p></td><td><p>10</p></td></tr></tbody></table></div>",
                "| Plan | a\\|b |\n| --- | --- |\n| Free | 10 |\n",
            ),
            (
                "<details><summary>What?</summary><p>Start &amp; go.</p></details>",
                "<details>\n<summary>What?</summary>\n\nStart & go.\n\n</details>\n",
            ),
            (
                "<p class=\"intercom-align-center\"><a class=\"intercom-h2b-button\" href=\"https://a.b\">Open</a></p><hr>",
                "[Open](https://a.b \"button\")\n\n---\n",
            ),
            (
                "<iframe src=\"https://www.youtube.com/embed/x\" frameborder=\"0\"></iframe>",
                "[video](https://www.youtube.com/embed/x \"video\")\n",
            ),
            ("<p>x <b>bold </b>y <u>z</u></p>", "x <b>bold </b>y <u>z</u>\n"),
            ("<p>1. no list</p><p># no heading</p><p>- no</p>", "1\\. no list\n\n\\# no heading\n\n\\- no\n"),
        ];
        for (html, markdown) in cases {
            assert_eq!(shown(html), markdown, "{html}");
        }
    }

    #[test]
    fn everything_else_is_kept_as_html() {
        for html in [
            "<p class=\"intercom-align-center\">Centre</p>",
            "<p>a<p>b",
            "<div data-x=\"1\"><span>a</span>\n\n<b>c</b></div>",
            "text <b>loose</b>",
            "<!-- html --><p>x</p><!-- /html -->",
            "<ul><li>a</li></ul><ul><li>b</li></ul><ol><li>c</li></ol>",
            "<table><tr><td>a</td></tr></table>",
            "</div><p>a</p>\r\n\r\n<p>b\r\nc</p>",
            "<script>alert('<p>')</script><p></p><p>&nbsp;</p>",
            "<details open><summary>x</summary>y</details>",
            "<p>[a]: b</p><p>|a|b|</p><p>`x` ~~y~~ https://a_b_c.d/_e_</p>",
        ] {
            shown(html);
        }
    }

    #[test]
    fn hostile_input_neither_crashes_nor_hangs() {
        let deep = "<div>".repeat(10_000) + &"</div>".repeat(10_000);
        let lists = "<ul><li>".repeat(10_000);
        let quotes = format!("<p>{}</p>", "&gt; ".repeat(10_000));
        let big = "<p>a <b>b</b> &amp; *c* [d]</p>".repeat(40_000);
        for html in
            [deep, lists, quotes, big, "<".repeat(100_000), "<p>[".repeat(50_000), "<p>*a _b".repeat(20_000)]
        {
            shown(&html);
        }
    }
}
