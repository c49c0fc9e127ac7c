//! Parses the values of flags while the command line is parsed, with errors of this program.
//!
//! An error names the flag and what was expected, and keeps its hint: clap carries it as its source.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

use super::error::InvalidValue;

/// A parser with suggestions for completion.
#[derive(Clone)]
pub struct OneOf<T> {
    pub names: &'static [&'static str],
    pub parse: fn(&str) -> Result<T, InvalidValue>,
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for OneOf<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        self.parse.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().copied().map(PossibleValue::new)))
    }
}

/// Accepts any text, and suggests values for completion. Values are checked where they are used.
#[derive(Debug, Clone)]
pub struct Suggested(pub Vec<String>);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = self.0.iter().cloned().map(PossibleValue::new);
        (!self.0.is_empty()).then(|| Box::new(names) as Box<dyn Iterator<Item = PossibleValue> + '_>)
    }
}
