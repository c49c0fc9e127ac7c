//! The flags that every command takes: declared once, read once.
//!
//! Nothing here acts. A flag is turned from what was typed into what it means, so that the rest of
//! the command line never looks at raw matches for them.

mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};

pub use self::values::Suggested;
use self::values::{duration, flag, headers, jq, parsed, rate_limit, text, timeout};
use super::consent::Consent;
use super::door::OutputFile;
use super::error::Error;
use super::output::format::Format;
use super::output::jq::Program;
use super::output::names::Directory;
use super::output::select::Selection;
use crate::api::region::Region;
use crate::config::{self, Flag};

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
    /// `--format`, which goes before the flags of single formats.
    pub format: Option<Format>,
    pub select: Option<Selection>,
    pub jq: Option<Program>,
    pub deliver: Deliver,
    pub dry_run: bool,
    pub idempotent: bool,
    pub ignore_missing: bool,
    pub consent: Consent,
    /// `--read-only`.
    pub read_only: bool,
    pub no_input: bool,
    pub region: Option<Region>,
    pub base_url: Option<String>,
    pub api_version: Option<String>,
    pub headers: Vec<(String, String)>,
    pub timeout: Option<Duration>,
    /// For all attempts of one call; no flag sets it.
    pub total: Option<Duration>,
    /// Requests per second.
    pub rate_limit: Option<f64>,
    pub config: Option<PathBuf>,
    pub profile: Option<String>,
    pub data_source: DataSource,
    pub max_age: Option<Duration>,
    /// IANA name of the zone of dates.
    pub timezone: Option<String>,
    pub verbose: bool,
    /// What ids are called that a table shows; no flag sets it.
    pub names: Directory,
}

/// Where the output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Deliver {
    #[default]
    Stdout,
    File(OutputFile),
    Webhook(String),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DataSource {
    #[default]
    Auto,
    Live,
    Local,
}

pub const HEADING: &str = "Global options";

/// Not the name of the flag: commands may have a `--format` of their own.
const FORMAT: &str = "output-format";

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
        Arg::new(FORMAT)
            .long("format")
            .value_name("FORMAT")
            .value_parser(Suggested(vec!["json", "ndjson", "csv", "plain", "table", "quiet", "toon"]))
            .hide_possible_values(true)
            .help("json, ndjson, csv, plain, table, quiet or toon (JSON in fewer tokens)"),
        value("select", "FIELDS", "Only these fields: a,b.c,*_at,name:d.e (into the results or each record)"),
        value(
            "jq",
            "PROGRAM",
            "The JSON through a program of the jq language, for at most 10 s [env: INTERCOM_JQ_SECONDS]",
        ),
        switch("compact", "Only key fields: ids, names, states, times"),
        switch("human-friendly", "A table, also when the output is not a terminal"),
        switch(
            "agent",
            "For agents: --json --compact --no-input --no-color, and --yes for what can be undone",
        ),
        switch("no-color", "No colours (NO_COLOR is honoured as well)"),
        value("deliver", "WHERE", "stdout, file:PATH (written atomically) or webhook:URL"),
        switch("dry-run", "Show the request and send nothing"),
        switch("idempotent", "A create that finds its record existing (409) is a success"),
        switch("ignore-missing", "A delete that finds nothing (404) is a success"),
        switch("yes", "Confirm destructive actions, also what cannot be undone").short('y'),
        switch("read-only", "Refuse everything that would change the workspace [env: INTERCOM_READ_ONLY]"),
        switch("no-input", "Never ask, fail instead"),
        value("region", "REGION", "us, eu or au [env: INTERCOM_REGION]")
            .value_parser(Suggested(vec!["us", "eu", "au"]))
            .hide_possible_values(true),
        value("base-url", "URL", "Another server instead of a region's [env: INTERCOM_BASE_URL]"),
        value("api-version", "VERSION", "Intercom-Version to send with every request"),
        value("header", "NAME: VALUE", "Send this header too; may be repeated").action(ArgAction::Append),
        value("timeout", "DURATION", "Per attempt, such as 30s or 2m"),
        value("rate-limit", "N", "At most N requests per second, below what the server allows"),
        value("config", "PATH", "Config file [env: INTERCOM_CONFIG]"),
        value("profile", "NAME", "Named settings from the config file"),
        value("data-source", "SOURCE", "auto, live or local: where reads come from")
            .value_parser(Suggested(vec!["auto", "live", "local"]))
            .hide_possible_values(true),
        value("max-age", "DURATION", "Warn when local data are older, such as 30m"),
        value("timezone", "ZONE", "IANA time zone of dates [default: that of the office hours, else UTC]"),
        switch("no-cache", "Never answer from a response cache (there is none: always so)"),
        switch("verbose", "Tell on stderr about every request").short('v'),
    ];
    declared.into_iter().map(|it| it.help_heading(HEADING)).collect()
}

