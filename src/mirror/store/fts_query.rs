//! Translates a search text into an expression of the full-text index (FTS5).
//!
//! Every text is a valid query. `"exact words"`, `prefix*`, `AND`, `OR`, `NOT` and parentheses are operators where
//! they make sense, and plain words otherwise. No other part of the text may reach the index as syntax.

use std::iter::Peekable;

use super::grams::{self, is_unspaced};

/// Limits of a query: the number of tokens, and of parentheses and `NOT`s, which nest. FTS5 rejects deeper expressions
/// and takes minutes for longer ones.
pub const MAX_TOKENS: usize = 256;
pub const MAX_NESTING: usize = 32;
/// The longest query, in bytes.
const MAX_BYTES: usize = 16 << 10;

/// Whether a query is within the limits.
pub fn is_bounded(text: &str) -> bool {
    let tokens = if text.len() <= MAX_BYTES { tokens(text) } else { return false };
    let nesting = tokens.iter().filter(|token| matches!(token, QueryToken::Open | QueryToken::Not)).count();
    tokens.len() <= MAX_TOKENS && nesting <= MAX_NESTING
}

/// The FTS expression; `None` if the text has no letter or digit. Consecutive words must all occur.
pub fn expression(text: &str) -> Option<String> {
    expression_with(text, &|_| None)
}

/// The expression with alternatives for single words: `other` returns an expression for a word. Words after `NOT` are
/// kept as they are.
pub fn expression_with(text: &str, other: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let tokens: Vec<QueryToken> = tokens(text)
        .into_iter()
        .scan(false, |after_not, token| {
            let is_excluded = std::mem::replace(after_not, token == QueryToken::Not);
            Some(match &token {
                QueryToken::Words { text, prefix: false } if !is_excluded && is_word(text) => {
                    other(text).map_or(token, QueryToken::Expression)
                }
                _ => token,
            })
        })
        .collect();
    let mut rest = tokens.iter().peekable();
    let parsed = parse_or(&mut rest);
    match parsed {
        Some(expression) if rest.peek().is_none() => Some(expression),
        // The operators or parentheses do not match, so treat them as words.
        _ => all_words(&tokens),
    }
}

/// The words and phrases of a query, as entered.
pub fn words(text: &str) -> Vec<String> {
    let text_of = |token| match token {
        QueryToken::Words { text, .. } => Some(text),
        _ => None,
    };
    tokens(text).into_iter().filter_map(text_of).collect()
}

/// Whether this is a single word in a script that separates words with spaces.
fn is_word(text: &str) -> bool {
    text.chars().all(|letter| letter.is_alphanumeric() && !is_unspaced(letter))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum QueryToken {
    And,
    Or,
    Not,
    Open,
    Close,
    /// A phrase; the last word may be a prefix.
    Words {
        text: String,
        prefix: bool,
    },
    /// An FTS expression.
    Expression(String),
}

impl QueryToken {
    fn words(&self) -> Option<String> {
        let (text, prefix) = match self {
            QueryToken::Words { text, prefix } => (text.as_str(), *prefix),
            QueryToken::And => ("AND", false),
            QueryToken::Or => ("OR", false),
            QueryToken::Not => ("NOT", false),
            QueryToken::Expression(expression) => return Some(expression.clone()),
            QueryToken::Open | QueryToken::Close => return None,
        };
        let plain = || format!("{}{}", grams::quoted(text), if prefix { " *" } else { "" });
        Some(grams::query(text, prefix).unwrap_or_else(plain))
    }
}

fn tokens(text: &str) -> Vec<QueryToken> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '"' => quoted(&rest[1..]),
            '(' => (Some(QueryToken::Open), &rest[1..]),
            ')' => (Some(QueryToken::Close), &rest[1..]),
            _ => word(rest),
        };
        tokens.extend(token);
        rest = after.trim_start();
    }
    tokens
}

fn quoted(rest: &str) -> (Option<QueryToken>, &str) {
    let (text, after) = rest.split_once('"').unwrap_or((rest, ""));
    match after.strip_prefix('*') {
        Some(after) => (literal(text, true), after),
        None => (literal(text, false), after),
    }
}

fn word(rest: &str) -> (Option<QueryToken>, &str) {
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '(' | ')');
    let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    let token = match word {
        "AND" => Some(QueryToken::And),
        "OR" => Some(QueryToken::Or),
        "NOT" => Some(QueryToken::Not),
        _ => match word.strip_suffix('*') {
            Some(prefix) => literal(prefix, true),
            None => literal(word, false),
        },
    };
    (token, after)
}

/// A phrase; `None` if it has no letter or digit.
fn literal(text: &str, prefix: bool) -> Option<QueryToken> {
    let text = text.replace('\0', " ");
    text.contains(char::is_alphanumeric).then_some(QueryToken::Words { text, prefix })
}

