//! From what was typed to the values of one call: path, query and body.
//!
//! Checks the shape of values (a number, a time, JSON) and that what is required is there. Whether
//! the values make sense together is the server's to say, and a body given as a whole is not checked.

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::door::Content;
use super::error::Error;
use super::flags::argument_id;
use super::time::Times;
use crate::api::operation::{Kind, Operation, Parameter, Place, Scalar};
use crate::api::request_builder::Arguments;

/// Binds the matches of an operation's command. `query` is the predicate of a search that was written in
/// another way than as JSON.
///
/// # Errors
/// [`Error::Usage`] for a value of the wrong shape or a missing one.
pub fn bind(
    context: &Context,
    operation: &Operation,
    matches: &ArgMatches,
    query: Option<Value>,
) -> Result<Arguments, Error> {
    let of = |place: Place| operation.parameters.iter().filter(move |it| it.place == place);
    let mut arguments = Arguments::default();
    for parameter in of(Place::Path) {
        arguments.path.push(path_value(parameter, matches)?);
    }
    for parameter in of(Place::Query) {
        for value in values(context, parameter, matches)? {
            let field = parameter.name.rsplit('.').next().unwrap_or(parameter.name);
            let known = arguments.query.iter().find(|(name, _)| name == field).map(|(_, text)| json!(text));
            let object = operation.object_of(parameter).filter(|it| matches.contains_id(&argument_id(it)));
            if known.is_some() && object.is_some() {
                agree(operation, matches, parameter, known.as_ref(), &value)?;
                continue;
            }
            append_query(&mut arguments.query, parameter, &value);
        }
    }
    require_query(operation, &arguments, matches)?;
    refuse_empty_periods(context, operation, matches)?;
    arguments.body = body(context, operation, matches, query)?.map(|body| body.to_string().into_bytes());
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
fn values(context: &Context, parameter: &Parameter, matches: &ArgMatches) -> Result<Vec<Value>, Error> {
    let id = argument_id(parameter);
    let wrong = |reason: String| Error::Usage {
        message: format!("--{}: {reason}", parameter.flag),
        hint: hint(parameter),
    };
    if parameter.kind == Kind::Json {
        let contents = matches.get_many::<Content>(&id).into_iter().flatten();
        return contents.map(|content| json_value(parameter, content)).collect();
    }
    let texts = matches.get_many::<String>(&id).into_iter().flatten();
    texts.map(|text| value(context, parameter, text).map_err(wrong)).collect()
}

/// JSON, or in the query also `key=value` pairs.
fn json_value(parameter: &Parameter, content: &Content) -> Result<Value, Error> {
    let named = |error: Error| Error::Usage {
        message: format!("--{}: {error}", parameter.flag),
        hint: match &error {
            Error::Usage { hint: Some(hint), .. } => Some(hint.clone()),
            _ => hint(parameter),
        },
    };
    let typed = content.typed();
    if parameter.place == Place::Query && !typed.trim_start().starts_with('{') {
        return pairs(typed).map_err(|reason| named(Error::usage(reason)));
    }
    match content.json().map_err(named)? {
        value if parameter.name == "query" && !value.is_object() => {
            Err(named(Error::usage(format!("{typed:?} is not a search predicate"))))
        }
        value => Ok(value),
    }
}

fn hint(parameter: &Parameter) -> Option<String> {
    (parameter.name == "query" && parameter.kind == Kind::Json).then(|| {
        r#"a predicate is JSON: --query '{"field":"email","operator":"=","value":"ann@example.com"}'"#
            .to_owned()
    })
}

fn value(context: &Context, parameter: &Parameter, text: &str) -> Result<Value, String> {
    match parameter.kind {
        Kind::String | Kind::Choice(_) => Ok(json!(text)),
        Kind::Integer => scalar(Scalar::Integer, text),
        Kind::Number => scalar(Scalar::Number, text),
        Kind::Boolean => scalar(Scalar::Boolean, text),
        Kind::Time => {
            let times = Times::of(context).map_err(|error| error.to_string())?;
            // The only field that is always about a time to come.
            if parameter.name == "snoozed_until" { ahead(&times, text) } else { times.moment(text) }
                .map(Value::from)
        }
        Kind::List(of) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(elements)) => Ok(elements.into()),
            _ => scalar(of, text),
        },
        Kind::Json => serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}")),
    }
}

/// A time to come. A span such as `2d` reaches back and is refused; moments that are spelled out are the caller's.
fn ahead(times: &Times, text: &str) -> Result<i64, String> {
    let moment = times.coming(text)?;
    if moment > jiff::Timestamp::now().as_second() || !times.is_span_back(text) {
        return Ok(moment);
    }
    Err(format!(
        "{text:?} is in the past: expected a time in the future; a span from now begins with +, as in +2d"
    ))
}

