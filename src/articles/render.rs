//! Markdown of one piece → HTML as the help center's editor would write it.
//!
//! What Markdown does not say comes from the [`Style`] of the HTML that the piece stood for. Takes any text.

use std::collections::VecDeque;

use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, LinkType, Parser, Tag, TagEnd};

use super::html::{Attributes, escape, start_tag};
use super::pieces;
use super::style::{BUTTON_CLASS, CALLOUT_CLASS, IMAGE_CLASS, Style, TABLE_CLASS, Wrapper};

/// Collapsibles inside of one another are followed this far.
const DEEPEST: usize = 8;

/// The HTML of a piece. `definitions` are link targets that the whole file defines.
pub fn piece(markdown: &str, style: &Style, definitions: &str) -> String {
    let mut headings = 0;
    rendered(markdown, style, definitions, &mut headings, 0)
}

fn rendered(markdown: &str, style: &Style, definitions: &str, headings: &mut usize, depth: usize) -> String {
    if let Some(html) = pieces::raw_content(markdown) {
        return html.to_owned();
    }
    if depth < DEEPEST
        && let Some((summary, content)) = details(markdown)
    {
        let mut html = String::from("<details><summary>");
        html.push_str(&inline(summary, style));
        html.push_str("</summary>");
        for inner in pieces::split(content) {
            html.push_str(&rendered(&inner, style, definitions, headings, depth + 1));
        }
        return html + "</details>";
    }
    let text = format!("{markdown}\n\n{definitions}");
    let mut renderer = Renderer::new(&text, style, *headings);
    renderer.run();
    *headings = renderer.headings;
    renderer.html
}

/// Summary and content of a collapsible in its Markdown form.
fn details(markdown: &str) -> Option<(&str, &str)> {
    let rest = markdown.strip_prefix("<details>")?.trim_start();
    let (summary, content) = rest.strip_prefix("<summary>")?.split_once("</summary>")?;
    Some((summary, content.trim_end().strip_suffix("</details>")?))
}

/// The text of a line without the paragraph around it.
fn inline(markdown: &str, style: &Style) -> String {
    let mut renderer = Renderer::new(markdown, style, 0);
    renderer.naked = true;
    renderer.run();
    renderer.html
}

/// What an end tag has to write.
enum Frame {
    /// An item of a list or a cell of a table: text in it stands in a paragraph of its own.
    Container {
        close: String,
        paragraphs: bool,
        open: bool,
    },
    Close(String),
}

struct Renderer<'a> {
    events: VecDeque<Event<'a>>,
    style: &'a Style,
    html: String,
    frames: Vec<Frame>,
    headings: usize,
    /// Paragraphs have no tags.
    naked: bool,
    in_head: bool,
}

impl<'a> Renderer<'a> {
    fn new(markdown: &'a str, style: &'a Style, headings: usize) -> Self {
        Renderer {
            events: Parser::new_ext(markdown, pieces::options()).collect(),
            style,
            html: String::new(),
            frames: Vec::new(),
            headings,
            naked: style.bare,
            in_head: false,
        }
    }

    fn run(&mut self) {
        while let Some(event) = self.events.pop_front() {
            match event {
                Event::Start(tag) => self.start(tag),
                Event::End(end) => self.end(end),
                Event::Text(text) => {
                    self.open_paragraph();
                    escape(&text, &mut self.html);
                }
                Event::Code(text) => {
                    self.open_paragraph();
                    self.html.push_str("<code>");
                    escape(&text, &mut self.html);
                    self.html.push_str("</code>");
                }
                Event::InlineHtml(html) => {
                    self.open_paragraph();
                    self.html.push_str(&html);
                }
                Event::Html(html) => self.html.push_str(&html),
                Event::SoftBreak => self.html.push(' '),
                Event::HardBreak => self.html.push_str("<br>"),
                Event::Rule => {
                    self.close_paragraph();
                    self.html.push_str("<hr>");
                }
                _ => {}
            }
        }
    }

    fn paragraph_tag(&self) -> String {
        let class = self.style.paragraph_class.iter().map(|class| ("class".to_owned(), class.clone()));
        start_tag("p", &class.collect::<Vec<_>>())
    }

    /// Begins the paragraph of a text that stands directly in an item or a cell.
    fn open_paragraph(&mut self) {
        let tag = self.paragraph_tag();
        if let Some(Frame::Container { paragraphs: true, open, .. }) = self.frames.last_mut()
            && !*open
        {
            *open = true;
            self.html.push_str(&tag);
        }
    }

    fn close_paragraph(&mut self) {
        if let Some(Frame::Container { paragraphs: true, open, .. }) = self.frames.last_mut()
            && *open
        {
            *open = false;
            self.html.push_str("</p>");
        }
    }

    fn open(&mut self, tag: &str, close: &str) {
        self.html.push_str(tag);
        self.frames.push(Frame::Close(close.to_owned()));
    }

