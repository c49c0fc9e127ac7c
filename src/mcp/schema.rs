//! The input schema of a command.
//!
//! Some clients reject a whole tool list because of one property without a type, an array without items, or a
//! union type, so every property has exactly one type and every array declares its items. A schema never lists
//! both an object and its fields.

use serde_json::{Map, Value, json};

use crate::api::operation::{self, Kind, Method, Operation, Paging, Scalar};
use crate::cli::catalog::{BodySchema, CatalogEntry, CommandParameter, Shape};
use crate::cli::files::Access;
use crate::cli::registry::Effect;
use crate::cli::streams::FilePolicy;

/// How much a schema contains. Every byte of a tool that is always listed costs tokens in every session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SchemaDetail {
    Brief,
    Full,
}

/// Parameters of which one is required. The schema requires the first that a command has; a call may use another.
const ONE_OF: [&[&str]; 4] =
    [&["where", "query"], &["where", "ids", "sql"], &["team", "admin", "nobody"], &["set"]];

/// Parameters that brief schemas leave out. Calls may use them, and describe_command lists them.
const RARE: &str = "\
    by exclude concurrency explain max_pages max_time min_samples no_create reconcile resolution resume \
    sort timezone week without_snoozed all_mentions";

/// The schema of a command's arguments.
pub fn input(entry: &CatalogEntry, files: &FilePolicy, detail: SchemaDetail) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = required(entry);
    let is_brief = |name: &str| detail == SchemaDetail::Full || !RARE.split(' ').any(|rare| rare == name);
    let shown = |parameter: &&CommandParameter| is_shown(entry, parameter) && is_brief(&parameter.name);
    for parameter in offered(entry, files).filter(shown) {
        properties.insert(parameter.name.clone(), property(entry, parameter, detail));
    }
    for (name, schema) in common(entry) {
        // A command with `apply` is a dry run without it.
        let is_redundant = name == "dry_run" && properties.contains_key("apply");
        if detail == SchemaDetail::Full
            || !(["jq", "compact", "full"].contains(&name.as_str()) || is_redundant)
        {
            properties.entry(name).or_insert(schema);
        }
    }
    required.retain(|name| properties.contains_key(*name));
    let required = json!(required);
    let mut schema = object(properties);
    if detail == SchemaDetail::Brief {
        schema.shift_remove("additionalProperties");
    }
    if required != json!([]) {
        schema.insert("required".to_owned(), required);
    }
    schema
}

/// The names of the required arguments.
fn required(entry: &CatalogEntry) -> Vec<&str> {
    let mut required: Vec<&str> = entry
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| parameter.name.as_str())
        .collect();
    let has = |name: &str| entry.parameters.iter().any(|parameter| parameter.name == name);
    let searches = entry.operation().is_some() && has("where") && has("query");
    let changes_many = entry.operation().is_none() && has("ids") && has("apply");
    for alternatives in ONE_OF {
        let applies = if alternatives.contains(&"query") { searches } else { changes_many };
        let first = alternatives.iter().find(|name| has(name));
        // `set` can come from a file as well, but most servers do not accept files.
        if let Some(first) = first.filter(|first| applies && !required.contains(*first)) {
            required.push(first);
        }
    }
    if let Some(operation) = entry.operation() {
        let has_fields =
            operation.parameters.iter().any(|parameter| parameter.place == operation::Place::Body);
        if operation.body.is_some_and(|body| body.required) && !has_fields {
            required.push("body_json");
        }
    }
    required
}

/// Whether a command can be called at all: not if it needs a file and none may be named.
pub fn is_usable(entry: &CatalogEntry, files: &FilePolicy) -> bool {
    let needs_file = |parameter: &CommandParameter| {
        parameter.access.is_some() && (parameter.required || parameter.default.is_some())
    };
    !matches!(files, FilePolicy::None) || !entry.parameters.iter().any(needs_file)
}

