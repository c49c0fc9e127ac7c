//! Builds the path, query and body of an operation from its command-line arguments.
//!
//! Checks the type of each value and that required ones are present. Whether values make sense together is left to the
//! server, and a body given with `--body-json` is not checked.

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::error::{Error, Hint, HintTopic};
use super::files::Content;
use super::time::{Times, times};
use crate::api::operation::{Kind, Operation, Parameter, Place, Scalar};
use crate::api::request_builder::Arguments;

/// Builds the arguments of an operation. `query` is the search query of a `--where` filter.
///
/// # Errors
/// [`Error::Usage`] for an invalid or missing value.
pub fn bind(
    context: &Context,
    operation: &'static Operation,
    matches: &ArgMatches,
    query: Option<&Value>,
) -> Result<Arguments, Error> {
    let command_line = CommandLine { context, operation, matches };
    let mut arguments = Arguments::default();
    for parameter in command_line.parameters(Place::Path) {
        arguments.path.push(command_line.path_value(parameter)?);
    }
    for parameter in command_line.parameters(Place::Query) {
        for value in command_line.values(parameter)? {
            let field = parameter.name.rsplit('.').next().unwrap_or(parameter.name);
            let other = arguments.query.iter().find(|(name, _)| name == field).map(|(_, text)| json!(text));
            match command_line.object(parameter).zip(other) {
                Some((object, other)) => refuse_contradiction(object, parameter, &other, &value)?,
                None => append_query(&mut arguments.query, parameter, &value),
            }
        }
    }
    command_line.require_query(&arguments)?;
    command_line.refuse_empty_periods()?;
    arguments.body = command_line.body(query)?.map(|body| body.to_string().into_bytes());
    Ok(arguments)
}

/// The id of a parameter's argument. Includes the place, because a path and a body field may share a name.
pub fn argument_id(parameter: &Parameter) -> String {
    match parameter.place {
        Place::Path => format!("path:{}", parameter.name),
        Place::Query => format!("query:{}", parameter.name),
        Place::Body => format!("body:{}", parameter.name),
    }
}

/// The command line of an operation.
struct CommandLine<'a> {
    context: &'a Context,
    operation: &'static Operation,
    matches: &'a ArgMatches,
}

