//! Reads the text of a block and what stands in it: emphasis, links, images, line breaks.
//!
//! White space is folded as a browser shows it; what is not known is refused.

use std::borrow::Cow;

use super::blocks::Reader;
use super::{Kind, Shape};
use crate::articles::html::split::is_inline;
use crate::articles::html::tree::{Element, Node};

impl<'a> Reader<'a, '_> {
    /// The inline content of a block: white space at its edges means nothing.
    pub(super) fn inline_root(&self, nodes: &[Node<'a>]) -> Option<Vec<Shape<'a>>> {
        let mut shapes = self.inline(nodes, &mut true, false)?;
        trim_end(&mut shapes);
        Some(shapes)
    }

    /// `at_space` tells whether white space here would be folded into what came before.
    fn inline(&self, nodes: &[Node<'a>], at_space: &mut bool, in_link: bool) -> Option<Vec<Shape<'a>>> {
        let mut shapes: Vec<Shape<'a>> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let shape = match node {
                Node::Text(range) => {
                    let source = &self.source[range.clone()];
                    let end = range.end;
                    let kind = Kind::Text(fold(htmlize::unescape(source), at_space));
                    let close = &self.source[end..end];
                    Shape { kind, before: "", open: source, close, children: Vec::new(), hash: 0 }
                }
                Node::Element(element) => {
                    let shape = self.inline_element(element, at_space, in_link)?;
                    if shape.kind == Kind::Break {
                        trim_end(&mut shapes);
                        *at_space = true;
                    } else if matches!(shape.kind, Kind::Image { .. }) {
                        *at_space = false;
                    }
                    shape
                }
            };
            shapes.push(shape);
        }
        Some(shapes)
    }

    fn inline_element(&self, element: &Element<'a>, at_space: &mut bool, in_link: bool) -> Option<Shape<'a>> {
        let text = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        let size = |name: &str| {
            let is_size =
                |it: &&str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit() || it == b'%');
            element.attribute(name).filter(is_size).unwrap_or_default().to_owned()
        };
        let kind = match element.name.as_ref() {
            "b" | "strong" => Kind::Strong,
            "i" | "em" => Kind::Emphasis,
            "s" | "del" | "strike" => Kind::Strike,
            "code" => Kind::InlineCode,
            "br" => Kind::Break,
            "img" => Kind::Image {
                src: self.images.shown(element.attribute("src")?).into_owned(),
                alt: text("alt"),
                title: text("title"),
                width: size("width"),
                height: size("height"),
            },
            "a" if in_link => return None,
            "a" if element.has_class("intercom-h2b-button") => Kind::Button { href: text("href") },
            "a" if element.attribute("href").is_some() => {
                Kind::Link { href: text("href"), title: text("title") }
            }
            name if is_inline(name) => {
                let open = &self.source[element.open.clone()];
                (!open.contains('\n')).then(|| Kind::Html(open.to_owned()))?
            }
            _ => return None,
        };
        let in_link = in_link || element.name == "a";
        let children = self.inline(&element.children, at_space, in_link)?;
        let plain = children.iter().all(|it| matches!(it.kind, Kind::Text(_)));
        if kind == Kind::InlineCode && !plain {
            return None;
        }
        Some(self.shape(kind, element, children))
    }
}

/// Folds white space as a browser shows it.
fn fold<'a>(text: Cow<'a, str>, at_space: &mut bool) -> Cow<'a, str> {
    let mut space = *at_space;
    let as_is = text.bytes().all(|it| {
        let fine = !it.is_ascii_whitespace() || it == b' ' && !space;
        space = it == b' ';
        fine
    });
    if as_is {
        *at_space = space && !text.is_empty() || text.is_empty() && *at_space;
        return text;
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_ascii_whitespace() {
            true if *at_space => {}
            true => {
                folded.push(' ');
                *at_space = true;
            }
            false => {
                folded.push(letter);
                *at_space = false;
            }
        }
    }
    Cow::Owned(folded)
}

/// Takes the white space away that a browser would not show at the end of a line.
fn trim_end(shapes: &mut [Shape<'_>]) {
    for shape in shapes.iter_mut().rev() {
        match &mut shape.kind {
            Kind::Text(text) => {
                match text {
                    Cow::Borrowed(it) => *it = it.trim_ascii_end(),
                    Cow::Owned(it) => it.truncate(it.trim_ascii_end().len()),
                }
                if !text.is_empty() {
                    return;
                }
            }
            Kind::Image { .. } | Kind::Break => return,
            _ => {
                trim_end(&mut shape.children);
                if shape.meaning().next().is_some() {
                    return;
                }
            }
        }
    }
}
