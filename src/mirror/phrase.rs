//! From what a person types into a search box to an expression of the full-text index.
//!
//! Every text is a good query. `"exact words"`, `begin*`, `AND`, `OR`, `NOT` and parentheses mean
//! something where they stand sensibly and are words where they do not; everything else is searched for
//! as it is written. Nothing of the text ever reaches the index as syntax.

use std::iter::Peekable;

use super::grams::{self, is_unspaced};

/// Words of a search, and parentheses and exclusions in it: both nest in the expression. The index refuses deeper
/// expressions and takes minutes for longer ones.
pub const MOST_WORDS: usize = 256;
pub const DEEPEST: usize = 32;
/// Bytes of a search text.
const LONGEST: usize = 16 << 10;

/// Whether the index can take the expression of this text.
pub fn is_bounded(text: &str) -> bool {
    let tokens = if text.len() <= LONGEST { tokens(text) } else { return false };
    let nesting = tokens.iter().filter(|token| matches!(token, Token::Open | Token::Not)).count();
    tokens.len() <= MOST_WORDS && nesting <= DEEPEST
}

/// The expression; `None` when the text holds no letter and no digit to search for.
///
/// Words that follow each other must all occur.
pub fn expression(text: &str) -> Option<String> {
    expression_with(text, &|_| None)
}

/// The expression with other words in place of single words: `other` returns them as an expression. What must
/// not occur is left as it is.
pub fn expression_with(text: &str, other: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let tokens: Vec<Token> = tokens(text)
        .into_iter()
        .scan(false, |after_not, token| {
            let is_excluded = std::mem::replace(after_not, token == Token::Not);
            Some(match &token {
                Token::Words { text, prefix: false } if !is_excluded && is_word(text) => {
                    other(text).map_or(token, Token::Ready)
                }
                _ => token,
            })
        })
        .collect();
    let mut rest = tokens.iter().peekable();
    let parsed = either(&mut rest);
    match parsed {
        Some(expression) if rest.peek().is_none() => Some(expression),
        // The operators or parentheses do not add up, so they are words.
        _ => all(&tokens),
    }
}

/// The words and phrases of a text, as they are typed.
pub fn words(text: &str) -> Vec<String> {
    let typed = |token| match token {
        Token::Words { text, .. } => Some(text),
        _ => None,
    };
    tokens(text).into_iter().filter_map(typed).collect()
}

/// Whether this is one word of a script with spaces between words.
fn is_word(text: &str) -> bool {
    text.chars().all(|letter| letter.is_alphanumeric() && !is_unspaced(letter))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    And,
    Or,
    Not,
    Open,
    Close,
    /// Words that follow each other; the last one may be only a beginning.
    Words {
        text: String,
        prefix: bool,
    },
    /// What is an expression already.
    Ready(String),
}

impl Token {
    fn words(&self) -> Option<String> {
        let (text, prefix) = match self {
            Token::Words { text, prefix } => (text.as_str(), *prefix),
            Token::And => ("AND", false),
            Token::Or => ("OR", false),
            Token::Not => ("NOT", false),
            Token::Ready(expression) => return Some(expression.clone()),
            Token::Open | Token::Close => return None,
        };
        let plain = || format!("{}{}", grams::quoted(text), if prefix { " *" } else { "" });
        Some(grams::wanted(text, prefix).unwrap_or_else(plain))
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '"' => quoted(&rest[1..]),
            '(' => (Some(Token::Open), &rest[1..]),
            ')' => (Some(Token::Close), &rest[1..]),
            _ => word(rest),
        };
        tokens.extend(token);
        rest = after.trim_start();
    }
    tokens
}

fn quoted(rest: &str) -> (Option<Token>, &str) {
    let (text, after) = rest.split_once('"').unwrap_or((rest, ""));
    match after.strip_prefix('*') {
        Some(after) => (literal(text, true), after),
        None => (literal(text, false), after),
    }
}

fn word(rest: &str) -> (Option<Token>, &str) {
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '(' | ')');
    let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    let token = match word {
        "AND" => Some(Token::And),
        "OR" => Some(Token::Or),
        "NOT" => Some(Token::Not),
        _ => match word.strip_suffix('*') {
            Some(beginning) => literal(beginning, true),
            None => literal(word, false),
        },
    };
    (token, after)
}

/// Text without a letter or digit is nothing to search for.
fn literal(text: &str, prefix: bool) -> Option<Token> {
    let text = text.replace('\0', " ");
    text.contains(char::is_alphanumeric).then_some(Token::Words { text, prefix })
}