    fn start(&mut self, tag: Tag<'a>) {
        if matches!(
            tag,
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
        ) {
            self.open_paragraph();
        } else {
            self.close_paragraph();
        }
        match tag {
            Tag::Paragraph => self.paragraph(),
            Tag::Heading { level, .. } => {
                let id = self.style.heading_ids.get(self.headings).cloned().flatten();
                self.headings += 1;
                let attributes: Attributes = id.map(|id| ("id".to_owned(), id)).into_iter().collect();
                self.open(&start_tag(&level.to_string(), &attributes), &format!("</{level}>"));
            }
            Tag::BlockQuote(None) => self.open("<blockquote>", "</blockquote>"),
            Tag::BlockQuote(Some(kind)) => {
                let attributes =
                    [("class", CALLOUT_CLASS.to_owned()), ("style", self.style.callout(callout(kind)))];
                let attributes: Attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
                self.open(&start_tag("div", &attributes), "</div>");
            }
            Tag::CodeBlock(kind) => self.code_block(&kind),
            Tag::List(None) => self.open("<ul>", "</ul>"),
            Tag::List(Some(1)) => self.open("<ol>", "</ol>"),
            Tag::List(Some(start)) => self.open(&format!("<ol start=\"{start}\">"), "</ol>"),
            Tag::Item => self.container("li", self.style.item_paragraphs),
            Tag::Table(_) => self.table(),
            Tag::TableHead => {
                self.in_head = true;
                let open = if self.style.table.separate_head { "<thead><tr>" } else { "<tbody><tr>" };
                self.open(
                    open,
                    if self.style.table.separate_head { "</tr></thead><tbody>" } else { "</tr>" },
                );
            }
            Tag::TableRow => self.open("<tr>", "</tr>"),
            Tag::TableCell => {
                let name = if self.in_head { self.style.table.head.clone() } else { "td".to_owned() };
                self.container(&name, self.style.table.cell_paragraphs);
            }
            Tag::Emphasis => {
                self.open(&format!("<{}>", self.style.italic), &format!("</{}>", self.style.italic))
            }
            Tag::Strong => self.open(&format!("<{}>", self.style.bold), &format!("</{}>", self.style.bold)),
            Tag::Strikethrough => self.open("<s>", "</s>"),
            Tag::Link { link_type, dest_url, title, .. } => {
                let address = if link_type == LinkType::Email {
                    format!("mailto:{dest_url}")
                } else {
                    dest_url.to_string()
                };
                let tag = self.link(&address, &title, false);
                self.open(&tag, "</a>");
            }
            Tag::Image { dest_url, title, .. } => self.image(&dest_url, &title),
            Tag::HtmlBlock => self.html_block(),
            _ => self.open("", ""),
        }
    }

    fn end(&mut self, end: TagEnd) {
        if end == TagEnd::TableHead {
            self.in_head = false;
        }
        self.close_paragraph();
        match self.frames.pop() {
            Some(Frame::Close(close) | Frame::Container { close, .. }) => self.html.push_str(&close),
            None => {}
        }
    }

    fn container(&mut self, name: &str, paragraphs: bool) {
        self.html.push_str(&format!("<{name}>"));
        self.frames.push(Frame::Container { close: format!("</{name}>"), paragraphs, open: false });
    }

    fn table(&mut self) {
        let table = &self.style.table;
        let around = if table.container { format!("<div class=\"{TABLE_CLASS}\">") } else { String::new() };
        let tag = format!("{around}{}", start_tag("table", &table.attributes));
        let close = if table.container { "</tbody></table></div>" } else { "</tbody></table>" };
        self.open(&tag, close);
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'_>) {
        let language = match kind {
            CodeBlockKind::Fenced(words) => words.split_whitespace().next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        let attributes: Attributes = match language {
            "" => Vec::new(),
            language => vec![("class".to_owned(), format!("language-{language}"))],
        };
        let mut text = String::new();
        while let Some(Event::Text(part)) = self.events.front() {
            text.push_str(part);
            self.events.pop_front();
        }
        self.html.push_str("<pre>");
        self.html.push_str(&start_tag("code", &attributes));
        escape(text.strip_suffix('\n').unwrap_or(&text), &mut self.html);
        self.frames.push(Frame::Close("</code></pre>".to_owned()));
    }

    /// The tag of a link with the attributes it had.
    fn link(&self, address: &str, title: &str, button: bool) -> String {
        let mut attributes: Attributes = Vec::new();
        if button {
            attributes.push(("class".to_owned(), BUTTON_CLASS.to_owned()));
        }
        attributes.push(("href".to_owned(), address.to_owned()));
        if !title.is_empty() {
            attributes.push(("title".to_owned(), title.to_owned()));
        }
        attributes.extend(self.style.links.get(address).into_iter().flatten().cloned());
        start_tag("a", &attributes)
    }

    fn image(&mut self, address: &str, title: &str) {
        let mut alt = String::new();
        let mut depth = 1;
        while let Some(event) = self.events.pop_front() {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 1 => break,
                Event::End(_) => depth -= 1,
                Event::Text(text) | Event::Code(text) => alt.push_str(&text),
                Event::SoftBreak | Event::HardBreak => alt.push(' '),
                _ => {}
            }
        }
        let mut attributes: Attributes =
            vec![("src".to_owned(), address.to_owned()), ("alt".to_owned(), alt)];
        if !title.is_empty() {
            attributes.push(("title".to_owned(), title.to_owned()));
        }
        self.html.push_str(&start_tag("img", &attributes));
    }

