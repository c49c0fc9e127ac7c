//! The flags that every command takes: declared once, read once.
//!
//! Nothing here acts. A flag is turned from what was typed into what it means, so that the rest of
//! the command line never looks at raw matches for them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};

use super::error::Error;
use super::output::select::Selection;
use super::time;
use crate::api::region::Region;

/// What the global flags mean.
#[derive(Debug, Clone, Default)]
pub struct Globals {
    pub json: bool,
    pub ndjson: bool,
    pub csv: bool,
    pub csv_raw: bool,
    pub plain: bool,
    pub quiet: bool,
    pub compact: bool,
    pub human_friendly: bool,
    pub no_color: bool,
    pub select: Option<Selection>,
    pub deliver: Deliver,
    pub dry_run: bool,
    pub idempotent: bool,
    pub ignore_missing: bool,
    pub yes: bool,
    pub no_input: bool,
    pub region: Option<Region>,
    pub base_url: Option<String>,
    pub api_version: Option<String>,
    pub headers: Vec<(String, String)>,
    pub timeout: Option<Duration>,
    /// Requests per second.
    pub rate_limit: Option<f64>,
    pub config: Option<PathBuf>,
    pub profile: Option<String>,
    pub data_source: DataSource,
    pub max_age: Option<Duration>,
    pub verbose: bool,
}

/// Where the output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Deliver {
    #[default]
    Stdout,
    File(PathBuf),
    Webhook(String),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DataSource {
    #[default]
    Auto,
    Live,
    Local,
}

const HEADING: &str = "Global options";

/// The declarations. They stand at every level of a command, so that they may be typed anywhere.
pub fn arguments() -> Vec<Arg> {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let value = |name: &'static str, shape: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(shape).help(help)
    };
    let declared = vec![
        switch("json", "One JSON document on stdout, errors as JSON on stderr"),
        switch("ndjson", "One record per line as JSON"),
        switch("csv", "Records as CSV, safe to open in a spreadsheet"),
        switch("csv-raw", "With --csv: leave cells that begin with = + - @ as they are"),
        switch("plain", "Records as tab-separated lines"),
        switch("quiet", "Only the id of each record, one per line"),
        value("select", "FIELDS", "Only these fields: a,b.c (paths into the results or into each record)"),
        switch("compact", "Only key fields: ids, names, states, times"),
        switch("human-friendly", "A table, also when the output is not a terminal"),
        switch("agent", "For agents: --json --compact --no-input --no-color --yes"),
        switch("no-color", "No colours (NO_COLOR is honoured as well)"),
        value("deliver", "WHERE", "stdout, file:PATH (written atomically) or webhook:URL"),
        switch("dry-run", "Show the request and send nothing"),
        switch("idempotent", "A create that finds its record existing (409) is a success"),
        switch("ignore-missing", "A delete that finds nothing (404) is a success"),
        switch("yes", "Confirm destructive actions").short('y'),
        switch("no-input", "Never ask, fail instead"),
        value("region", "REGION", "us, eu or au [env: INTERCOM_REGION]"),
        value("base-url", "URL", "Another server instead of a region's [env: INTERCOM_BASE_URL]"),
        value("api-version", "VERSION", "Intercom-Version to send with every request"),
        value("header", "NAME: VALUE", "Send this header too; may be repeated").action(ArgAction::Append),
        value("timeout", "DURATION", "Per attempt, such as 30s or 2m"),
        value("rate-limit", "N", "At most N requests per second, below what the server allows"),
        value("config", "PATH", "Config file [env: INTERCOM_CONFIG]"),
        value("profile", "NAME", "Named settings from the config file"),
        value("data-source", "SOURCE", "auto, live or local: where reads come from"),
        value("max-age", "DURATION", "Warn when local data are older, such as 30m"),
        switch("no-cache", "Never answer from a response cache (there is none: always so)"),
        switch("verbose", "Tell on stderr about every request").short('v'),
    ];
    declared.into_iter().map(|it| it.help_heading(HEADING)).collect()
}

/// Whether errors must be JSON, decided before the command line could be parsed.
pub fn wants_json(arguments: &[OsString]) -> bool {
    let before_end = arguments.iter().take_while(|it| *it != "--");
    before_end.into_iter().any(|it| it == "--json" || it == "--agent" || it == "--ndjson")
}

impl Globals {
    /// Reads the flags of all levels of a command, outermost first; the innermost value counts.
    ///
    /// # Errors
    /// [`Error::Usage`] when a value has the wrong shape.
    pub fn read(levels: &[&ArgMatches]) -> Result<Self, Error> {
        let on = |name: &str| levels.iter().any(|level| level.get_flag(name));
        let text = |name: &str| text(levels, name).cloned();
        let agent = on("agent");
        Ok(Globals {
            json: on("json") || agent,
            ndjson: on("ndjson"),
            csv: on("csv") || on("csv-raw"),
            csv_raw: on("csv-raw"),
            plain: on("plain"),
            quiet: on("quiet"),
            compact: on("compact") || agent,
            human_friendly: on("human-friendly"),
            no_color: on("no-color")
                || agent
                || std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty()),
            select: text("select").map(|it| Selection::parse(&it)).transpose()?,
            deliver: parsed(levels, "deliver")?.unwrap_or_default(),
            dry_run: on("dry-run"),
            idempotent: on("idempotent"),
            ignore_missing: on("ignore-missing"),
            yes: on("yes") || agent,
            no_input: on("no-input") || agent,
            region: text("region").map(|it| region(&it, "--region")).transpose()?,
            base_url: text("base-url"),
            api_version: text("api-version"),
            headers: headers(levels)?,
            timeout: duration(levels, "timeout")?,
            rate_limit: rate_limit(levels)?,
            config: text("config").map(PathBuf::from),
            profile: text("profile"),
            data_source: parsed(levels, "data-source")?.unwrap_or_default(),
            max_age: duration(levels, "max-age")?,
            verbose: on("verbose"),
        })
    }
}

/// A region by name; `source` is where the name stands.
///
/// # Errors
/// [`Error::Usage`] for anything but `us`, `eu` and `au`.
pub fn region(name: &str, source: &str) -> Result<Region, Error> {
    name.parse().map_err(|_| Error::usage(format!("{source}: {name:?} is no region; use us, eu or au")))
}

fn text<'a>(levels: &[&'a ArgMatches], name: &str) -> Option<&'a String> {
    levels.iter().rev().find_map(|level| level.get_one::<String>(name))
}

fn parsed<T: FromStr<Err = String>>(levels: &[&ArgMatches], name: &str) -> Result<Option<T>, Error> {
    let value = text(levels, name).map(|it| it.parse());
    value.transpose().map_err(|reason| Error::usage(format!("--{name}: {reason}")))
}

fn duration(levels: &[&ArgMatches], name: &str) -> Result<Option<Duration>, Error> {
    let value = text(levels, name).map(|it| time::duration(it));
    value.transpose().map_err(|reason| Error::usage(format!("--{name}: {reason}")))
}

fn rate_limit(levels: &[&ArgMatches]) -> Result<Option<f64>, Error> {
    let Some(text) = text(levels, "rate-limit") else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(Some(rate)),
        _ => {
            Err(Error::usage(format!("--rate-limit: {text:?} is no positive number of requests per second")))
        }
    }
}

fn headers(levels: &[&ArgMatches]) -> Result<Vec<(String, String)>, Error> {
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

impl FromStr for Deliver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "stdout" => Ok(Deliver::Stdout),
            Some(("file", path)) if !path.is_empty() => Ok(Deliver::File(path.into())),
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
