//! Changes a block's HTML as little as a changed Markdown asks for.
//!
//! The rendered HTML of edited Markdown says what a block should mean; the HTML it had says how the server
//! writes that, with classes, styles and wrappers that Markdown has no word for. Patching walks both and
//! takes every byte from the old one wherever the meaning is the same, down to single words. It never
//! decides what a block means: whoever calls it compares the result with what was asked for.

mod tokens;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::html::shape::{Kind, Shape};
use super::markdown::render::{escape_attribute, escape_text};
use tokens::Token;

/// `new`, written with the bytes of `old`.
pub fn patch(old: &Shape<'_>, new: &Shape<'_>) -> String {
    let mut out = String::with_capacity(old.open.len() + new.open.len());
    merge(old, new, &mut out);
    out
}

fn merge(old: &Shape<'_>, new: &Shape<'_>, out: &mut String) {
    if old.hash == new.hash && !adds_attributes(old, new) {
        return old.write_source(out);
    }
    if std::mem::discriminant(&old.kind) != std::mem::discriminant(&new.kind) {
        return new.write_source(out);
    }
    match (&old.kind, &new.kind) {
        (Kind::Text(folded), Kind::Text(text)) => return words(old.open, folded, text, out),
        (_, Kind::Verbatim(text)) => return code(old.open, text, out),
        (_, Kind::Heading(_)) if old.kind != new.kind => return renamed(old, new, out),
        (Kind::List(from), Kind::List(to)) if from != to => return relisted(old, new, out),
        // Another language stands in a tag that has nothing else to keep.
        (_, Kind::Code(_)) if old.kind != new.kind => return new.write_source(out),
        _ => {}
    }
    out.push_str(&opened(old, new));
    children(old, new, out);
    out.push_str(old.close);
}

/// The children of `new`, each written like the child of `old` that it comes from.
fn children(old: &Shape<'_>, new: &Shape<'_>, out: &mut String) {
    let before: Vec<u64> = old.children.iter().map(|it| it.hash).collect();
    let after: Vec<u64> = new.children.iter().map(|it| it.hash).collect();
    let mut regions: Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &before, &after) {
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
        region(&old.children, olds, &new.children[news], out);
    }
}

fn is_equal(
    region: &(std::ops::Range<usize>, std::ops::Range<usize>),
    before: &[u64],
    after: &[u64],
) -> bool {
    !region.0.is_empty() && before[region.0.clone()] == after[region.1.clone()]
}

/// A stretch that changed: pairs of the same kind in order are merged, the rest is taken out or put in.
fn region(siblings: &[Shape<'_>], olds: std::ops::Range<usize>, news: &[Shape<'_>], out: &mut String) {
    let mut at = olds.start;
    for (index, new) in news.iter().enumerate() {
        let later = news.len() - index - 1;
        let same = |it: &usize| {
            let old = &siblings[*it];
            !old.is_blank_text() && std::mem::discriminant(&old.kind) == std::mem::discriminant(&new.kind)
        };
        // Only as far ahead as leaves enough for the others.
        let spare = (olds.end - at).saturating_sub(later);
        let found = (at..olds.end).take(spare.max(1)).find(same);
        match found {
            Some(found) => {
                removed(&siblings[at..found], out);
                out.push_str(siblings[found].before);
                merge(&siblings[found], new, out);
                at = found + 1;
            }
            None => {
                let is_alike =
                    |it: &&Shape<'_>| std::mem::discriminant(&it.kind) == std::mem::discriminant(&new.kind);
                let like =
                    siblings[..at].iter().rev().find(is_alike).or_else(|| siblings.iter().find(is_alike));
                out.push_str(like.filter(|it| it.before.trim_ascii().is_empty()).map_or("", |it| it.before));
                imitate(like, new, out);
            }
        }
    }
    removed(&siblings[at..olds.end], out);
}

