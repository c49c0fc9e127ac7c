//! The values of the global flags: from what was typed to what it means, or what is wrong with it.

use std::ffi::OsStr;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command};

use super::{DataSource, Deliver, FORMAT};
use crate::cli::error::Error;
use crate::cli::output::jq::Program;
use crate::cli::time;

/// `--jq`, which makes JSON and therefore goes with no format that is none.
pub(super) fn jq(levels: &[&ArgMatches]) -> Result<Option<Program>, Error> {
    let Some(program) = text(levels, "jq") else { return Ok(None) };
    let csv = levels.iter().any(|level| flag(level, "csv") || flag(level, "csv-raw"));
    if csv || text(levels, FORMAT).is_some_and(|format| format == "csv" || format == "table") {
        return Err(Error::usage_with_hint(
            "--jq makes JSON, which is no table",
            "leave out the format, or let the program make the lines: --plain --jq '... | @csv'",
        ));
    }
    Program::parse(program).map(Some)
}

pub(super) fn text<'a>(levels: &[&'a ArgMatches], name: &str) -> Option<&'a String> {
    // A command may have a flag of its own in the place of a global one.
    levels.iter().rev().find_map(|level| level.try_get_one::<String>(name).ok().flatten())
}

pub(super) fn flag(level: &ArgMatches, name: &str) -> bool {
    level.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false)
}

pub(super) fn parsed<T: FromStr<Err = String>>(
    levels: &[&ArgMatches],
    name: &str,
) -> Result<Option<T>, Error> {
    let value = text(levels, name).map(|it| it.parse());
    let shown = name.trim_start_matches("output-");
    value.transpose().map_err(|reason| Error::usage(format!("--{shown}: {reason}")))
}

pub(super) fn duration(levels: &[&ArgMatches], name: &str) -> Result<Option<Duration>, Error> {
    let value = text(levels, name).map(|it| time::duration(it));
    value.transpose().map_err(|reason| Error::usage(format!("--{name}: {reason}")))
}

/// `--timeout`. No answer comes within no time at all.
pub(super) fn timeout(levels: &[&ArgMatches]) -> Result<Option<Duration>, Error> {
    match duration(levels, "timeout")? {
        Some(Duration::ZERO) => {
            Err(Error::usage("--timeout: 0 is too short: expected a length of time such as 30s"))
        }
        timeout => Ok(timeout),
    }
}

pub(super) fn rate_limit(levels: &[&ArgMatches]) -> Result<Option<f64>, Error> {
    let Some(text) = text(levels, "rate-limit") else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(Some(rate)),
        _ => {
            Err(Error::usage(format!("--rate-limit: {text:?} is no positive number of requests per second")))
        }
    }
}

pub(super) fn headers(levels: &[&ArgMatches]) -> Result<Vec<(String, String)>, Error> {
    let values = levels.iter().flat_map(|level| level.get_many::<String>("header").into_iter().flatten());
    values
        .map(|text| match text.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(Error::usage(format!("--header: {text:?} is not of the form 'Name: value'"))),
        })
        .collect()
}

/// Any text, with the values that a shell offers. What is wrong with another one is told by whoever knows
/// what it is for.
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
            _ => Err(format!("{text:?} is none of stdout, file:PATH, webhook:URL")),
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
            _ => Err(format!("{text:?} is none of auto, live, local")),
        }
    }
}
