//! What a block's HTML says and its Markdown does not: ids of headings, classes of paragraphs, colours of
//! callouts, attributes of links and frames.
//!
//! It is read from the HTML that a block had and given to the HTML it gets, so that an edit of the words
//! leaves the rest as it was. A block whose HTML says more than this is shown as HTML.

use std::collections::HashMap;

use super::html::{Attributes, Element, Node};

/// Around an image or a video that stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrapper {
    Bare,
    Element(String, Attributes),
}

#[derive(Debug, Clone)]
pub struct Style {
    /// The text stands outside of any element.
    pub bare: bool,
    /// The class of paragraphs.
    pub paragraph_class: Option<String>,
    /// The ids of the headings in order.
    pub heading_ids: Vec<Option<String>>,
    /// Whether the text of a list item stands in a paragraph.
    pub item_paragraphs: bool,
    pub bold: String,
    pub italic: String,
    /// Attributes of links beyond address and title, by address.
    pub links: HashMap<String, Attributes>,
    /// Attributes of frames beyond the address, by address.
    pub frames: HashMap<String, Attributes>,
    pub media: Option<Wrapper>,
    pub button: Option<Wrapper>,
    /// The colours of callouts as a `style`, by kind.
    pub callouts: Vec<(&'static str, String)>,
    pub table: Table,
}

/// How a table is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub container: bool,
    pub attributes: Attributes,
    /// The name of the cells of the first row.
    pub head: String,
    /// The first row stands in a `thead`.
    pub separate_head: bool,
    pub cell_paragraphs: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            bare: false,
            paragraph_class: None,
            heading_ids: Vec::new(),
            item_paragraphs: true,
            bold: "b".into(),
            italic: "i".into(),
            links: HashMap::new(),
            frames: HashMap::new(),
            media: None,
            button: None,
            callouts: Vec::new(),
            table: Table {
                container: true,
                attributes: vec![("role".into(), "presentation".into())],
                head: "td".into(),
                separate_head: false,
                cell_paragraphs: true,
            },
        }
    }
}

/// The kinds of callouts with the colours the editor gives them: background, border.
const CALLOUTS: [(&str, &str, &str); 5] = [
    ("NOTE", "#d7e8fc80", "#4a90e233"),
    ("TIP", "#d7efdc80", "#1bb15733"),
    ("IMPORTANT", "#e8e8e880", "#73737633"),
    ("WARNING", "#feedaf80", "#fbc91633"),
    ("CAUTION", "#fed9db80", "#fd3a5733"),
];

pub const CALLOUT_CLASS: &str = "intercom-interblocks-callout";
pub const BUTTON_CLASS: &str = "intercom-h2b-button";
pub const IMAGE_CLASS: &str = "intercom-container";
pub const TABLE_CLASS: &str = "intercom-interblocks-table-container";

/// The kind of a callout with this `style`.
pub fn callout_kind(style: &str) -> &'static str {
    let known = |(_, background, _): &&(&str, &str, &str)| style.contains(*background);
    CALLOUTS.iter().find(known).map_or("NOTE", |(kind, ..)| kind)
}

impl Style {
    pub fn of(nodes: &[Node]) -> Self {
        let bare = nodes.iter().any(|node| match node {
            Node::Text(text) => !text.trim_ascii().is_empty(),
            Node::Element(element) => !super::html::is_block(&element.name),
        });
        let mut style = Style { bare, ..Style::default() };
        // A table is only in a container where one is seen around it.
        style.table.container = !contains(nodes, "table");
        nodes.iter().for_each(|node| style.read(node));
        style
    }

    /// The `style` of a callout of this kind.
    pub fn callout(&self, kind: &str) -> String {
        if let Some((_, style)) = self.callouts.iter().find(|(known, _)| *known == kind) {
            return style.clone();
        }
        let known = CALLOUTS.iter().find(|(known, ..)| *known == kind).unwrap_or(&CALLOUTS[0]);
        format!("background-color: {}; border-color: {};", known.1, known.2)
    }