impl CommandLine<'_> {
    fn parameters(&self, place: Place) -> impl Iterator<Item = &'static Parameter> {
        self.operation.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    fn is_given(&self, parameter: &Parameter) -> bool {
        self.matches.contains_id(&argument_id(parameter))
    }

    /// The object that a field belongs to, if it is given.
    fn object(&self, field: &Parameter) -> Option<&'static Parameter> {
        self.operation.object_of(field).filter(|object| self.is_given(object))
    }

    fn path_value(&self, parameter: &Parameter) -> Result<String, Error> {
        // A hand-written command that shares its words with the operation names the argument itself.
        let given = |id: &str| self.matches.try_get_one::<String>(id).ok().flatten().cloned();
        let text = given(&argument_id(parameter)).or_else(|| given(parameter.name)).unwrap_or_default();
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(Error::usage(format!("<{}> must not be empty", parameter.flag)));
        }
        if parameter.kind == Kind::Integer && trimmed.parse::<u64>().is_err() {
            return Err(Error::usage(format!(
                "<{}>: invalid number {text:?}: expected a whole number",
                parameter.flag
            )));
        }
        Ok(trimmed.to_owned())
    }

    /// The values of a flag as JSON; empty if it is not given.
    fn values(&self, parameter: &Parameter) -> Result<Vec<Value>, Error> {
        let id = argument_id(parameter);
        if parameter.kind == Kind::Json {
            let contents = self.matches.get_many::<Content>(&id).into_iter().flatten();
            return contents.map(|content| json_value(parameter, content)).collect();
        }
        let usage_error = |reason: String| Error::Usage {
            message: format!("--{}: {reason}", parameter.flag),
            hint: hint(parameter),
        };
        let texts = self.matches.get_many::<String>(&id).into_iter().flatten();
        texts.map(|text| value(self.context, parameter, text).map_err(usage_error)).collect()
    }

    /// Refuses a period that ends before it starts.
    fn refuse_empty_periods(&self) -> Result<(), Error> {
        let times = || self.operation.parameters.iter().filter(|parameter| parameter.kind == Kind::Time);
        for from in times() {
            let Some(end) = end_of_period(from.name) else { continue };
            let Some(to) = times().find(|parameter| parameter.name == end) else { continue };
            let (begins, ends) = (self.values(from)?, self.values(to)?);
            if let (Some(begin), Some(end)) = (begins.last(), ends.last())
                && begin.as_i64() > end.as_i64()
            {
                return Err(Error::usage(format!("--{} must not be earlier than --{}", to.flag, from.flag)));
            }
        }
        Ok(())
    }

    fn require_query(&self, arguments: &Arguments) -> Result<(), Error> {
        for parameter in self.parameters(Place::Query).filter(|parameter| parameter.required) {
            // An object may be given without any field; which fields it needs is left to the server.
            let is_given = self.is_given(parameter);
            let is_in_query = |name: &str| is_given || arguments.query.iter().any(|(other, _)| other == name);
            let has_field = self.operation.parameters.iter().any(|other| {
                let field = other.name.strip_prefix(parameter.name).and_then(|rest| rest.strip_prefix('.'));
                field.is_some_and(is_in_query)
            });
            if !is_in_query(parameter.name) && !has_field {
                return Err(missing(vec![parameter.flag.to_owned()]));
            }
        }
        Ok(())
    }

    fn body(&self, query: Option<&Value>) -> Result<Option<Value>, Error> {
        let Some(declared) = &self.operation.body else { return Ok(None) };
        let fields: Vec<&Parameter> = self.parameters(Place::Body).collect();
        let given = body_json(self.matches, !fields.is_empty())?;
        if given.is_none() && fields.is_empty() && declared.required {
            return Err(missing(vec!["body-json".to_owned()]));
        }
        let is_given = given.is_some();
        let mut body = given.unwrap_or_else(|| json!({}));
        for parameter in &fields {
            let values = self.values(parameter)?;
            if !values.is_empty() {
                let value = combined(parameter, values);
                // Flags may override fields of `--body-json`, but not of an object with a flag.
                let other = body.pointer(&pointer(parameter.name));
                if let (Some(object), Some(other)) = (self.object(parameter), other) {
                    refuse_contradiction(object, parameter, other, &value)?;
                }
                set(&mut body, parameter.name, value)?;
            }
        }
        if let Some(query) = query {
            set(&mut body, "query", query.clone())?;
        }
        for name in self.matches.get_many::<String>("null").into_iter().flatten() {
            set(&mut body, &name.replace('-', "_"), Value::Null)?;
        }
        if !is_given {
            complete(&mut body, &fields)?;
        }
        Ok(Some(body))
    }
}

/// JSON or, for query parameters, `key=value` pairs.
fn json_value(parameter: &Parameter, content: &Content) -> Result<Value, Error> {
    let with_flag = |error: Error| Error::Usage {
        message: format!("--{}: {error}", parameter.flag),
        hint: match &error {
            Error::Usage { hint: Some(hint), .. } => Some(hint.clone()),
            _ => hint(parameter),
        },
    };
    let typed = content.typed();
    if parameter.place == Place::Query && !typed.trim_start().starts_with('{') {
        return pairs(typed).map_err(|reason| with_flag(Error::usage(reason)));
    }
    match content.json().map_err(with_flag)? {
        value if parameter.name == "query" && !value.is_object() => {
            Err(with_flag(Error::usage(format!("invalid search query {typed:?}: expected a JSON object"))))
        }
        value => Ok(value),
    }
}

