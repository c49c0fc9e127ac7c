//! Writes inline content as Markdown.
//!
//! People edit the result, so it must not contain more escapes than needed to read the same text back.

use super::Style;
use crate::articles::html::ast::{AstNode, NodeKind};

/// The position of the text, which decides what must be escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InlineContext {
    Paragraph,
    /// A single line, for example a heading.
    Line,
    /// A table cell: a single line without an unescaped `|`.
    Cell,
}

/// The inline content of a block; `None` if Markdown cannot express it.
pub fn line(node: &AstNode<'_>, style: Style, context: InlineContext) -> Option<String> {
    let mut writer = InlineWriter { out: String::new(), style, context };
    writer.write_all(&node.children)?;
    Some(writer.out)
}

struct InlineWriter {
    out: String,
    style: Style,
    context: InlineContext,
}

impl InlineWriter {
    fn write_all(&mut self, nodes: &[AstNode<'_>]) -> Option<()> {
        for (index, node) in nodes.iter().enumerate() {
            let before_link = nodes[index + 1..]
                .iter()
                .find(|node| !node.is_blank_text())
                .is_some_and(|node| matches!(node.kind, NodeKind::Link { .. } | NodeKind::Button { .. }));
            self.write_node(node, before_link)?;
        }
        Some(())
    }

    fn write_node(&mut self, node: &AstNode<'_>, before_link: bool) -> Option<()> {
        match &node.kind {
            NodeKind::Text(text) => self.text(text, before_link),
            NodeKind::Strong => self.emphasis(node, "**", "b")?,
            NodeKind::Emphasis => self.emphasis(node, "*", "i")?,
            NodeKind::Strike => self.emphasis(node, "~~", "s")?,
            NodeKind::InlineCode => self.code(node)?,
            NodeKind::Link { href, title } => {
                self.out.push('[');
                self.write_all(&node.children)?;
                self.target(href, title)?;
            }
            NodeKind::Button { href } => {
                self.out.push('[');
                self.write_all(&node.children)?;
                self.target(href, "")?;
                self.out.push_str("{.button}");
            }
            NodeKind::Image { src, alt, title, width, height } => {
                self.out.push_str("![");
                self.text(alt, false);
                self.target(src, title)?;
                let sizes = [("width", width), ("height", height)];
                let sizes: Vec<String> = sizes
                    .into_iter()
                    .filter(|(_, size)| !size.is_empty())
                    .map(|(name, size)| format!("{name}={size}"))
                    .collect();
                if !sizes.is_empty() {
                    self.out.push_str(&format!("{{{}}}", sizes.join(" ")));
                }
            }
            NodeKind::Break
                if self.context == InlineContext::Paragraph
                    && !self.out.is_empty()
                    && !self.out.ends_with('\n') =>
            {
                self.out.push_str("\\\n");
            }
            NodeKind::Break => self.out.push_str("<br>"),
            NodeKind::Html(open) => {
                self.out.push_str(open);
                self.write_all(&node.children)?;
                self.out.push_str(node.close);
            }
            _ => return None,
        }
        Some(())
    }

    fn emphasis(&mut self, node: &AstNode<'_>, marker: &str, tag: &str) -> Option<()> {
        let start = self.out.len();
        self.out.push_str(marker);
        self.write_all(&node.children)?;
        let inner = &self.out[start + marker.len()..];
        let is_recognized = !inner.is_empty()
            && !inner.starts_with([' ', '*', '~', '\\', '\n'])
            && !inner.ends_with([' ', '*', '~', '\n'])
            && !self.out[..start].ends_with(['*', '~']);
        if self.style.tags || !is_recognized {
            let inner = self.out.split_off(start + marker.len());
            self.out.truncate(start);
            self.out.push_str(&format!("<{tag}>{inner}</{tag}>"));
        } else {
            self.out.push_str(marker);
        }
        Some(())
    }

    fn code(&mut self, node: &AstNode<'_>) -> Option<()> {
        let mut text = String::new();
        for child in &node.children {
            let NodeKind::Text(piece) = &child.kind else { return None };
            text.push_str(piece);
        }
        if text.is_empty() {
            return None;
        }
        if self.context == InlineContext::Cell {
            text = text.replace('|', "\\|");
        }
        let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest + 1);
        let padding = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
        self.out.push_str(&format!("{fence}{padding}{text}{padding}{fence}"));
        Some(())
    }

    fn target(&mut self, address: &str, title: &str) -> Option<()> {
        self.out.push_str("](");
        self.out.push_str(
            &destination(address)?
                .replace('|', if self.context == InlineContext::Cell { "\\|" } else { "|" }),
        );
        if !title.is_empty() {
            let title = title.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;");
            self.out.push_str(&format!(" \"{title}\""));
        }
        self.out.push(')');
        Some(())
    }

    fn text(&mut self, text: &str, before_link: bool) {
        let bytes = text.as_bytes();
        for (at, letter) in text.char_indices() {
            let next = bytes.get(at + letter.len_utf8()).copied();
            let at_start = self.out.is_empty() || self.out.ends_with('\n');
            let escaped = match letter {
                '\\' | '`' | '*' | '[' | ']' | '~' => true,
                '_' => {
                    let inside = self.out.ends_with(char::is_alphanumeric)
                        && text[at + 1..].starts_with(char::is_alphanumeric);
                    !inside
                }
                '<' => {
                    next.is_none_or(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?'))
                }
                '&' => next.is_none_or(|byte| byte.is_ascii_alphanumeric() || byte == b'#'),
                '|' => self.context != InlineContext::Paragraph || at_start,
                '{' => self.out.ends_with(')'),
                '!' => next.is_none() && before_link,
                '#' => {
                    at_start
                        || self.context == InlineContext::Line
                            && next.is_none_or(|byte| byte == b'#' || byte == b' ')
                }
                '>' | '+' | '-' | '=' => at_start,
                '.' | ')' => self.is_number_at_line_start() && next.is_none_or(|byte| byte == b' '),
                '\u{a0}' => {
                    self.out.push_str("&nbsp;");
                    continue;
                }
                '\t' => {
                    self.out.push_str("&#9;");
                    continue;
                }
                _ => false,
            };
            if escaped {
                self.out.push('\\');
            }
            self.out.push(letter);
        }
    }

    /// Whether the line so far is a number, which a dot would turn into a list item.
    fn is_number_at_line_start(&self) -> bool {
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        !line.is_empty() && line.len() < 10 && line.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// An address as it is written in parentheses; `None` if Markdown cannot express it.
pub fn destination(address: &str) -> Option<String> {
    if address.contains(['\n', '\r', '\0']) {
        return None;
    }
    let escaped = address.replace('\\', "\\\\");
    // Without a semicolon, an ampersand cannot start a character reference.
    let escaped = if address.contains(';') { escaped.replace('&', "&amp;") } else { escaped };
    let is_plain = !address.is_empty()
        && !address.starts_with('<')
        && !address.contains(|letter: char| {
            letter.is_ascii_whitespace() || letter.is_control() || matches!(letter, '(' | ')')
        });
    if is_plain {
        return Some(escaped);
    }
    Some(format!("<{}>", escaped.replace('<', "\\<").replace('>', "\\>")))
}
