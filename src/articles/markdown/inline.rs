//! Writes what stands inside a line as Markdown.
//!
//! Escapes no more than is needed to read the same text back: people edit the result.

use super::Style;
use crate::articles::html::shape::{Kind, Shape};

/// Where the text stands, which decides what must be escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Paragraph,
    /// One line only, such as a heading.
    Line,
    /// A cell of a table: one line, and no bare `|`.
    Cell,
}

/// The inline content of a block; `None` when there is no form for it.
pub fn line(shape: &Shape<'_>, style: Style, place: Place) -> Option<String> {
    let mut writer = Writer { out: String::new(), style, place };
    writer.inline(&shape.children)?;
    Some(writer.out)
}

struct Writer {
    out: String,
    style: Style,
    place: Place,
}

impl Writer {
    fn inline(&mut self, shapes: &[Shape<'_>]) -> Option<()> {
        for (index, shape) in shapes.iter().enumerate() {
            let before_link = shapes[index + 1..]
                .iter()
                .find(|it| !it.is_blank_text())
                .is_some_and(|it| matches!(it.kind, Kind::Link { .. } | Kind::Button { .. }));
            self.one(shape, before_link)?;
        }
        Some(())
    }

    fn one(&mut self, shape: &Shape<'_>, before_link: bool) -> Option<()> {
        match &shape.kind {
            Kind::Text(text) => self.text(text, before_link),
            Kind::Strong => self.marked(shape, "**", "b")?,
            Kind::Emphasis => self.marked(shape, "*", "i")?,
            Kind::Strike => self.marked(shape, "~~", "s")?,
            Kind::InlineCode => self.code(shape)?,
            Kind::Link { href, title } => {
                self.out.push('[');
                self.inline(&shape.children)?;
                self.target(href, title)?;
            }
            Kind::Button { href } => {
                self.out.push('[');
                self.inline(&shape.children)?;
                self.target(href, "")?;
                self.out.push_str("{.button}");
            }
            Kind::Image { src, alt, title, width, height } => {
                self.out.push_str("![");
                self.text(alt, false);
                self.target(src, title)?;
                let sizes = [("width", width), ("height", height)];
                let sizes: Vec<String> = sizes
                    .into_iter()
                    .filter(|(_, size)| !size.is_empty())
                    .map(|(name, size)| format!("{name}={size}"))
                    .collect();
                if !sizes.is_empty() {
                    self.out.push_str(&format!("{{{}}}", sizes.join(" ")));
                }
            }
            Kind::Break
                if self.place == Place::Paragraph && !self.out.is_empty() && !self.out.ends_with('\n') =>
            {
                self.out.push_str("\\\n");
            }
            Kind::Break => self.out.push_str("<br>"),
            Kind::Html(open) => {
                self.out.push_str(open);
                self.inline(&shape.children)?;
                self.out.push_str(shape.close);
            }
            _ => return None,
        }
        Some(())
    }

    fn marked(&mut self, shape: &Shape<'_>, marker: &str, tag: &str) -> Option<()> {
        let start = self.out.len();
        self.out.push_str(marker);
        self.inline(&shape.children)?;
        let inner = &self.out[start + marker.len()..];
        let fits = !inner.is_empty()
            && !inner.starts_with([' ', '*', '~', '\\', '\n'])
            && !inner.ends_with([' ', '*', '~', '\n'])
            && !self.out[..start].ends_with(['*', '~']);
        if self.style.tags || !fits {
            let inner = self.out.split_off(start + marker.len());
            self.out.truncate(start);
            self.out.push_str(&format!("<{tag}>{inner}</{tag}>"));
        } else {
            self.out.push_str(marker);
        }
        Some(())
    }

    fn code(&mut self, shape: &Shape<'_>) -> Option<()> {
        let mut text = String::new();
        for child in &shape.children {
            let Kind::Text(piece) = &child.kind else { return None };
            text.push_str(piece);
        }
        if text.is_empty() {
            return None;
        }
        if self.place == Place::Cell {
            text = text.replace('|', "\\|");
        }
        let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest + 1);
        let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
        self.out.push_str(&format!("{fence}{pad}{text}{pad}{fence}"));
        Some(())
    }

    fn target(&mut self, address: &str, title: &str) -> Option<()> {
        self.out.push_str("](");
        self.out.push_str(
            &destination(address)?.replace('|', if self.place == Place::Cell { "\\|" } else { "|" }),
        );
        if !title.is_empty() {
            let title = title.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;");
            self.out.push_str(&format!(" \"{title}\""));
        }
        self.out.push(')');
        Some(())
    }

    fn text(&mut self, text: &str, before_link: bool) {
        let bytes = text.as_bytes();
        for (at, letter) in text.char_indices() {
            let next = bytes.get(at + letter.len_utf8()).copied();
            let at_start = self.out.is_empty() || self.out.ends_with('\n');
            let escaped = match letter {
                '\\' | '`' | '*' | '[' | ']' | '~' => true,
                '_' => {
                    let inside = self.out.ends_with(char::is_alphanumeric)
                        && text[at + 1..].starts_with(char::is_alphanumeric);
                    !inside
                }
                '<' => next.is_none_or(|it| it.is_ascii_alphabetic() || matches!(it, b'/' | b'!' | b'?')),
                '&' => next.is_none_or(|it| it.is_ascii_alphanumeric() || it == b'#'),
                '|' => self.place != Place::Paragraph || at_start,
                '{' => self.out.ends_with(')'),
                '!' => next.is_none() && before_link,
                '#' => {
                    at_start || self.place == Place::Line && next.is_none_or(|it| it == b'#' || it == b' ')
                }
                '>' | '+' | '-' | '=' => at_start,
                '.' | ')' => self.is_number_at_line_start() && next.is_none_or(|it| it == b' '),
                '\u{a0}' => {
                    self.out.push_str("&nbsp;");
                    continue;
                }
                '\t' => {
                    self.out.push_str("&#9;");
                    continue;
                }
                _ => false,
            };
            if escaped {
                self.out.push('\\');
            }
            self.out.push(letter);
        }
    }

    /// Whether the line so far is a number, which a dot would make a list.
    fn is_number_at_line_start(&self) -> bool {
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        !line.is_empty() && line.len() < 10 && line.bytes().all(|it| it.is_ascii_digit())
    }
}

/// An address as it stands in parentheses; `None` when it cannot.
pub fn destination(address: &str) -> Option<String> {
    if address.contains(['\n', '\r', '\0']) {
        return None;
    }
    let escaped = address.replace('\\', "\\\\");
    // An ampersand that cannot begin a reference is clearer as it is.
    let escaped = match address.contains(';') {
        true => escaped.replace('&', "&amp;"),
        false => escaped,
    };
    let plain = !address.is_empty()
        && !address.starts_with('<')
        && !address
            .contains(|it: char| it.is_ascii_whitespace() || it.is_control() || matches!(it, '(' | ')'));
    match plain {
        true => Some(escaped),
        false => Some(format!("<{}>", escaped.replace('<', "\\<").replace('>', "\\>"))),
    }
}
