//! Writes blocks as Markdown, in the form that an author would choose, with one line per paragraph.
//!
//! Rare constructs may read back with another meaning. The caller must detect that and try another [`Style`],
//! or keep the HTML.

use super::inline::{self, InlineContext};
use super::{RAW_HTML, Style, VIDEO_LABEL};
use crate::articles::html::ast::{AstNode, NodeKind};

/// The Markdown of a block, without a line feed at the end; `None` if Markdown cannot express it.
pub fn block(node: &AstNode<'_>, style: Style) -> Option<String> {
    let text = match &node.kind {
        NodeKind::Paragraph => inline::line(node, style, InlineContext::Paragraph)?,
        NodeKind::Heading(level) => {
            let text = inline::line(node, style, InlineContext::Line)?;
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
        NodeKind::Video(src) => format!("[{VIDEO_LABEL}]({})", inline::destination(src)?),
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
                [only] => inline::line(only, style, InlineContext::Cell)?,
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