    fn read(&mut self, node: &Node) {
        let Node::Element(element) = node else { return };
        match element.name.as_str() {
            "p" => self.paragraph_class = element.attribute("class").map(str::to_owned),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading_ids.push(element.attribute("id").map(str::to_owned));
            }
            "li" => self.item_paragraphs = first_is(element, "p"),
            "b" | "strong" => self.bold.clone_from(&element.name),
            "i" | "em" => self.italic.clone_from(&element.name),
            "a" => self.read_link(element),
            "iframe" => {
                let rest = without(element, &["src"]);
                self.frames.insert(element.attribute("src").unwrap_or_default().to_owned(), rest);
            }
            "table" => self.read_table(element),
            "div" => self.read_division(element),
            _ => {}
        }
        if let [Node::Element(only)] = meaningful(&element.children).as_slice() {
            let wrapper = || Some(Wrapper::Element(element.name.clone(), element.attributes.clone()));
            match only.name.as_str() {
                "iframe" | "img" => self.media = self.media.take().or_else(wrapper),
                "a" if matches!(meaningful(&only.children).as_slice(), [Node::Element(image)] if image.name == "img") =>
                {
                    self.media = wrapper();
                }
                "a" if only.attribute("class") == Some(BUTTON_CLASS) => self.button = wrapper(),
                _ => {}
            }
        }
        if matches!(element.name.as_str(), "iframe" | "img") {
            self.media = self.media.take().or(Some(Wrapper::Bare));
        }
        if element.attribute("class") == Some(BUTTON_CLASS) {
            self.button = self.button.take().or(Some(Wrapper::Bare));
        }
        element.children.iter().for_each(|child| self.read(child));
    }

    fn read_link(&mut self, element: &Element) {
        let mut rest = without(element, &["href", "title"]);
        if element.attribute("class") == Some(BUTTON_CLASS) {
            rest.retain(|(name, _)| name != "class");
        }
        if !rest.is_empty() {
            self.links.insert(element.attribute("href").unwrap_or_default().to_owned(), rest);
        }
    }

    fn read_table(&mut self, element: &Element) {
        self.table.attributes.clone_from(&element.attributes);
        let sections = meaningful(&element.children);
        if let Some(Node::Element(section)) = sections.first() {
            self.table.separate_head = section.name == "thead";
            if let Some(Node::Element(row)) = meaningful(&section.children).first()
                && let Some(Node::Element(cell)) = meaningful(&row.children).first()
            {
                self.table.head.clone_from(&cell.name);
                self.table.cell_paragraphs = first_is(cell, "p");
            }
        }
    }

    fn read_division(&mut self, element: &Element) {
        match element.attribute("class") {
            Some(CALLOUT_CLASS) => {
                let style = element.attribute("style").unwrap_or_default();
                self.callouts.push((callout_kind(style), style.to_owned()));
            }
            Some(TABLE_CLASS) => self.table.container = true,
            _ => {}
        }
    }
}

fn without(element: &Element, names: &[&str]) -> Attributes {
    element.attributes.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
}

fn first_is(element: &Element, name: &str) -> bool {
    matches!(meaningful(&element.children).first(), Some(Node::Element(first)) if first.name == name)
}

/// Children without the white space at the edges of blocks.
pub fn meaningful(nodes: &[Node]) -> Vec<Node> {
    let edge = |node: Option<&Node>| match node {
        None => true,
        Some(Node::Element(element)) => super::html::is_block(&element.name),
        Some(Node::Text(_)) => false,
    };
    let kept = |(index, node): (usize, &Node)| {
        let blank = matches!(node, Node::Text(text) if text.trim_ascii().is_empty());
        let before = index.checked_sub(1).and_then(|before| nodes.get(before));
        (!(blank && (edge(before) || edge(nodes.get(index + 1))))).then(|| node.clone())
    };
    nodes.iter().enumerate().filter_map(kept).collect()
}

fn contains(nodes: &[Node], name: &str) -> bool {
    nodes.iter().any(|node| match node {
        Node::Element(element) => element.name == name || contains(&element.children, name),
        Node::Text(_) => false,
    })
}
