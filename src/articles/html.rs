//! HTML of article bodies as tokens with their place in the text, and as trees.
//!
//! The tokenizer follows the WHATWG rules and takes any input. A tree is only made of markup that every
//! parser reads alike: properly nested, nothing implied, nothing foster-parented. Everything else has no
//! tree, and its owner keeps it as it is. Nothing here recurses deeper than [`DEEPEST`].

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};

/// Trees are not made of deeper nesting.
const DEEPEST: usize = 40;

pub type Attributes = Vec<(String, String)>;

/// A piece of markup; `start` and `end` are byte positions in the source.
#[derive(Debug)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug)]
pub enum Kind {
    Open {
        name: String,
        attributes: Attributes,
    },
    Close(String),
    Text(String),
    /// Comments and document types.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Element(Element),
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub attributes: Attributes,
    pub children: Vec<Node>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

pub fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements that end a paragraph and stand in a line of their own.
pub fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "iframe"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
            | "video"
    )
}

/// The whole input as tokens in order.
pub fn tokens(html: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let collect = |event: CallbackEvent<'_>,
                   span: html5gum::Span<usize>|
     -> Option<std::convert::Infallible> {
        let kind = match event {
            CallbackEvent::OpenStartTag { name } => Kind::Open { name: text(name), attributes: Vec::new() },
            CallbackEvent::AttributeName { name } => {
                if let Some(Token { kind: Kind::Open { attributes, .. }, .. }) = tokens.last_mut() {
                    attributes.push((text(name), String::new()));
                }
                return None;
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some(Token { kind: Kind::Open { attributes, .. }, .. }) = tokens.last_mut()
                    && let Some((_, last)) = attributes.last_mut()
                {
                    *last = text(value);
                }
                return None;
            }
            CallbackEvent::CloseStartTag { .. } => {
                if let Some(token) = tokens.last_mut() {
                    token.end = span.end;
                }
                return None;
            }
            CallbackEvent::EndTag { name } => Kind::Close(text(name)),
            CallbackEvent::String { value } => Kind::Text(text(value)),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } => Kind::Other,
            CallbackEvent::Error(_) => return None,
        };
        tokens.push(Token { kind, start: span.start, end: span.end });
        None
    };
    let mut emitter = CallbackEmitter::<_, std::convert::Infallible, usize>::new(collect);
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    tokens
}

/// The tree of these tokens, when every parser would make the same one.
pub fn tree(tokens: &[Token]) -> Option<Vec<Node>> {
    let mut open: Vec<Element> = Vec::new();
    let mut roots = Vec::new();
    for token in tokens {
        let node = match &token.kind {
            Kind::Other => return None,
            Kind::Text(text) => Node::Text(text.clone()),
            Kind::Open { name, attributes } => {
                if open.len() >= DEEPEST || !may_stand(name, &open) {
                    return None;
                }
                let element =
                    Element { name: name.clone(), attributes: attributes.clone(), children: Vec::new() };
                if !is_void(name) {
                    open.push(element);
                    continue;
                }
                Node::Element(element)
            }
            Kind::Close(name) => match open.pop() {
                Some(element) if element.name == *name => Node::Element(element),
                _ => return None,
            },
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => roots.push(node),
        }
    }
    open.is_empty().then_some(roots)
}

/// Whether an element may stand here without a parser moving or closing anything.
fn may_stand(name: &str, open: &[Element]) -> bool {
    let parent = open.last().map(|parent| parent.name.as_str());
    let inside = |name: &str| open.iter().any(|element| element.name == name);
    let headings = ["h1", "h2", "h3", "h4", "h5", "h6"];
    match name {
        "script" | "style" | "textarea" | "title" | "template" | "svg" | "math" | "select" | "option"
        | "frameset" | "html" | "head" | "body" | "plaintext" | "xmp" | "noscript" | "image" | "form" => {
            false
        }
        "a" | "button" | "nobr" => !inside(name),
        "li" => matches!(parent, Some("ul" | "ol")),
        "tbody" | "thead" | "tfoot" | "caption" | "colgroup" => parent == Some("table"),
        "tr" => matches!(parent, Some("tbody" | "thead" | "tfoot")),
        "td" | "th" => parent == Some("tr"),
        _ if matches!(
            parent,
            Some("table" | "tbody" | "thead" | "tfoot" | "tr" | "ul" | "ol" | "iframe")
        ) =>
        {
            false
        }
        _ => !(is_block(name) && (inside("p") || headings.iter().any(|heading| inside(heading)))),
    }
}

