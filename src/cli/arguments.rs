//! From what was typed to the values of one call: path, query and body.
//!
//! Checks the shape of values (a number, a time, JSON) and that what is required is there. Whether
//! the values make sense together is the server's to say, and a body given as a whole is not checked.

use std::path::Path;

use clap::ArgMatches;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::capture;
use super::error::Error;
use super::flags::argument_id;
use super::stdin;
use super::time;
use crate::api::executor::Arguments;
use crate::api::operation::{Kind, Operation, Parameter, Place, Scalar};

/// Binds the matches of an operation's command. `query` is the predicate of a search that was written in
/// another way than as JSON.
///
/// # Errors
/// [`Error::Usage`] for a value of the wrong shape or a missing one.
pub fn bind(operation: &Operation, matches: &ArgMatches, query: Option<Value>) -> Result<Arguments, Error> {
    let of = |place: Place| operation.parameters.iter().filter(move |it| it.place == place);
    let mut arguments = Arguments::default();
    for parameter in of(Place::Path) {
        arguments.path.push(path_value(parameter, matches)?);
    }
    for parameter in of(Place::Query) {
        for value in values(parameter, matches)? {
            append_query(&mut arguments.query, parameter, &value)?;
        }
    }
    require_query(operation, &arguments)?;
    arguments.body = body(operation, matches, query)?.map(|body| body.to_string().into_bytes());
    Ok(arguments)
}

fn path_value(parameter: &Parameter, matches: &ArgMatches) -> Result<String, Error> {
    let text = matches.get_one::<String>(&argument_id(parameter)).cloned().unwrap_or_default();
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Error::usage(format!("<{}> must not be empty", parameter.flag)));
    }
    if parameter.kind == Kind::Integer && trimmed.parse::<u64>().is_err() {
        return Err(Error::usage(format!("<{}>: {text:?} is no whole number", parameter.flag)));
    }
    Ok(trimmed.to_owned())
}

/// The values of a flag as JSON; empty when it was not given.
fn values(parameter: &Parameter, matches: &ArgMatches) -> Result<Vec<Value>, Error> {
    let texts = matches.get_many::<String>(&argument_id(parameter)).into_iter().flatten();
    let values = texts.map(|text| {
        value(parameter, text).map_err(|reason| Error::Usage {
            message: format!("--{}: {reason}", parameter.flag),
            hint: hint(parameter),
        })
    });
    values.collect()
}

fn hint(parameter: &Parameter) -> Option<String> {
    (parameter.name == "query" && parameter.kind == Kind::Json).then(|| {
        r#"a predicate is JSON: --query '{"field":"email","operator":"=","value":"ann@example.com"}'"#
            .to_owned()
    })
}

fn value(parameter: &Parameter, text: &str) -> Result<Value, String> {
    match parameter.kind {
        Kind::String | Kind::Choice(_) => Ok(json!(text)),
        Kind::Integer => scalar(Scalar::Integer, text),
        Kind::Number => scalar(Scalar::Number, text),
        Kind::Boolean => scalar(Scalar::Boolean, text),
        Kind::Time => time::epoch_seconds(text, Timestamp::now()).map(Value::from),
        Kind::List(of) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(elements)) => Ok(elements.into()),
            _ => scalar(of, text),
        },
        Kind::Json => {
            if parameter.place == Place::Query && !text.trim_start().starts_with('{') {
                return pairs(text);
            }
            let value = json(text)?;
            match parameter.name == "query" && !value.is_object() {
                true => Err(format!("{text:?} is no search predicate")),
                false => Ok(value),
            }
        }
    }
}

fn scalar(kind: Scalar, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    match kind {
        Scalar::String => Ok(json!(text)),
        Scalar::Integer => {
            let signed = trimmed.parse::<i64>().map(Value::from);
            signed
                .or_else(|_| trimmed.parse::<u64>().map(Value::from))
                .map_err(|_| format!("{text:?} is no whole number"))
        }
        Scalar::Number => match serde_json::from_str::<Value>(trimmed) {
            Ok(number) if number.is_number() => Ok(number),
            _ => Err(format!("{text:?} is no number")),
        },
        Scalar::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" | "on" => Ok(json!(true)),
            "false" | "no" | "0" | "off" => Ok(json!(false)),
            _ => Err(format!("{text:?} is neither true nor false")),
        },
    }
}

/// JSON as typed, from `@file`, or from stdin (`-`).
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn json(text: &str) -> Result<Value, String> {
    let content = match text.trim() {
        "-" => stdin::text()?,
        file if file.starts_with('@') => {
            let path = capture::allowed(Path::new(&file[1..]))?;
            std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", &file[1..]))?
        }
        _ => text.to_owned(),
    };
    // Editors on some systems begin a file with a byte order mark.
    serde_json::from_str(content.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("this is no JSON: {error}"))
}

/// `key=value` pairs as an object: how an object in the query is most easily typed.
fn pairs(text: &str) -> Result<Value, String> {
    let pairs: Option<Map<String, Value>> = text
        .split('&')
        .map(|pair| pair.split_once('=').map(|(key, value)| (key.trim().to_owned(), json!(value))))
        .collect();
    pairs.map(Value::Object).ok_or_else(|| format!("{text:?} is neither key=value nor a JSON object"))
}

