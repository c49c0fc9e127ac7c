//! Prints a filter. The text must parse into the same filter.

use std::fmt;

use super::lexer::is_word_char;
use super::parse::is_keyword;
use super::{Expression, Literal, Operator, Test};

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (members, word) = match self {
            Expression::Test(test) => return test.fmt(formatter),
            Expression::All(members) => (members, "and"),
            Expression::Any(members) => (members, "or"),
        };
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                write!(formatter, " {word} ")?;
            }
            match member {
                Expression::Test(test) => test.fmt(formatter)?,
                group => write!(formatter, "({group})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(formatter, &self.field, false)?;
        write!(formatter, " {} ", self.operator.written())?;
        let is_list = matches!(self.operator, Operator::In | Operator::NotIn);
        if is_list {
            formatter.write_str("(")?;
        }
        for (index, value) in self.values.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            value.fmt(formatter)?;
        }
        formatter.write_str(if is_list { ")" } else { "" })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(formatter, &self.text, self.quoted)
    }
}

fn write_text(formatter: &mut fmt::Formatter<'_>, text: &str, quoted: bool) -> fmt::Result {
    if !quoted && !text.is_empty() && text.chars().all(is_word_char) && !is_keyword(text) {
        return formatter.write_str(text);
    }
    write!(formatter, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