/// The parameters that an agent may use: files only if a folder was allowed, and nothing that makes a command
/// run forever, read stdin, or write progress where nobody reads it.
pub fn offered<'a>(
    entry: &'a CatalogEntry,
    files: &FilePolicy,
) -> impl Iterator<Item = &'a CommandParameter> {
    let no_files = matches!(files, FilePolicy::None);
    entry.parameters.iter().filter(move |parameter| {
        let is_file = parameter.access.is_some() && no_files;
        let withheld = is_file
            || parameter.access == Some(Access::Owner)
            || ["stdin", "watch", "progress"].contains(&parameter.name.as_str())
            // Opens a browser on the server's machine; filters of the API have the same name.
            || (parameter.name == "open" && entry.operation().is_none());
        !withheld
    })
}

/// Whether a parameter is in the schema: either an object or its fields, never both. Calls may use either.
fn is_shown(entry: &CatalogEntry, parameter: &CommandParameter) -> bool {
    let Some((operation, api_parameter)) = operation_parameter(entry, parameter) else { return true };
    match operation.object_of(api_parameter) {
        Some(object) => !operation.demands(object),
        None => operation.demands(api_parameter) || parts(operation, api_parameter).next().is_none(),
    }
}

/// The API parameter that a command's parameter was generated from.
fn operation_parameter<'a>(
    entry: &CatalogEntry,
    parameter: &CommandParameter,
) -> Option<(&'static Operation, &'a operation::Parameter)> {
    let operation = entry.operation()?;
    let flag = parameter.flag.as_deref()?;
    let api_parameter = operation
        .parameters
        .iter()
        .find(|parameter| parameter.place != operation::Place::Path && parameter.flag == flag)?;
    Some((operation, api_parameter))
}

/// The fields of an object parameter.
fn parts(
    operation: &'static Operation,
    object: &operation::Parameter,
) -> impl Iterator<Item = &'static operation::Parameter> {
    let prefix = format!("{}.", object.name);
    let place = object.place;
    operation
        .parameters
        .iter()
        .filter(move |parameter| parameter.place == place && parameter.name.starts_with(&prefix))
}

/// Arguments that commands share without declaring them.
pub fn common(entry: &CatalogEntry) -> Vec<(String, Value)> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let switch = |about: &str| json!({ "type": "boolean", "description": about });
    let mut common = vec![
        ("select", text("Only these fields, e.g. id,a.b,*_at")),
        ("jq", text("A jq program over {meta, results}")),
    ];
    if is_list(entry) || is_thread(entry) {
        common.push(("full", switch("All fields, not only key ones")));
    } else {
        common.push(("compact", switch("Only key fields")));
    }
    let dry_run = || ("dry_run", switch("Show what would be done"));
    let confirmation = || ("confirmation", text("From this call's plan"));
    match entry.effect {
        Effect::Destructive => common.extend([dry_run(), confirmation()]),
        Effect::Write if changes_many(entry) => common.extend([dry_run(), confirmation()]),
        Effect::Write => common.push(dry_run()),
        _ => {}
    }
    common.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// Whether a command returns a list of documents.
pub fn is_list(entry: &CatalogEntry) -> bool {
    let lists = entry.operation().is_some_and(|operation| operation.paging != Paging::None);
    entry.effect == Effect::Read && (lists || ["agent-context", "tail"].contains(&entry.words.as_str()))
}

/// Whether a command returns a thread of messages.
pub fn is_thread(entry: &CatalogEntry) -> bool {
    let output_flags = |path| {
        ["/conversations/{id}", "/conversations/{conversation_id}", "/tickets/{id}", "/tickets/{ticket_id}"]
            .contains(&path)
    };
    let views = ["conversations view", "tickets view"];
    views.contains(&entry.words.as_str())
        || entry
            .operation()
            .is_some_and(|operation| operation.method == Method::Get && output_flags(operation.path))
}