fn hint(parameter: &Parameter) -> Option<Hint> {
    (parameter.name == "query" && parameter.kind == Kind::Json).then(|| {
        Hint::new("for example ")
            .flag("query")
            .text(r#" '{"field":"email","operator":"=","value":"ann@example.com"}'"#)
    })
}

fn value(context: &Context, parameter: &Parameter, text: &str) -> Result<Value, String> {
    match parameter.kind {
        Kind::String | Kind::Choice(_) => Ok(json!(text)),
        Kind::Integer => scalar(Scalar::Integer, text),
        Kind::Number => scalar(Scalar::Number, text),
        Kind::Boolean => scalar(Scalar::Boolean, text),
        Kind::Time => {
            let times = times(context).map_err(|error| error.to_string())?;
            // The only time parameter that must be in the future.
            if parameter.name == "snoozed_until" { future(&times, text) } else { times.moment(text) }
                .map(Value::from)
        }
        Kind::List(of) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(elements)) => Ok(elements.into()),
            _ => scalar(of, text),
        },
        Kind::Json => serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}")),
    }
}

/// A time in the future. Refuses spans such as `2d`, which are in the past, but no absolute times.
fn future(times: &Times, text: &str) -> Result<i64, String> {
    let moment = times.future(text)?;
    if moment > jiff::Timestamp::now().as_second() || !times.is_span_back(text) {
        return Ok(moment);
    }
    Err(format!("{text:?} is in the past: expected a time in the future, for example +2d"))
}

fn scalar(kind: Scalar, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    match kind {
        Scalar::String => Ok(json!(text)),
        Scalar::Integer => {
            let signed = trimmed.parse::<i64>().map(Value::from);
            signed
                .or_else(|_| trimmed.parse::<u64>().map(Value::from))
                .map_err(|_| format!("invalid number {text:?}: expected a whole number"))
        }
        Scalar::Number => match serde_json::from_str::<Value>(trimmed) {
            Ok(number) if number.is_number() => Ok(number),
            _ => Err(format!("invalid number {text:?}")),
        },
        Scalar::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" | "on" => Ok(json!(true)),
            "false" | "no" | "0" | "off" => Ok(json!(false)),
            _ => Err(format!("invalid value {text:?}: expected true or false")),
        },
    }
}

/// Parses `key=value` pairs separated by `&` into an object.
fn pairs(text: &str) -> Result<Value, String> {
    let pairs: Option<Map<String, Value>> = text
        .split('&')
        .map(|pair| pair.split_once('=').map(|(key, value)| (key.trim().to_owned(), json!(value))))
        .collect();
    pairs
        .map(Value::Object)
        .ok_or_else(|| format!("invalid value {text:?}: expected key=value or a JSON object"))
}

/// The parameter that ends the period which this one starts.
fn end_of_period(start: &str) -> Option<String> {
    let after = start.strip_suffix("_after").map(|stem| format!("{stem}_before"));
    after.or_else(|| start.strip_prefix("start_").map(|stem| format!("end_{stem}")))
}

/// Sends an object as its fields, and a list as a repeated parameter.
fn append_query(query: &mut Vec<(String, String)>, parameter: &Parameter, value: &Value) {
    match value {
        Value::Object(fields) => query.extend(fields.iter().map(|(name, value)| (name.clone(), text(value)))),
        Value::Array(elements) => elements.iter().for_each(|value| append_query(query, parameter, value)),
        // All described lists in queries have their elements in one value, separated by commas.
        value if matches!(parameter.kind, Kind::List(_)) => {
            match query.iter_mut().find(|(name, _)| name == parameter.name) {
                Some((_, elements)) => elements.push_str(&format!(",{}", text(value))),
                None => query.push((parameter.name.to_owned(), text(value))),
            }
        }
        value => {
            let name = parameter.name.rsplit('.').next().unwrap_or(parameter.name);
            query.push((name.to_owned(), text(value)));
        }
    }
}

/// Refuses a field whose value differs from the one in its object.
fn refuse_contradiction(
    object: &Parameter,
    field: &Parameter,
    other: &Value,
    value: &Value,
) -> Result<(), Error> {
    // Numbers are often typed as strings.
    if text(other) == text(value) {
        return Ok(());
    }
    Err(Error::Contradiction {
        whole: object.flag.to_owned(),
        part: field.flag.to_owned(),
        values: Box::new((other.clone(), value.clone())),
    })
}

