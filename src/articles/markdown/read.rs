//! Cuts Markdown into top-level blocks and says what each is.
//!
//! The cutting is the Markdown parser's, so that a block is what a reader sees as one. A collapsible is one
//! block from `<details>` to `</details>`. Nothing here fails: every text is Markdown.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::{RAW, Resolve, options, render};

/// Collapsibles inside each other; a deeper one is left as it stands.
const DEPTH: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub range: Range<usize>,
    pub form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Markdown,
    Details,
    /// HTML that is taken as it stands.
    Html,
    /// HTML behind a fence.
    FencedHtml,
}

/// The blocks of a text, and the link definitions that stand between them.
pub fn blocks(text: &str) -> (Vec<Block>, String) {
    let parser = Parser::new_ext(text, options());
    let mut spans: Vec<Range<usize>> =
        parser.reference_definitions().iter().map(|(_, it)| it.span.clone()).collect();
    spans.sort_by_key(|span| span.start);
    let definitions: Vec<&str> =
        spans.into_iter().filter_map(|span| text.get(span)).map(str::trim_end).collect();
    let definitions = definitions.join("\n");

    let mut found: Vec<Block> = Vec::new();
    let (mut depth, mut folded) = (0usize, 0usize);
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    let form = match &tag {
                        Tag::HtmlBlock => Form::Html,
                        Tag::CodeBlock(CodeBlockKind::Fenced(info)) if info.trim() == RAW => Form::FencedHtml,
                        _ => Form::Markdown,
                    };
                    push(text, &mut found, &mut folded, range, form);
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            _ if depth == 0 => push(text, &mut found, &mut folded, range, Form::Markdown),
            _ => {}
        }
    }
    (found, definitions)
}

fn push(text: &str, found: &mut Vec<Block>, folded: &mut usize, range: Range<usize>, form: Form) {
    let slice = &text[range.clone()];
    let range = range.start..range.start + slice.trim_end().len();
    let balance = |slice: &str| {
        slice.matches("<details").count() as isize - slice.matches("</details").count() as isize
    };
    if *folded > 0 {
        if form == Form::Html {
            *folded = folded.saturating_add_signed(balance(slice));
        }
        if let Some(last) = found.last_mut() {
            last.range.end = range.end;
        }
        return;
    }
    let opened = if form == Form::Html && slice.starts_with("<details") { balance(slice) } else { 0 };
    let form = if opened > 0 { Form::Details } else { form };
    *folded = opened.max(0).unsigned_abs();
    found.push(Block { range, form });
}

/// The HTML of one block of this form.
pub fn html(text: &str, form: Form, definitions: &str, resolve: Resolve<'_>) -> String {
    html_at(text, form, definitions, resolve, 0)
}

fn html_at(text: &str, form: Form, definitions: &str, resolve: Resolve<'_>, depth: usize) -> String {
    match form {
        Form::Html => text.to_owned(),
        Form::FencedHtml => fenced(text),
        Form::Details if depth < DEPTH => {
            details(text, definitions, resolve, depth).unwrap_or_else(|| text.to_owned())
        }
        Form::Details => text.to_owned(),
        Form::Markdown => {
            let text = match definitions.is_empty() {
                true => Cow::Borrowed(text),
                false => Cow::Owned(format!("{text}\n\n{definitions}")),
            };
            render::html(&text, resolve)
        }
    }
}

fn fenced(text: &str) -> String {
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

fn details(text: &str, definitions: &str, resolve: Resolve<'_>, depth: usize) -> Option<String> {
    let (head, rest) = text.split_once("</summary>")?;
    let (open, summary) = head.split_once("<summary")?;
    let inner = rest.trim_end().strip_suffix("</details>")?;
    let mut html = format!("{}<summary{}</summary>", open.trim_end(), summary);
    let (found, _) = blocks(inner);
    for block in found {
        html.push_str(&html_at(&inner[block.range], block.form, definitions, resolve, depth + 1));
    }
    html.push_str("</details>");
    Some(html)
}
