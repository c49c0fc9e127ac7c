//! Renders one block of Markdown as the HTML of help center articles.
//!
//! Where there is a choice, only elements that the API documents for articles may be used. HTML inside the
//! text is passed through unchanged: the server decides what it allows.

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::VIDEO_LABEL;
use super::{AddressResolver, options};
use crate::articles::convert::html::ast::Callout;

pub fn html(text: &str, resolve: AddressResolver<'_>) -> String {
    let mut renderer = Renderer {
        out: String::with_capacity(text.len() + text.len() / 4),
        resolve,
        links: Vec::new(),
        image: None,
        suffix: None,
        paragraph: 0,
        alignments: Vec::new(),
        column: 0,
    };
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        if let Some(target) = renderer.suffix.take() {
            let escaped = range.start.checked_sub(1).is_some_and(|at| text.as_bytes()[at] == b'\\');
            if let (Event::Text(piece), false) = (&event, escaped)
                && let Some(rest) = renderer.apply_suffix(&target, piece)
            {
                renderer.text(rest);
                continue;
            }
        }
        renderer.event(event);
    }
    renderer.out
}

struct Renderer<'a> {
    out: String,
    resolve: AddressResolver<'a>,
    /// Open links: offset in the output, address and title.
    links: Vec<(usize, String, String)>,
    /// The image whose alternative text is being collected.
    image: Option<PendingImage>,
    /// The element that a following attribute suffix belongs to.
    suffix: Option<SuffixTarget>,
    /// Offset of the current paragraph in the output.
    paragraph: usize,
    alignments: Vec<Alignment>,
    column: usize,
}

struct PendingImage {
    src: String,
    title: String,
    alt: String,
    depth: usize,
}

enum SuffixTarget {
    /// Offset of its tag in the output.
    Link(usize),
    Image,
}

