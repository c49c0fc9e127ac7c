//! Tags and texts of any HTML, with their places in the source.
//!
//! Follows the tokenizer of the HTML standard where bodies of articles can tell the difference: quoted
//! attribute values, comments, elements whose content is plain text. Every byte of the input belongs to
//! exactly one token, in order, and the time is linear in the length of the input.

use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind<'a>,
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'a> {
    Text,
    /// The name as written.
    Start {
        name: &'a str,
        self_closing: bool,
    },
    End {
        name: &'a str,
    },
    /// A comment, a doctype, or what browsers treat as a comment.
    Comment,
}

/// Elements whose content is text up to their end tag.
const RAW_TEXT: &[&str] = &[
    "script",
    "style",
    "textarea",
    "title",
    "iframe",
    "noembed",
    "noframes",
    "xmp",
    "noscript",
    "plaintext",
];

/// Elements without content.
pub fn is_void(name: &str) -> bool {
    const VOID: &[&str] = &[
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
        "track", "wbr",
    ];
    VOID.iter().any(|it| it.eq_ignore_ascii_case(name))
}

pub fn is_raw_text(name: &str) -> bool {
    RAW_TEXT.iter().any(|it| it.eq_ignore_ascii_case(name))
}

pub struct Scanner<'a> {
    source: &'a str,
    at: usize,
    /// The element whose text content comes next.
    raw_text: Option<&'a str>,
}

impl<'a> Scanner<'a> {
    pub fn new(source: &'a str) -> Self {
        Scanner { source, at: 0, raw_text: None }
    }

    fn token(&mut self, kind: Kind<'a>, end: usize) -> Option<Token<'a>> {
        let range = self.at..end;
        self.at = end;
        Some(Token { kind, range })
    }

    /// Where the text that begins here ends: at the next thing that is a tag or a comment.
    fn text_end(&self) -> usize {
        let bytes = self.source.as_bytes();
        let mut at = self.at;
        while let Some(found) = self.source[at..].find('<') {
            let open = at + found;
            match bytes.get(open + 1) {
                Some(b'!' | b'?') => return open,
                Some(b'/') if bytes.get(open + 2).is_some() => return open,
                Some(letter) if letter.is_ascii_alphabetic() => return open,
                _ => at = open + 1,
            }
        }
        self.source.len()
    }

    fn raw_text_end(&self, name: &str) -> usize {
        let bytes = self.source.as_bytes();
        let mut at = self.at;
        while let Some(found) = self.source[at..].find("</") {
            let open = at + found;
            let end = open + 2 + name.len();
            let same = bytes.get(open + 2..end).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
            let ends = bytes.get(end).is_none_or(|it| matches!(it, b'>' | b'/') || it.is_ascii_whitespace());
            if same && ends {
                return open;
            }
            at = open + 2;
        }
        self.source.len()
    }

    /// The end of a tag that begins here: behind its `>`, quotes respected; the end of the source
    /// without one.
    fn tag_end(&self) -> usize {
        let bytes = self.source.as_bytes();
        let (mut at, mut after_equals) = (self.at + 1, false);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'>' => return at + 1,
                b'"' | b'\'' if after_equals => match self.source[at + 1..].find(char::from(*byte)) {
                    Some(length) => {
                        at += length + 1;
                        after_equals = false;
                    }
                    None => return bytes.len(),
                },
                b'=' => after_equals = true,
                byte if byte.is_ascii_whitespace() => {}
                _ => after_equals = false,
            }
            at += 1;
        }
        bytes.len()
    }

    fn comment_end(&self) -> usize {
        let rest = &self.source[self.at..];
        let length = match rest.strip_prefix("<!--") {
            Some(inner) if inner.starts_with('>') => Some(5),
            Some(inner) if inner.starts_with("->") => Some(6),
            Some(inner) => inner.find("-->").map(|it| it + 7),
            None => rest.find('>').map(|it| it + 1),
        };
        length.map_or(self.source.len(), |length| self.at + length)
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.at >= self.source.len() {
            return None;
        }
        if let Some(name) = self.raw_text.take() {
            let end = self.raw_text_end(name);
            if end > self.at {
                return self.token(Kind::Text, end);
            }
        }
        let end = self.text_end();
        if end > self.at {
            return self.token(Kind::Text, end);
        }
        let rest = &self.source[self.at + 1..];
        if rest.starts_with(['!', '?']) || rest.starts_with('/') && !rest[1..].starts_with(is_letter) {
            let end = self.comment_end();
            return self.token(Kind::Comment, end);
        }
        let end = self.tag_end();
        let tag = &self.source[self.at..end];
        let closing = tag.starts_with("</");
        let inner = &tag[if closing { 2 } else { 1 }..];
        let length = inner.find(|it: char| it.is_ascii_whitespace() || matches!(it, '/' | '>'));
        let name = &inner[..length.unwrap_or(inner.len())];
        if closing {
            return self.token(Kind::End { name }, end);
        }
        if is_raw_text(name) {
            self.raw_text = Some(name);
        }
        let self_closing = tag.ends_with("/>");
        self.token(Kind::Start { name, self_closing }, end)
    }
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(source: &str) -> Vec<&str> {
        Scanner::new(source).map(|token| &source[token.range]).collect()
    }

    #[test]
    fn every_byte_belongs_to_one_token() {
        for source in [
            "<p class='a>b'>x < y</p><!-- <p> --><br/>",
            "<",
            "<a",
            "</",
            "<!--",
            "<!-->x",
            "a<b c=\"d",
            "</>x",
            "<script>if (a</b) {}</script>t",
            "<iframe src=x><p></iframe>",
            "<textarea>",
            "<p =\"> x\">",
        ] {
            assert_eq!(pieces(source).concat(), source);
        }
        assert_eq!(pieces("<p class='a>b'>x < y</p>"), ["<p class='a>b'>", "x < y", "</p>"]);
        assert_eq!(pieces("<script>a</b></script >t"), ["<script>", "a</b>", "</script >", "t"]);
    }
}
