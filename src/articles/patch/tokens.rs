//! Text as the pieces that an edit leaves alone or replaces: words, white space, single other characters.
//!
//! A piece keeps its spelling in the source, so that `&eacute;` or a hard space written as a character
//! stays what it was while the word beside it changes. It never cuts an entity in two.

use std::borrow::Cow;

#[derive(Debug, Clone)]
pub struct Token<'a> {
    pub source: &'a str,
    /// What it says.
    pub text: Cow<'a, str>,
    class: Class,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Word,
    Other,
}

impl Class {
    fn of(text: &str) -> Self {
        match text.chars().next() {
            Some(first) if first.is_ascii_whitespace() => Self::Space,
            Some(first) if first.is_alphanumeric() => Self::Word,
            _ => Self::Other,
        }
    }
}

impl<'a> Token<'a> {
    /// Text as it stands in HTML, with entities.
    pub fn of_html(source: &'a str) -> Vec<Self> {
        Self::split(source, entity)
    }

    /// Plain text.
    pub fn of_text(text: &'a str) -> Vec<Self> {
        Self::split(text, |_| None)
    }

    pub fn is_space(&self) -> bool {
        self.class == Class::Space
    }

    /// Any white space is one space.
    pub fn fold(&mut self) {
        if self.is_space() {
            self.text = Cow::Borrowed(" ");
        }
    }

    fn split(source: &'a str, entity: fn(&str) -> Option<usize>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        // Where the last piece begins.
        let mut start = 0;
        let mut at = 0;
        while let Some(first) = source[at..].chars().next() {
            let length = entity(&source[at..]);
            let end = at + length.unwrap_or(first.len_utf8());
            let unit = &source[at..end];
            let text = if length.is_some() { htmlize::unescape(unit) } else { Cow::Borrowed(unit) };
            let class = Class::of(&text);
            match found.last_mut() {
                Some(last) if last.class == class && class != Class::Other => {
                    last.source = &source[start..end];
                    match (&mut last.text, text) {
                        (Cow::Borrowed(whole), Cow::Borrowed(_)) if length.is_none() => {
                            *whole = &source[start..end];
                        }
                        (whole, text) => whole.to_mut().push_str(&text),
                    }
                }
                _ => {
                    start = at;
                    found.push(Self { source: unit, text, class });
                }
            }
            at = end;
        }
        found
    }
}

/// The length of the entity that a text begins with.
fn entity(text: &str) -> Option<usize> {
    let name = text.strip_prefix('&')?;
    let length = name.bytes().take_while(|it| it.is_ascii_alphanumeric() || *it == b'#').count();
    let unit = &text[..1 + length + usize::from(name[length..].starts_with(';'))];
    let decoded = htmlize::unescape(unit);
    // Old names need no semicolon, so that letters may follow: `&notice` is `¬ice`.
    let literal = unit.bytes().rev().zip(decoded.bytes().rev()).take_while(|(a, b)| a == b).count();
    let (own, rest) = unit.split_at_checked(unit.len() - literal)?;
    let ends_early = decoded.strip_suffix(rest) == Some(&htmlize::unescape(own));
    let length = if ends_early { own.len() } else { unit.len() };
    (length > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(source: &str) -> Vec<(&str, String)> {
        Token::of_html(source).into_iter().map(|it| (it.source, it.text.into_owned())).collect()
    }

    #[test]
    fn words_keep_their_entities() {
        let piece = |source, text: &str| (source, text.to_owned());
        assert_eq!(
            pieces("&eacute;t&eacute;, a&nbsp;b"),
            [
                piece("&eacute;t&eacute;", "été"),
                piece(",", ","),
                piece(" ", " "),
                piece("a", "a"),
                piece("&nbsp;", "\u{a0}"),
                piece("b", "b"),
            ]
        );
        assert_eq!(
            pieces("a&#13;\n b&"),
            [piece("a", "a"), piece("&#13;\n ", "\r\n "), piece("b", "b"), piece("&", "&"),]
        );
    }

    #[test]
    fn entities_of_every_kind() {
        for (source, own) in [
            ("&notan;", "&not"),
            ("&semi;x", "&semi;"),
            ("&amp;lt;", "&amp;"),
            ("&#65;", "&#65;"),
            ("&copy", "&copy"),
        ] {
            assert_eq!(entity(source), Some(own.len()), "{source}");
        }
        for source in ["& a", "&nonsense;", "&", "a&amp;"] {
            assert_eq!(entity(source), None, "{source}");
        }
    }

    #[test]
    fn nothing_of_the_source_is_lost() {
        for source in [
            "",
            "  x ",
            "&copy2 &notit; && &",
            "ü&#x1F600;é\u{a0}\r\n",
            "&;&#;a",
            "&notanentity; &semi;",
            "&é&amp",
        ] {
            let whole: String = Token::of_html(source).iter().map(|it| it.source).collect();
            let text: String = Token::of_html(source).into_iter().map(|it| it.text).collect();
            assert_eq!((whole.as_str(), text), (source, htmlize::unescape(source).into_owned()));
        }
    }
}