/// Whether errors must be JSON, decided before the command line could be parsed.
pub fn wants_json(arguments: &[OsString]) -> bool {
    let before_end: Vec<&OsString> = arguments.iter().take_while(|it| *it != "--").collect();
    let named = |it: &OsString| it == "--json" || it == "--agent" || it == "--ndjson" || it == "--jq";
    let format = |text: &OsString| ["json", "ndjson", "toon"].iter().any(|it| text == it);
    before_end.iter().any(|it| named(it))
        || before_end
            .iter()
            .filter_map(|it| it.to_str()?.strip_prefix("--format="))
            .any(|it| format(&it.into()))
        || before_end.windows(2).any(|pair| pair[0] == "--format" && format(pair[1]))
}

impl Globals {
    /// Reads the flags of all levels of a command, outermost first; the innermost value counts.
    ///
    /// # Errors
    /// [`Error::Usage`] when a value has the wrong shape.
    pub fn read(levels: &[&ArgMatches]) -> Result<Self, Error> {
        let on = |name: &str| levels.iter().any(|level| flag(level, name));
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
            format: parsed(levels, FORMAT)?,
            jq: jq(levels)?,
            select: text("select").map(|it| Selection::parse(&it)).transpose()?,
            deliver: parsed(levels, "deliver")?.unwrap_or_default(),
            dry_run: on("dry-run"),
            idempotent: on("idempotent"),
            ignore_missing: on("ignore-missing"),
            consent: match (on("yes"), agent) {
                (true, _) => Consent::Full,
                (false, true) => Consent::Reversible,
                (false, false) => Consent::Open,
            },
            read_only: on("read-only"),
            no_input: on("no-input") || agent,
            region: text("region").map(|it| region(&it, "--region")).transpose()?,
            base_url: text("base-url"),
            api_version: text("api-version"),
            headers: headers(levels)?,
            timeout: timeout(levels)?,
            total: None,
            rate_limit: rate_limit(levels)?,
            config: text("config").map(PathBuf::from),
            profile: text("profile"),
            data_source: parsed(levels, "data-source")?.unwrap_or_default(),
            max_age: duration(levels, "max-age")?,
            timezone: text("timezone"),
            verbose: on("verbose"),
            names: Directory::default(),
        })
    }
}

impl Globals {
    /// What a session's commands have in common: where they go, not how they show what they found.
    pub fn for_session(&self) -> Self {
        Globals {
            region: self.region,
            base_url: self.base_url.clone(),
            api_version: self.api_version.clone(),
            headers: self.headers.clone(),
            timeout: self.timeout,
            total: self.total,
            rate_limit: self.rate_limit,
            config: self.config.clone(),
            profile: self.profile.clone(),
            data_source: self.data_source,
            max_age: self.max_age,
            timezone: self.timezone.clone(),
            no_color: self.no_color,
            no_input: self.no_input,
            read_only: self.read_only,
            names: self.names.clone(),
            ..Globals::default()
        }
    }

    /// What the steps of a workflow have in common: also what its owner agreed to.
    pub fn for_steps(&self) -> Self {
        Globals {
            consent: self.consent,
            idempotent: self.idempotent,
            ignore_missing: self.ignore_missing,
            ..self.for_session()
        }
    }