/// An object travels as its properties; a list as the repeated name.
fn append_query(
    query: &mut Vec<(String, String)>,
    parameter: &Parameter,
    value: &Value,
) -> Result<(), Error> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Object(fields) => query.extend(fields.iter().map(|(name, value)| (name.clone(), text(value)))),
        Value::Array(elements) => {
            query.extend(elements.iter().map(|value| (parameter.name.to_owned(), text(value))));
        }
        value => {
            let name = parameter.name.rsplit('.').next().unwrap_or(parameter.name);
            query.push((name.to_owned(), text(value)));
        }
    }
    Ok(())
}

fn require_query(operation: &Operation, arguments: &Arguments) -> Result<(), Error> {
    let required = operation.parameters.iter().filter(|it| it.place == Place::Query && it.required);
    for parameter in required {
        let own = |name: &str| arguments.query.iter().any(|(given, _)| given == name);
        let inside = operation.parameters.iter().any(|other| {
            let property = other.name.strip_prefix(parameter.name).and_then(|it| it.strip_prefix('.'));
            property.is_some_and(own)
        });
        if !own(parameter.name) && !inside {
            return Err(missing(&[format!("--{}", parameter.flag)]));
        }
    }
    Ok(())
}

fn missing(flags: &[String]) -> Error {
    Error::usage_with_hint(format!("missing: {}", flags.join(", ")), "see the command's --help")
}

fn body(operation: &Operation, matches: &ArgMatches, query: Option<Value>) -> Result<Option<Value>, Error> {
    if operation.body.is_none() {
        return Ok(None);
    }
    let has_fields = operation.parameters.iter().any(|it| it.place == Place::Body);
    let whole = whole_body(matches, has_fields)?;
    if whole.is_none() && !has_fields && operation.body.is_some_and(|body| body.required) {
        return Err(missing(&["--body-json".to_owned()]));
    }
    let given_whole = whole.is_some();
    let mut body = whole.unwrap_or_else(|| json!({}));
    let fields: Vec<&Parameter> = operation.parameters.iter().filter(|it| it.place == Place::Body).collect();
    for parameter in &fields {
        let values = values(parameter, matches)?;
        if !values.is_empty() {
            set(&mut body, parameter.name, joined(parameter, values))?;
        }
    }
    if let Some(query) = query {
        set(&mut body, "query", query)?;
    }
    for name in matches.get_many::<String>("null").into_iter().flatten() {
        set(&mut body, &name.replace('-', "_"), Value::Null)?;
    }
    if !given_whole {
        complete(&mut body, &fields)?;
    }
    Ok(Some(body))
}

/// A body without described fields may be any JSON; one with fields is an object.
fn whole_body(matches: &ArgMatches, has_fields: bool) -> Result<Option<Value>, Error> {
    let source = matches.get_one::<String>("body-json").map(String::as_str);
    let source = source.or_else(|| matches.get_flag("stdin").then_some("-"));
    let Some(source) = source else { return Ok(None) };
    let wrong = |reason: String| {
        Error::usage_with_hint(
            format!("--body-json: {reason}"),
            r#"give a JSON object, as in --body-json '{"name":"Ann"}'"#,
        )
    };
    match json(source).map_err(wrong)? {
        body @ Value::Object(_) => Ok(Some(body)),
        body if !has_fields => Ok(Some(body)),
        _ => Err(wrong("the body must be a JSON object".into())),
    }
}

/// The value of a flag: the last one given, or all of them for a list.
fn joined(parameter: &Parameter, values: Vec<Value>) -> Value {
    let list = matches!(parameter.kind, Kind::List(_));
    match values.into_iter().reduce(|joined, value| match list {
        true => Value::Array(elements(joined).into_iter().chain(elements(value)).collect()),
        false => value,
    }) {
        Some(value) if list => Value::Array(elements(value)),
        value => value.unwrap_or_default(),
    }
}

fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        value => vec![value],
    }
}

/// Sets a field, or with a dot a field of an object.
fn set(body: &mut Value, name: &str, value: Value) -> Result<(), Error> {
    let mut place = body;
    for segment in name.split('.') {
        if place.is_null() {
            *place = json!({});
        }
        let fields = place.as_object_mut();
        let fields = fields.ok_or_else(|| Error::usage(format!("{name}: the body has no object there")))?;
        place = fields.entry(segment).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

/// Fills in what has only one possible value and names what is missing.
fn complete(body: &mut Value, fields: &[&Parameter]) -> Result<(), Error> {
    let pointer = |name: &str| format!("/{}", name.replace('.', "/"));
    let mut absent = Vec::new();
    for parameter in fields.iter().filter(|it| it.required && body.pointer(&pointer(it.name)).is_none()) {
        let nested = |other: &&&Parameter| other.name.starts_with(&format!("{}.", parameter.name));
        match parameter.default.map(serde_json::from_str::<Value>) {
            Some(Ok(value)) => absent.push((parameter, Some(value))),
            // The fields of an object are asked for one by one.
            _ if fields.iter().any(|other| nested(&other) && other.required) => {}
            _ => absent.push((parameter, None)),
        }
    }
    let flags: Vec<String> =
        absent.iter().filter(|(_, value)| value.is_none()).map(|(it, _)| format!("--{}", it.flag)).collect();
    if !flags.is_empty() {
        return Err(missing(&flags));
    }
    for (parameter, value) in absent {
        set(body, parameter.name, value.unwrap_or_default())?;
    }
    Ok(())
}