/// Parses alternatives. `OR` binds weakest, then `AND` (explicit or implicit), then `NOT`.
fn parse_or<'a>(rest: &mut Peekable<impl Iterator<Item = &'a QueryToken>>) -> Option<String> {
    let mut expression = parse_and(rest)?;
    while rest.next_if(|token| **token == QueryToken::Or).is_some() {
        expression = format!("{expression} OR {}", parse_and(rest)?);
    }
    Some(expression)
}

fn parse_and<'a>(rest: &mut Peekable<impl Iterator<Item = &'a QueryToken>>) -> Option<String> {
    let mut expression = parse_not(rest)?;
    loop {
        match rest.peek() {
            Some(QueryToken::And) => {
                rest.next();
                expression = format!("{expression} AND {}", parse_not(rest)?);
            }
            Some(QueryToken::Words { .. } | QueryToken::Expression(_) | QueryToken::Open) => {
                expression = format!("{expression} AND {}", parse_not(rest)?);
            }
            _ => return Some(expression),
        }
    }
}

fn parse_not<'a>(rest: &mut Peekable<impl Iterator<Item = &'a QueryToken>>) -> Option<String> {
    let mut expression = parse_primary(rest)?;
    while rest.next_if(|token| **token == QueryToken::Not).is_some() {
        expression = format!("({expression} NOT {})", parse_primary(rest)?);
    }
    Some(expression)
}

fn parse_primary<'a>(rest: &mut Peekable<impl Iterator<Item = &'a QueryToken>>) -> Option<String> {
    match rest.next()? {
        QueryToken::Open => {
            let inside = parse_or(rest)?;
            rest.next_if(|token| **token == QueryToken::Close).map(|_| format!("({inside})"))
        }
        words @ (QueryToken::Words { .. } | QueryToken::Expression(_)) => words.words(),
        _ => None,
    }
}

fn all_words(tokens: &[QueryToken]) -> Option<String> {
    let words: Vec<String> = tokens.iter().filter_map(QueryToken::words).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::expression;

    fn assert_expression(text: &str, expected: &str) {
        assert_eq!(expression(text).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn words_phrases_and_prefixes_are_quoted() {
        assert_expression("refund invoice", r#""refund" AND "invoice""#);
        assert_expression(r#""not working" today"#, r#""not working" AND "today""#);
        assert_expression("refun* now", r#""refun" * AND "now""#);
        assert_expression(r#""late inv"*"#, r#""late inv" *"#);
    }

    #[test]
    fn operators_have_the_usual_precedence() {
        assert_expression("a OR b c", r#""a" OR "b" AND "c""#);
        assert_expression("a AND b NOT c", r#""a" AND ("b" NOT "c")"#);
        assert_expression("(a OR b) c", r#"("a" OR "b") AND "c""#);
    }

    #[test]
    fn misplaced_operators_and_parentheses_are_words() {
        assert_expression("AND", r#""AND""#);
        assert_expression("refund OR", r#""refund" AND "OR""#);
        assert_expression("NOT paid", r#""NOT" AND "paid""#);
        assert_expression("(open", r#""open""#);
        assert_expression("a ) b", r#""a" AND "b""#);
    }

    #[test]
    fn single_words_are_replaced_except_after_not() {
        let other = |word: &str| Some(format!("(\"{word}s\")"));
        let expression = |text| super::expression_with(text, &other);
        assert_eq!(expression("a NOT b").as_deref(), Some(r#"(("as") NOT "b")"#));
        assert_eq!(expression(r#""a b" c*"#).as_deref(), Some(r#""a b" AND "c" *"#));
        assert_eq!(expression("a@b 退款").as_deref(), Some(r#""a@b" AND ("退款")"#));
    }

    #[test]
    fn long_and_deeply_nested_queries_exceed_the_limits() {
        assert!(super::is_bounded(&"word ".repeat(256)) && super::is_bounded(&"(a ".repeat(32)));
        for text in ["(".repeat(33), "a NOT b ".repeat(33), "a OR ".repeat(200), "x".repeat(20_000)] {
            assert!(!super::is_bounded(&text), "{text}");
        }
    }

    #[test]
    fn fts_syntax_is_searched_for_as_text() {
        assert_expression("user3@example.com", r#""user3@example.com""#);
        assert_expression("-refund", r#""-refund""#);
        assert_expression("title:x ^y", r#""title:x" AND "^y""#);
        assert_expression("NEAR(a b)", r#""NEAR" AND ("a" AND "b")"#);
        assert_expression(r#"it's "half"#, r#""it's" AND "half""#);
        assert_expression("a\0b", r#""a b""#);
        for nothing in ["", "  ", "\"", "-- *", "()", "!?"] {
            assert_eq!(expression(nothing), None, "{nothing:?}");
        }
    }
}
