//! Splits text into tokens that an edit keeps or replaces: words, white space, and single other characters.
//!
//! A token keeps its source, so that `&eacute;` or a literal no-break space is preserved while the word next
//! to it changes. An entity must never be split.

use std::borrow::Cow;

#[derive(Debug, Clone)]
pub struct TextToken<'a> {
    pub source: &'a str,
    /// The decoded text.
    pub text: Cow<'a, str>,
    class: TokenClass,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenClass {
    Space,
    Word,
    Other,
}

impl TokenClass {
    fn of(text: &str) -> Self {
        match text.chars().next() {
            Some(first) if first.is_ascii_whitespace() => Self::Space,
            Some(first) if first.is_alphanumeric() => Self::Word,
            _ => Self::Other,
        }
    }
}

impl<'a> TextToken<'a> {
    /// Tokens of HTML text with entities.
    pub fn of_html(source: &'a str) -> Vec<Self> {
        Self::split(source, entity_length)
    }

    /// Tokens of plain text.
    pub fn of_text(text: &'a str) -> Vec<Self> {
        Self::split(text, |_| None)
    }

    pub fn is_space(&self) -> bool {
        self.class == TokenClass::Space
    }

    /// Collapses white space to a single space.
    pub fn collapse(&mut self) {
        if self.is_space() {
            self.text = Cow::Borrowed(" ");
        }
    }

    fn split(source: &'a str, entity: fn(&str) -> Option<usize>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        // Start of the last token.
        let mut start = 0;
        let mut at = 0;
        while let Some(first) = source[at..].chars().next() {
            let length = entity(&source[at..]);
            let end = at + length.unwrap_or(first.len_utf8());
            let unit = &source[at..end];
            let text = if length.is_some() { htmlize::unescape(unit) } else { Cow::Borrowed(unit) };
            let class = TokenClass::of(&text);
            match found.last_mut() {
                Some(last) if last.class == class && class != TokenClass::Other => {
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

/// The length of the entity at the start of a text.
fn entity_length(text: &str) -> Option<usize> {
    let name = text.strip_prefix('&')?;
    let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
    let unit = &text[..1 + length + usize::from(name[length..].starts_with(';'))];
    let decoded = htmlize::unescape(unit);
    // Legacy entities work without a semicolon, so letters may follow: `&notice` is `¬ice`.
    let literal = unit.bytes().rev().zip(decoded.bytes().rev()).take_while(|(a, b)| a == b).count();
    let (own, rest) = unit.split_at_checked(unit.len() - literal)?;
    let ends_early = decoded.strip_suffix(rest) == Some(&htmlize::unescape(own));
    let length = if ends_early { own.len() } else { unit.len() };
    (length > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<(&str, String)> {
        TextToken::of_html(source).into_iter().map(|token| (token.source, token.text.into_owned())).collect()
    }

    #[test]
    fn words_keep_their_entities() {
        let token = |source, text: &str| (source, text.to_owned());
        assert_eq!(
            tokens("&eacute;t&eacute;, a&nbsp;b"),
            [
                token("&eacute;t&eacute;", "été"),
                token(",", ","),
                token(" ", " "),
                token("a", "a"),
                token("&nbsp;", "\u{a0}"),
                token("b", "b"),
            ]
        );
        assert_eq!(
            tokens("a&#13;\n b&"),
            [token("a", "a"), token("&#13;\n ", "\r\n "), token("b", "b"), token("&", "&"),]
        );
    }

    #[test]
    fn entity_lengths() {
        for (source, own) in [
            ("&notan;", "&not"),
            ("&semi;x", "&semi;"),
            ("&amp;lt;", "&amp;"),
            ("&#65;", "&#65;"),
            ("&copy", "&copy"),
        ] {
            assert_eq!(entity_length(source), Some(own.len()), "{source}");
        }
        for source in ["& a", "&nonsense;", "&", "a&amp;"] {
            assert_eq!(entity_length(source), None, "{source}");
        }
    }

    #[test]
    fn the_source_is_preserved() {
        for source in [
            "",
            "  x ",
            "&copy2 &notit; && &",
            "ü&#x1F600;é\u{a0}\r\n",
            "&;&#;a",
            "&notanentity; &semi;",
            "&é&amp",
        ] {
            let whole: String = TextToken::of_html(source).iter().map(|token| token.source).collect();
            let text: String = TextToken::of_html(source).into_iter().map(|token| token.text).collect();
            assert_eq!((whole.as_str(), text), (source, htmlize::unescape(source).into_owned()));
        }
    }
}
