//! The global flags: declared and parsed once, so that no command reads raw matches for them.
//!
//! Parses only; nothing here acts on a flag.

mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};

pub use self::values::Suggested;
use self::values::{duration, flag, headers, jq, parsed, rate_limit, text, timeout};
use super::consent::Consent;
use super::error::Error;
use super::files::OutputFile;
use super::output::format::Format;
use super::output::jq::JqProgram;
use super::output::names::NameLookup;
use super::output::select::FieldSelection;
use crate::api::region::Region;
use crate::config::{self, Flag};

/// The parsed global flags.
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
    /// `--format`, which takes precedence over the flags of single formats.
    pub format: Option<Format>,
    pub select: Option<FieldSelection>,
    pub jq: Option<JqProgram>,
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
    /// Time limit for all attempts of one request. Not set by a flag.
    pub total: Option<Duration>,
    /// Requests per second.
    pub rate_limit: Option<f64>,
    pub config: Option<PathBuf>,
    pub profile: Option<String>,
    pub data_source: DataSource,
    pub max_age: Option<Duration>,
    /// IANA name of the time zone of dates.
    pub timezone: Option<String>,
    pub verbose: bool,
    /// Names of records whose ids are shown in tables. Not set by a flag.
    pub names: NameLookup,
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

/// Differs from the flag's name, because commands may declare a `--format` themselves.
const FORMAT: &str = "output-format";

/// An environment variable, trimmed; `None` if it is unset or empty.
pub fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The declarations. They are added at every level of a command, so that global flags can be typed anywhere.
pub fn arguments() -> Vec<Arg> {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let value = |name: &'static str, shape: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(shape).help(help)
    };
    let declared = vec![
        switch("json", "Print one JSON document on stdout, and errors as JSON on stderr"),
        switch("ndjson", "Print one JSON record per line"),
        switch("csv", "Print CSV that is safe to open in a spreadsheet"),
        switch("csv-raw", "With --csv, do not escape cells that begin with = + - @"),
        switch("plain", "Print tab-separated lines"),
        switch("quiet", "Print only the id of each record, one per line"),
        Arg::new(FORMAT)
            .long("format")
            .value_name("FORMAT")
            .value_parser(Suggested(vec!["json", "ndjson", "csv", "plain", "table", "quiet", "toon"]))
            .hide_possible_values(true)
            .help("Output format: json, ndjson, csv, plain, table, quiet or toon (JSON in fewer tokens)"),
        value("select", "FIELDS", "Print only these fields of the records or results: a,b.c,*_at,name:d.e"),
        value(
            "jq",
            "PROGRAM",
            "Transform the JSON with a jq program, for at most 10 s (INTERCOM_JQ_SECONDS sets the limit)",
        ),
        switch("compact", "Print only key fields: ids, names, states, times"),
        switch("human-friendly", "Print a table even if the output is not a terminal"),
        switch(
            "agent",
            "For agents: --json --compact --no-input --no-color, and --yes for changes that can be undone",
        ),
        switch("no-color", "Print without colours [env: NO_COLOR]"),
        value("deliver", "WHERE", "Send the output to stdout, file:PATH (written atomically) or webhook:URL"),
        switch("dry-run", "Show the request without sending it"),
        switch("idempotent", "Succeed if the record to create already exists (409)"),
        switch("ignore-missing", "Succeed if the record to delete does not exist (404)"),
        switch("yes", "Confirm destructive actions, including those that cannot be undone").short('y'),
        switch("read-only", "Refuse all changes to the workspace [env: INTERCOM_READ_ONLY]"),
        switch("no-input", "Never prompt; fail instead"),
        value("region", "REGION", "Region of the workspace: us, eu or au [env: INTERCOM_REGION]")
            .value_parser(Suggested(vec!["us", "eu", "au"]))
            .hide_possible_values(true),
        value("base-url", "URL", "Server to use instead of a region's [env: INTERCOM_BASE_URL]"),
        value("api-version", "VERSION", "Intercom-Version to send with every request"),
        value("header", "NAME: VALUE", "Add a header to every request (repeatable)")
            .action(ArgAction::Append),
        value("timeout", "DURATION", "Timeout of one attempt, for example 30s or 2m"),
        value("rate-limit", "N", "Send at most N requests per second, never above the server's limit"),
        value("config", "PATH", "Config file [env: INTERCOM_CONFIG]"),
        value("profile", "NAME", "Profile of the config file to use"),
        value("data-source", "SOURCE", "Where to read from: auto, live (workspace) or local (mirror)")
            .value_parser(Suggested(vec!["auto", "live", "local"]))
            .hide_possible_values(true),
        value("max-age", "DURATION", "Warn if the mirror is older, for example 30m"),
        value(
            "timezone",
            "ZONE",
            "Time zone of dates, for example Europe/Dublin [default: that of the office hours, else UTC]",
        ),
        switch("no-cache", "Accepted for compatibility; responses are never cached"),
        switch("verbose", "Log every request to stderr").short('v'),
    ];
    declared.into_iter().map(|argument| argument.help_heading(HEADING)).collect()
}

