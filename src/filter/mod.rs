//! A small language for selecting records: `state = open and team = Billing and updated_at > 7d`.
//!
//! The module is independent of everything above `api`. A text is parsed into an [`Expression`], whose
//! printed form parses into the same expression. With the names of a workspace, the expression is compiled
//! into an exact predicate, and into a query for the API's search, which selects the same records or, where
//! servers differ, more. Everything that the API would reject is an error with its column here, before
//! anything is sent. No part of a filter may ever be missing from the predicate.
//!
//! ```text
//! filter   = all { "or" all }
//! all      = one { "and" one }
//! one      = "(" filter ")" | test
//! test     = field operator value | field [ "not" ] "in" "(" value { "," value } ")"
//! operator = "=" | "!=" | ">" | ">=" | "<" | "<=" | "~" | "!~" | "^" | "$"
//! field    = word | quoted | word quoted, where the word ends with a dot and both are adjacent
//! value    = word | quoted
//! word     = one or more characters except white space ( ) , " ' = ! < > ~ ^ $
//! quoted   = '"' { any character, \" for a quotation mark, \\ for a backslash } '"' | the same with '
//! ```
//! `and`, `or`, `not` and `in` are not case-sensitive, and must be quoted to be used as values. An unquoted
//! `null` is a missing value; unquoted `true` and `false` are booleans. Times are epoch seconds, dates, or
//! spans before now (`7d`).

mod compile;
pub mod contact_lookup;
mod directory;
mod fields;
pub mod judge;
mod lexer;
mod needs;
mod parse;
pub mod person;
mod print;
mod query;
mod shared;

use std::fmt;

pub use compile::{CompiledFilter, ParseTime, compile};
pub use directory::{Attribute, Directory, StateLabel};
pub use fields::{NamedRecord, Searchable};
pub use needs::{compares_days, names_in, required_names};
pub use parse::parse;
pub use shared::By;

/// A parsed filter. Groups have at least two members, and never contain a group of the same kind.
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
    /// One value; one or more for [`Operator::In`] and [`Operator::NotIn`].
    pub values: Vec<Literal>,
    pub at: Column,
}

/// A value as written in the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    pub text: String,
    /// A quoted value is always text.
    pub quoted: bool,
    pub at: Column,
}

/// A position in the text, in characters, starting at 0. All columns are equal, so that expressions are
/// compared by meaning and not by position.
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
    /// Each operator as written in a filter and as sent to the API.
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

impl Literal {
    /// Whether this is an unquoted `null`.
    fn is_null(&self) -> bool {
        !self.quoted && self.text.trim() == "null"
    }
}

impl Operator {
    fn is_negative(self) -> bool {
        matches!(self, Operator::NotEqual | Operator::ContainsNot | Operator::NotIn)
    }

    /// Whether it compares whole values.
    fn is_whole(self) -> bool {
        matches!(self, Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn)
    }

    /// Whether it matches a part of a value.
    fn is_partial(self) -> bool {
        matches!(self, Operator::Contains | Operator::ContainsNot | Operator::StartsWith | Operator::EndsWith)
    }

    /// Whether a name matches the text of a test, regardless of negation.
    fn matches(self, name: &str, wanted: &str) -> bool {
        match self {
            Operator::Contains | Operator::ContainsNot => name.contains(wanted),
            Operator::StartsWith => name.starts_with(wanted),
            Operator::EndsWith => name.ends_with(wanted),
            _ => name == wanted,
        }
    }
}

impl Expression {
    /// The leftmost test.
    fn first_test(&self) -> &Test {
        let mut expression = self;
        loop {
            match expression {
                Expression::Test(test) => return test,
                Expression::All(members) | Expression::Any(members) => expression = &members[0],
            }
        }
    }

    fn for_each_test<'e>(&'e self, visit: &mut dyn FnMut(&'e Test)) {
        match self {
            Expression::Test(test) => visit(test),
            Expression::All(members) | Expression::Any(members) => {
                members.iter().for_each(|member| member.for_each_test(visit));
            }
        }
    }
}

/// An error in a filter, with its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    pub message: String,
    /// In characters, starting at 0.
    pub column: usize,
}

impl Error {
    fn new(at: Column, message: impl Into<String>) -> Self {
        Error { message: message.into(), column: at.0 }
    }

    /// The message, followed by the filter with a mark under the column.
    pub fn pointing(&self, text: &str) -> String {
        let line: String =
            text.chars().map(|letter| if letter.is_whitespace() { ' ' } else { letter }).collect();
        format!("{self}\n  {line}\n  {}^", " ".repeat(self.column))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "column {}: {}", self.column + 1, self.message)
    }
}

/// Parses a text, prints the expression, and checks that the result parses into the same expression. For
/// fuzzing: no text may cause a panic.
///
/// # Errors
/// If the text is not a valid filter.
///
/// # Panics
/// If printing and parsing disagree. This is the bug that fuzzing looks for.
pub fn round_trip(text: &str) -> Result<Expression, Error> {
    let parsed = parse(text)?;
    let printed = parsed.to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(&parsed), "{text:?} prints as {printed:?}");
    for searchable in Searchable::ALL {
        // The directory is empty, so most filters fail to compile; none may panic.
        drop(compile(&parsed, searchable, &Directory::default(), &|_| Ok(0)));
    }
    Ok(parsed)
}
