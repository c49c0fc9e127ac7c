//! HTML of one block → Markdown.
//!
//! Knows the constructs with a readable form and gives up (`None`) on everything else. It may be naive
//! about characters that mean something in Markdown: whoever calls it renders the result and compares.

use super::html::{Element, Node, fold, is_block, is_void, start_tag};
use super::style::{BUTTON_CLASS, CALLOUT_CLASS, IMAGE_CLASS, TABLE_CLASS, callout_kind, meaningful};

/// How a block is written.
#[derive(Clone, Copy)]
pub struct Writer {
    /// Bold and italic as tags, where asterisks would be ambiguous.
    pub tagged_emphasis: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Paragraph,
    /// Headings and the like, which cannot break.
    Single,
    Cell,
}

impl Writer {
    /// Blocks under each other, with an empty line between them.
    pub fn blocks(self, nodes: &[Node]) -> Option<String> {
        let nodes = meaningful(nodes);
        let loose = |node: &Node| !matches!(node, Node::Element(element) if is_block(&element.name));
        if nodes.iter().all(loose) {
            return self.paragraph(&nodes);
        }
        let mut written: Vec<String> = Vec::new();
        let mut list_before = None;
        for node in &nodes {
            let Node::Element(element) = node else { return None };
            let list = matches!(element.name.as_str(), "ul" | "ol").then(|| element.name.clone());
            if list.is_some() && list == list_before {
                return None;
            }
            list_before = list;
            written.push(self.block(element)?);
        }
        (!written.is_empty()).then(|| written.join("\n\n"))
    }

