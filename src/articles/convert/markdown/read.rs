//! Splits Markdown into top-level blocks and converts each to HTML.
//!
//! The block boundaries are those of the Markdown parser. A collapsible is one block from `<details>` to
//! `</details>`. Nothing here may fail: every text is valid Markdown.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::{AddressResolver, RAW_HTML, options, render};

/// Maximum nesting of collapsibles; deeper ones are kept as HTML.
const MAX_DEPTH: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkdownBlock {
    pub range: Range<usize>,
    pub form: BlockForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockForm {
    Markdown,
    Details,
    /// HTML, taken verbatim.
    Html,
    /// HTML in a fenced block.
    FencedHtml,
}

/// The blocks of a text, and the link definitions between them.
pub fn split_blocks(text: &str) -> (Vec<MarkdownBlock>, String) {
    let parser = Parser::new_ext(text, options());
    let mut spans: Vec<Range<usize>> =
        parser.reference_definitions().iter().map(|(_, definition)| definition.span.clone()).collect();
    spans.sort_by_key(|span| span.start);
    let definitions: Vec<&str> =
        spans.into_iter().filter_map(|span| text.get(span)).map(str::trim_end).collect();
    let definitions = definitions.join("\n");

    let mut found: Vec<MarkdownBlock> = Vec::new();
    let (mut depth, mut open_details) = (0usize, 0usize);
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    let form = match &tag {
                        Tag::HtmlBlock => BlockForm::Html,
                        Tag::CodeBlock(CodeBlockKind::Fenced(info)) if info.trim() == RAW_HTML => {
                            BlockForm::FencedHtml
                        }
                        _ => BlockForm::Markdown,
                    };
                    push_block(text, &mut found, &mut open_details, range, form);
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            _ if depth == 0 => push_block(text, &mut found, &mut open_details, range, BlockForm::Markdown),
            _ => {}
        }
    }
    (found, definitions)
}

/// Adds a block, or extends the last one inside a collapsible. `open_details` counts unclosed `<details>`
/// tags.
fn push_block(
    text: &str,
    found: &mut Vec<MarkdownBlock>,
    open_details: &mut usize,
    range: Range<usize>,
    form: BlockForm,
) {
    let slice = &text[range.clone()];
    let range = range.start..range.start + slice.trim_end().len();
    let balance = |slice: &str| {
        slice.matches("<details").count() as isize - slice.matches("</details").count() as isize
    };
    if *open_details > 0 {
        if form == BlockForm::Html {
            *open_details = open_details.saturating_add_signed(balance(slice));
        }
        if let Some(last) = found.last_mut() {
            last.range.end = range.end;
        }
        return;
    }
    let opened = if form == BlockForm::Html && slice.starts_with("<details") { balance(slice) } else { 0 };
    let form = if opened > 0 { BlockForm::Details } else { form };
    *open_details = opened.max(0).unsigned_abs();
    found.push(MarkdownBlock { range, form });
}

/// The HTML of one block of this form.
pub fn block_html(text: &str, form: BlockForm, definitions: &str, resolve: AddressResolver<'_>) -> String {
    nested_html(text, form, definitions, resolve, 0)
}

fn nested_html(
    text: &str,
    form: BlockForm,
    definitions: &str,
    resolve: AddressResolver<'_>,
    depth: usize,
) -> String {
    match form {
        BlockForm::Html => text.to_owned(),
        BlockForm::FencedHtml => fenced_html(text),
        BlockForm::Details if depth < MAX_DEPTH => {
            details(text, definitions, resolve, depth).unwrap_or_else(|| text.to_owned())
        }
        BlockForm::Details => text.to_owned(),
        BlockForm::Markdown => {
            let text = if definitions.is_empty() {
                Cow::Borrowed(text)
            } else {
                Cow::Owned(format!("{text}\n\n{definitions}"))
            };
            render::html(&text, resolve)
        }
    }
}

fn fenced_html(text: &str) -> String {
    let mut html = String::new();
    let mut inside = false;
    for event in Parser::new_ext(text, options()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => inside = true,
            Event::End(TagEnd::CodeBlock) => break,
            Event::Text(piece) if inside => html.push_str(&piece),
            _ => {}
        }
    }
    html.truncate(html.strip_suffix('\n').unwrap_or(&html).len());
    html
}

fn details(text: &str, definitions: &str, resolve: AddressResolver<'_>, depth: usize) -> Option<String> {
    let (head, rest) = text.split_once("</summary>")?;
    let (open, summary) = head.split_once("<summary")?;
    let inner = rest.trim_end().strip_suffix("</details>")?;
    let mut html = format!("{}<summary{}</summary>", open.trim_end(), summary);
    let (found, _) = split_blocks(inner);
    for block in found {
        html.push_str(&nested_html(&inner[block.range], block.form, definitions, resolve, depth + 1));
    }
    html.push_str("</details>");
    Some(html)
}
