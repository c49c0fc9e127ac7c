//! What a command takes, as JSON Schema.

use serde_json::{Map, Value, json};

use crate::cli::capture::Files;
use crate::cli::catalog::{Entry, Parameter, Shape};
use crate::cli::effect::Effect;

/// How much a schema tells: every byte of a tool that is always listed is paid for in every session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Brief,
    Full,
}

/// The schema of a command's arguments.
pub fn input(entry: &Entry, files: &Files, detail: Detail) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in offered(entry, files) {
        if parameter.required {
            required.push(json!(parameter.name));
        }
        properties.insert(parameter.name.clone(), property(parameter, detail));
    }
    for (name, schema) in common(entry) {
        if detail == Detail::Full || !["jq", "compact"].contains(&name.as_str()) {
            properties.entry(name).or_insert(schema);
        }
    }
    let mut schema = object(properties);
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

/// The parameters that an agent may give: files only where a folder was allowed, and nothing that makes a
/// command run without end or read a stdin that is not there.
pub fn offered<'a>(entry: &'a Entry, files: &Files) -> impl Iterator<Item = &'a Parameter> {
    let no_files = matches!(files, Files::None);
    entry.parameters.iter().filter(move |parameter| {
        let withheld =
            (parameter.path && no_files) || ["db", "stdin", "watch"].contains(&parameter.name.as_str());
        !withheld
    })
}

/// Arguments that many commands share, and that no command declares.
pub fn common(entry: &Entry) -> Vec<(String, Value)> {
    let text = || json!({ "type": "string" });
    let switch = || json!({ "type": "boolean" });
    let mut common = vec![("select", text()), ("jq", text()), ("compact", switch())];
    match entry.effect {
        Effect::Destructive => common.extend([("dry_run", switch()), ("confirmation", text())]),
        Effect::Write => common.push(("dry_run", switch())),
        _ => {}
    }
    common.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// An object that takes these properties and no others.
pub fn object(properties: Map<String, Value>) -> Map<String, Value> {
    let schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn property(parameter: &Parameter, detail: Detail) -> Value {
    let mut schema = match &parameter.shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Time if detail == Detail::Brief => json!({ "type": "string" }),
        Shape::Time => json!({ "type": ["string", "integer"] }),
        Shape::Choice(values) => json!({ "type": "string", "enum": values }),
        Shape::List if detail == Detail::Brief => json!({ "type": "array" }),
        Shape::List => json!({ "type": "array", "items": {} }),
        Shape::Json => json!({}),
    };
    let is_id = parameter.name == "id" || parameter.name.ends_with("_id");
    if is_id && matches!(parameter.shape, Shape::Text | Shape::Integer) {
        schema["type"] = json!(["string", "integer"]);
    }
    let help = match (detail, &parameter.shape) {
        (Detail::Full, _) => help(parameter),
        // Their names say what they are; describe_command says more.
        (Detail::Brief, Shape::Boolean | Shape::Choice(_) | Shape::Integer | Shape::Number) => String::new(),
        (Detail::Brief, _) => brief(&without_stdin(&parameter.help)).to_owned(),
    };
    if !help.is_empty() {
        schema["description"] = json!(help);
    }
    schema
}

/// A help text without what it says of stdin, which tools do not have.
fn without_stdin(help: &str) -> String {
    help.split_inclusive([',', ';']).filter(|clause| !clause.contains("stdin")).collect::<String>()
}

/// The beginning of a help text, up to where it goes into detail.
fn brief(help: &str) -> &str {
    let end = [": ", "; ", " (", " ["].iter().filter_map(|mark| help.find(mark)).filter(|at| *at >= 12).min();
    &help[..end.unwrap_or(help.len())]
}

fn help(parameter: &Parameter) -> String {
    let mut help = without_stdin(&parameter.help).trim_end_matches([',', ';']).to_owned();
    if parameter.shape == Shape::Time && !help.contains("date") {
        help.push_str(" (epoch seconds, a date, or 30d)");
    }
    if let Some(default) = &parameter.default {
        help.push_str(&format!(" [default: {default}]"));
    }
    help.trim().to_owned()
}