    fn block(self, element: &Element) -> Option<String> {
        let children = meaningful(&element.children);
        let only = match children.as_slice() {
            [Node::Element(only)] => Some(only),
            _ => None,
        };
        if let Some(only) = only
            && only.attribute("class") == Some(BUTTON_CLASS)
            && matches!(element.name.as_str(), "p" | "div")
        {
            return self.button(only);
        }
        match (element.name.as_str(), element.attribute("class")) {
            ("p", None | Some("no-margin")) => self.paragraph(&children),
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", None) => {
                let text = self.inline_text(&children, Line::Single)?;
                let level = element.name[1..].parse().ok()?;
                (!text.is_empty()).then(|| format!("{} {text}", "#".repeat(level)))
            }
            ("hr", None) => Some("---".into()),
            ("ul" | "ol", None) => self.list(element),
            ("pre", None) => code_block(only?),
            ("div", Some(CALLOUT_CLASS)) => {
                let kind = callout_kind(element.attribute("style").unwrap_or_default());
                Some(format!("> [!{kind}]\n{}", quoted(&self.blocks(&children)?)))
            }
            ("blockquote", None) => Some(quoted(&self.blocks(&children)?)),
            ("div", Some(IMAGE_CLASS)) => self.media(only?),
            ("div", Some(TABLE_CLASS)) => self.table(only?),
            ("table", _) => self.table(element),
            ("iframe", _) => self.media(element),
            ("details", None) => self.details(element),
            _ => None,
        }
    }

    fn paragraph(self, children: &[Node]) -> Option<String> {
        if let [Node::Element(only)] = children
            && (only.attribute("class") == Some(BUTTON_CLASS))
        {
            return self.button(only);
        }
        let text = self.inline_text(children, Line::Paragraph)?;
        let lines: Vec<String> = text.lines().map(|line| guarded(line.trim_start())).collect();
        (!text.is_empty()).then(|| lines.join("\n"))
    }

    /// A picture or a video that stands alone.
    fn media(self, element: &Element) -> Option<String> {
        match element.name.as_str() {
            "img" | "a" => self.inline_text(&[Node::Element(element.clone())], Line::Paragraph),
            "iframe" if element.children.is_empty() => {
                Some(format!("[video]({} \"video\")", address(element.attribute("src")?)?))
            }
            _ => None,
        }
    }

    fn button(self, link: &Element) -> Option<String> {
        let text = self.inline_text(&link.children, Line::Single)?;
        (link.name == "a").then_some(())?;
        Some(format!("[{text}]({} \"button\")", address(link.attribute("href")?)?))
    }

    fn list(self, list: &Element) -> Option<String> {
        let mut number: u64 = match list.attribute("start") {
            Some(start) => start.parse().ok()?,
            None => 1,
        };
        let mut items = Vec::new();
        let mut spread = false;
        for item in meaningful(&list.children) {
            let Node::Element(item) = item else { return None };
            let children = meaningful(&item.children);
            let inline = |node: &&Node| !matches!(node, Node::Element(element) if is_block(&element.name));
            let lead = children.iter().take_while(inline).count();
            let mut written: Vec<String> = Vec::new();
            if lead > 0 {
                written.push(self.paragraph(&children[..lead])?);
            }
            let mut before_was_text = lead > 0;
            for child in &children[lead..] {
                let Node::Element(child) = child else { return None };
                let list = matches!(child.name.as_str(), "ul" | "ol");
                let nested = list && before_was_text;
                spread |= !written.is_empty() && !nested;
                before_was_text = child.name == "p";
                written.push(self.block(child)?);
            }
            items.push(written);
        }
        let between = if spread { "\n\n" } else { "\n" };
        let mut lines = Vec::new();
        for written in items {
            let marker = match list.name.as_str() {
                "ol" => format!("{number}. "),
                _ => "- ".to_owned(),
            };
            number += 1;
            lines.push(format!("{marker}{}", indented(&written.join(between), marker.len())));
        }
        (!lines.is_empty()).then(|| lines.join(between))
    }

    fn table(self, table: &Element) -> Option<String> {
        (table.name == "table").then_some(())?;
        let mut rows: Vec<Vec<String>> = Vec::new();
        for section in meaningful(&table.children) {
            let Node::Element(section) = section else { return None };
            for row in meaningful(&section.children) {
                let Node::Element(row) = row else { return None };
                let cells =
                    meaningful(&row.children).iter().map(|cell| self.cell(cell)).collect::<Option<_>>()?;
                rows.push(cells);
            }
        }
        let width = rows.first()?.len();
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return None;
        }
        let line = |row: &Vec<String>| format!("| {} |", row.join(" | "));
        let mut lines = vec![line(&rows[0]), format!("|{}", " --- |".repeat(width))];
        lines.extend(rows[1..].iter().map(line));
        Some(lines.join("\n"))
    }

    fn cell(self, cell: &Node) -> Option<String> {
        let Node::Element(cell) = cell else { return None };
        let children = meaningful(&cell.children);
        match children.as_slice() {
            [Node::Element(only)] if only.name == "p" => self.inline_text(&only.children, Line::Cell),
            _ => self.inline_text(&children, Line::Cell),
        }
    }

    fn details(self, details: &Element) -> Option<String> {
        let children = meaningful(&details.children);
        let Some(Node::Element(summary)) = children.first().filter(|_| details.attributes.is_empty()) else {
            return None;
        };
        (summary.name == "summary" && summary.attributes.is_empty()).then_some(())?;
        let head = self.inline_text(&summary.children, Line::Single)?;
        let rest = self.blocks(&children[1..])?;
        Some(format!("<details>\n<summary>{head}</summary>\n\n{rest}\n\n</details>"))
    }

    fn inline_text(self, nodes: &[Node], line: Line) -> Option<String> {
        let mut text = String::new();
        self.inline(nodes, line, &mut text)?;
        Some(text.trim_matches(' ').to_owned())
    }

    fn inline(self, nodes: &[Node], line: Line, out: &mut String) -> Option<()> {
        for node in nodes {
            match node {
                Node::Text(text) => escape(&fold(text), line, out),
                Node::Element(element) => self.inline_element(element, line, out)?,
            }
        }
        Some(())
    }

    fn inline_element(self, element: &Element, line: Line, out: &mut String) -> Option<()> {
        let plain = element.attributes.is_empty();
        match element.name.as_str() {
            "br" if plain && line == Line::Paragraph => out.push_str("\\\n"),
            "br" if plain => out.push_str("<br>"),
            "b" | "strong" | "i" | "em" if plain && !self.tagged_emphasis => {
                let mark = if matches!(element.name.as_str(), "b" | "strong") { "**" } else { "*" };
                out.push_str(mark);
                self.inline(&element.children, line, out)?;
                out.push_str(mark);
            }
            "code" if plain => out.push_str(&code(element, line)?),
            "a" if element.attribute("class") != Some(BUTTON_CLASS) => {
                let href = address(element.attribute("href")?)?;
                out.push('[');
                self.inline(&element.children, line, out)?;
                out.push_str(&format!("]({href}{})", title(element)?));
            }
            "img"
                if element
                    .attributes
                    .iter()
                    .all(|(name, _)| matches!(name.as_str(), "src" | "alt" | "title")) =>
            {
                let mut alt = String::new();
                escape(element.attribute("alt")?, line, &mut alt);
                out.push_str(&format!(
                    "![{alt}]({}{})",
                    address(element.attribute("src")?)?,
                    title(element)?
                ));
            }
            name if is_block(name) => return None,
            name => {
                out.push_str(&start_tag(name, &element.attributes));
                if !is_void(name) {
                    self.inline(&element.children, line, out)?;
                    out.push_str(&format!("</{name}>"));
                }
            }
        }
        Some(())
    }
}

