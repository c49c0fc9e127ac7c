//! Applies an edit of a block's Markdown to its HTML with as few changes as possible.
//!
//! The HTML rendered from the edited Markdown has the new meaning; the old HTML has the classes, styles and
//! wrappers that Markdown cannot express. Patching walks both trees and takes every byte from the old HTML
//! where the meaning is the same, down to single words. The result must not be trusted: the caller compares
//! its meaning with the requested one.

mod tokens;

use std::ops::Range;

use similar::DiffOp;

use super::html::ast::{AstNode, NodeKind};
use super::markdown::render::{escape_attribute, escape_text};
use super::sequence::differences;
use tokens::TextToken;

/// The HTML of `new`, with the bytes of `old` where the meaning is the same.
pub fn patch(old: &AstNode<'_>, new: &AstNode<'_>) -> String {
    let mut out = String::with_capacity(old.open.len() + new.open.len());
    patch_node(old, new, &mut out);
    out
}

fn patch_node(old: &AstNode<'_>, new: &AstNode<'_>, out: &mut String) {
    if old.hash == new.hash && !adds_attributes(old, new) {
        return old.write_source(out);
    }
    if std::mem::discriminant(&old.kind) != std::mem::discriminant(&new.kind) {
        return new.write_source(out);
    }
    match (&old.kind, &new.kind) {
        (NodeKind::Text(visible), NodeKind::Text(text)) => return patch_text(old.open, visible, text, out),
        (_, NodeKind::Verbatim(text)) => return patch_code(old.open, text, out),
        (_, NodeKind::Heading(_) | NodeKind::List(_)) if old.kind != new.kind => {
            return change_element(old, new, out);
        }
        // The language is in the opening tag, which has nothing else to keep.
        (_, NodeKind::Code(_)) if old.kind != new.kind => return new.write_source(out),
        _ => {}
    }
    out.push_str(&patch_opening(old, new));
    patch_children(old, new, out);
    out.push_str(old.close);
}

/// Patches the children: each child of `new` takes the bytes of the child of `old` that it corresponds to.
fn patch_children(old: &AstNode<'_>, new: &AstNode<'_>, out: &mut String) {
    let before: Vec<u64> = old.children.iter().map(|child| child.hash).collect();
    let after: Vec<u64> = new.children.iter().map(|child| child.hash).collect();
    let mut regions: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for op in differences(&before, &after) {
        let (olds, news) = (op.old_range(), op.new_range());
        match (op, regions.last_mut()) {
            (DiffOp::Equal { .. }, _) => {
                for (at, to) in olds.zip(news) {
                    regions.push((at..at + 1, to..to + 1));
                    regions.push((at + 1..at + 1, to + 1..to + 1));
                }
            }
            (_, Some(last)) if last.0.end == olds.start && !is_equal(last, &before, &after) => {
                (last.0.end, last.1.end) = (olds.end, news.end);
            }
            _ => regions.push((olds, news)),
        }
    }
    for (olds, news) in regions {
        patch_region(&old.children, olds, &new.children[news], out);
    }
}

fn is_equal(region: &(Range<usize>, Range<usize>), before: &[u64], after: &[u64]) -> bool {
    !region.0.is_empty() && before[region.0.clone()] == after[region.1.clone()]
}

/// Patches a changed stretch: nodes of the same kind are paired in order; the rest is removed or inserted.
fn patch_region(siblings: &[AstNode<'_>], olds: Range<usize>, news: &[AstNode<'_>], out: &mut String) {
    let mut at = olds.start;
    for (index, new) in news.iter().enumerate() {
        let later = news.len() - index - 1;
        let is_pair = |at: &usize| {
            let old = &siblings[*at];
            !old.is_blank_text() && std::mem::discriminant(&old.kind) == std::mem::discriminant(&new.kind)
        };
        // Do not look further ahead than the remaining new nodes allow.
        let spare = (olds.end - at).saturating_sub(later);
        let found = (at..olds.end).take(spare.max(1)).find(is_pair);
        match found {
            Some(found) => {
                keep_separators(&siblings[at..found], out);
                out.push_str(siblings[found].before);
                patch_node(&siblings[found], new, out);
                at = found + 1;
            }
            None => {
                let is_alike = |node: &&AstNode<'_>| {
                    std::mem::discriminant(&node.kind) == std::mem::discriminant(&new.kind)
                };
                let model =
                    siblings[..at].iter().rev().find(is_alike).or_else(|| siblings.iter().find(is_alike));
                out.push_str(
                    model.filter(|node| node.before.trim_ascii().is_empty()).map_or("", |node| node.before),
                );
                write_like(model, new, out);
            }
        }
    }
    keep_separators(&siblings[at..olds.end], out);
}

