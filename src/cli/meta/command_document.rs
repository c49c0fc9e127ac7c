//! One command as a document: what `agent-context` lists and `describe` prints.

use serde_json::{Value, json};

use crate::api::operation::{Answer, Operation};
use crate::cli::catalog::{CatalogEntry, CommandParameter, Shape};
use crate::cli::registry::Effect;

/// Where the rows are in the JSON of hand-written commands, relative to the document. Others answer with one object, or
/// with text where they say so.
const ROWS: &[(&str, &str)] = &[
    ("agent-context", "results.commands[]"),
    ("analytics", "results.groups[]"),
    ("articles diff", "results.articles[]"),
    ("articles lint", "results.findings[]"),
    ("articles pull", "results.articles[]"),
    ("articles push", "results.articles[]"),
    ("articles status", "results.articles[]"),
    ("articles translations", "results[]"),
    ("auth list", "results.profiles[]"),
    ("bulk runs", "results[]"),
    ("bulk undo", "results.contacts[], .companies[] or .conversations[], as in the run"),
    ("companies bulk-tag", "results.companies[]"),
    ("contacts bulk-archive", "results.contacts[]"),
    ("contacts bulk-tag", "results.contacts[]"),
    ("contacts bulk-update", "results.contacts[]"),
    ("contacts dupes", "results[]"),
    ("conversations bulk-assign", "results.conversations[]"),
    ("conversations bulk-close", "results.conversations[]"),
    ("conversations bulk-reply-note", "results.conversations[]"),
    ("conversations bulk-snooze", "results.conversations[]"),
    ("conversations bulk-tag", "results.conversations[]"),
    ("conversations bulk-untag", "results.conversations[]"),
    ("conversations incident-tag", "results.conversations[]"),
    ("conversations assign", "results[]"),
    ("conversations close", "results[]"),
    ("conversations note", "results[]"),
    ("conversations open", "results[]"),
    ("conversations reply", "results[]"),
    ("conversations snooze", "results[]"),
    ("conversations tag", "results[]"),
    ("conversations untag", "results[]"),
    ("conversations sla", "results[]"),
    ("conversations stale", "results[]"),
    ("conversations volume", "results[]"),
    ("doctor", "results.checks[]"),
    ("export", "one record per line (NDJSON)"),
    ("import", "results.records[]"),
    ("listen", "one record per line (NDJSON)"),
    ("profile list", "results.profiles[]"),
    ("search", "results.hits[]"),
    ("sql", "results.rows[]"),
    ("status", "results[]"),
    ("sync", "results.resources[]"),
    ("tail", "one record per line (NDJSON)"),
    ("tickets assign", "results[]"),
    ("tickets note", "results[]"),
    ("tickets reply", "results[]"),
    ("tickets resolve", "results[]"),
    ("which", "results.commands[]"),
];

/// Everything about one command.
pub fn of(entry: &CatalogEntry) -> Value {
    let arguments: Vec<Value> = entry.parameters.iter().map(argument).collect();
    json!({
        "command": entry.shown,
        "name": entry.words,
        "about": entry.about,
        "effect": entry.effect.name(),
        "idempotent": entry.idempotent,
        "request": entry.operation().map(|operation| format!("{} {}", operation.method.as_str(), operation.path)),
        "arguments": arguments,
        "example": entry.example,
    })
}

/// The shape of its JSON.
pub fn output(entry: &CatalogEntry) -> String {
    let Some(operation) = entry.operation() else {
        return match (ROWS.iter().find(|(words, _)| *words == entry.words), entry.effect) {
            (Some((_, rows)), _) => (*rows).to_owned(),
            (None, Effect::Terminal) => "text for people".to_owned(),
            (None, _) => "results: one object".to_owned(),
        };
    };
    of_operation(operation)
}

fn of_operation(operation: &Operation) -> String {
    match (operation.answer, operation.list) {
        (Answer::Json, Some(path)) => format!("results.{path}[]; meta.has_more, meta.total_count"),
        (Answer::Json, None) => "results: one record".to_owned(),
        (Answer::Text, _) => "text".to_owned(),
        (Answer::Bytes, _) => "a file".to_owned(),
        (Answer::Nothing, _) => "results: empty".to_owned(),
    }
}

/// What an effect means for the workspace.
pub fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "only reads",
        Effect::Local => "changes local files, not the workspace",
        Effect::Write => "changes the workspace in a way that can be undone",
        Effect::Destructive => "overwrites, removes or reaches customers: needs confirmation",
        Effect::Terminal => "for a person at a terminal",
    }
}

fn argument(parameter: &CommandParameter) -> Value {
    let (kind, choices) = kind(&parameter.shape);
    let mut argument = json!({
        "name": shown(parameter),
        "type": kind,
        "choices": choices,
        "required": parameter.required.then_some(true),
        "default": parameter.default,
        "help": parameter.help,
    });
    if let Some(fields) = argument.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    argument
}

/// An argument as it is typed.
pub fn shown(parameter: &CommandParameter) -> String {
    parameter.flag.as_ref().map_or_else(|| format!("<{}>", parameter.name), |flag| format!("--{flag}"))
}

/// The type of an argument, and its values if they are limited.
pub fn kind(shape: &Shape) -> (&'static str, Option<&Vec<String>>) {
    match shape {
        Shape::Text => ("text", None),
        Shape::Integer => ("integer", None),
        Shape::Number => ("number", None),
        Shape::Boolean => ("boolean", None),
        Shape::Time => ("time", None),
        Shape::Choice(values) => ("choice", Some(values)),
        Shape::List => ("list", None),
        Shape::Json => ("json", None),
    }
}
