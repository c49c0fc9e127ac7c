//! One thing a command takes, with the shape of its value.

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

use crate::api::operation::{Answer, Kind, Operation, Paging, Place};
use crate::cli::door::{Access, access};
use crate::cli::flags::search_argument;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Name as a JSON field: the flag with underscores.
    pub name: String,
    /// The flag without dashes; `None` for a positional argument.
    pub flag: Option<String>,
    pub shape: Shape,
    pub required: bool,
    /// What it does with the file or folder of this machine that it names.
    pub access: Option<Access>,
    /// The flag of a switch takes no value.
    pub switch: bool,
    /// Several values stand in one, separated by commas.
    pub joined: bool,
    pub default: Option<String>,
    pub help: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    Text,
    Integer,
    Number,
    Boolean,
    /// Epoch seconds, a date, or a span such as `30d`.
    Time,
    /// One of these.
    Choice(Vec<String>),
    /// Several values.
    List,
    /// Any JSON value.
    Json,
}

/// What an operation's command takes, path parameters first.
pub fn of_operation(operation: &Operation) -> Vec<Parameter> {
    let names_path = |name: &str| {
        operation.parameters.iter().any(|other| other.place == Place::Path && other.flag == name)
    };
    let mut parameters: Vec<Parameter> = operation
        .parameters
        .iter()
        .map(|parameter| {
            let positional = parameter.place == Place::Path;
            let name = parameter.flag.replace('-', "_");
            // The path and the body may both have an id.
            let name = if !positional && names_path(parameter.flag) { format!("body_{name}") } else { name };
            Parameter {
                name,
                flag: (!positional).then(|| parameter.flag.to_owned()),
                shape: shape(parameter.kind),
                required: operation.demands(parameter),
                access: None,
                switch: false,
                joined: false,
                default: parameter.default.map(|text| text.trim_matches('"').to_owned()),
                help: parameter.help.to_owned(),
            }
        })
        .collect();
    if operation.body.is_some() {
        parameters.push(flag("body_json", Shape::Json, "The whole body; other fields override its fields"));
        parameters.push(flag("null", Shape::List, "Names of fields to send as null"));
    }
    if operation.paging != Paging::None {
        parameters.push(Parameter { switch: true, ..flag("all", Shape::Boolean, "Every page") });
        parameters.push(flag(
            "limit",
            Shape::Integer,
            "At most so many records, over as many pages as that takes",
        ));
    }
    if let Some(filter) = search_argument(operation).as_ref().and_then(of_argument) {
        // A filter stands for the query.
        parameters.iter_mut().filter(|it| it.name == "query").for_each(|query| query.required = false);
        parameters.push(filter);
    }
    if operation.answer == Answer::Bytes {
        parameters.push(Parameter {
            access: Some(Access::Write),
            ..flag("out", Shape::Text, "Write the file here")
        });
    }
    parameters
}

/// What a hand-written command takes. What is needed unless something else is given counts as required.
pub fn of_command(command: &Command) -> Vec<Parameter> {
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
        Parameter { required: parameter.required || is_missing, ..parameter }
    });
    parameters.collect()
}

/// An argument as clap names it, without the brackets that say whether it is needed.
fn bare(name: &str) -> String {
    name.replace(['<', '>', '[', ']', '.'], "")
}

/// What a flag or argument takes; `None` for what every command has.
pub fn of_argument(argument: &Arg) -> Option<Parameter> {
    let id = argument.get_id().as_str();
    if ["help", "version"].contains(&id) || argument.is_hide_set() {
        return None;
    }
    let value_name = argument.get_value_names().and_then(|names| names.first()).map(|it| it.as_str());
    let switch = matches!(argument.get_action(), ArgAction::SetTrue | ArgAction::SetFalse);
    // Hidden values are suggestions for a shell: others may be as good.
    let are_choices = !argument.is_hide_possible_values_set();
    let choices = argument.get_possible_values().into_iter().filter(|_| are_choices);
    let choices: Vec<String> = choices.map(|value| value.get_name().to_owned()).collect();
    let several = matches!(argument.get_action(), ArgAction::Append)
        || argument.get_value_delimiter().is_some()
        || argument.get_num_args().is_some_and(|range| range.max_values() > 1);
    let shape = match value_name {
        _ if switch => Shape::Boolean,
        _ if several => Shape::List,
        _ if !choices.is_empty() => Shape::Choice(choices),
        Some("TIME") => Shape::Time,
        Some("JSON") => Shape::Json,
        _ if is_whole_number(argument.get_value_parser()) => Shape::Integer,
        _ => Shape::Text,
    };
    Some(Parameter {
        name: id.replace('-', "_"),
        flag: argument.get_long().map(str::to_owned),
        shape,
        required: argument.is_required_set(),
        access: access(argument),
        switch,
        joined: argument.get_value_delimiter().is_some(),
        default: argument.get_default_values().first().and_then(|it| it.to_str()).map(str::to_owned),
        help: argument.get_help().map(ToString::to_string).unwrap_or_default(),
    })
}

fn flag(name: &str, shape: Shape, help: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        flag: Some(name.replace('_', "-")),
        shape,
        required: false,
        access: None,
        switch: false,
        joined: false,
        default: None,
        help: help.to_owned(),
    }
}

fn shape(kind: Kind) -> Shape {
    match kind {
        Kind::String => Shape::Text,
        Kind::Integer => Shape::Integer,
        Kind::Number => Shape::Number,
        Kind::Boolean => Shape::Boolean,
        Kind::Time => Shape::Time,
        Kind::Choice(values) => Shape::Choice(values.iter().map(|it| (*it).to_owned()).collect()),
        Kind::List(_) => Shape::List,
        Kind::Json => Shape::Json,
    }
}

fn is_whole_number(parser: &ValueParser) -> bool {
    let kind = parser.type_id();
    kind == std::any::TypeId::of::<u64>()
        || kind == std::any::TypeId::of::<u32>()
        || kind == std::any::TypeId::of::<u16>()
        || kind == std::any::TypeId::of::<usize>()
        || kind == std::any::TypeId::of::<i64>()
}