/// Whether to print errors as JSON. Works on raw arguments, because parsing itself can fail.
pub fn wants_json(arguments: &[OsString]) -> bool {
    let before_end: Vec<&OsString> = arguments.iter().take_while(|word| *word != "--").collect();
    let is_json_flag =
        |word: &OsString| ["--json", "--agent", "--ndjson", "--jq"].iter().any(|flag| word == flag);
    let is_json_format = |text: &OsString| ["json", "ndjson", "toon"].iter().any(|format| text == format);
    before_end.iter().any(|word| is_json_flag(word))
        || before_end
            .iter()
            .filter_map(|word| word.to_str()?.strip_prefix("--format="))
            .any(|format| is_json_format(&format.into()))
        || before_end.windows(2).any(|pair| pair[0] == "--format" && is_json_format(pair[1]))
}

impl Globals {
    /// Reads the flags of all levels of a command, outermost first; the innermost value takes precedence.
    ///
    /// # Errors
    /// [`Error::Usage`] for an invalid value.
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
                || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            format: parsed(levels, FORMAT)?,
            jq: jq(levels)?,
            select: text("select").map(|fields| FieldSelection::parse(&fields)).transpose()?,
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
            region: text("region").map(|name| region(&name, "--region")).transpose()?,
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
            names: NameLookup::default(),
        })
    }
}

impl Globals {
    /// The flags shared by all commands of a session: where to connect, not how to print.
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

    /// The flags shared by all steps of a workflow: those of a session, and consent.
    pub fn for_steps(&self) -> Self {
        Globals {
            consent: self.consent,
            idempotent: self.idempotent,
            ignore_missing: self.ignore_missing,
            ..self.for_session()
        }
    }

    /// Fills in the session's values for flags that are not set.
    pub fn with_session(self, session: &Self) -> Self {
        let headers = if self.headers.is_empty() { session.headers.clone() } else { self.headers };
        // Either flag selects the server.
        let has_server = self.region.is_some() || self.base_url.is_some();
        Globals {
            region: self.region.or(session.region.filter(|_| !has_server)),
            base_url: self.base_url.or(session.base_url.clone().filter(|_| !has_server)),
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

    /// Parses the flags of a profile as if they were typed.
    ///
    /// # Errors
    /// For an unknown flag or an invalid value.
    pub fn of_flags(flags: &BTreeMap<String, Flag>) -> Result<Self, Error> {
        let typed = flags.iter().filter_map(|(name, value)| match value {
            Flag::Switch(false) => None,
            Flag::Switch(true) => Some(format!("--{name}")),
            Flag::Integer(number) => Some(format!("--{name}={number}")),
            Flag::Number(number) => Some(format!("--{name}={number}")),
            Flag::Text(text) => Some(format!("--{name}={text}")),
        });
        // Consent, and where to read settings from and write output to, must be explicit.
        let never = ["yes", "agent", "profile", "config", "deliver", "dry-run"];
        if let Some(name) = flags.keys().find(|name| never.contains(&name.as_str())) {
            return Err(config::Error::Value(format!(
                "defaults: --{name} is only allowed on the command line"
            ))
            .into());
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

    /// Fills in the defaults for flags that are not set. The format is taken as a whole from one of the two.
    pub fn with_defaults(self, defaults: Self) -> Self {
        let formatted =
            self.json || self.ndjson || self.csv || self.plain || self.quiet || self.human_friendly;
        let has_no_format = !formatted && self.format.is_none();
        let globals = Globals {
            json: self.json || (has_no_format && defaults.json),
            ndjson: self.ndjson || (has_no_format && defaults.ndjson),
            csv: self.csv || (has_no_format && defaults.csv),
            csv_raw: self.csv_raw || defaults.csv_raw,
            plain: self.plain || (has_no_format && defaults.plain),
            quiet: self.quiet || (has_no_format && defaults.quiet),
            human_friendly: self.human_friendly || (has_no_format && defaults.human_friendly),
            format: self.format.or(defaults.format.filter(|_| has_no_format)),
            compact: self.compact || defaults.compact,
            select: self.select.clone().or_else(|| defaults.select.clone()),
            jq: self.jq.clone().or_else(|| defaults.jq.clone()),
            verbose: self.verbose || defaults.verbose,
            ..self
        };
        globals.with_session(&defaults)
    }
}

/// A region by name; `source` is where the name was given.
///
/// # Errors
/// [`Error::Usage`] for anything but `us`, `eu` and `au`.
pub fn region(name: &str, source: &str) -> Result<Region, Error> {
    name.parse()
        .map_err(|_| Error::usage(format!("{source}: unknown region {name:?}: expected us, eu or au")))
}