/// What must stay of siblings that are taken out: tags between them, and white space that means nothing.
fn removed(siblings: &[Shape<'_>], out: &mut String) {
    for shape in siblings {
        if !shape.before.trim_ascii().is_empty() || shape.is_blank_text() {
            out.push_str(shape.before);
        }
        if shape.is_blank_text() {
            out.push_str(shape.open);
        }
    }
}

/// A new item, row, cell or paragraph in the clothes of one that is there.
fn imitate(like: Option<&Shape<'_>>, new: &Shape<'_>, out: &mut String) {
    let structural = matches!(new.kind, Kind::Item | Kind::Row | Kind::Cell | Kind::Paragraph);
    let Some(like) = like.filter(|it| structural && it.kind == new.kind && is_plain(it)) else {
        return new.write_source(out);
    };
    let inner = like.children.first().map_or(0, |_| like.open.len());
    let (open, close) = match inner {
        // Without children the whole element is `open`.
        0 => (new.open, new.close),
        _ => (like.open, like.close),
    };
    out.push_str(open);
    for (index, child) in new.children.iter().enumerate() {
        let is_alike = |it: &&Shape<'_>| it.kind == child.kind;
        let model = like.children.get(index).filter(is_alike).or_else(|| like.children.iter().find(is_alike));
        imitate(model, child, out);
    }
    out.push_str(close);
}

/// Whether the opening source is one tag or none: an image's container is not for other paragraphs.
fn is_plain(shape: &Shape<'_>) -> bool {
    shape.open.matches('<').count() <= 1 && !shape.open.contains("intercom-container")
}

/// The opening source of `old` with what `new` says differently.
fn opened(old: &Shape<'_>, new: &Shape<'_>) -> String {
    let mut open = old.open.to_owned();
    match (&old.kind, &new.kind) {
        (Kind::Link { href: from, title: old_title }, Kind::Link { href, title }) => {
            set(&mut open, "href", (from != href).then_some(href));
            set(&mut open, "title", (old_title != title).then_some(title));
        }
        (Kind::Button { href: from }, Kind::Button { href }) => {
            set(&mut open, "href", (from != href).then_some(href));
        }
        (Kind::Callout(from), Kind::Callout(kind)) => {
            set(&mut open, "style", (from != kind).then_some(&kind.style().to_owned()));
        }
        (Kind::Video(from), Kind::Video(src)) => set(&mut open, "src", (from != src).then_some(src)),
        (
            Kind::Image {
                src: old_src,
                alt: old_alt,
                title: old_title,
                width: old_width,
                height: old_height,
            },
            Kind::Image { src, alt, title, width, height },
        ) => {
            // The rendered tag holds the address to send, the shape the one that is shown.
            if old_src != src {
                return new.open.to_owned();
            }
            set(&mut open, "alt", (old_alt != alt).then_some(alt));
            set(&mut open, "title", (old_title != title).then_some(title));
            set(&mut open, "width", (old_width != width).then_some(width));
            set(&mut open, "height", (old_height != height).then_some(height));
        }
        (Kind::Html(from), Kind::Html(to)) if from != to => return new.open.to_owned(),
        _ => {
            for (name, value) in attributes(new.open) {
                set(&mut open, &name, Some(&value));
            }
        }
    }
    open
}

/// Whether Markdown with HTML in it states an attribute that the old tag lacks.
fn adds_attributes(old: &Shape<'_>, new: &Shape<'_>) -> bool {
    let states = matches!(new.kind, Kind::Link { .. } | Kind::Strong | Kind::Emphasis | Kind::Strike);
    states
        && attributes(new.open).iter().any(|(name, value)| {
            attributes(old.open).iter().all(|(other, stated)| other != name || stated != value)
        })
}

fn attributes(open: &str) -> Vec<(String, String)> {
    let Some(tag) = open.get(..open.find('>').map_or(0, |it| it + 1)).filter(|it| it.starts_with('<')) else {
        return Vec::new();
    };
    let name = tag[1..].find([' ', '>', '/', '\n']).map_or("", |it| &tag[1..it + 1]);
    let element = format!("{tag}</{name}>");
    match super::html::tree::parse(&element).unwrap_or_default().first() {
        Some(super::html::tree::Node::Element(element)) => {
            element.attributes.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

/// Sets an attribute in the first tag of a source that has it, else in its first tag.
fn set(open: &mut String, name: &str, value: Option<&String>) {
    let Some(value) = value else { return };
    let mut escaped = String::new();
    escape_attribute(value, &mut escaped);
    let written = format!("{name}=\"{escaped}\"");
    for quote in ['"', '\''] {
        let start = format!(" {name}={quote}");
        if let Some(at) = open.find(&start) {
            let inner = at + start.len();
            let end = open[inner..].find(quote).map_or(open.len(), |it| inner + it + 1);
            open.replace_range(at + 1..end, &written);
            return;
        }
    }
    if let Some(end) = open.find('>') {
        let end = if open[..end].ends_with('/') { end - 1 } else { end };
        open.insert_str(end, &format!(" {written}"));
    }
}

/// A heading of another level keeps its attributes.
fn renamed(old: &Shape<'_>, new: &Shape<'_>, out: &mut String) {
    let (Kind::Heading(from), Kind::Heading(to)) = (&old.kind, &new.kind) else { return };
    let name = |level: &u8| format!("h{level}");
    out.push_str(&old.open.replacen(&name(from), &name(to), 1));
    children(old, new, out);
    out.push_str(&old.close.replacen(&name(from), &name(to), 1));
}

/// A list of another kind, or that begins with another number, keeps its attributes and items.
fn relisted(old: &Shape<'_>, new: &Shape<'_>, out: &mut String) {
    let (Kind::List(from), Kind::List(to)) = (&old.kind, &new.kind) else { return };
    let name = |first: &Option<u64>| if first.is_some() { "ol" } else { "ul" };
    let mut open = old.open.replacen(name(from), name(to), 1);
    let first = to.filter(|it| *it != from.unwrap_or(1)).map(|it| it.to_string());
    set(&mut open, "start", first.as_ref());
    out.push_str(&open);
    children(old, new, out);
    out.push_str(&old.close.replacen(name(from), name(to), 1));
}

/// Text whose unchanged words keep their spelling in the source. `folded` is what the source says, without
/// the white space at its edges that no browser shows.
fn words(source: &str, folded: &str, text: &str, out: &mut String) {
    let mut tokens = Token::of_html(source);
    tokens.iter_mut().for_each(Token::fold);
    let mut old = tokens.as_slice();
    let (mut head, mut tail) = ("", "");
    if let [first, rest @ ..] = old
        && first.is_space()
        && !folded.starts_with(' ')
    {
        (head, old) = (first.source, rest);
    }
    if let [rest @ .., last] = old
        && last.is_space()
        && !folded.ends_with(' ')
    {
        (tail, old) = (last.source, rest);
    }
    let mut new = Token::of_text(text);
    new.iter_mut().for_each(Token::fold);
    out.push_str(head);
    spelled(old, &new, out);
    out.push_str(tail);
}

/// Code whose unchanged words keep their spelling in the source; white space counts.
fn code(source: &str, text: &str, out: &mut String) {
    let tail = if source.ends_with('\n') { "\n" } else { "" };
    let head = if source.starts_with('\n') && !text.starts_with('\n') { "\n" } else { "" };
    let inner = &source[head.len()..];
    out.push_str(head);
    spelled(&Token::of_html(inner.strip_suffix('\n').unwrap_or(inner)), &Token::of_text(text), out);
    out.push_str(tail);
}

/// `new`, with what stays taken from the source of `old`.
fn spelled(old: &[Token<'_>], new: &[Token<'_>], out: &mut String) {
    let before: Vec<&str> = old.iter().map(|it| it.text.as_ref()).collect();
    let after: Vec<&str> = new.iter().map(|it| it.text.as_ref()).collect();
    for op in capture_diff_slices(Algorithm::Myers, &before, &after) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                old[old_index..old_index + len].iter().for_each(|it| out.push_str(it.source));
            }
            _ => new[op.new_range()].iter().for_each(|it| escape_text(it.source, out)),
        }
    }
}