impl Renderer<'_> {
    fn event(&mut self, event: Event<'_>) {
        if let Some(image) = &mut self.image {
            match event {
                Event::Start(_) => image.depth += 1,
                Event::End(_) if image.depth > 0 => image.depth -= 1,
                Event::End(_) => self.end_image(),
                Event::Text(text) | Event::Code(text) => image.alt.push_str(&text),
                Event::SoftBreak | Event::HardBreak => image.alt.push(' '),
                _ => {}
            }
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => {
                self.out.push_str("<code>");
                self.text(&text);
                self.out.push_str("</code>");
            }
            Event::Html(html) | Event::InlineHtml(html) => self.out.push_str(&html),
            Event::SoftBreak => self.out.push(' '),
            Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<hr>"),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        escape_text(text, &mut self.out);
    }

    fn start(&mut self, tag: Tag<'_>) {
        let open = match tag {
            Tag::Paragraph => {
                self.paragraph = self.out.len();
                "<p>"
            }
            Tag::Heading { level, .. } => &format!("<h{}>", level as u8),
            Tag::BlockQuote(None) => "<blockquote>",
            Tag::BlockQuote(Some(kind)) => {
                let kind = match kind {
                    BlockQuoteKind::Note => Callout::Note,
                    BlockQuoteKind::Tip => Callout::Tip,
                    BlockQuoteKind::Important => Callout::Important,
                    BlockQuoteKind::Warning => Callout::Warning,
                    BlockQuoteKind::Caution => Callout::Caution,
                };
                &format!("<div class=\"intercom-interblocks-callout\" style=\"{}\">", kind.style())
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) if !info.is_empty() => {
                self.out.push_str("<pre><code class=\"language-");
                // Words after the language are meant for other tools.
                escape_attribute(info.split_ascii_whitespace().next().unwrap_or_default(), &mut self.out);
                "\">"
            }
            Tag::CodeBlock(_) => "<pre><code>",
            Tag::List(None) => "<ul>",
            Tag::List(Some(1)) => "<ol>",
            Tag::List(Some(start)) => &format!("<ol start=\"{start}\">"),
            Tag::Item => "<li>",
            Tag::Table(alignments) => {
                self.alignments = alignments;
                "<table><tbody>"
            }
            Tag::TableHead | Tag::TableRow => {
                self.column = 0;
                "<tr>"
            }
            Tag::TableCell => {
                self.column += 1;
                match self.alignments.get(self.column - 1) {
                    Some(Alignment::Center) => "<td style=\"text-align: center\">",
                    Some(Alignment::Right) => "<td style=\"text-align: right\">",
                    _ => "<td>",
                }
            }
            Tag::Emphasis => "<i>",
            Tag::Strong => "<b>",
            Tag::Strikethrough => "<s>",
            Tag::Link { dest_url, title, .. } => {
                return self.links.push((self.out.len(), dest_url.into_string(), title.into_string()));
            }
            Tag::Image { dest_url, title, .. } => {
                let (src, title) = (dest_url.into_string(), title.into_string());
                self.image = Some(PendingImage { src, title, alt: String::new(), depth: 0 });
                return;
            }
            _ => return,
        };
        self.out.push_str(open);
    }

    fn end(&mut self, tag: TagEnd) {
        let close = match tag {
            TagEnd::Paragraph => return self.end_paragraph(),
            TagEnd::Link => return self.end_link(),
            TagEnd::Heading(level) => return self.out.push_str(&format!("</h{}>", level as u8)),
            TagEnd::BlockQuote(None) => "</blockquote>",
            TagEnd::BlockQuote(Some(_)) => "</div>",
            TagEnd::CodeBlock => {
                self.out.truncate(self.out.strip_suffix('\n').unwrap_or(&self.out).len());
                "</code></pre>"
            }
            TagEnd::List(false) => "</ul>",
            TagEnd::List(true) => "</ol>",
            TagEnd::Item => "</li>",
            TagEnd::Table => "</tbody></table>",
            TagEnd::TableHead | TagEnd::TableRow => "</tr>",
            TagEnd::TableCell => "</td>",
            TagEnd::Emphasis => "</i>",
            TagEnd::Strong => "</b>",
            TagEnd::Strikethrough => "</s>",
            _ => return,
        };
        self.out.push_str(close);
    }

    fn end_paragraph(&mut self) {
        let inner = &self.out[(self.paragraph + 3).min(self.out.len())..];
        let label = format!("\">{VIDEO_LABEL}</a>");
        let video = inner.strip_prefix("<a href=\"").and_then(|rest| rest.strip_suffix(label.as_str()));
        match video.filter(|src| !src.contains('"')) {
            Some(src) => {
                let frame = format!("<iframe src=\"{src}\"></iframe>");
                self.out.truncate(self.paragraph);
                self.out.push_str(&frame);
            }
            None => self.out.push_str("</p>"),
        }
    }

    fn end_link(&mut self) {
        let Some((at, href, title)) = self.links.pop() else { return };
        let mut open = String::from("<a href=\"");
        escape_attribute(&href, &mut open);
        if !title.is_empty() {
            open.push_str("\" title=\"");
            escape_attribute(&title, &mut open);
        }
        open.push_str("\">");
        self.out.insert_str(at, &open);
        self.out.push_str("</a>");
        self.suffix = Some(SuffixTarget::Link(at));
    }

    fn end_image(&mut self) {
        let Some(PendingImage { src, title, alt, .. }) = self.image.take() else { return };
        let src = (self.resolve)(&src).unwrap_or(src);
        self.out.push_str("<img src=\"");
        escape_attribute(&src, &mut self.out);
        self.out.push('"');
        for (name, value) in [("alt", &alt), ("title", &title)] {
            if !value.is_empty() {
                self.out.push_str(&format!(" {name}=\""));
                escape_attribute(value, &mut self.out);
                self.out.push('"');
            }
        }
        self.out.push('>');
        self.suffix = Some(SuffixTarget::Image);
    }

    /// Applies an attribute suffix (for example `{.button}`) and returns the text after it; `None` if there
    /// is not a valid suffix.
    fn apply_suffix<'t>(&mut self, target: &SuffixTarget, text: &'t str) -> Option<&'t str> {
        let (inner, rest) = text.strip_prefix('{')?.split_once('}')?;
        match target {
            SuffixTarget::Link(at) if inner.trim() == ".button" => {
                self.out.insert_str(at + 2, " class=\"intercom-h2b-button\"");
            }
            SuffixTarget::Image => {
                let mut sizes = String::new();
                for pair in inner.split_ascii_whitespace() {
                    let (name, value) = pair.split_once('=')?;
                    let is_size = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'%');
                    if !matches!(name, "width" | "height") || !is_size || value.is_empty() {
                        return None;
                    }
                    sizes.push_str(&format!(" {name}=\"{value}\""));
                }
                let end = self.out.len() - 1;
                self.out.insert_str(end, &sizes);
            }
            SuffixTarget::Link(_) => return None,
        }
        Some(rest)
    }
}

/// Appends text with markup characters escaped.
pub fn escape_text(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '\u{a0}']) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut letters = special.chars();
        out.push_str(match letters.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            _ => "&nbsp;",
        });
        rest = letters.as_str();
    }
    out.push_str(rest);
}

pub fn escape_attribute(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}
