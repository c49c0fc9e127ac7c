//! Flags as they were typed, for merging those of several places.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use crate::config::Flag;

/// The flags that choose a format.
const FORMATS: [&str; 8] = ["json", "ndjson", "csv", "csv-raw", "plain", "quiet", "human-friendly", "format"];

/// The flags about the connection, which the commands of a session share.
const SESSION: [&str; 12] = [
    "region",
    "base-url",
    "api-version",
    "header",
    "timeout",
    "rate-limit",
    "config",
    "profile",
    "data-source",
    "max-age",
    "timezone",
    "utc",
];

/// Global flags in the order typed, without dashes; switches have no value.
#[derive(Debug, Clone, Default)]
pub struct TypedFlags(Vec<(String, Option<OsString>)>);

impl TypedFlags {
    /// The flags of all levels of a command, outermost first. A command may declare a flag of the same name.
    pub fn of(levels: &[&ArgMatches], declared: &[Arg]) -> Self {
        let mut typed = Vec::new();
        for level in levels {
            for argument in declared {
                let id = argument.get_id().as_str();
                let is_typed = level.try_contains_id(id).unwrap_or(false)
                    && level.value_source(id) == Some(ValueSource::CommandLine);
                let values = if is_typed { level.get_raw(id) } else { None };
                let name = argument.get_long().unwrap_or(id);
                for value in values.into_iter().flatten() {
                    let value = argument.get_action().takes_values().then(|| value.to_owned());
                    typed.push((name.to_owned(), value));
                }
            }
        }
        TypedFlags(typed)
    }

    /// The flags that a config file sets.
    pub fn of_config(flags: &BTreeMap<String, Flag>) -> Self {
        let named = flags.iter().filter(|(name, _)| !name.is_empty());
        let typed = named.filter_map(|(name, value)| {
            let value = match value {
                Flag::Switch(false) => return None,
                Flag::Switch(true) => None,
                Flag::Integer(number) => Some(number.to_string().into()),
                Flag::Number(number) => Some(number.to_string().into()),
                Flag::Text(text) => Some(text.into()),
            };
            Some((name.clone(), value))
        });
        TypedFlags(typed.collect())
    }

    /// The words of a command line with these flags. Of a flag that was typed several times, only the last value counts.
    pub fn command_line(&self, program: &str) -> Vec<OsString> {
        let is_replaced = |index: usize, name: &str| {
            name != "header" && self.0[index + 1..].iter().any(|(later, _)| later == name)
        };
        let last = self.0.iter().enumerate().filter(|(index, (name, _))| !is_replaced(*index, name));
        let words = last.map(|(_, (name, value))| {
            let mut word = OsString::from(format!("--{name}"));
            if let Some(value) = value {
                word.push("=");
                word.push(value);
            }
            word
        });
        std::iter::once(OsString::from(program)).chain(words).collect()
    }

    pub fn contains(&self, flag: &str) -> bool {
        self.0.iter().any(|(name, _)| name == flag)
    }

    pub fn of_session(&self) -> Self {
        self.only(|name| SESSION.contains(&name))
    }

    /// Without the flags that choose a format; `--csv-raw` also says how CSV is written.
    pub fn without_formats(&self, keeps_csv_raw: bool) -> Self {
        self.only(|name| !FORMATS.contains(&name) || (keeps_csv_raw && name == "csv-raw"))
    }

    /// These flags, and those of `outer` that they do not replace.
    pub fn over(&self, outer: &Self) -> Self {
        // Either flag selects the server.
        let has_server = self.contains("region") || self.contains("base-url");
        let kept = outer.only(|name| match name {
            "region" | "base-url" => !has_server,
            "header" => !self.contains("header"),
            _ => true,
        });
        TypedFlags(kept.0.into_iter().chain(self.0.iter().cloned()).collect())
    }

    fn only(&self, is_kept: impl Fn(&str) -> bool) -> Self {
        TypedFlags(self.0.iter().filter(|(name, _)| is_kept(name)).cloned().collect())
    }
}
