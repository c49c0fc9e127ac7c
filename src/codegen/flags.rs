//! Derives command-line flags from described parameters and fields.
//!
//! Fields of nested objects get their own flags one level deep. Anything deeper, or without a fixed shape,
//! must be given as JSON.

use serde_json::Value;

use super::description::{Description, ParameterFacts};
use super::history::{History, Within};
use super::names::flag_name;
use super::schema;

/// One parameter of a row.
pub(super) struct FlagSpec {
    pub name: String,
    pub flag: String,
    pub place: &'static str,
    /// Rust source of the `Kind`.
    pub kind: String,
    pub required: bool,
    pub default: Option<String>,
    pub help: String,
    /// How it differs between versions.
    pub history: Option<History>,
}

/// Adds the flags of a path or query parameter. An object in the query is sent as its properties (`form`,
/// exploded), so each property gets a flag, beside the one for the whole object.
pub(super) fn parameter_flags(
    description: &Description,
    parameter: &ParameterFacts,
    flags: &mut Vec<FlagSpec>,
) {
    let place = if parameter.in_path { "Path" } else { "Query" };
    flags.push(FlagSpec {
        name: parameter.name.clone(),
        flag: flag_name(&parameter.name),
        place,
        kind: kind(description, &parameter.name, &parameter.schema),
        required: parameter.required,
        default: None,
        help: String::new(),
        history: History::of_parameter(description, parameter),
    });
    if parameter.in_path || !is_object(&parameter.schema) || !parameter.exploded {
        return;
    }
    for property in schema::fields(description, &parameter.schema) {
        flags.push(FlagSpec {
            name: format!("{}.{}", parameter.name, property.name),
            flag: format!("{}-{}", flag_name(&parameter.name), flag_name(&property.name)),
            place,
            kind: kind(description, &property.name, &property.schema),
            required: false,
            default: None,
            help: String::new(),
            history: History::of_parameter(description, parameter),
        });
    }
}

pub(super) fn field_flags(description: &Description, field: &schema::Field, flags: &mut Vec<FlagSpec>) {
    flags.push(FlagSpec {
        name: field.name.clone(),
        flag: flag_name(&field.name),
        place: "Body",
        kind: kind(description, &field.name, &field.schema),
        required: field.required,
        default: default(description, field.required, &field.schema),
        help: String::new(),
        history: History::of_schema(description, &field.schema),
    });
    for property in nested_fields(description, &field.schema) {
        flags.push(FlagSpec {
            name: format!("{}.{}", field.name, property.name),
            flag: format!("{}-{}", flag_name(&field.name), flag_name(&property.name)),
            place: "Body",
            kind: kind(description, &property.name, &property.schema),
            required: field.required && property.required,
            default: default(description, field.required && property.required, &property.schema),
            help: String::new(),
            history: History::of_schema(description, &property.schema)
                .within(History::of_schema(description, &field.schema)),
        });
    }
}

/// The value of a required field that is not given, as JSON: its only choice, or its default.
fn default(description: &Description, required: bool, schema: &Value) -> Option<String> {
    let schema = description.resolve(schema);
    let only = schema["enum"].as_array().filter(|choices| choices.len() == 1).map(|choices| &choices[0]);
    only.or_else(|| schema.get("default")).filter(|_| required).map(Value::to_string)
}

/// The properties of a plain object. Empty for alternatives, free maps, and objects whose values are mostly
/// objects (maps keyed by locale): those are given as JSON.
fn nested_fields(description: &Description, field: &Value) -> Vec<schema::Field> {
    let resolved = description.resolve(field);
    let fields = schema::fields(description, resolved);
    if resolved.get("oneOf").is_some() || !is_object(resolved) && resolved.get("allOf").is_none() {
        return Vec::new();
    }
    let scalars = fields.iter().filter(|field| kind(description, &field.name, &field.schema) != "Kind::Json");
    if scalars.count() * 2 < fields.len() { Vec::new() } else { fields }
}

fn is_object(schema: &Value) -> bool {
    match schema.get("type") {
        Some(kind) => kind == "object",
        None => schema.get("properties").is_some(),
    }
}

/// Rust source of the `Kind` of a value.
fn kind(description: &Description, name: &str, schema: &Value) -> String {
    let schema = description.resolve(schema);
    if is_time(name, schema) {
        return "Kind::Time".into();
    }
    match schema["type"].as_str() {
        Some("string") => choice(schema).unwrap_or_else(|| "Kind::String".into()),
        Some("integer") => "Kind::Integer".into(),
        Some("number") => "Kind::Number".into(),
        Some("boolean") => "Kind::Boolean".into(),
        Some("array") => match description.resolve(&schema["items"])["type"].as_str() {
            Some("string") => "Kind::List(Scalar::String)".into(),
            Some("integer") => "Kind::List(Scalar::Integer)".into(),
            Some("number") => "Kind::List(Scalar::Number)".into(),
            Some("boolean") => "Kind::List(Scalar::Boolean)".into(),
            _ => "Kind::Json".into(),
        },
        _ => "Kind::Json".into(),
    }
}

fn choice(schema: &Value) -> Option<String> {
    let values: Vec<&str> = schema["enum"].as_array()?.iter().filter_map(Value::as_str).collect();
    (!values.is_empty()).then(|| format!("Kind::Choice(&{values:?})"))
}

/// Whether a value is epoch seconds: the description marks it as a time, or it is an integer named like one.
pub(super) fn is_time(name: &str, schema: &Value) -> bool {
    let marked = ["date-time", "timestamp", "date"].iter().any(|format| schema["format"] == *format);
    let named = ["_at", "_until", "_after", "_before"].iter().any(|ending| name.ends_with(ending));
    match schema["type"].as_str() {
        Some("integer") => marked || named,
        Some("string") => schema["format"] == "timestamp",
        _ => false,
    }
}