/// Whether one call may change enough records to need a confirmation.
fn changes_many(entry: &CatalogEntry) -> bool {
    entry.operation().is_none()
}

/// The schema of an object with these properties and no others.
pub fn object(properties: Map<String, Value>) -> Map<String, Value> {
    let schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn property(entry: &CatalogEntry, parameter: &CommandParameter, detail: SchemaDetail) -> Value {
    let api = operation_parameter(entry, parameter);
    let mut schema = match &parameter.shape {
        Shape::Text | Shape::Time => json!({ "type": "string" }),
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Choice(values) => json!({ "type": "string", "enum": values }),
        Shape::List => {
            json!({ "type": "array", "items": { "type": item(api.map(|(_, api_parameter)| api_parameter.kind)) } })
        }
        Shape::Json => structure(api),
    };
    let help = match detail {
        SchemaDetail::Full => help(parameter),
        SchemaDetail::Brief => brief(&without_stdin(&parameter.help)),
    };
    if !help.is_empty() {
        schema["description"] = json!(as_arguments(&help));
    }
    schema
}

/// The type of the elements of a list.
fn item(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::List(Scalar::Integer)) => "integer",
        Some(Kind::List(Scalar::Number)) => "number",
        Some(Kind::List(Scalar::Boolean)) => "boolean",
        _ => "string",
    }
}

/// The schema of an object or a list of objects, from the spec.
fn structure(api: Option<(&'static Operation, &operation::Parameter)>) -> Value {
    let Some((operation, api_parameter)) = api else { return json!({ "type": "object" }) };
    // An operation whose schema cannot be read has no example either.
    if BodySchema::of(operation).is_ok_and(|body| body.is_some_and(|body| body.is_list(api_parameter.name))) {
        return json!({ "type": "array", "items": { "type": "object" } });
    }
    let mut schema = json!({ "type": "object" });
    for part in parts(operation, api_parameter) {
        let field = part.name.rsplit('.').next().unwrap_or(part.name);
        schema["properties"][field] = match part.kind {
            Kind::Integer => json!({ "type": "integer" }),
            Kind::Number => json!({ "type": "number" }),
            Kind::Boolean => json!({ "type": "boolean" }),
            Kind::List(_) => json!({ "type": "array", "items": { "type": item(Some(part.kind)) } }),
            Kind::Json => json!({ "type": "object" }),
            Kind::String | Kind::Time | Kind::Choice(_) => json!({ "type": "string" }),
        };
        if !part.help.is_empty() {
            schema["properties"][field]["description"] = json!(part.help);
        }
    }
    schema
}

/// Replaces the flags in a help text by the names of their arguments.
fn as_arguments(help: &str) -> String {
    let mut pieces = help.split("--");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let end =
            piece.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '-').unwrap_or(piece.len());
        format!("{text}{}{}", piece[..end].replace('-', "_"), &piece[end..])
    })
}

/// Removes the clauses about stdin, which tools do not have.
fn without_stdin(help: &str) -> String {
    let kept = help.split_inclusive([',', ';', ':']).filter(|clause| !clause.contains("stdin"));
    kept.collect::<String>().trim().trim_end_matches([',', ';', ':']).to_owned()
}

/// The first clause of a help text, without brackets and what follows a colon.
fn brief(help: &str) -> String {
    let end = ["; ", " (", " [", ": "].iter().filter_map(|mark| help.find(mark)).filter(|at| *at >= 12).min();
    help[..end.unwrap_or(help.len())].trim_end_matches([',', ' ', '.']).to_owned()
}

fn help(parameter: &CommandParameter) -> String {
    let mut help = without_stdin(&parameter.help);
    if parameter.shape == Shape::Time && !help.contains("date") {
        help.push_str(" (epoch seconds, a date, or 30d)");
    }
    if let Some(default) = &parameter.default {
        help.push_str(&format!(" [default: {default}]"));
    }
    help.trim().to_owned()
}