    /// These flags, and those of the session where they are silent.
    pub fn under(self, session: &Self) -> Self {
        let headers = if self.headers.is_empty() { session.headers.clone() } else { self.headers };
        // One of the two decides where requests go.
        let placed = self.region.is_some() || self.base_url.is_some();
        Globals {
            region: self.region.or(session.region.filter(|_| !placed)),
            base_url: self.base_url.or(session.base_url.clone().filter(|_| !placed)),
            api_version: self.api_version.or_else(|| session.api_version.clone()),
            headers,
            timeout: self.timeout.or(session.timeout),
            total: self.total.or(session.total),
            rate_limit: self.rate_limit.or(session.rate_limit),
            config: self.config.or_else(|| session.config.clone()),
            profile: self.profile.or_else(|| session.profile.clone()),
            data_source: match self.data_source {
                DataSource::Auto => session.data_source,
                chosen => chosen,
            },
            max_age: self.max_age.or(session.max_age),
            timezone: self.timezone.or_else(|| session.timezone.clone()),
            no_color: self.no_color || session.no_color,
            no_input: self.no_input || session.no_input,
            consent: self.consent.max(session.consent),
            read_only: self.read_only || session.read_only,
            idempotent: self.idempotent || session.idempotent,
            ignore_missing: self.ignore_missing || session.ignore_missing,
            ..self
        }
    }

    /// What flags of a file mean: exactly what they would mean if they were typed.
    ///
    /// # Errors
    /// When there is a flag that no command has, or a value of the wrong shape.
    pub fn of_flags(flags: &BTreeMap<String, Flag>) -> Result<Self, Error> {
        let typed = flags.iter().filter_map(|(name, value)| match value {
            Flag::Switch(false) => None,
            Flag::Switch(true) => Some(format!("--{name}")),
            Flag::Integer(number) => Some(format!("--{name}={number}")),
            Flag::Number(number) => Some(format!("--{name}={number}")),
            Flag::Text(text) => Some(format!("--{name}={text}")),
        });
        // Consent and places are given where they are needed.
        let never = ["yes", "agent", "profile", "config", "deliver", "dry-run"];
        if let Some(name) = flags.keys().find(|name| never.contains(&name.as_str())) {
            return Err(config::Error::Value(format!("defaults: --{name} can only be typed")).into());
        }
        let line = std::iter::once("defaults".to_owned()).chain(typed);
        let matches = clap::Command::new("defaults").args(arguments()).try_get_matches_from(line);
        let matches = matches.map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            config::Error::Value(format!("defaults: {reason}"))
        })?;
        Globals::read(&[&matches])
    }

    /// These flags, and the others where they are silent. One format goes with one selection.
    pub fn over(self, defaults: Self) -> Self {
        let formatted =
            self.json || self.ndjson || self.csv || self.plain || self.quiet || self.human_friendly;
        let silent = !formatted && self.format.is_none();
        let shown = Globals {
            json: self.json || (silent && defaults.json),
            ndjson: self.ndjson || (silent && defaults.ndjson),
            csv: self.csv || (silent && defaults.csv),
            csv_raw: self.csv_raw || defaults.csv_raw,
            plain: self.plain || (silent && defaults.plain),
            quiet: self.quiet || (silent && defaults.quiet),
            human_friendly: self.human_friendly || (silent && defaults.human_friendly),
            format: self.format.or(defaults.format.filter(|_| silent)),
            compact: self.compact || defaults.compact,
            select: self.select.clone().or_else(|| defaults.select.clone()),
            jq: self.jq.clone().or_else(|| defaults.jq.clone()),
            verbose: self.verbose || defaults.verbose,
            ..self
        };
        shown.under(&defaults)
    }
}

/// A region by name; `source` is where the name stands.
///
/// # Errors
/// [`Error::Usage`] for anything but `us`, `eu` and `au`.
pub fn region(name: &str, source: &str) -> Result<Region, Error> {
    name.parse().map_err(|_| Error::usage(format!("{source}: {name:?} is no region; use us, eu or au")))
}
