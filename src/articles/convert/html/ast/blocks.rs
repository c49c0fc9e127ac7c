//! Converts block elements to syntax tree nodes: lists, tables, callouts, code and others.
//!
//! Unknown HTML is rejected (`None`), never guessed.

use std::borrow::Cow;

use super::callout::Callout;
use super::node::{AstBuilder, AstNode, NodeKind};
use crate::articles::convert::html::split::is_inline;
use crate::articles::convert::html::tree::{Element, HtmlNode};

impl<'a> AstBuilder<'a, '_> {
    /// The blocks in order; runs of inline nodes become paragraphs without tags. `at` is the end of the
    /// preceding source.
    pub(super) fn blocks(&self, nodes: &[HtmlNode<'a>], mut at: usize) -> Option<Vec<AstNode<'a>>> {
        let mut blocks = Vec::new();
        let mut index = 0;
        while index < nodes.len() {
            let node = &nodes[index];
            let mut block = match node {
                node if self.is_blank(node) => {
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
        let paragraph = AstNode { children, ..self.leaf(NodeKind::Paragraph, start..start) };
        Some(AstNode { close: &self.source[end..end], ..paragraph })
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

    /// The elements among these nodes; `None` if there is text between them.
    fn elements<'e>(&self, nodes: &'e [HtmlNode<'a>]) -> Option<Vec<&'e Element<'a>>> {
        let nodes = nodes.iter().filter(|node| !self.is_blank(node));
        let element = |node: &'e HtmlNode<'a>| match node {
            HtmlNode::Element(element) => Some(element),
            HtmlNode::Text(_) => None,
        };
        nodes.map(element).collect()
    }

    fn is_blank(&self, node: &HtmlNode<'_>) -> bool {
        matches!(node, HtmlNode::Text(range) if self.source[range.clone()].trim_ascii().is_empty())
    }

    fn only_child<'e>(&self, element: &'e Element<'a>) -> Option<&'e Element<'a>> {
        match self.elements(&element.children)?.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Converts children that must all be elements of this name: items or rows.
    fn children_named(&self, nodes: &[HtmlNode<'a>], mut at: usize, name: &str) -> Option<Vec<AstNode<'a>>> {
        let mut found = Vec::new();
        for element in self.elements(nodes)? {
            if element.name != name {
                return None;
            }
            let mut child = if name == "tr" { self.row(element)? } else { self.block(element)? };
            child.before = &self.source[at..element.open.start];
            at = element.close.end;
            found.push(child);
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
        let verbatim = self.leaf(NodeKind::Verbatim(value), text);
        Some(self.ast_node(NodeKind::Code(language.unwrap_or_default().to_owned()), element, vec![verbatim]))
    }

    /// `outer` is the element that makes up the block: the table or its container.
    fn table(&self, table: &Element<'a>, outer: &Element<'a>) -> Option<AstNode<'a>> {
        let mut rows: Vec<AstNode<'a>> = Vec::new();
        let mut at = table.open.end;
        for part in self.elements(&table.children)? {
            match part.name.as_ref() {
                "thead" | "tbody" | "tfoot" => rows.extend(self.children_named(&part.children, at, "tr")?),
                "tr" => {
                    let mut row = self.row(part)?;
                    row.before = &self.source[at..part.open.start];
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
        for cell in self.elements(&row.children)? {
            let spans = |name| cell.attribute(name).is_some_and(|span| span.trim() != "1");
            let blocks = self.blocks(&cell.children, cell.open.end)?;
            let is_simple = match blocks.as_slice() {
                [] => true,
                [only] => only.kind == NodeKind::Paragraph,
                _ => false,
            };
            let is_cell = matches!(cell.name.as_ref(), "td" | "th");
            if !is_cell || !is_simple || spans("colspan") || spans("rowspan") {
                return None;
            }
            let mut node = self.ast_node(NodeKind::Cell, cell, blocks);
            node.before = &self.source[at..cell.open.start];
            at = cell.close.end;
            cells.push(node);
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
        let skipped = element.children.iter().take_while(|node| self.is_blank(node)).count();
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
