//! Writes blocks as Markdown, in the form that an author would choose, with one line per paragraph.
//!
//! People edit the result, so it must not contain more escapes than needed to read the same text back. Rare
//! constructs may read back with another meaning. The caller must detect that and try another [`Style`], or
//! keep the HTML.

use super::{RAW_HTML, Style, VIDEO_LABEL};
use crate::articles::convert::html::ast::{AstNode, NodeKind};

/// The Markdown of a block, without a line feed at the end; `None` if Markdown cannot express it.
pub fn block(node: &AstNode<'_>, style: Style) -> Option<String> {
    let text = match &node.kind {
        NodeKind::Paragraph => inline_text(node, style, InlineContext::Paragraph)?,
        NodeKind::Heading(level) => {
            let text = inline_text(node, style, InlineContext::Line)?;
            format!("{} {text}", "#".repeat(usize::from(*level)))
        }
        NodeKind::List(start) => list(node, *start, style)?,
        NodeKind::Quote => quote(&blocks(&node.children, style, false)?),
        NodeKind::Callout(kind) => {
            let inner = blocks(&node.children, style, false)?;
            quote(&format!("[!{}]\n{inner}", kind.name()))
        }
        NodeKind::Code(language) => code(node, language)?,
        NodeKind::Rule => "---".to_owned(),
        NodeKind::Table => table(node, style)?,
        NodeKind::Details => details(node, style)?,
        NodeKind::Video(src) => format!("[{VIDEO_LABEL}]({})", destination(src)?),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn blocks(nodes: &[AstNode<'_>], style: Style, tight: bool) -> Option<String> {
    let mut out = String::new();
    let mut style = style;
    for (index, node) in nodes.iter().enumerate() {
        let previous = index.checked_sub(1).map(|index| &nodes[index].kind);
        match (previous, &node.kind) {
            (None, _) => {}
            (Some(NodeKind::Paragraph), NodeKind::List(None | Some(1))) if tight => out.push('\n'),
            _ => out.push_str("\n\n"),
        }
        let follows_list = matches!((previous, &node.kind), (Some(NodeKind::List(_)), NodeKind::List(_)));
        style.other_marker = follows_list && !style.other_marker;
        out.push_str(&block(node, style)?);
    }
    Some(out)
}

fn list(node: &AstNode<'_>, start: Option<u64>, style: Style) -> Option<String> {
    let is_tight = |item: &AstNode<'_>| {
        let paragraphs = item.children.iter().filter(|child| child.kind == NodeKind::Paragraph).count();
        let is_simple =
            item.children.iter().all(|child| matches!(child.kind, NodeKind::Paragraph | NodeKind::List(_)));
        is_simple
            && paragraphs <= 1
            && item.children.iter().filter(|child| matches!(child.kind, NodeKind::List(_))).count() <= 1
    };
    let tight = node.children.iter().all(is_tight);
    let mut out = String::new();
    for (index, item) in node.children.iter().enumerate() {
        if index > 0 {
            out.push_str(if tight { "\n" } else { "\n\n" });
        }
        let marker = match (start, style.other_marker) {
            (None, false) => "- ".to_owned(),
            (None, true) => "* ".to_owned(),
            (Some(start), false) => format!("{}. ", start.checked_add(index as u64)?),
            (Some(start), true) => format!("{}) ", start.checked_add(index as u64)?),
        };
        let inner = blocks(&item.children, Style { other_marker: false, ..style }, tight)?;
        let inner = indent(&inner, &" ".repeat(marker.len()));
        out.push_str(&marker);
        out.push_str(&inner);
        out.truncate(out.trim_end_matches(' ').len());
    }
    (!node.children.is_empty()).then_some(out)
}

/// Indents all lines except the first and empty ones.
fn indent(text: &str, by: &str) -> String {
    let mut indented = String::with_capacity(text.len() + 16);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            indented.push('\n');
            if !line.is_empty() {
                indented.push_str(by);
            }
        }
        indented.push_str(line);
    }
    indented
}

fn quote(text: &str) -> String {
    let lines = text.split('\n').map(|line| match line {
        "" => ">".to_owned(),
        line => format!("> {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn code(node: &AstNode<'_>, language: &str) -> Option<String> {
    let NodeKind::Verbatim(text) = &node.children.first()?.kind else { return None };
    if language == RAW_HTML || language.contains(['`', '\n', '\\', '&']) || text.contains('\r') {
        return None;
    }
    let fence = fence(text);
    let line_feed = if text.is_empty() { "" } else { "\n" };
    Some(format!("{fence}{language}\n{text}{line_feed}{fence}"))
}

/// A fence that is longer than any in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// HTML as a fenced block, which can contain any text.
pub fn fenced_html(html: &str) -> String {
    let fence = fence(html);
    format!("{fence}{RAW_HTML}\n{html}\n{fence}")
}

fn table(node: &AstNode<'_>, style: Style) -> Option<String> {
    let mut lines = Vec::with_capacity(node.children.len() + 1);
    for row in &node.children {
        let mut line = String::from("|");
        for cell in &row.children {
            let text = match cell.children.as_slice() {
                [] => String::new(),
                [only] => inline_text(only, style, InlineContext::Cell)?,
                _ => return None,
            };
            line.push(' ');
            line.push_str(&text);
            line.push_str(if text.is_empty() { "|" } else { " |" });
        }
        lines.push(line);
    }
    let width = node.children.first()?.children.len();
    lines.insert(1, format!("|{}", " --- |".repeat(width)));
    Some(lines.join("\n"))
}

fn details(node: &AstNode<'_>, style: Style) -> Option<String> {
    let (summary, content) = node.children.split_first()?;
    let mut title = String::new();
    for child in &summary.children {
        title.push_str(child.before);
        child.write_source(&mut title);
    }
    let title = title.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let inner = blocks(content, style, false)?;
    let gap = if inner.is_empty() { "" } else { "\n\n" };
    Some(format!("<details>\n<summary>{title}</summary>\n\n{inner}{gap}</details>"))
}

/// The position of the text, which decides what must be escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InlineContext {
    Paragraph,
    /// A single line, for example a heading.
    Line,
    /// A table cell: a single line without an unescaped `|`.
    Cell,
}

/// The inline content of a block; `None` if Markdown cannot express it.
fn inline_text(node: &AstNode<'_>, style: Style, context: InlineContext) -> Option<String> {
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
fn destination(address: &str) -> Option<String> {
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