/// `OR` binds weakest, then `AND` (or nothing), then `NOT`.
fn either<'a>(rest: &mut Peekable<impl Iterator<Item = &'a Token>>) -> Option<String> {
    let mut expression = both(rest)?;
    while rest.next_if(|token| **token == Token::Or).is_some() {
        expression = format!("{expression} OR {}", both(rest)?);
    }
    Some(expression)
}

fn both<'a>(rest: &mut Peekable<impl Iterator<Item = &'a Token>>) -> Option<String> {
    let mut expression = without(rest)?;
    loop {
        match rest.peek() {
            Some(Token::And) => {
                rest.next();
                expression = format!("{expression} AND {}", without(rest)?);
            }
            Some(Token::Words { .. } | Token::Ready(_) | Token::Open) => {
                expression = format!("{expression} AND {}", without(rest)?);
            }
            _ => return Some(expression),
        }
    }
}

fn without<'a>(rest: &mut Peekable<impl Iterator<Item = &'a Token>>) -> Option<String> {
    let mut expression = one(rest)?;
    while rest.next_if(|token| **token == Token::Not).is_some() {
        expression = format!("({expression} NOT {})", one(rest)?);
    }
    Some(expression)
}

fn one<'a>(rest: &mut Peekable<impl Iterator<Item = &'a Token>>) -> Option<String> {
    match rest.next()? {
        Token::Open => {
            let inside = either(rest)?;
            rest.next_if(|token| **token == Token::Close).map(|_| format!("({inside})"))
        }
        words @ (Token::Words { .. } | Token::Ready(_)) => words.words(),
        _ => None,
    }
}

fn all(tokens: &[Token]) -> Option<String> {
    let words: Vec<String> = tokens.iter().filter_map(Token::words).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::expression;

    fn is(text: &str, expected: &str) {
        assert_eq!(expression(text).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn words_phrases_beginnings() {
        is("refund invoice", r#""refund" AND "invoice""#);
        is(r#""not working" today"#, r#""not working" AND "today""#);
        is("refun* now", r#""refun" * AND "now""#);
        is(r#""late inv"*"#, r#""late inv" *"#);
    }

    #[test]
    fn operators_bind_as_everywhere() {
        is("a OR b c", r#""a" OR "b" AND "c""#);
        is("a AND b NOT c", r#""a" AND ("b" NOT "c")"#);
        is("(a OR b) c", r#"("a" OR "b") AND "c""#);
    }

    #[test]
    fn whatever_does_not_add_up_is_words() {
        is("AND", r#""AND""#);
        is("refund OR", r#""refund" AND "OR""#);
        is("NOT paid", r#""NOT" AND "paid""#);
        is("(open", r#""open""#);
        is("a ) b", r#""a" AND "b""#);
    }

    #[test]
    fn single_words_are_replaced_and_what_must_not_occur_is_not() {
        let other = |word: &str| Some(format!("(\"{word}s\")"));
        let expression = |text| super::expression_with(text, &other);
        assert_eq!(expression("a NOT b").as_deref(), Some(r#"(("as") NOT "b")"#));
        assert_eq!(expression(r#""a b" c*"#).as_deref(), Some(r#""a b" AND "c" *"#));
        assert_eq!(expression("a@b 退款").as_deref(), Some(r#""a@b" AND ("退款")"#));
    }

    #[test]
    fn long_and_deep_texts_are_out_of_bounds() {
        assert!(super::is_bounded(&"word ".repeat(256)) && super::is_bounded(&"(a ".repeat(32)));
        for text in ["(".repeat(33), "a NOT b ".repeat(33), "a OR ".repeat(200), "x".repeat(20_000)] {
            assert!(!super::is_bounded(&text), "{text}");
        }
    }

    #[test]
    fn syntax_of_the_index_is_text() {
        is("user3@example.com", r#""user3@example.com""#);
        is("-refund", r#""-refund""#);
        is("title:x ^y", r#""title:x" AND "^y""#);
        is("NEAR(a b)", r#""NEAR" AND ("a" AND "b")"#);
        is(r#"it's "half"#, r#""it's" AND "half""#);
        is("a\0b", r#""a b""#);
        for nothing in ["", "  ", "\"", "-- *", "()", "!?"] {
            assert_eq!(expression(nothing), None, "{nothing:?}");
        }
    }
}
