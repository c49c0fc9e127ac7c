//! Extracts the text of a message or an article as people read it: paragraphs, lists, link addresses, image names.
//!
//! [`super::plain`] is for searching and comparing, this is for reading. Bodies are untrusted HTML, so nothing here
//! fails, and what a browser hides stays hidden.

use htmlize::{unescape, unescape_attribute};

use super::plain::push;
use super::scan::{Scanner, TokenKind, attribute_value, is_raw_text};

/// The text of a body, with a blank line between paragraphs. Text without markup keeps its lines.
pub fn text(html: &str) -> String {
    if !html.contains('<') {
        let mut text = String::new();
        push(&mut text, &unescape(html));
        return text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned();
    }
    let mut page = Page::default();
    let mut is_hidden = false;
    for token in Scanner::new(html) {
        let source = &html[token.range];
        match token.kind {
            // The content of a raw text element is a single text token.
            TokenKind::Text if std::mem::take(&mut is_hidden) => {}
            TokenKind::Text => page.text(&unescape(source)),
            TokenKind::Start { name, .. } => {
                page.start(&name.to_ascii_lowercase(), source);
                is_hidden = is_raw_text(name);
            }
            TokenKind::End { name } => page.end(&name.to_ascii_lowercase()),
            TokenKind::Comment => {}
        }
    }
    page.end_row();
    page.lines.join("\n")
}

/// The lines written so far, and the elements that are open.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
    line: String,
    /// Whether a blank line comes before the next line.
    gap: bool,
    /// For each open list, the number of its next item; `None` if it has no numbers.
    lists: Vec<Option<u32>>,
    /// The mark of the list item that begins here.
    mark: Option<String>,
    quotes: usize,
    is_preformatted: bool,
    /// Whether the text is in a cell of a table, whose row is one line.
    is_cell: bool,
    /// The address of the open link, and where its label begins in the line.
    link: Option<(String, usize)>,
}

impl Page {
    fn text(&mut self, text: &str) {
        if self.is_preformatted {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.end_line();
                }
                push(&mut self.line, line);
            }
            return;
        }
        let mut clean = String::new();
        push(&mut clean, text);
        let starts_with_space = clean.starts_with(char::is_whitespace);
        let ends_with_space = clean.ends_with(char::is_whitespace);
        let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
        if starts_with_space {
            self.space();
        }
        self.line.push_str(&words);
        if ends_with_space {
            self.space();
        }
    }

    fn space(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
    }

    fn start(&mut self, name: &str, tag: &str) {
        let value = |attribute| {
            let value = &tag[attribute_value(tag, attribute)?];
            Some(unescape_attribute(value).into_owned()).filter(|value| !value.is_empty())
        };
        match name {
            "br" => self.end_line(),
            "hr" => {
                self.block(true);
                self.line.push_str("---");
                self.block(true);
            }
            "p" => {
                let is_tight = value("class").is_some_and(|class| class.contains("no-margin"));
                self.block(!is_tight && self.lists.is_empty());
            }
            "ul" | "ol" => {
                self.block(self.lists.is_empty());
                self.lists.push((name == "ol").then_some(1));
            }
            "li" => {
                self.end_line();
                self.mark = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                });
            }
            "pre" => {
                self.block(true);
                self.is_preformatted = true;
            }
            "blockquote" => {
                self.block(true);
                self.quotes += 1;
            }
            "a" => {
                let href = value("href").filter(|href| href.starts_with("http"));
                self.link = href.map(|href| (href, self.line.len()));
            }
            "img" => {
                let file = value("src").and_then(|src| file_name(&src));
                let name = value("alt").or(file).map_or_else(String::new, |name| format!(": {name}"));
                self.space();
                push(&mut self.line, &format!("[image{name}] "));
            }
            "td" | "th" => {
                self.line.truncate(self.line.trim_end().len());
                if !self.line.is_empty() {
                    self.line.push_str(" | ");
                }
                self.is_cell = true;
            }
            "tr" => self.end_row(),
            _ if is_heading(name) || name == "table" => self.block(true),
            _ if is_block(name) => self.end_line(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" => {
                // An empty paragraph is a blank line.
                let was_empty = self.line.trim().is_empty();
                self.end_line();
                self.gap |= was_empty && self.lists.is_empty() && !self.is_cell;
            }
            "ul" | "ol" => {
                self.end_line();
                self.lists.pop();
                self.gap |= self.lists.is_empty();
            }
            "pre" => {
                self.block(true);
                self.is_preformatted = false;
            }
            "blockquote" => {
                self.block(true);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "a" => self.end_link(),
            "tr" => self.end_row(),
            "table" => {
                self.end_row();
                self.block(true);
            }
            _ if is_heading(name) => self.block(true),
            _ if is_block(name) => self.end_line(),
            _ => {}
        }
    }

    /// Adds the address to the label of a link, unless the label shows it.
    fn end_link(&mut self) {
        let Some((href, start)) = self.link.take() else { return };
        let label = self.line.get(start..).unwrap_or_default().trim();
        let is_shown = |label: &str| href.trim_end_matches('/').ends_with(label.trim_end_matches('/'));
        let address = match label.is_empty() {
            true => href.clone(),
            false if label.contains('.') && is_shown(label) => return,
            false => format!("({href})"),
        };
        self.space();
        push(&mut self.line, &address);
    }

    /// Ends the line, with a blank line after it if `is_apart`.
    fn block(&mut self, is_apart: bool) {
        self.end_line();
        self.gap |= is_apart && !self.is_cell;
    }

    fn end_row(&mut self) {
        self.is_cell = false;
        self.end_line();
    }

    fn end_line(&mut self) {
        if self.is_cell {
            return self.space();
        }
        self.link = None;
        let line = std::mem::take(&mut self.line);
        let shown = if self.is_preformatted { line.trim_end() } else { line.trim() };
        if !shown.chars().any(|letter| !letter.is_whitespace()) {
            return;
        }
        let gap = std::mem::take(&mut self.gap);
        if gap && !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        let quote = "> ".repeat(self.quotes);
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let inner = if self.lists.is_empty() { "" } else { "  " };
        let mark = self.mark.take().unwrap_or_else(|| inner.to_owned());
        self.lines.push(format!("{quote}{indent}{mark}{shown}"));
    }
}

