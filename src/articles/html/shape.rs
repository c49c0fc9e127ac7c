//! What a block says, apart from how its HTML says it.
//!
//! A [`Shape`] is the meeting place of HTML and Markdown: both can be read into it, and two blocks with
//! equal shapes look alike to a reader of the Markdown. Attributes and wrappers that Markdown has no word
//! for (classes, styles, ids, containers) are no part of a shape's meaning, but their bytes are: each
//! shape keeps the source that opens it, closes it and precedes it. What is not known here is refused, so
//! that it stays raw.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::split::is_inline;
use super::tree::{Element, Node, parse};
use crate::articles::images::Images;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind<'a> {
    Paragraph,
    Heading(u8),
    /// The number of the first item, when the list is numbered.
    List(Option<u64>),
    Item,
    Quote,
    Callout(Callout),
    Code(String),
    /// The text of a code block, without its last line feed.
    Verbatim(Cow<'a, str>),
    Rule,
    Table,
    Row,
    Cell,
    Details,
    Summary,
    Video(String),
    /// White space folded.
    Text(Cow<'a, str>),
    Strong,
    Emphasis,
    Strike,
    InlineCode,
    Link {
        href: String,
        title: String,
    },
    Button {
        href: String,
    },
    Image {
        src: String,
        alt: String,
        title: String,
        width: String,
        height: String,
    },
    Break,
    /// An inline element that Markdown writes as HTML.
    Html(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callout {
    Note,
    Tip,
    Important,
    Warning,
    Caution,
}

#[derive(Debug, Clone)]
pub struct Shape<'a> {
    pub kind: Kind<'a>,
    /// Source between the sibling before it and its own beginning.
    pub before: &'a str,
    /// Source up to its first child; all of it when it has none.
    pub open: &'a str,
    /// Source behind its last child.
    pub close: &'a str,
    pub children: Vec<Shape<'a>>,
    /// Equal for equal meaning.
    pub hash: u64,
}

impl Shape<'_> {
    pub fn is_blank_text(&self) -> bool {
        matches!(&self.kind, Kind::Text(text) if text.is_empty())
    }

    /// The children that mean something.
    pub fn meaning(&self) -> impl DoubleEndedIterator<Item = &Self> {
        self.children.iter().filter(|it| !it.is_blank_text())
    }

    /// The source without what stands before it.
    pub fn write_source(&self, out: &mut String) {
        out.push_str(self.open);
        for child in &self.children {
            out.push_str(child.before);
            child.write_source(out);
        }
        out.push_str(self.close);
    }
}

/// Reads one block; `None` when it must stay raw.
pub fn read<'a>(source: &'a str, images: &Images) -> Option<Shape<'a>> {
    let mut blocks = read_all(source, images)?;
    let only = blocks.pop().filter(|_| blocks.is_empty())?;
    (only.before.is_empty()).then_some(only)
}

/// Reads a run of blocks.
pub fn read_all<'a>(source: &'a str, images: &Images) -> Option<Vec<Shape<'a>>> {
    let nodes = parse(source)?;
    let mut blocks = Reader { source, images }.blocks(&nodes, 0)?;
    blocks.iter_mut().for_each(seal);
    Some(blocks)
}

struct Reader<'a, 'i> {
    source: &'a str,
    images: &'i Images,
}

impl<'a> Reader<'a, '_> {
    fn shape(&self, kind: Kind<'a>, element: &Element<'_>, mut children: Vec<Shape<'a>>) -> Shape<'a> {
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
    fn blocks(&self, nodes: &[Node<'a>], mut at: usize) -> Option<Vec<Shape<'a>>> {
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

    fn only_child<'e>(&self, element: &'e Element<'a>) -> Option<&'e Element<'a>> {
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

    /// The inline content of a block: white space at its edges means nothing.
    fn inline_root(&self, nodes: &[Node<'a>]) -> Option<Vec<Shape<'a>>> {
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

/// Works out the hashes, from the leaves up.
fn seal(shape: &mut Shape<'_>) {
    shape.children.iter_mut().for_each(seal);
    let mut hasher = DefaultHasher::new();
    shape.kind.hash(&mut hasher);
    shape.meaning().for_each(|child| child.hash.hash(&mut hasher));
    shape.hash = hasher.finish();
}

impl Callout {
    pub const ALL: [Callout; 5] =
        [Callout::Note, Callout::Tip, Callout::Important, Callout::Warning, Callout::Caution];

    /// The kind that the background's colour suggests.
    pub fn of_style(style: &str) -> Self {
        let Some((red, green, blue)) = style.split("background-color").nth(1).and_then(colour) else {
            return Callout::Note;
        };
        let (high, low) = (red.max(green).max(blue), red.min(green).min(blue));
        match high - low {
            ..=12 => Callout::Note,
            _ if high == green && red < green - 6 => Callout::Tip,
            _ if low == blue && red - green <= 45 => Callout::Warning,
            _ if high == red && blue <= red - 25 => Callout::Caution,
            _ if red > green + 6 => Callout::Important,
            _ => Callout::Note,
        }
    }

    /// The style of a callout that is new.
    pub fn style(self) -> &'static str {
        match self {
            Callout::Note => "background-color: #e3e7fa80; border-color: #334bfa33;",
            Callout::Tip => "background-color: #d7efdc80; border-color: #1bb15733;",
            Callout::Important => "background-color: #ecdffb80; border-color: #8f5ed333;",
            Callout::Warning => "background-color: #feedaf80; border-color: #fbc91633;",
            Callout::Caution => "background-color: #fed9db80; border-color: #e8434333;",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Callout::Note => "NOTE",
            Callout::Tip => "TIP",
            Callout::Important => "IMPORTANT",
            Callout::Warning => "WARNING",
            Callout::Caution => "CAUTION",
        }
    }
}

/// The first `#rrggbb` of a text.
fn colour(text: &str) -> Option<(i32, i32, i32)> {
    let digits = text.split('#').nth(1)?.get(..6)?;
    let part = |at: usize| i32::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some((part(0)?, part(2)?, part(4)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_kept_to_the_byte() {
        for source in [
            "<p class=\"x\"> a <b>b </b> c&nbsp;</p>",
            "<ul>\n <li><p>a</p>\n<ul><li>b</li></ul> </li> </ul>",
            "<div class=\"intercom-interblocks-table-container\"><table><thead><tr><th>a</th></tr></thead>\n<tbody><tr><td><p>b</p></td></tr></tbody></table></div>",
            "<details open> <summary>a</summary> b <p>c</p> </details>",
            "<pre>\n<code>a</code></pre>",
            "<pre><code class=\"language-sh\">a &lt; b\n</code></pre>",
            "<div style=\"x\"><iframe src=\"https://a\"></iframe></div>",
        ] {
            let Some(shape) = read(source, &Images::default()) else {
                assert!(source.starts_with("<pre>\n"), "{source}");
                continue;
            };
            let mut written = String::new();
            shape.write_source(&mut written);
            assert_eq!(written, source);
        }
    }

    #[test]
    fn the_standard_callouts_have_their_kinds() {
        for kind in Callout::ALL {
            assert_eq!(Callout::of_style(kind.style()), kind);
        }
        assert_eq!(Callout::of_style(""), Callout::Note);
    }
}