/// Writes what must remain of removed siblings: the tags and blank text between them.
fn keep_separators(siblings: &[AstNode<'_>], out: &mut String) {
    for node in siblings {
        if !node.before.trim_ascii().is_empty() || node.is_blank_text() {
            out.push_str(node.before);
        }
        if node.is_blank_text() {
            out.push_str(node.open);
        }
    }
}

/// Writes a new item, row, cell or paragraph with the tags of an existing one.
fn write_like(model: Option<&AstNode<'_>>, new: &AstNode<'_>, out: &mut String) {
    let is_structural =
        matches!(new.kind, NodeKind::Item | NodeKind::Row | NodeKind::Cell | NodeKind::Paragraph);
    let Some(model) = model.filter(|node| is_structural && node.kind == new.kind && is_plain(node)) else {
        return new.write_source(out);
    };
    let inner = model.children.first().map_or(0, |_| model.open.len());
    let (open, close) = match inner {
        // Without children, `open` is the whole element.
        0 => (new.open, new.close),
        _ => (model.open, model.close),
    };
    out.push_str(open);
    for (index, child) in new.children.iter().enumerate() {
        let is_alike = |node: &&AstNode<'_>| node.kind == child.kind;
        let child_model =
            model.children.get(index).filter(is_alike).or_else(|| model.children.iter().find(is_alike));
        write_like(child_model, child, out);
    }
    out.push_str(close);
}

/// Whether the opening source is at most one tag, and not the container of an image.
fn is_plain(node: &AstNode<'_>) -> bool {
    node.open.matches('<').count() <= 1 && !node.open.contains("intercom-container")
}

/// The opening source of `old` with the attributes that differ in `new`.
fn patch_opening(old: &AstNode<'_>, new: &AstNode<'_>) -> String {
    let changed = |name: &str, from: &str, to: &str| (from != to).then(|| (name.to_owned(), to.to_owned()));
    // The node has the displayed address; only the rendered tag has the one to send.
    let changed_link = |from: &str, to: &str| {
        let (name, shown) = changed("href", from, to)?;
        let sent = attributes(new.open).into_iter().find(|(other, _)| *other == name);
        sent.or(Some((name, shown)))
    };
    let changes = match (&old.kind, &new.kind) {
        (NodeKind::Link { href: from, title: old_title }, NodeKind::Link { href, title }) => {
            vec![changed_link(from, href), changed("title", old_title, title)]
        }
        (NodeKind::Button { href: from }, NodeKind::Button { href }) => vec![changed_link(from, href)],
        (NodeKind::Callout(from), NodeKind::Callout(kind)) => {
            vec![(from != kind).then(|| ("style".to_owned(), kind.style().to_owned()))]
        }
        (NodeKind::Video(from), NodeKind::Video(src)) => vec![changed("src", from, src)],
        (NodeKind::Image { src: from, .. }, NodeKind::Image { src, .. }) if from != src => {
            return new.open.to_owned();
        }
        (
            NodeKind::Image { alt: old_alt, title: old_title, width: old_width, height: old_height, .. },
            NodeKind::Image { alt, title, width, height, .. },
        ) => vec![
            changed("alt", old_alt, alt),
            changed("title", old_title, title),
            changed("width", old_width, width),
            changed("height", old_height, height),
        ],
        (NodeKind::Html(from), NodeKind::Html(to)) if from != to => return new.open.to_owned(),
        _ => attributes(new.open).into_iter().map(Some).collect(),
    };
    let mut open = old.open.to_owned();
    for (name, value) in changes.into_iter().flatten() {
        set_attribute(&mut open, &name, &value);
    }
    open
}

/// Whether inline HTML in the Markdown has an attribute that the old tag lacks.
fn adds_attributes(old: &AstNode<'_>, new: &AstNode<'_>) -> bool {
    let can_add =
        matches!(new.kind, NodeKind::Link { .. } | NodeKind::Strong | NodeKind::Emphasis | NodeKind::Strike);
    can_add
        && attributes(new.open).iter().any(|(name, value)| {
            attributes(old.open).iter().all(|(other, old_value)| other != name || old_value != value)
        })
}

fn attributes(open: &str) -> Vec<(String, String)> {
    let Some(tag) = open.get(..open.find('>').map_or(0, |end| end + 1)).filter(|tag| tag.starts_with('<'))
    else {
        return Vec::new();
    };
    let name = tag[1..].find([' ', '>', '/', '\n']).map_or("", |end| &tag[1..end + 1]);
    let element = format!("{tag}</{name}>");
    match super::html::tree::parse(&element).unwrap_or_default().first() {
        Some(super::html::tree::HtmlNode::Element(element)) => {
            element.attributes.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

/// Sets an attribute in the first tag that has it, or else in the first tag.
fn set_attribute(open: &mut String, name: &str, value: &str) {
    let mut escaped = String::new();
    escape_attribute(value, &mut escaped);
    let attribute = format!("{name}=\"{escaped}\"");
    for quote in ['"', '\''] {
        let start = format!(" {name}={quote}");
        if let Some(at) = open.find(&start) {
            let inner = at + start.len();
            let end = open[inner..].find(quote).map_or(open.len(), |end| inner + end + 1);
            open.replace_range(at + 1..end, &attribute);
            return;
        }
    }
    if let Some(end) = open.find('>') {
        let end = if open[..end].ends_with('/') { end - 1 } else { end };
        open.insert_str(end, &format!(" {attribute}"));
    }
}

/// Changes the level of a heading, or the type or first number of a list. Both keep their attributes and
/// content.
fn change_element(old: &AstNode<'_>, new: &AstNode<'_>, out: &mut String) {
    let name = |node: &AstNode<'_>| match node.kind {
        NodeKind::Heading(level) => format!("h{level}"),
        NodeKind::List(Some(_)) => "ol".to_owned(),
        _ => "ul".to_owned(),
    };
    let mut open = old.open.replacen(&name(old), &name(new), 1);
    if let (NodeKind::List(from), NodeKind::List(Some(first))) = (&old.kind, &new.kind)
        && *first != from.unwrap_or(1)
    {
        set_attribute(&mut open, "start", &first.to_string());
    }
    out.push_str(&open);
    patch_children(old, new, out);
    out.push_str(&old.close.replacen(&name(old), &name(new), 1));
}

/// Patches text: unchanged words keep their bytes. `visible` is the text of the source without the white
/// space at its edges that browsers do not show.
fn patch_text(source: &str, visible: &str, text: &str, out: &mut String) {
    let mut tokens = TextToken::of_html(source);
    tokens.iter_mut().for_each(TextToken::collapse);
    let mut old = tokens.as_slice();
    let (mut head, mut tail) = ("", "");
    if let [first, rest @ ..] = old
        && first.is_space()
        && !visible.starts_with(' ')
    {
        (head, old) = (first.source, rest);
    }
    if let [rest @ .., last] = old
        && last.is_space()
        && !visible.ends_with(' ')
    {
        (tail, old) = (last.source, rest);
    }
    let mut new = TextToken::of_text(text);
    new.iter_mut().for_each(TextToken::collapse);
    out.push_str(head);
    write_tokens(old, &new, out);
    out.push_str(tail);
}

/// Patches code: unchanged words keep their bytes, and white space is significant.
fn patch_code(source: &str, text: &str, out: &mut String) {
    let tail = if source.ends_with('\n') { "\n" } else { "" };
    let head = if source.starts_with('\n') && !text.starts_with('\n') { "\n" } else { "" };
    let inner = &source[head.len()..];
    out.push_str(head);
    write_tokens(
        &TextToken::of_html(inner.strip_suffix('\n').unwrap_or(inner)),
        &TextToken::of_text(text),
        out,
    );
    out.push_str(tail);
}

/// Writes `new`, with the source of `old` for unchanged tokens.
fn write_tokens(old: &[TextToken<'_>], new: &[TextToken<'_>], out: &mut String) {
    let before: Vec<&str> = old.iter().map(|token| token.text.as_ref()).collect();
    let after: Vec<&str> = new.iter().map(|token| token.text.as_ref()).collect();
    for op in differences(&before, &after) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                old[old_index..old_index + len].iter().for_each(|token| out.push_str(token.source));
            }
            _ => new[op.new_range()].iter().for_each(|token| escape_text(token.source, out)),
        }
    }
}