/// A text unchanged, any other value as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn missing(flags: Vec<String>) -> Error {
    // A filter is easier to write than a query.
    let hint = if flags == ["query"] {
        let filter = Hint::new("filter with ").flag("where").text(", for example ").flag("where");
        filter.text(" 'created_at > 7d'").then("")
    } else {
        Hint::default()
    };
    let hint = hint.help().about(HintTopic::Arguments);
    Error::MissingArguments { flags, hint }
}

/// The content of `--body-json` or `--stdin`.
pub fn body_content(matches: &ArgMatches) -> Option<Content> {
    let content = matches.get_one::<Content>("body-json").cloned();
    content.or_else(|| matches.get_flag("stdin").then(Content::of_stdin))
}

/// The body given with `--body-json` or `--stdin`. It must be an object if the operation describes its fields.
fn body_json(matches: &ArgMatches, has_fields: bool) -> Result<Option<Value>, Error> {
    let Some(content) = body_content(matches) else { return Ok(None) };
    let usage_error = |reason: String, hint: Option<Hint>| Error::Usage {
        message: format!("--body-json: {reason}"),
        hint: hint.or_else(|| Some(Hint::new("for example ").flag("body-json").text(r#" '{"name":"Ann"}'"#))),
    };
    let with_flag = |error: Error| match &error {
        Error::Usage { hint, .. } => usage_error(error.to_string(), hint.clone()),
        _ => error,
    };
    match content.json().map_err(with_flag)? {
        body @ Value::Object(_) => Ok(Some(body)),
        body if !has_fields => Ok(Some(body)),
        _ => Err(usage_error("the body must be a JSON object".into(), None)),
    }
}

/// The value of a flag: the last one or, for a list, all of them.
fn combined(parameter: &Parameter, values: Vec<Value>) -> Value {
    if !matches!(parameter.kind, Kind::List(_)) {
        return values.into_iter().next_back().unwrap_or_default();
    }
    let elements = values.into_iter().flat_map(|value| match value {
        Value::Array(elements) => elements,
        value => vec![value],
    });
    elements.collect()
}

/// The JSON pointer to a field; dots separate the names of nested objects.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('.', "/"))
}

/// Sets a field; dots separate the names of nested objects.
fn set(body: &mut Value, name: &str, value: Value) -> Result<(), Error> {
    let mut place = body;
    for segment in name.split('.') {
        if place.is_null() {
            *place = json!({});
        }
        let fields = place.as_object_mut();
        let fields =
            fields.ok_or_else(|| Error::usage(format!("{name}: the parent in the body is not an object")))?;
        place = fields.entry(segment).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

/// Fills in fields with a single possible value, and refuses missing ones.
fn complete(body: &mut Value, fields: &[&Parameter]) -> Result<(), Error> {
    let mut absent = Vec::new();
    let is_absent =
        |parameter: &&&Parameter| parameter.required && body.pointer(&pointer(parameter.name)).is_none();
    for parameter in fields.iter().filter(is_absent) {
        let is_nested = |other: &Parameter| other.name.starts_with(&format!("{}.", parameter.name));
        match parameter.default.map(serde_json::from_str::<Value>) {
            Some(Ok(value)) => absent.push((parameter, Some(value))),
            // For an object, its missing fields are reported instead.
            _ if fields.iter().any(|other| is_nested(other) && other.required) => {}
            _ => absent.push((parameter, None)),
        }
    }
    let missing_fields = absent.iter().filter(|(_, value)| value.is_none());
    let flags: Vec<String> = missing_fields.map(|(parameter, _)| parameter.flag.to_owned()).collect();
    if !flags.is_empty() {
        return Err(missing(flags));
    }
    for (parameter, value) in absent {
        set(body, parameter.name, value.unwrap_or_default())?;
    }
    Ok(())
}
