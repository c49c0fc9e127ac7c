//! Parses the text of a filter. Must not overflow the stack, whatever the text.

use super::lexer::{Lexeme, lexemes};
use super::{Column, Error, Expression, Literal, Operator, Test};

/// Maximum nesting of parentheses: more than any filter needs, and safe for the stack.
const MAX_DEPTH: usize = 32;

/// # Errors
/// If the text is not a valid filter, with the column of the error.
pub fn parse(text: &str) -> Result<Expression, Error> {
    let (lexemes, end) = lexemes(text)?;
    let mut parser = Parser { lexemes, end, at: 0, depth: 0 };
    if parser.lexemes.is_empty() {
        return Err(Error::new(Column(0), "the filter is empty"));
    }
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok(expression),
        Some(Lexeme::Close) => Err(parser.error("unmatched \")\"")),
        Some(_) => Err(parser.error("expected `and`, `or` or the end of the filter")),
    }
}

/// Whether a word is a keyword, so that it must be quoted to be used as a value.
pub fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in"].iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

struct Parser {
    lexemes: Vec<(Lexeme, Column)>,
    end: Column,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Lexeme> {
        self.lexemes.get(self.at).map(|(lexeme, _)| lexeme)
    }

    fn column(&self) -> Column {
        self.lexemes.get(self.at).map_or(self.end, |(_, column)| *column)
    }

    fn error(&self, message: &str) -> Error {
        Error::new(self.column(), message)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Lexeme::Word(next)) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, lexeme: &Lexeme) -> bool {
        let found = self.peek() == Some(lexeme);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Expression, Error> {
        let mut members = vec![self.all()?];
        while self.take_word("or") {
            members.push(self.all()?);
        }
        Ok(Expression::any(members))
    }

    fn all(&mut self) -> Result<Expression, Error> {
        let mut members = vec![self.one()?];
        while self.take_word("and") {
            members.push(self.one()?);
        }
        Ok(Expression::all(members))
    }

    fn one(&mut self) -> Result<Expression, Error> {
        let open = self.column();
        if !self.take(&Lexeme::Open) {
            return self.test().map(Expression::Test);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::new(open, format!("parentheses are nested more than {MAX_DEPTH} deep")));
        }
        let inner = self.any()?;
        if !self.take(&Lexeme::Close) {
            return Err(match self.peek() {
                None => Error::new(open, "unmatched \"(\""),
                Some(_) => self.error("expected `and`, `or` or \")\""),
            });
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn test(&mut self) -> Result<Test, Error> {
        let at = self.column();
        let mut field = match self.peek() {
            Some(Lexeme::Word(word)) if !is_keyword(word) => word.clone(),
            Some(Lexeme::Quoted(name)) => name.clone(),
            Some(Lexeme::Word(word)) if word.eq_ignore_ascii_case("not") => {
                return Err(self.error("`not` cannot precede a test: use !=, !~ or `not in`"));
            }
            _ => return Err(self.error("expected a field")),
        };
        let end = self.column().0 + field.chars().count();
        let is_word = matches!(self.peek(), Some(Lexeme::Word(_)));
        self.at += 1;
        // Only the attribute name may be quoted: custom_attributes."Seats left"
        if let Some((Lexeme::Quoted(name), Column(start))) = self.lexemes.get(self.at)
            && is_word
            && field.ends_with('.')
            && *start == end
        {
            field.push_str(name);
            self.at += 1;
        }
        let negated = self.take_word("not");
        if self.take_word("in") {
            let operator = if negated { Operator::NotIn } else { Operator::In };
            return Ok(Test { field, operator, values: self.list()?, at });
        }
        if negated {
            return Err(self.error("expected `in` after `not`"));
        }
        let Some(Lexeme::Operator(operator)) = self.peek().cloned() else {
            return Err(self.error("expected an operator: = != > >= < <= ~ !~ ^ $, in, not in"));
        };
        self.at += 1;
        Ok(Test { field, operator, values: vec![self.value()?], at })
    }

    fn list(&mut self) -> Result<Vec<Literal>, Error> {
        if !self.take(&Lexeme::Open) {
            return Err(self.error("expected a list in parentheses, for example: in (open, snoozed)"));
        }
        let mut values = vec![self.value()?];
        while self.take(&Lexeme::Comma) {
            values.push(self.value()?);
        }
        if self.take(&Lexeme::Close) { Ok(values) } else { Err(self.error("expected \",\" or \")\"")) }
    }

    fn value(&mut self) -> Result<Literal, Error> {
        let at = self.column();
        let literal = match self.peek() {
            Some(Lexeme::Word(word)) if is_keyword(word) => {
                let message = format!(
                    "unexpected keyword: expected a value; to use the word as one, quote it: {word:?}"
                );
                return Err(self.error(&message));
            }
            Some(Lexeme::Word(text)) => Literal { text: text.clone(), quoted: false, at },
            Some(Lexeme::Quoted(text)) => Literal { text: text.clone(), quoted: true, at },
            _ => return Err(self.error("expected a value")),
        };
        self.at += 1;
        Ok(literal)
    }
}

impl Expression {
    /// All of these; nested groups of the same kind are flattened.
    pub fn all(members: Vec<Expression>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Expression::All(nested) => nested,
            other => vec![other],
        });
        Expression::group(flat.collect(), Expression::All)
    }

    /// Any of these; nested groups of the same kind are flattened.
    pub fn any(members: Vec<Expression>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Expression::Any(nested) => nested,
            other => vec![other],
        });
        Expression::group(flat.collect(), Expression::Any)
    }

    fn group(mut members: Vec<Expression>, kind: fn(Vec<Expression>) -> Expression) -> Self {
        match members.len() {
            1 => members.remove(0),
            _ => kind(members),
        }
    }
}
