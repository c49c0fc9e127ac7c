//! Parses and checks the values of the global flags.

use std::ffi::OsStr;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command};

use super::{DataSource, Deliver, FORMAT};
use crate::cli::error::{Error, Hint};
use crate::cli::output::jq::JqProgram;
use crate::cli::time;

/// `--jq`. It prints JSON, so it cannot be combined with a format that is not JSON.
pub(super) fn jq(levels: &[&ArgMatches]) -> Result<Option<JqProgram>, Error> {
    let Some(program) = text(levels, "jq") else { return Ok(None) };
    let csv = levels.iter().any(|level| flag(level, "csv") || flag(level, "csv-raw"));
    if csv || text(levels, FORMAT).is_some_and(|format| format == "csv" || format == "table") {
        return Err(Error::usage_with_hint(
            "--jq cannot be combined with table or CSV output",
            Hint::new("omit the format")
                .or("print lines from the program: ")
                .flag("plain")
                .text(" ")
                .flag("jq")
                .text(" '... | @csv'"),
        ));
    }
    JqProgram::parse(program).map(Some)
}

pub(super) fn text<'a>(levels: &[&'a ArgMatches], name: &str) -> Option<&'a String> {
    // A command may declare a flag of the same name with another type.
    levels.iter().rev().find_map(|level| level.try_get_one::<String>(name).ok().flatten())
}

pub(super) fn flag(level: &ArgMatches, name: &str) -> bool {
    level.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false)
}

pub(super) fn parsed<T: FromStr<Err = String>>(
    levels: &[&ArgMatches],
    name: &str,
) -> Result<Option<T>, Error> {
    let value = text(levels, name).map(|text| text.parse());
    let flag = name.trim_start_matches("output-");
    value.transpose().map_err(|reason| Error::usage(format!("--{flag}: {reason}")))
}

pub(super) fn duration(levels: &[&ArgMatches], name: &str) -> Result<Option<Duration>, Error> {
    let value = text(levels, name).map(|text| time::duration(text));
    value.transpose().map_err(|reason| Error::usage(format!("--{name}: {reason}")))
}

/// `--timeout`, which must not be zero.
pub(super) fn timeout(levels: &[&ArgMatches]) -> Result<Option<Duration>, Error> {
    match duration(levels, "timeout")? {
        Some(Duration::ZERO) => {
            Err(Error::usage("--timeout: 0 is too short: expected a duration, for example 30s"))
        }
        timeout => Ok(timeout),
    }
}

pub(super) fn rate_limit(levels: &[&ArgMatches]) -> Result<Option<f64>, Error> {
    let Some(text) = text(levels, "rate-limit") else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(Some(rate)),
        _ => Err(Error::usage(format!(
            "--rate-limit: invalid value {text:?}: expected a positive number of requests per second"
        ))),
    }
}

pub(super) fn headers(levels: &[&ArgMatches]) -> Result<Vec<(String, String)>, Error> {
    let values = levels.iter().flat_map(|level| level.get_many::<String>("header").into_iter().flatten());
    values
        .map(|text| match text.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(Error::usage(format!("--header: invalid header {text:?}: expected 'Name: value'"))),
        })
        .collect()
}

/// Accepts any text, and suggests values for completion. Values are checked where they are used, which gives better
/// errors.
#[derive(Debug, Clone)]
pub struct Suggested(pub Vec<&'static str>);

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
        Some(Box::new(self.0.iter().copied().map(PossibleValue::new)))
    }
}

impl FromStr for Deliver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "stdout" => Ok(Deliver::Stdout),
            Some(("file", path)) if !path.is_empty() => Ok(Deliver::File(path.to_owned().into())),
            Some(("webhook", url)) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Deliver::Webhook(url.to_owned()))
            }
            _ => Err(format!("unknown target {text:?}: expected stdout, file:PATH or webhook:URL")),
        }
    }
}

impl FromStr for DataSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(DataSource::Auto),
            "live" => Ok(DataSource::Live),
            "local" => Ok(DataSource::Local),
            _ => Err(format!("unknown source {text:?}: expected auto, live or local")),
        }
    }
}
