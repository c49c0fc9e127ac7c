//! From a text to a filter.

use super::lexer::{Token, tokens};
use super::{Column, Error, Expression, Literal, Operator, Test};

/// So many parentheses may be open: more than any filter needs, few enough for any stack.
const DEEPEST: usize = 32;

/// # Errors
/// What is wrong with the text, and where.
pub fn parse(text: &str) -> Result<Expression, Error> {
    let (tokens, end) = tokens(text)?;
    let mut parser = Parser { tokens, end, at: 0, depth: 0 };
    if parser.tokens.is_empty() {
        return Err(Error::new(Column(0), "the filter is empty"));
    }
    let expression = parser.any()?;
    match parser.peek() {
        None => Ok(expression),
        Some(Token::Close) => Err(parser.error("there is no ( to this )")),
        Some(_) => Err(parser.error("expected `and`, `or` or the end")),
    }
}

/// Whether a word stands for something of the language where a value is expected.
pub fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in"].iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

struct Parser {
    tokens: Vec<(Token, Column)>,
    end: Column,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn column(&self) -> Column {
        self.tokens.get(self.at).map_or(self.end, |(_, at)| *at)
    }

    fn error(&self, message: &str) -> Error {
        Error::new(self.column(), message)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
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
        if !self.take(&Token::Open) {
            return self.test().map(Expression::Test);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Error::new(open, "there are too many parentheses inside one another"));
        }
        let inside = self.any()?;
        if !self.take(&Token::Close) {
            return Err(match self.peek() {
                None => Error::new(open, "this ( is not closed"),
                Some(_) => self.error("expected `and`, `or` or )"),
            });
        }
        self.depth -= 1;
        Ok(inside)
    }

    fn test(&mut self) -> Result<Test, Error> {
        let at = self.column();
        let field = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => word.clone(),
            Some(Token::Quoted(name)) => name.clone(),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("not") => {
                return Err(self.error("there is no `not` before a test: use != or !~ or `not in`"));
            }
            _ => return Err(self.error("expected a field")),
        };
        self.at += 1;
        let negated = self.take_word("not");
        if self.take_word("in") {
            let operator = if negated { Operator::NotIn } else { Operator::In };
            return Ok(Test { field, operator, values: self.list()?, at });
        }
        if negated {
            return Err(self.error("expected `in` after `not`"));
        }
        let Some(Token::Operator(operator)) = self.peek().cloned() else {
            return Err(self.error("expected one of = != > >= < <= ~ !~ ^ $ in, not in"));
        };
        self.at += 1;
        Ok(Test { field, operator, values: vec![self.value()?], at })
    }

    fn list(&mut self) -> Result<Vec<Literal>, Error> {
        if !self.take(&Token::Open) {
            return Err(self.error("expected a list in parentheses, as in: in (open, snoozed)"));
        }
        let mut values = vec![self.value()?];
        while self.take(&Token::Comma) {
            values.push(self.value()?);
        }
        match self.take(&Token::Close) {
            true => Ok(values),
            false => Err(self.error("expected , or )")),
        }
    }

    fn value(&mut self) -> Result<Literal, Error> {
        let at = self.column();
        let literal = match self.peek() {
            Some(Token::Word(word)) if is_keyword(word) => {
                return Err(self.error("expected a value; quote it if it is this word"));
            }
            Some(Token::Word(text)) => Literal { text: text.clone(), quoted: false, at },
            Some(Token::Quoted(text)) => Literal { text: text.clone(), quoted: true, at },
            _ => return Err(self.error("expected a value")),
        };
        self.at += 1;
        Ok(literal)
    }
}

impl Expression {
    /// All of these, with groups of the same kind dissolved.
    pub fn all(members: Vec<Expression>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Expression::All(inside) => inside,
            other => vec![other],
        });
        Expression::group(flat.collect(), Expression::All)
    }

    /// Any of these, with groups of the same kind dissolved.
    pub fn any(members: Vec<Expression>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Expression::Any(inside) => inside,
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
