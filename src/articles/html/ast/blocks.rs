//! Converts block elements to syntax tree nodes: lists, tables, callouts, code and others.
//!
//! Unknown HTML is rejected (`None`), never guessed.

use std::borrow::Cow;

use super::callout::Callout;
use super::{AstNode, NodeKind};
use crate::articles::address_map::AddressMap;
use crate::articles::html::split::is_inline;
use crate::articles::html::tree::{Element, HtmlNode};

/// Converts the parsed HTML of one source.
pub(super) struct AstBuilder<'a, 'i> {
    pub source: &'a str,
    pub addresses: &'i AddressMap,
}

impl<'a> AstBuilder<'a, '_> {
    pub(super) fn ast_node(
        &self,
        kind: NodeKind<'a>,
        element: &Element<'_>,
        mut children: Vec<AstNode<'a>>,
    ) -> AstNode<'a> {
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
        AstNode { kind, before: "", open, close, children, hash: 0 }
    }

    /// The blocks in order; runs of inline nodes become paragraphs without tags. `at` is the end of the
    /// preceding source.
    pub(super) fn blocks(&self, nodes: &[HtmlNode<'a>], mut at: usize) -> Option<Vec<AstNode<'a>>> {
        let mut blocks = Vec::new();
        let mut index = 0;
        while index < nodes.len() {
            let node = &nodes[index];
            let mut block = match node {
                HtmlNode::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {
                    index += 1;
                    continue;
                }
                HtmlNode::Element(element) if !is_inline(&element.name) => {
                    index += 1;
                    self.block(element)?
                }
                _ => {
                    let is_run = |node: &HtmlNode<'_>| match node {
                        HtmlNode::Text(_) => true,
                        HtmlNode::Element(element) => is_inline(&element.name),
                    };
                    let length = nodes[index..].iter().take_while(|node| is_run(node)).count();
                    let run = &nodes[index..index + length];
                    index += length;
                    self.implicit_paragraph(run)?
                }
            };
            let start = block.open.as_ptr() as usize - self.source.as_ptr() as usize;
            block.before = &self.source[at..start];
            at = block.close.as_ptr() as usize - self.source.as_ptr() as usize + block.close.len();
            blocks.push(block);
        }
        Some(blocks)
    }

    /// A paragraph without tags, from a run of inline nodes.
    fn implicit_paragraph(&self, run: &[HtmlNode<'a>]) -> Option<AstNode<'a>> {
        let children = self.inline_root(run)?;
        let (start, end) = (run.first()?.range().start, run.last()?.range().end);
        let (open, close) = (&self.source[start..start], &self.source[end..end]);
        Some(AstNode { kind: NodeKind::Paragraph, before: "", open, close, children, hash: 0 })
    }

    fn block(&self, element: &Element<'a>) -> Option<AstNode<'a>> {
        let inside = element.open.end;
        let blocks = || self.blocks(&element.children, inside);
        Some(match element.name.as_ref() {
            "p" => self.ast_node(NodeKind::Paragraph, element, self.inline_root(&element.children)?),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = element.name.as_bytes()[1] - b'0';
                self.ast_node(NodeKind::Heading(level), element, self.inline_root(&element.children)?)
            }
            "ul" => self.ast_node(
                NodeKind::List(None),
                element,
                self.children_named(&element.children, inside, "li")?,
            ),
            "ol" => {
                let start = element.attribute("start").map_or(Some(1), |start| start.parse().ok())?;
                self.ast_node(
                    NodeKind::List(Some(start)),
                    element,
                    self.children_named(&element.children, inside, "li")?,
                )
            }
            "li" => self.ast_node(NodeKind::Item, element, blocks()?),
            "blockquote" => self.ast_node(NodeKind::Quote, element, blocks()?),
            "pre" => self.code(element)?,
            "hr" => self.ast_node(NodeKind::Rule, element, Vec::new()),
            "table" => self.table(element, element)?,
            "iframe" => self.video(element, element)?,
            "details" => self.details(element)?,
            "div" => self.division(element)?,
            _ => return None,
        })
    }

    fn division(&self, element: &Element<'a>) -> Option<AstNode<'a>> {
        if element.has_class("intercom-interblocks-callout") {
            let kind = Callout::of_style(element.attribute("style").unwrap_or_default());
            let blocks = self.blocks(&element.children, element.open.end)?;
            return Some(self.ast_node(NodeKind::Callout(kind), element, blocks));
        }
        if element.has_class("intercom-container") {
            return Some(self.ast_node(NodeKind::Paragraph, element, self.inline_root(&element.children)?));
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
                HtmlNode::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                HtmlNode::Element(inner) if found.is_none() => found = Some(inner),
                _ => return None,
            }
        }
        found
    }

    /// Converts children that must all be elements of this name.
    fn children_named(&self, nodes: &[HtmlNode<'a>], mut at: usize, name: &str) -> Option<Vec<AstNode<'a>>> {
        let mut found = Vec::new();
        for node in nodes {
            match node {
                HtmlNode::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                HtmlNode::Element(element) if element.name == name => {
                    let mut child = match name {
                        "li" => self.block(element)?,
                        "tr" => self.row(element)?,
                        _ => return None,
                    };
                    child.before = &self.source[at..element.open.start];
                    at = element.close.end;
                    found.push(child);
                }
                _ => return None,
            }
        }
        Some(found)
    }

    fn code(&self, element: &Element<'a>) -> Option<AstNode<'a>> {
        let holder = match element.children.as_slice() {
            [HtmlNode::Element(code)] if code.name == "code" => code,
            _ => element,
        };
        let text = match holder.children.as_slice() {
            [HtmlNode::Text(range)] => range.clone(),
            [] => holder.open.end..holder.open.end,
            _ => return None,
        };
        let raw = &self.source[text.clone()];
        // Browsers ignore a line feed at the start of `pre`.
        let visible = if std::ptr::eq(holder, element) { raw.strip_prefix('\n').unwrap_or(raw) } else { raw };
        let language = [holder, element].into_iter().find_map(|element| {
            let classes = element.attribute("class")?.split_ascii_whitespace();
            classes.into_iter().find_map(|class| class.strip_prefix("language-"))
        });
        let value = htmlize::unescape(visible);
        let value = match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
            Cow::Owned(text) => Cow::Owned(text.strip_suffix('\n').unwrap_or(&text).to_owned()),
        };
        let end = text.end;
        let verbatim = AstNode {
            kind: NodeKind::Verbatim(value),
            before: "",
            open: raw,
            close: &self.source[end..end],
            children: Vec::new(),
            hash: 0,
        };
        Some(self.ast_node(NodeKind::Code(language.unwrap_or_default().to_owned()), element, vec![verbatim]))
    }

    /// `outer` is the element that makes up the block: the table or its container.
    fn table(&self, table: &Element<'a>, outer: &Element<'a>) -> Option<AstNode<'a>> {
        let mut rows: Vec<AstNode<'a>> = Vec::new();
        let mut at = table.open.end;
        for node in &table.children {
            match node {
                HtmlNode::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                HtmlNode::Element(part) if matches!(part.name.as_ref(), "thead" | "tbody" | "tfoot") => {
                    rows.extend(self.children_named(&part.children, at, "tr")?);
                }
                HtmlNode::Element(row) if row.name == "tr" => {
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
        even.then(|| self.ast_node(NodeKind::Table, outer, rows))
    }

    fn row(&self, row: &Element<'a>) -> Option<AstNode<'a>> {
        let mut cells: Vec<AstNode<'a>> = Vec::new();
        let mut at = row.open.end;
        for node in &row.children {
            match node {
                HtmlNode::Text(range) if self.source[range.clone()].trim_ascii().is_empty() => {}
                HtmlNode::Element(cell) if matches!(cell.name.as_ref(), "td" | "th") => {
                    let spans = |name| cell.attribute(name).is_some_and(|span| span.trim() != "1");
                    let blocks = self.blocks(&cell.children, cell.open.end)?;
                    let simple = match blocks.as_slice() {
                        [] => true,
                        [only] => only.kind == NodeKind::Paragraph,
                        _ => false,
                    };
                    if !simple || spans("colspan") || spans("rowspan") {
                        return None;
                    }
                    let mut cell_node = self.ast_node(NodeKind::Cell, cell, blocks);
                    cell_node.before = &self.source[at..cell.open.start];
                    at = cell.close.end;
                    cells.push(cell_node);
                }
                _ => return None,
            }
        }
        Some(self.ast_node(NodeKind::Row, row, cells))
    }

    /// `outer` is the element that makes up the block: the frame or its container.
    fn video(&self, frame: &Element<'a>, outer: &Element<'a>) -> Option<AstNode<'a>> {
        let src = frame.attribute("src").filter(|src| !src.is_empty())?;
        let empty = frame.children.iter().all(|child| self.source[child.range()].trim_ascii().is_empty());
        empty.then(|| self.ast_node(NodeKind::Video(src.to_owned()), outer, Vec::new()))
    }

    fn details(&self, element: &Element<'a>) -> Option<AstNode<'a>> {
        let is_blank = |node: &&HtmlNode<'a>| matches!(node, HtmlNode::Text(range) if self.source[range.clone()].trim_ascii().is_empty());
        let skipped = element.children.iter().take_while(is_blank).count();
        let (first, rest) = element.children[skipped..].split_first()?;
        let HtmlNode::Element(summary) = first else { return None };
        if summary.name != "summary" {
            return None;
        }
        let mut title = self.ast_node(NodeKind::Summary, summary, self.inline_root(&summary.children)?);
        title.before = &self.source[element.open.end..summary.open.start];
        let mut children = vec![title];
        children.extend(self.blocks(rest, summary.close.end)?);
        Some(self.ast_node(NodeKind::Details, element, children))
    }
}