/// Whether two trees show the same: attributes in any order, runs of white space as one space, none at the
/// edges of blocks.
pub fn same(one: &[Node], other: &[Node]) -> bool {
    normal(one, false) == normal(other, false)
}

fn normal(nodes: &[Node], verbatim: bool) -> Vec<Node> {
    let mut done: Vec<Node> = Vec::new();
    for node in nodes {
        match (node, done.last_mut()) {
            (Node::Text(text), Some(Node::Text(before))) => before.push_str(text),
            (Node::Text(text), _) => done.push(Node::Text(text.clone())),
            (Node::Element(element), _) => {
                let mut attributes = element.attributes.clone();
                attributes.sort();
                let children = normal(&element.children, verbatim || element.name == "pre");
                done.push(Node::Element(Element { name: element.name.clone(), attributes, children }));
            }
        }
    }
    if verbatim {
        return done;
    }
    let edge = |node: Option<&Node>| match node {
        None => true,
        Some(Node::Element(element)) => is_block(&element.name) || element.name == "br",
        Some(Node::Text(_)) => false,
    };
    let trimmed: Vec<Option<Node>> = done
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let Node::Text(text) = node else { return Some(node.clone()) };
            let mut folded = fold(text);
            if edge(index.checked_sub(1).and_then(|before| done.get(before))) {
                folded = folded.trim_start_matches(' ').to_owned();
            }
            if edge(done.get(index + 1)) {
                folded = folded.trim_end_matches(' ').to_owned();
            }
            (!folded.is_empty()).then_some(Node::Text(folded))
        })
        .collect();
    trimmed.into_iter().flatten().collect()
}

/// Runs of ASCII white space as one space.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' ' | '\t' | '\n' | '\r' | '\u{c}' if folded.ends_with(' ') => {}
            ' ' | '\t' | '\n' | '\r' | '\u{c}' => folded.push(' '),
            other => folded.push(other),
        }
    }
    folded
}

/// Text as it stands between tags.
pub fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '\u{a0}' => into.push_str("&nbsp;"),
            other => into.push(other),
        }
    }
}

/// A start tag.
pub fn start_tag(name: &str, attributes: &[(String, String)]) -> String {
    let mut tag = format!("<{name}");
    for (name, value) in attributes {
        tag.push_str(&format!(" {name}=\""));
        tag.push_str(&value.replace('&', "&amp;").replace('"', "&quot;").replace('\u{a0}', "&nbsp;"));
        tag.push('"');
    }
    tag.push('>');
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_place() {
        let html = "<p class=\"a\">x &amp; <b>ü</b></p>\n<!-- c --><br/>";
        let tokens = tokens(html);
        let places: Vec<_> = tokens.iter().map(|token| &html[token.start..token.end]).collect();
        assert_eq!(places[0], "<p class=\"a\">");
        assert!(
            places.contains(&"<b>") && places.contains(&"</b>") && places.contains(&"</p>"),
            "{places:?}"
        );
        assert!(places.contains(&"<!-- c -->"), "{places:?}");
        assert_eq!(*places.last().unwrap(), "<br/>");
    }

    #[test]
    fn only_clear_markup_has_a_tree() {
        let has = |html: &str| tree(&tokens(html)).is_some();
        assert!(has("<ul><li><p>a<br>b</p></li></ul>"));
        for unclear in
            ["<p>a<p>b", "</p>", "<p><div></div></p>", "<b><i></b></i>", "<li>a</li>", "<a><a></a></a>"]
        {
            assert!(!has(unclear), "{unclear}");
        }
        assert!(!has(&("<b>".repeat(10_000) + &"</b>".repeat(10_000))));
    }
}
