//! Cuts the text of a filter into words, quoted texts, operators and punctuation.

use super::{Column, Error, Operator};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Word(String),
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
    Comma,
}

/// Whether a character may stand in a word.
pub fn is_word(letter: char) -> bool {
    !letter.is_whitespace()
        && !matches!(letter, '(' | ')' | ',' | '"' | '\'' | '=' | '!' | '<' | '>' | '~' | '^' | '$')
}

/// The tokens with their places, and the place of the end.
///
/// # Errors
/// A quotation that does not end, a `!` that belongs to no operator.
pub fn tokens(text: &str) -> Result<(Vec<(Token, Column)>, Column), Error> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let start = Column(at);
        let token = match letter {
            _ if letter.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '"' | '\'' => {
                let (content, end) = quoted(&letters, at)?;
                at = end;
                tokens.push((Token::Quoted(content), start));
                continue;
            }
            _ if is_word(letter) => {
                let end =
                    letters[at..].iter().position(|it| !is_word(*it)).map_or(letters.len(), |it| at + it);
                tokens.push((Token::Word(letters[at..end].iter().collect()), start));
                at = end;
                continue;
            }
            _ => {
                let (operator, length) = operator(&letters[at..])
                    .ok_or_else(|| Error::new(start, "`!` stands before `=` and `~` only"))?;
                at += length;
                tokens.push((Token::Operator(operator), start));
                continue;
            }
        };
        tokens.push((token, start));
        at += 1;
    }
    Ok((tokens, Column(letters.len())))
}

/// The content of the quotation that begins at `at`, and where it has ended.
fn quoted(letters: &[char], at: usize) -> Result<(String, usize), Error> {
    let mark = letters[at];
    let mut content = String::new();
    let mut place = at + 1;
    while let Some(letter) = letters.get(place).copied() {
        match letter {
            _ if letter == mark => return Ok((content, place + 1)),
            '\\' => {
                place += 1;
                content.extend(letters.get(place));
            }
            _ => content.push(letter),
        }
        place += 1;
    }
    Err(Error::new(Column(at), "this quotation does not end"))
}

fn operator(letters: &[char]) -> Option<(Operator, usize)> {
    Operator::SYMBOLS.iter().find_map(|(operator, written, _)| {
        let length = written.chars().count();
        let fits = written.chars().zip(letters).all(|(one, other)| one == *other) && letters.len() >= length;
        (fits && !written.starts_with(char::is_alphabetic)).then_some((*operator, length))
    })
}