fn code_block(code: &Element) -> Option<String> {
    let language = match (code.name.as_str(), code.attributes.as_slice()) {
        ("code", []) => "",
        ("code", [(name, class)]) if name == "class" => class.strip_prefix("language-")?,
        _ => return None,
    };
    let text = match code.children.as_slice() {
        [] => "",
        [Node::Text(text)] => text,
        _ => return None,
    };
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    Some(format!("{fence}{language}\n{text}\n{fence}"))
}

fn code(element: &Element, line: Line) -> Option<String> {
    let text = match element.children.as_slice() {
        [Node::Text(text)] => text,
        _ => return None,
    };
    if text.contains(['\n', '\r']) || (line == Line::Cell && text.contains('|')) {
        return None;
    }
    let mut fence = "`".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    Some(format!("{fence}{pad}{text}{pad}{fence}"))
}

/// A link's target as Markdown takes it.
fn address(address: &str) -> Option<String> {
    if address.is_empty() || address.contains(['<', '>', '\n', '\r', '\\', '|']) {
        return None;
    }
    let awkward = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '(' | ')');
    let address = address.replace('&', "&amp;");
    Some(if address.contains(awkward) { format!("<{address}>") } else { address })
}

fn title(element: &Element) -> Option<String> {
    match element.attribute("title") {
        None => Some(String::new()),
        Some(title) if title.contains(['"', '\\', '\n', '&', '|']) || matches!(title, "button" | "video") => {
            None
        }
        Some(title) => Some(format!(" \"{title}\"")),
    }
}

/// Text whose characters mean nothing but themselves.
fn escape(text: &str, line: Line, out: &mut String) {
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let after = characters.peek().copied().unwrap_or(' ');
        match character {
            '\\' | '`' | '*' | '[' | ']' => out.extend(['\\', character]),
            '|' if line == Line::Cell => out.push_str("\\|"),
            '~' if after == '~' || before == '~' => out.push_str("\\~"),
            '_' if !(before.is_alphanumeric() && after.is_alphanumeric()) => out.push_str("\\_"),
            '<' if after.is_ascii_alphabetic() || matches!(after, '/' | '!' | '?') => out.push_str("\\<"),
            '&' if after.is_ascii_alphanumeric() || after == '#' => out.push_str("\\&"),
            '#' if line == Line::Single => out.push_str("\\#"),
            '\u{a0}' => out.push_str("&nbsp;"),
            other => out.push(other),
        }
        before = character;
    }
}

/// A line whose beginning does not make it a heading, a list or a quotation.
fn guarded(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.as_bytes() {
        [b'#' | b'>' | b'+' | b'-' | b'=' | b'~' | b':', ..] => format!("\\{line}"),
        bytes if digits > 0 && matches!(bytes.get(digits), Some(b'.' | b')')) => {
            format!("{}\\{}", &line[..digits], &line[digits..])
        }
        _ => line.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { ">".to_owned() } else { format!("> {line}") };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn indented(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    let mut lines = text.split('\n');
    let mut done = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        done.push('\n');
        if !line.is_empty() {
            done.push_str(&pad);
            done.push_str(line);
        }
    }
    done
}
