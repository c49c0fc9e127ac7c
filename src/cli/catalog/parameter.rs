//! The parameters of commands, with the types of their values.

use std::any::TypeId;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

use crate::api::operation::{Answer, Kind, Operation, Paging, Place};
use crate::cli::files::{Access, access};
use crate::cli::flags::search_argument;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandParameter {
    /// Name as a JSON field: the flag with underscores.
    pub name: String,
    /// The flag without dashes; `None` for a positional argument.
    pub flag: Option<String>,
    pub shape: Shape,
    pub required: bool,
    /// Its access to the local file or folder that it names.
    pub access: Option<Access>,
    /// Whether the flag takes no value.
    pub is_switch: bool,
    pub is_comma_separated: bool,
    pub default: Option<String>,
    pub help: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    Text,
    Integer,
    Number,
    Boolean,
    /// Epoch seconds, a date, or a span (`30d`).
    Time,
    /// One of these.
    Choice(Vec<String>),
    /// Several values.
    List,
    /// Any JSON value.
    Json,
}

/// The parameters of an operation, path parameters first.
pub fn of_operation(operation: &Operation) -> Vec<CommandParameter> {
    let names_path = |name: &str| {
        operation.parameters.iter().any(|other| other.place == Place::Path && other.flag == name)
    };
    let mut parameters: Vec<CommandParameter> = operation
        .parameters
        .iter()
        .map(|parameter| {
            let positional = parameter.place == Place::Path;
            let name = parameter.flag.replace('-', "_");
            // Path and body may both have an `id`.
            let name = if !positional && names_path(parameter.flag) { format!("body_{name}") } else { name };
            CommandParameter {
                name,
                flag: (!positional).then(|| parameter.flag.to_owned()),
                shape: shape(parameter.kind),
                required: operation.demands(parameter),
                default: parameter.default.map(|text| text.trim_matches('"').to_owned()),
                help: parameter.help.to_owned(),
                ..CommandParameter::default()
            }
        })
        .collect();
    if operation.body.is_some() {
        parameters.push(flag("body_json", Shape::Json, "Request body; other arguments override its fields"));
        parameters.push(flag("null", Shape::List, "Fields to send as null"));
    }
    if operation.paging != Paging::None {
        parameters
            .push(CommandParameter { is_switch: true, ..flag("all", Shape::Boolean, "Fetch all pages") });
        parameters.push(flag("limit", Shape::Integer, "Maximum number of records, across pages"));
    }
    if let Some(filter) = search_argument(operation).as_ref().and_then(of_argument) {
        // `where` can replace `query`.
        parameters
            .iter_mut()
            .filter(|parameter| parameter.name == "query")
            .for_each(|query| query.required = false);
        parameters.push(filter);
    }
    if operation.answer == Answer::Bytes {
        parameters.push(CommandParameter {
            access: Some(Access::Write),
            ..flag("out", Shape::Text, "Path of the file to write")
        });
    }
    parameters
}

/// The parameters of a hand-written command. Alternatives of which one is required count as required.
pub fn of_command(command: &Command) -> Vec<CommandParameter> {
    let missing = match command.clone().try_get_matches_from([command.get_name()]) {
        Err(error) => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(names)) => names.clone(),
            _ => Vec::new(),
        },
        Ok(_) => Vec::new(),
    };
    let arguments = command.get_arguments().filter_map(|argument| Some((argument, of_argument(argument)?)));
    let parameters = arguments.map(|(argument, parameter)| {
        let is_missing = missing.iter().any(|name| bare(name) == bare(&argument.to_string()));
        CommandParameter { required: parameter.required || is_missing, ..parameter }
    });
    parameters.collect()
}

/// An argument's name in clap, without brackets.
fn bare(name: &str) -> String {
    name.replace(['<', '>', '[', ']', '.'], "")
}

/// The parameter of an argument; `None` for `--help`, `--version` and hidden arguments.
pub fn of_argument(argument: &Arg) -> Option<CommandParameter> {
    let id = argument.get_id().as_str();
    if ["help", "version"].contains(&id) || argument.is_hide_set() {
        return None;
    }
    let value_name = argument.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue | ArgAction::SetFalse);
    // Hidden values are suggestions for completion; others are allowed.
    let is_enum = !argument.is_hide_possible_values_set();
    let choices = argument.get_possible_values().into_iter().filter(|_| is_enum);
    let choices: Vec<String> = choices.map(|value| value.get_name().to_owned()).collect();
    let is_list = matches!(argument.get_action(), ArgAction::Append)
        || argument.get_value_delimiter().is_some()
        || argument.get_num_args().is_some_and(|range| range.max_values() > 1);
    let shape = match value_name {
        _ if is_switch => Shape::Boolean,
        _ if is_list => Shape::List,
        _ if !choices.is_empty() => Shape::Choice(choices),
        Some("TIME") => Shape::Time,
        Some("JSON") => Shape::Json,
        _ if is_whole_number(argument.get_value_parser()) => Shape::Integer,
        _ => Shape::Text,
    };
    Some(CommandParameter {
        name: id.replace('-', "_"),
        flag: argument.get_long().map(str::to_owned),
        shape,
        required: argument.is_required_set(),
        access: access(argument),
        is_switch,
        is_comma_separated: argument.get_value_delimiter().is_some(),
        default: argument.get_default_values().first().and_then(|value| value.to_str()).map(str::to_owned),
        help: argument.get_help().map(ToString::to_string).unwrap_or_default(),
    })
}

fn flag(name: &str, shape: Shape, help: &str) -> CommandParameter {
    CommandParameter {
        name: name.to_owned(),
        flag: Some(name.replace('_', "-")),
        shape,
        help: help.to_owned(),
        ..CommandParameter::default()
    }
}

fn shape(kind: Kind) -> Shape {
    match kind {
        Kind::String => Shape::Text,
        Kind::Integer => Shape::Integer,
        Kind::Number => Shape::Number,
        Kind::Boolean => Shape::Boolean,
        Kind::Time => Shape::Time,
        Kind::Choice(values) => Shape::Choice(values.iter().map(|value| (*value).to_owned()).collect()),
        Kind::List(_) => Shape::List,
        Kind::Json => Shape::Json,
    }
}

fn is_whole_number(parser: &ValueParser) -> bool {
    let kinds = [
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<i64>(),
    ];
    kinds.iter().any(|kind| parser.type_id() == *kind)
}
