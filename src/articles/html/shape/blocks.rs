//! Reads the nodes of a block into its shape: lists, tables, callouts, code and the like.
//!
//! What is not known is refused (`None`), never guessed at.

use std::borrow::Cow;

use super::callout::Callout;
use super::{Kind, Shape};
use crate::articles::html::split::is_inline;
use crate::articles::html::tree::{Element, Node};
use crate::articles::images::Images;

/// Reads what stands in one source.
pub(super) struct Reader<'a, 'i> {
    pub source: &'a str,
    pub images: &'i Images,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn shape(
        &self,
        kind: Kind<'a>,
        element: &Element<'_>,
        mut children: Vec<Shape<'a>>,
    ) -> Shape<'a> {
        let (start, end) = (element.open.start, element.close.end);
        let offset = |text: &str| text.as_ptr() as usize - self.source.as_ptr() as usize;
        let (open, close) = match (children.first(), children.last()) {
            (Some(first), Some(last)) => (
                &self.source[start..offset(first.open)],
                &self.source[offset(last.close) + last.close.len()..end],
            ),
            _ => (&self.source[start..end], &self.source[end..end]),
        };
        if let Some(first) = children.first_mut() {
            first.before = "";
        }
        Shape { kind, before: "", open, close, children, hash: 0 }
    }

    /// Blocks in order; runs of inline nodes become paragraphs without tags. `at` is where the first
    /// may begin.
    pub(super) fn blocks(&self, nodes: &[Node<'a>], mut at: usize) -> Option<Vec<Shape<'a>>> {
        let mut blocks = Vec::new();
        let mut index = 0;
        while index < nodes.len() {
            let node = &nodes[index];
            let mut block = match node {
                Node::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {
                    index += 1;
                    continue;
                }
                Node::Element(element) if !is_inline(&element.name) => {
                    index += 1;
                    self.block(element)?
                }
                _ => {
                    let is_run = |node: &Node<'_>| match node {
                        Node::Text(_) => true,
                        Node::Element(element) => is_inline(&element.name),
                    };
                    let length = nodes[index..].iter().take_while(|it| is_run(it)).count();
                    let run = &nodes[index..index + length];
                    index += length;
                    self.implicit(run)?
                }
            };
            let start = block.open.as_ptr() as usize - self.source.as_ptr() as usize;
            block.before = &self.source[at..start];
            at = block.close.as_ptr() as usize - self.source.as_ptr() as usize + block.close.len();
            blocks.push(block);
        }
        Some(blocks)
    }

    /// A paragraph that has no tags of its own.
    fn implicit(&self, run: &[Node<'a>]) -> Option<Shape<'a>> {
        let children = self.inline_root(run)?;
        let (start, end) = (run.first()?.range().start, run.last()?.range().end);
        let (open, close) = (&self.source[start..start], &self.source[end..end]);
        Some(Shape { kind: Kind::Paragraph, before: "", open, close, children, hash: 0 })
    }

    fn block(&self, element: &Element<'a>) -> Option<Shape<'a>> {
        let inside = element.open.end;
        let blocks = || self.blocks(&element.children, inside);
        Some(match element.name.as_ref() {
            "p" => self.shape(Kind::Paragraph, element, self.inline_root(&element.children)?),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = element.name.as_bytes()[1] - b'0';
                self.shape(Kind::Heading(level), element, self.inline_root(&element.children)?)
            }
            "ul" => self.shape(Kind::List(None), element, self.only(&element.children, inside, "li")?),
            "ol" => {
                let start = element.attribute("start").map_or(Some(1), |it| it.parse().ok())?;
                self.shape(Kind::List(Some(start)), element, self.only(&element.children, inside, "li")?)
            }
            "li" => self.shape(Kind::Item, element, blocks()?),
            "blockquote" => self.shape(Kind::Quote, element, blocks()?),
            "pre" => self.code(element)?,
            "hr" => self.shape(Kind::Rule, element, Vec::new()),
            "table" => self.table(element, element)?,
            "iframe" => self.video(element, element)?,
            "details" => self.details(element)?,
            "div" => self.division(element)?,
            _ => return None,
        })
    }

    fn division(&self, element: &Element<'a>) -> Option<Shape<'a>> {
        if element.has_class("intercom-interblocks-callout") {
            let kind = Callout::of_style(element.attribute("style").unwrap_or_default());
            let blocks = self.blocks(&element.children, element.open.end)?;
            return Some(self.shape(Kind::Callout(kind), element, blocks));
        }
        if element.has_class("intercom-container") {
            return Some(self.shape(Kind::Paragraph, element, self.inline_root(&element.children)?));
        }
        let inner = self.only_child(element)?;
        match inner.name.as_ref() {
            "table" if element.has_class("intercom-interblocks-table-container") => {
                self.table(inner, element)
            }
            "iframe" => self.video(inner, element),
            _ => None,
        }
    }

    pub(super) fn only_child<'e>(&self, element: &'e Element<'a>) -> Option<&'e Element<'a>> {
        let mut found = None;
        for node in &element.children {
            match node {
                Node::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                Node::Element(inner) if found.is_none() => found = Some(inner),
                _ => return None,
            }
        }
        found
    }

    /// Children that must all be elements of this name.
    fn only(&self, nodes: &[Node<'a>], mut at: usize, name: &str) -> Option<Vec<Shape<'a>>> {
        let mut found = Vec::new();
        for node in nodes {
            match node {
                Node::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                Node::Element(element) if element.name == name => {
                    let mut shape = match name {
                        "li" => self.block(element)?,
                        "tr" => self.row(element)?,
                        _ => return None,
                    };
                    shape.before = &self.source[at..element.open.start];
                    at = element.close.end;
                    found.push(shape);
                }
                _ => return None,
            }
        }
        Some(found)
    }

    fn code(&self, element: &Element<'a>) -> Option<Shape<'a>> {
        let holder = match element.children.as_slice() {
            [Node::Element(code)] if code.name == "code" => code,
            _ => element,
        };
        let text = match holder.children.as_slice() {
            [Node::Text(range)] => range.clone(),
            [] => holder.open.end..holder.open.end,
            _ => return None,
        };
        let raw = &self.source[text.clone()];
        // A browser drops the first line feed of `pre`.
        let shown = if std::ptr::eq(holder, element) { raw.strip_prefix('\n').unwrap_or(raw) } else { raw };
        let language = [holder, element].into_iter().find_map(|it| {
            let classes = it.attribute("class")?.split_ascii_whitespace();
            classes.into_iter().find_map(|class| class.strip_prefix("language-"))
        });
        let value = htmlize::unescape(shown);
        let value = match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
            Cow::Owned(text) => Cow::Owned(text.strip_suffix('\n').unwrap_or(&text).to_owned()),
        };
        let end = text.end;
        let verbatim = Shape {
            kind: Kind::Verbatim(value),
            before: "",
            open: raw,
            close: &self.source[end..end],
            children: Vec::new(),
            hash: 0,
        };
        Some(self.shape(Kind::Code(language.unwrap_or_default().to_owned()), element, vec![verbatim]))
    }

    /// `outer` is the element whose bytes are the block's: the table, or a container around it.
    fn table(&self, table: &Element<'a>, outer: &Element<'a>) -> Option<Shape<'a>> {
        let mut rows: Vec<Shape<'a>> = Vec::new();
        let mut at = table.open.end;
        for node in &table.children {
            match node {
                Node::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                Node::Element(part) if matches!(part.name.as_ref(), "thead" | "tbody" | "tfoot") => {
                    rows.extend(self.only(&part.children, at, "tr")?);
                }
                Node::Element(row) if row.name == "tr" => {
                    let mut row = self.row(row)?;
                    row.before = &self.source[at..node.range().start];
                    rows.push(row);
                }
                _ => return None,
            }
            let last = rows.last()?;
            at = last.close.as_ptr() as usize - self.source.as_ptr() as usize + last.close.len();
        }
        let width = rows.first()?.children.len();
        let even = width > 0 && rows.iter().all(|row| row.children.len() == width);
        even.then(|| self.shape(Kind::Table, outer, rows))
    }

    fn row(&self, row: &Element<'a>) -> Option<Shape<'a>> {
        let mut cells: Vec<Shape<'a>> = Vec::new();
        let mut at = row.open.end;
        for node in &row.children {
            match node {
                Node::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                Node::Element(cell) if matches!(cell.name.as_ref(), "td" | "th") => {
                    let spans = |name| cell.attribute(name).is_some_and(|it| it.trim() != "1");
                    let blocks = self.blocks(&cell.children, cell.open.end)?;
                    let simple = match blocks.as_slice() {
                        [] => true,
                        [only] => only.kind == Kind::Paragraph,
                        _ => false,
                    };
                    if !simple || spans("colspan") || spans("rowspan") {
                        return None;
                    }
                    let mut cell_shape = self.shape(Kind::Cell, cell, blocks);
                    cell_shape.before = &self.source[at..cell.open.start];
                    at = cell.close.end;
                    cells.push(cell_shape);
                }
                _ => return None,
            }
        }
        Some(self.shape(Kind::Row, row, cells))
    }

    fn video(&self, frame: &Element<'a>, outer: &Element<'a>) -> Option<Shape<'a>> {
        let src = frame.attribute("src").filter(|it| !it.is_empty())?;
        let empty = frame.children.iter().all(|it| self.source[it.range()].trim_ascii().is_empty());
        empty.then(|| self.shape(Kind::Video(src.to_owned()), outer, Vec::new()))
    }

    fn details(&self, element: &Element<'a>) -> Option<Shape<'a>> {
        let is_blank = |node: &&Node<'a>| matches!(node, Node::Text(range) if self.source[range.clone()].trim_ascii().is_empty());
        let skipped = element.children.iter().take_while(is_blank).count();
        let (first, rest) = element.children[skipped..].split_first()?;
        let Node::Element(summary) = first else { return None };
        if summary.name != "summary" {
            return None;
        }
        let mut title = self.shape(Kind::Summary, summary, self.inline_root(&summary.children)?);
        title.before = &self.source[element.open.end..summary.open.start];
        let mut children = vec![title];
        children.extend(self.blocks(rest, summary.close.end)?);
        Some(self.shape(Kind::Details, element, children))
    }
}
