//! Splits the text of a filter into words, quoted texts, operators and punctuation.

use super::{Column, Error, Operator};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lexeme {
    Word(String),
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
    Comma,
}

/// Whether a character can be part of a word.
pub fn is_word_char(letter: char) -> bool {
    !letter.is_whitespace()
        && !matches!(letter, '(' | ')' | ',' | '"' | '\'' | '=' | '!' | '<' | '>' | '~' | '^' | '$')
}

/// The lexemes with their columns, and the column of the end.
///
/// # Errors
/// For an unterminated quote, or a `!` that is not part of an operator.
pub fn lexemes(text: &str) -> Result<(Vec<(Lexeme, Column)>, Column), Error> {
    let letters: Vec<char> = text.chars().collect();
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let start = Column(at);
        let lexeme = match letter {
            _ if letter.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => Lexeme::Open,
            ')' => Lexeme::Close,
            ',' => Lexeme::Comma,
            '"' | '\'' => {
                let (content, end) = quoted(&letters, at)?;
                at = end;
                lexemes.push((Lexeme::Quoted(content), start));
                continue;
            }
            _ if is_word_char(letter) => {
                let length = letters[at..].iter().take_while(|letter| is_word_char(**letter)).count();
                lexemes.push((Lexeme::Word(letters[at..at + length].iter().collect()), start));
                at += length;
                continue;
            }
            _ => {
                let (operator, length) = operator(&letters[at..])
                    .ok_or_else(|| Error::new(start, "expected `=` or `~` after `!`"))?;
                at += length;
                lexemes.push((Lexeme::Operator(operator), start));
                continue;
            }
        };
        lexemes.push((lexeme, start));
        at += 1;
    }
    Ok((lexemes, Column(letters.len())))
}

/// The content of the quoted text that starts at `start`, and the index after its end.
fn quoted(letters: &[char], start: usize) -> Result<(String, usize), Error> {
    let mark = letters[start];
    let mut content = String::new();
    let mut at = start + 1;
    while let Some(letter) = letters.get(at).copied() {
        match letter {
            _ if letter == mark => return Ok((content, at + 1)),
            '\\' => {
                at += 1;
                content.extend(letters.get(at));
            }
            _ => content.push(letter),
        }
        at += 1;
    }
    Err(Error::new(Column(start), "unterminated quote"))
}

/// The symbolic operator at the start of `letters`, and its length.
fn operator(letters: &[char]) -> Option<(Operator, usize)> {
    Operator::SYMBOLS.iter().find_map(|(operator, symbol, _)| {
        let length = symbol.chars().count();
        let matches =
            symbol.chars().zip(letters).all(|(one, other)| one == *other) && letters.len() >= length;
        (matches && !symbol.starts_with(char::is_alphabetic)).then_some((*operator, length))
    })
}
