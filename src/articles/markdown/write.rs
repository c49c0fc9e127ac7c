//! Writes blocks as Markdown.
//!
//! The form an author would choose, one line per paragraph. Rare constructs may come out such that they
//! read back as something else; the caller notices and tries a plainer [`Style`], or keeps the HTML.

use super::inline::{self, Place};
use super::{RAW, Style, VIDEO};
use crate::articles::html::shape::{Kind, Shape};

/// The Markdown of a block without a line feed at the end; `None` when there is no form for it.
pub fn block(shape: &Shape<'_>, style: Style) -> Option<String> {
    let text = match &shape.kind {
        Kind::Paragraph => inline::line(shape, style, Place::Paragraph)?,
        Kind::Heading(level) => {
            let text = inline::line(shape, style, Place::Line)?;
            format!("{} {text}", "#".repeat(usize::from(*level)))
        }
        Kind::List(start) => list(shape, *start, style)?,
        Kind::Quote => quoted(&blocks(&shape.children, style, false)?),
        Kind::Callout(kind) => {
            let inner = blocks(&shape.children, style, false)?;
            quoted(&format!("[!{}]\n{inner}", kind.name()))
        }
        Kind::Code(language) => code(shape, language)?,
        Kind::Rule => "---".to_owned(),
        Kind::Table => table(shape, style)?,
        Kind::Details => details(shape, style)?,
        Kind::Video(src) => format!("[{VIDEO}]({})", inline::destination(src)?),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn blocks(shapes: &[Shape<'_>], style: Style, tight: bool) -> Option<String> {
    let mut written = String::new();
    let mut style = style;
    for (index, shape) in shapes.iter().enumerate() {
        let previous = index.checked_sub(1).map(|it| &shapes[it].kind);
        match (previous, &shape.kind) {
            (None, _) => {}
            (Some(Kind::Paragraph), Kind::List(None | Some(1))) if tight => written.push('\n'),
            _ => written.push_str("\n\n"),
        }
        let follows_list = matches!((previous, &shape.kind), (Some(Kind::List(_)), Kind::List(_)));
        style.other_marker = follows_list && !style.other_marker;
        written.push_str(&block(shape, style)?);
    }
    Some(written)
}

fn list(shape: &Shape<'_>, start: Option<u64>, style: Style) -> Option<String> {
    let is_tight = |item: &Shape<'_>| {
        let paragraphs = item.children.iter().filter(|it| it.kind == Kind::Paragraph).count();
        let rest = item.children.iter().all(|it| matches!(it.kind, Kind::Paragraph | Kind::List(_)));
        rest && paragraphs <= 1
            && item.children.iter().filter(|it| matches!(it.kind, Kind::List(_))).count() <= 1
    };
    let tight = shape.children.iter().all(is_tight);
    let mut written = String::new();
    for (index, item) in shape.children.iter().enumerate() {
        if index > 0 {
            written.push_str(if tight { "\n" } else { "\n\n" });
        }
        let marker = match (start, style.other_marker) {
            (None, false) => "- ".to_owned(),
            (None, true) => "* ".to_owned(),
            (Some(start), false) => format!("{}. ", start.checked_add(index as u64)?),
            (Some(start), true) => format!("{}) ", start.checked_add(index as u64)?),
        };
        let inner = blocks(&item.children, Style { other_marker: false, ..style }, tight)?;
        let indented = indent(&inner, &" ".repeat(marker.len()));
        written.push_str(&marker);
        written.push_str(&indented);
        written.truncate(written.trim_end_matches(' ').len());
    }
    (!shape.children.is_empty()).then_some(written)
}

/// Every line but the first, unless it is empty, moved in.
fn indent(text: &str, by: &str) -> String {
    let mut moved = String::with_capacity(text.len() + 16);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            moved.push('\n');
            if !line.is_empty() {
                moved.push_str(by);
            }
        }
        moved.push_str(line);
    }
    moved
}

fn quoted(text: &str) -> String {
    let lines = text.split('\n').map(|line| match line {
        "" => ">".to_owned(),
        line => format!("> {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn code(shape: &Shape<'_>, language: &str) -> Option<String> {
    let Kind::Verbatim(text) = &shape.children.first()?.kind else { return None };
    if language == RAW || language.contains(['`', '\n', '\\', '&']) || text.contains('\r') {
        return None;
    }
    let fence = fence(text);
    let line_feed = if text.is_empty() { "" } else { "\n" };
    Some(format!("{fence}{language}\n{text}{line_feed}{fence}"))
}

/// A fence that nothing in the text closes.
fn fence(text: &str) -> String {
    let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// A block that is kept as it is, behind a fence: any text may stand there.
pub fn fenced_html(html: &str) -> String {
    let fence = fence(html);
    format!("{fence}{RAW}\n{html}\n{fence}")
}

fn table(shape: &Shape<'_>, style: Style) -> Option<String> {
    let mut lines = Vec::with_capacity(shape.children.len() + 1);
    for row in &shape.children {
        let mut line = String::from("|");
        for cell in &row.children {
            let text = match cell.children.as_slice() {
                [] => String::new(),
                [only] => inline::line(only, style, Place::Cell)?,
                _ => return None,
            };
            line.push(' ');
            line.push_str(&text);
            line.push_str(if text.is_empty() { "|" } else { " |" });
        }
        lines.push(line);
    }
    let width = shape.children.first()?.children.len();
    lines.insert(1, format!("|{}", " --- |".repeat(width)));
    Some(lines.join("\n"))
}

fn details(shape: &Shape<'_>, style: Style) -> Option<String> {
    let (summary, content) = shape.children.split_first()?;
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