    /// HTML as written; a picture alone gets what stands around pictures.
    fn html_block(&mut self) {
        let mut html = String::new();
        while let Some(Event::Html(part)) = self.events.front() {
            html.push_str(part);
            self.events.pop_front();
        }
        let html = html.trim_end();
        let alone = html.starts_with("<img") && html.matches('<').count() == 1;
        let (open, close) = if alone { around(self.media()) } else { (String::new(), String::new()) };
        self.html.push_str(&open);
        self.html.push_str(html);
        self.frames.push(Frame::Close(close));
    }

    fn media(&self) -> Wrapper {
        let container = || Wrapper::Element("div".into(), vec![("class".into(), IMAGE_CLASS.into())]);
        self.style.media.clone().unwrap_or_else(container)
    }

    /// A paragraph, or what stands alone in one: a picture, a video, a button.
    fn paragraph(&mut self) {
        match self.alone() {
            Some(Alone::Media) => {
                let (open, close) = around(self.media());
                self.open(&open, &close);
            }
            Some(Alone::Video(address)) => {
                let default = || {
                    vec![
                        ("frameborder".into(), "0".into()),
                        ("allowfullscreen".into(), "allowfullscreen".into()),
                    ]
                };
                let mut attributes: Attributes = vec![("src".to_owned(), address.clone())];
                let known = self.style.frames.get(&address).or_else(|| self.style.frames.values().next());
                attributes.extend(known.cloned().unwrap_or_else(default));
                let (open, close) = around(self.media());
                self.skip_link();
                self.open(&format!("{open}{}</iframe>", start_tag("iframe", &attributes)), &close);
            }
            Some(Alone::Button(address)) => {
                let default =
                    || Wrapper::Element("p".into(), vec![("class".into(), "intercom-align-center".into())]);
                let (open, close) = around(self.style.button.clone().unwrap_or_else(default));
                let tag = self.link(&address, "", true);
                self.events.pop_front();
                self.html.push_str(&open);
                self.html.push_str(&tag);
                // The link's own end comes first, the paragraph's after it.
                self.frames.push(Frame::Close(close));
                self.frames.push(Frame::Close("</a>".to_owned()));
            }
            None if self.naked && self.frames.is_empty() => self.open("", ""),
            None => {
                let tag = self.paragraph_tag();
                self.open(&tag, "</p>");
            }
        }
    }

    fn skip_link(&mut self) {
        while self.events.pop_front().is_some_and(|event| event != Event::End(TagEnd::Link)) {}
    }

    /// What the paragraph that begins here consists of, if it is one thing.
    fn alone(&self) -> Option<Alone> {
        let mut ahead = self.events.iter();
        let (end, found) = match ahead.next()? {
            Event::Start(Tag::Image { .. }) => (TagEnd::Image, Alone::Media),
            Event::Start(Tag::Link { dest_url, title, .. }) => match &**title {
                "video" => (TagEnd::Link, Alone::Video(dest_url.to_string())),
                "button" => (TagEnd::Link, Alone::Button(dest_url.to_string())),
                _ => {
                    matches!(ahead.next(), Some(Event::Start(Tag::Image { .. }))).then_some(())?;
                    ahead.find(|event| matches!(event, Event::End(TagEnd::Image | TagEnd::Paragraph)))?;
                    (*ahead.next()? == Event::End(TagEnd::Link)).then_some(())?;
                    return (*ahead.next()? == Event::End(TagEnd::Paragraph)).then_some(Alone::Media);
                }
            },
            Event::InlineHtml(html) if html.starts_with("<img") => {
                return (*ahead.next()? == Event::End(TagEnd::Paragraph)).then_some(Alone::Media);
            }
            _ => return None,
        };
        ahead.find(|event| **event == Event::End(end))?;
        (*ahead.next()? == Event::End(TagEnd::Paragraph)).then_some(found)
    }
}

enum Alone {
    Media,
    Video(String),
    Button(String),
}

fn around(wrapper: Wrapper) -> (String, String) {
    match wrapper {
        Wrapper::Bare => (String::new(), String::new()),
        Wrapper::Element(name, attributes) => (start_tag(&name, &attributes), format!("</{name}>")),
    }
}

fn callout(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "NOTE",
        BlockQuoteKind::Tip => "TIP",
        BlockQuoteKind::Important => "IMPORTANT",
        BlockQuoteKind::Warning => "WARNING",
        BlockQuoteKind::Caution => "CAUTION",
    }
}