/// Refuses a period that ends before it begins: nothing can be in it.
fn refuse_empty_periods(context: &Context, operation: &Operation, matches: &ArgMatches) -> Result<(), Error> {
    for from in operation.parameters.iter().filter(|parameter| parameter.kind == Kind::Time) {
        let Some(stem) = from.name.strip_suffix("_after") else { continue };
        let is_end = |parameter: &&Parameter| {
            parameter.kind == Kind::Time && parameter.name.strip_suffix("_before") == Some(stem)
        };
        let Some(to) = operation.parameters.iter().find(is_end) else { continue };
        let (begins, ends) = (values(context, from, matches)?, values(context, to, matches)?);
        if let (Some(begin), Some(end)) = (begins.last(), ends.last())
            && begin.as_i64() > end.as_i64()
        {
            return Err(Error::usage(format!("--{} must not be earlier than --{}", to.flag, from.flag)));
        }
    }
    Ok(())
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
/// `key=value` pairs as an object: how an object in the query is most easily typed.
fn pairs(text: &str) -> Result<Value, String> {
    let pairs: Option<Map<String, Value>> = text
        .split('&')
        .map(|pair| pair.split_once('=').map(|(key, value)| (key.trim().to_owned(), json!(value))))
        .collect();
    pairs.map(Value::Object).ok_or_else(|| format!("{text:?} is neither key=value nor a JSON object"))
}

/// An object travels as its properties; a list as the repeated name.
fn append_query(query: &mut Vec<(String, String)>, parameter: &Parameter, value: &Value) {
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
}

/// Refuses a field that says something else than the object it was given in as well.
fn agree(
    operation: &Operation,
    matches: &ArgMatches,
    parameter: &Parameter,
    in_object: Option<&Value>,
    alone: &Value,
) -> Result<(), Error> {
    // A body that is given as a whole is there to be overridden; an object of its own is not.
    let object = operation.object_of(parameter).filter(|it| matches.contains_id(&argument_id(it)));
    let (Some(object), Some(other)) = (object, in_object) else { return Ok(()) };
    // Numbers are often written as texts.
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text(other) == text(alone) {
        return Ok(());
    }
    let (whole, part) = (object.flag, parameter.flag);
    Err(Error::usage_with_hint(
        format!("--{whole} and --{part} contradict each other: one says {other}, the other {alone}"),
        format!("give --{whole} or --{part}, or the same value in both"),
    ))
}

fn require_query(operation: &Operation, arguments: &Arguments, matches: &ArgMatches) -> Result<(), Error> {
    let required = operation.parameters.iter().filter(|it| it.place == Place::Query && it.required);
    for parameter in required {
        // An object may be given without any field: what it needs is the server's to say.
        let is_given = matches.contains_id(&argument_id(parameter));
        let own = |name: &str| is_given || arguments.query.iter().any(|(given, _)| given == name);
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

fn body(
    context: &Context,
    operation: &Operation,
    matches: &ArgMatches,
    query: Option<Value>,
) -> Result<Option<Value>, Error> {
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
        let values = values(context, parameter, matches)?;
        if !values.is_empty() {
            let value = joined(parameter, values);
            let place = format!("/{}", parameter.name.replace('.', "/"));
            agree(operation, matches, parameter, body.pointer(&place), &value)?;
            set(&mut body, parameter.name, value)?;
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

/// What `--body-json` or `--stdin` gives as the body.
pub fn given_body(matches: &ArgMatches) -> Option<Content> {
    let given = matches.get_one::<Content>("body-json").cloned();
    given.or_else(|| matches.get_flag("stdin").then(Content::of_stdin))
}

/// A body without described fields may be any JSON; one with fields is an object.
fn whole_body(matches: &ArgMatches, has_fields: bool) -> Result<Option<Value>, Error> {
    let Some(source) = given_body(matches) else { return Ok(None) };
    let wrong = |reason: String, hint: Option<String>| Error::Usage {
        message: format!("--body-json: {reason}"),
        hint: hint.or_else(|| Some(r#"give a JSON object, as in --body-json '{"name":"Ann"}'"#.to_owned())),
    };
    let refused = |error: Error| match &error {
        Error::Usage { hint, .. } => wrong(error.to_string(), hint.clone()),
        _ => error,
    };
    match source.json().map_err(refused)? {
        body @ Value::Object(_) => Ok(Some(body)),
        body if !has_fields => Ok(Some(body)),
        _ => Err(wrong("the body must be a JSON object".into(), None)),
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