/// The last segment of an address.
fn file_name(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    let name = path.rsplit('/').next().filter(|name| name.contains('.') && path.contains('/'))?;
    Some(name.to_owned())
}

fn is_heading(name: &str) -> bool {
    matches!(name.as_bytes(), [b'h', b'1'..=b'6'])
}

fn is_block(name: &str) -> bool {
    const BLOCKS: &[&str] = &[
        "address",
        "article",
        "aside",
        "button",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "li",
        "main",
        "nav",
        "section",
        "summary",
    ];
    BLOCKS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_separate_and_tight_ones_are_not() {
        assert_eq!(text("<p>Hello&nbsp;<b>you</b></p><p>Bye</p>"), "Hello you\n\nBye");
        assert_eq!(text("<p class=\"no-margin\">a</p><p class=\"no-margin\">b</p>"), "a\nb");
        assert_eq!(
            text("<p class='no-margin'>a</p><p class='no-margin'></p><p class='no-margin'>b</p>"),
            "a\n\nb"
        );
        assert_eq!(text("<p>It is<br>on its way</p>"), "It is\non its way");
        assert_eq!(text("a &lt; b\n\nsecond  "), "a < b\n\nsecond");
    }

    #[test]
    fn lists_and_quotes_keep_their_marks() {
        let html = "<p>Try:</p><ul><li>one</li><li><p>two</p><ol><li>deep</li></ol></li></ul><p>Done</p>";
        assert_eq!(text(html), "Try:\n\n- one\n- two\n  1. deep\n\nDone");
        assert_eq!(text("<div>Hi</div><blockquote><p>old</p></blockquote>"), "Hi\n\n> old");
        assert_eq!(text("<pre><code>a\n  b</code></pre>"), "a\n  b");
        assert_eq!(text("<h2>Title</h2><p>Text</p>"), "Title\n\nText");
        let table = "<p>a</p><table><tr><td><p>Plan</p></td><td><p>Rows</p></td></tr><tr><td>Free<td>10</table><p>b</p>";
        assert_eq!(text(table), "a\n\nPlan | Rows\nFree | 10\n\nb");
    }

    #[test]
    fn addresses_of_links_and_names_of_images_are_shown() {
        assert_eq!(text("<a href=\"https://a.example/x\">here</a> now"), "here (https://a.example/x) now");
        assert_eq!(text("<a href=\"https://a.example/x\">a.example/x</a>"), "a.example/x");
        assert_eq!(text("See <img src=\"https://i.example/shot.png?x=1\">"), "See [image: shot.png]");
        assert_eq!(text("<img src=\"data:x\">"), "[image]");
    }

    #[test]
    fn hidden_content_and_broken_markup_do_no_harm() {
        assert_eq!(text("<p>a<script>alert(1)</script><!-- b --><style>c</style></p>"), "a");
        assert_eq!(text("<p>cut off <b"), "cut off");
        assert_eq!(text("</ul></blockquote></li>x"), "x");
        assert_eq!(text(""), "");
    }
}
