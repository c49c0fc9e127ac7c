//! Declares the command-line arguments of an operation, and reads those that say how to run it.
//!
//! The values that are sent are read in `arguments.rs`.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use super::arguments::argument_id;
use super::files::{self, Content, OutputFile};
use crate::api::operation::{Answer, Body, Kind, Operation, Paging, Parameter, Place, choice};
use crate::filter::Searchable;

/// All arguments of an operation's command, in the order of its help.
pub fn of(operation: &'static Operation) -> Vec<Arg> {
    let parameters = operation.parameters.iter().map(|parameter| argument(operation, parameter));
    search_argument(operation)
        .into_iter()
        .chain(paging_arguments(operation))
        .chain(download_arguments(operation))
        .chain(parameters)
        .chain(body_arguments(operation.body.as_ref()))
        .collect()
}

/// Whether a flag of the operation was typed.
pub fn are_given(operation: &'static Operation, matches: &ArgMatches) -> bool {
    let typed = |id: &str| {
        matches.try_contains_id(id).unwrap_or(false)
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    of(operation).iter().any(|flag| !flag.is_positional() && typed(flag.get_id().as_str()))
}

/// The flags of an operation's command that are not sent.
#[derive(Debug, Clone, Default)]
pub struct RunFlags {
    /// `--all`: fetch all pages.
    pub all: bool,
    /// `--limit`: maximum number of records, across pages.
    pub limit: Option<u64>,
    /// `--text`: print the plain text.
    pub text: bool,
    /// `--where`, as typed.
    pub filter: Option<String>,
    /// `--out`: file for a download.
    pub out: Option<OutputFile>,
}

impl RunFlags {
    /// Reads the flags. Those that the command does not declare are not set.
    pub fn read(matches: &ArgMatches) -> Self {
        fn value<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
            matches.try_get_one::<T>(id).ok().flatten().cloned()
        }
        RunFlags {
            all: value(matches, "all").unwrap_or(false),
            limit: value(matches, "limit"),
            text: value(matches, "text").unwrap_or(false),
            filter: value(matches, "where"),
            out: value(matches, "out"),
        }
    }

    /// Whether more than one page may be fetched.
    pub fn spans_pages(&self) -> bool {
        self.all || self.limit.is_some()
    }
}

fn argument(operation: &Operation, parameter: &'static Parameter) -> Arg {
    let argument = Arg::new(argument_id(parameter)).help(parameter_help(operation, parameter));
    if parameter.place == Place::Path {
        let name = parameter.flag.replace('-', "_").to_uppercase();
        return argument.value_name(name).required(true);
    }
    let argument = argument.long(parameter.flag).allow_hyphen_values(true);
    let argument = match (parameter.name, operation.paging) {
        ("pagination.per_page", Paging::CursorInBody { .. }) => argument.visible_alias("per-page"),
        ("pagination.starting_after", Paging::CursorInBody { .. }) => {
            argument.visible_alias("starting-after")
        }
        _ => argument,
    };
    match parameter.kind {
        Kind::Boolean => argument
            .value_name("true|false")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Kind::Choice(values) => argument.value_name("VALUE").value_parser(EnumParser(values)),
        Kind::Integer => argument.value_name("INTEGER"),
        Kind::Number => argument.value_name("NUMBER"),
        Kind::Time => argument.value_name("TIME"),
        Kind::Json => argument.value_name("JSON").value_parser(value_parser!(Content)),
        Kind::List(_) => argument.value_name("VALUE").action(ArgAction::Append),
        Kind::String => argument.value_name("TEXT"),
    }
}

/// Accepts any spelling of an enum value.
#[derive(Clone)]
struct EnumParser(&'static [&'static str]);

impl TypedValueParser for EnumParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        match value.to_str().and_then(|text| choice(self.0, text)) {
            Some(value) => Ok(value.to_owned()),
            None => PossibleValuesParser::new(self.0).parse_ref(command, argument, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

fn parameter_help(operation: &Operation, parameter: &Parameter) -> String {
    let mut notes = Vec::new();
    let is_filter = parameter.name == "query" && Searchable::of(operation.id).is_some();
    if is_filter {
        notes.push("or use --where".to_owned());
    } else if parameter.place != Place::Path && operation.demands(parameter) {
        notes.push("required".to_owned());
    }
    match parameter.kind {
        Kind::Time if parameter.name.ends_with("until") => notes.push("for example 2026-05-24 or +2d".into()),
        Kind::Time => notes.push("for example 2026-05-24 or 30d".into()),
        Kind::List(_) => notes.push("repeatable".into()),
        Kind::Json => notes.push("JSON, @file or -".into()),
        _ => {}
    }
    if let Some(default) = parameter.default {
        notes.push(format!("default: {}", default.trim_matches('"')));
    }
    if let Some(history) = parameter.history {
        notes.extend(history.since.map(|version| format!("needs API {version}")));
        notes.extend(history.until.map(|version| format!("up to API {version}")));
        notes.extend(history.values.iter().map(|(value, version)| format!("{value} needs API {version}")));
    }
    match (parameter.help, notes.is_empty()) {
        (help, true) => help.to_owned(),
        ("", false) => notes.join("; "),
        (help, false) => format!("{help} ({})", notes.join("; ")),
    }
}

fn body_arguments(body: Option<&Body>) -> Vec<Arg> {
    if body.is_none() {
        return Vec::new();
    }
    vec![
        files::content("body-json")
            .value_name("JSON")
            .help("Request body as JSON, @file, or - for stdin; other flags override its fields"),
        Arg::new("stdin")
            .long("stdin")
            .action(ArgAction::SetTrue)
            .conflicts_with("body-json")
            .help("Read the request body from stdin"),
        Arg::new("null")
            .long("null")
            .value_name("FIELD")
            .action(ArgAction::Append)
            .help("Send this field as JSON null (repeatable)"),
    ]
}

fn paging_arguments(operation: &Operation) -> Vec<Arg> {
    if operation.paging == Paging::None {
        return Vec::new();
    }
    vec![
        Arg::new("all").long("all").action(ArgAction::SetTrue).help("Fetch all pages"),
        Arg::new("limit")
            .long("limit")
            .value_name("N")
            .value_parser(clap::value_parser!(u64).range(1..))
            .help("Maximum number of records, across pages"),
    ]
}

/// `--where`, if the operation is a search.
pub fn search_argument(operation: &Operation) -> Option<Arg> {
    let argument = Arg::new("where")
        .long("where")
        .value_name("FILTER")
        .conflicts_with_all(["body:query", "body-json", "stdin"])
        .help("Select by fields, for example 'state = open and team = Billing' (see help filters)");
    Searchable::of(operation.id).map(|_| argument)
}

fn download_arguments(operation: &Operation) -> Vec<Arg> {
    match operation.answer {
        Answer::Bytes => {
            vec![files::output("out").value_name("PATH").help("Write the file to this path; - for stdout")]
        }
        Answer::Text => vec![
            Arg::new("text")
                .long("text")
                .action(ArgAction::SetTrue)
                .help("Print the plain text, without JSON"),
        ],
        Answer::Json | Answer::Nothing => Vec::new(),
    }
}
