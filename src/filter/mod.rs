//! A small language for choosing records: `state = open and team = Billing and updated_at > 7d`.
//!
//! Stands beside `api` and knows nothing above it. A text is parsed into an [`Expression`], which prints
//! as a text that parses into the same; with the names of a workspace it is compiled into the nested
//! predicate of the API's searches. Everything that the API would refuse is refused here, with its
//! column, before anything is sent. Nothing that was written is ever left out.
//!
//! ```text
//! filter   = all { "or" all }
//! all      = one { "and" one }
//! one      = "(" filter ")" | test
//! test     = field operator value | field [ "not" ] "in" "(" value { "," value } ")"
//! operator = "=" | "!=" | ">" | ">=" | "<" | "<=" | "~" | "!~" | "^" | "$"
//! field    = word | quoted
//! value    = word | quoted
//! word     = one or more of anything but white space ( ) , " ' = ! < > ~ ^ $
//! quoted   = '"' { any character, \" for a quotation mark, \\ for a backslash } '"' | the same with '
//! ```
//! `and`, `or`, `not`, `in` may be written in any case; as a value they are quoted. An unquoted `null` is
//! the absence of a value, unquoted `true` and `false` are flags. Times are epoch seconds, dates, or spans
//! before now (`7d`).

mod compile;
mod directory;
mod fields;
mod lexer;
mod parse;
mod print;
mod spelling;

use std::fmt;

pub use compile::{Moment, compile, names_needed};
pub use directory::Directory;
pub use fields::{NameOf, Searched};
pub use parse::parse;

/// A filter. Groups hold two members or more, and never a group of their own kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Test(Test),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    pub field: String,
    pub operator: Operator,
    /// One, or any number of them for [`Operator::In`] and [`Operator::NotIn`].
    pub values: Vec<Literal>,
    pub at: Column,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    pub text: String,
    /// A quoted value is always a text.
    pub quoted: bool,
    pub at: Column,
}

/// A place in the text, in characters from 0. All places are equal: where something stands does not
/// belong to what it means.
#[derive(Debug, Clone, Copy, Default)]
pub struct Column(pub usize);

impl PartialEq for Column {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Column {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
    ContainsNot,
    StartsWith,
    EndsWith,
    In,
    NotIn,
}

impl Operator {
    /// As it is written, and as the API wants it.
    const SYMBOLS: [(Operator, &'static str, &'static str); 12] = [
        (Operator::NotEqual, "!=", "!="),
        (Operator::ContainsNot, "!~", "!~"),
        (Operator::GreaterOrEqual, ">=", ">="),
        (Operator::LessOrEqual, "<=", "<="),
        (Operator::Equal, "=", "="),
        (Operator::Greater, ">", ">"),
        (Operator::Less, "<", "<"),
        (Operator::Contains, "~", "~"),
        (Operator::StartsWith, "^", "^"),
        (Operator::EndsWith, "$", "$"),
        (Operator::In, "in", "IN"),
        (Operator::NotIn, "not in", "NIN"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        let row = Operator::SYMBOLS.iter().find(|(operator, ..)| *operator == self);
        row.map_or(("=", "="), |(_, written, wire)| (*written, *wire))
    }

    pub fn written(self) -> &'static str {
        self.row().0
    }

    pub fn wire(self) -> &'static str {
        self.row().1
    }
}

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    pub message: String,
    /// In characters, from 0.
    pub column: usize,
}

impl Error {
    fn new(at: Column, message: impl Into<String>) -> Self {
        Error { message: message.into(), column: at.0 }
    }

    /// The message with the text and a mark under the place.
    pub fn pointing(&self, text: &str) -> String {
        let line: String = text.chars().map(|it| if it.is_whitespace() { ' ' } else { it }).collect();
        format!("{self}\n  {line}\n  {}^", " ".repeat(self.column))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "column {}: {}", self.column + 1, self.message)
    }
}

/// Parses a text, prints what came out, and makes sure that this parses into the same. For fuzzing:
/// whatever the text, it must end without a panic.
///
/// # Errors
/// What is wrong with the text.
///
/// # Panics
/// When printing and parsing do not agree: that is what is looked for.
pub fn round_trip(text: &str) -> Result<Expression, Error> {
    let parsed = parse(text)?;
    let printed = parsed.to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(&parsed), "{text:?} prints as {printed:?}");
    for resource in Searched::ALL {
        // Names are missing, so most filters are refused here; none may panic.
        drop(compile(&parsed, resource, &Directory::default(), &|_| Ok(0)));
    }
    Ok(parsed)
}
