//! From the arguments of a tool call to a command line.
//!
//! Every value becomes the value of one flag or one positional argument, whatever it holds: nothing that
//! an agent sends can become a flag of its own. Only what a command declares can be given.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schema::{common, offered};
use crate::api::operation::{Method, Paging, Place, choice};
use crate::cli::capture::Files;
use crate::cli::catalog::{Entry, Parameter, Shape};
use crate::cli::effect::Effect;
use crate::cli::error::Error;

/// The flag for key fields only.
const COMPACT: &str = "--compact";

/// A call that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is done: words, flags and positional arguments.
    does: Vec<String>,
    positional: Vec<String>,
    /// How the answer is shown.
    shows: Vec<String>,
    /// The arguments under the names that the command gives them, each once.
    given: Map<String, Value>,
    /// The flags of the body that was judged, in place of those it was made from.
    settled: Option<Vec<String>>,
    pub dry_run: bool,
    pub confirmation: Option<String>,
}

impl Call {
    /// Binds the arguments of a call of this command.
    ///
    /// # Errors
    /// [`Error::Usage`] for an argument that is unknown, missing, given twice, of the wrong shape or not
    /// allowed.
    pub fn bind(entry: &Entry, arguments: &Map<String, Value>, files: &Files) -> Result<Self, Error> {
        let arguments = &normalised(entry, arguments, files)?;
        let mut call = Call {
            does: entry.words.split(' ').map(str::to_owned).collect(),
            positional: Vec::new(),
            shows: vec!["--json".to_owned(), "--no-input".to_owned()],
            given: arguments.clone(),
            settled: None,
            dry_run: false,
            confirmation: None,
        };
        for parameter in offered(entry, files) {
            match arguments.get(&parameter.name) {
                Some(value) if !value.is_null() => call.add(parameter, value)?,
                // What can be given in several ways is asked for by the command itself.
                _ if parameter.required && parameter.flag.is_none() && entry.operation().is_some() => {
                    return Err(Error::usage_with_hint(
                        format!("{}: the argument {:?} is missing", entry.words, parameter.name),
                        format!("see describe_command with command {:?}", entry.words),
                    ));
                }
                _ => {}
            }
        }
        // Following for ever has no answer.
        if entry.words == "tail" && !arguments.contains_key("polls") {
            call.does.push("--polls=1".to_owned());
        }
        call.add_common(entry, arguments)?;
        Ok(call)
    }

    fn add_common(&mut self, entry: &Entry, arguments: &Map<String, Value>) -> Result<(), Error> {
        let own = |name: &str| entry.parameters.iter().any(|it| it.name == name);
        for name in ["select", "jq"].into_iter().filter(|name| !own(name)) {
            if let Some(value) = arguments.get(name).filter(|value| !value.is_null()) {
                self.shows.push(format!("--{name}={}", text(name, value)?));
            }
        }
        if let Some(value) = arguments.get("data_source") {
            self.shows.push(format!("--data-source={}", text("data_source", value)?));
        }
        for name in ["idempotent", "ignore_missing"].into_iter().filter(|name| !own(name)) {
            if boolean(name, arguments.get(name))? {
                self.shows.push(format!("--{}", name.replace('_', "-")));
            }
        }
        let wished = match (arguments.get("compact"), arguments.get("full")) {
            (Some(compact), _) => Some(boolean("compact", Some(compact))?),
            (None, Some(full)) if !own("full") => Some(!boolean("full", Some(full))?),
            (None, _) => None,
        };
        // Whoever names fields, or works with them, needs those that are not the key ones.
        let chooses = ["select", "jq"].into_iter().any(|name| arguments.contains_key(name));
        if wished.unwrap_or((is_list(entry) || is_thread(entry)) && !chooses) && !own("compact") {
            self.shows.push(COMPACT.to_owned());
        }
        self.dry_run = boolean("dry_run", arguments.get("dry_run"))?;
        self.confirmation =
            arguments.get("confirmation").map(|value| text("confirmation", value)).transpose()?;
        Ok(())
    }

    fn add(&mut self, parameter: &Parameter, value: &Value) -> Result<(), Error> {
        let name = &parameter.name;
        let values = typed(parameter, value)?;
        // A value that climbs out of its place in an address is no id.
        let is_id = parameter.flag.is_none() && parameter.access.is_none() && parameter.shape != Shape::Json;
        if is_id && values.iter().any(|value| value.split(['/', '\\']).any(|part| part == "..")) {
            return Err(Error::usage_with_hint(
                format!("{name}: {:?} is no id", values.join(",")),
                "give the id alone, as it stands in the field `id` of an answer",
            ));
        }
        match &parameter.flag {
            None => self.positional.extend(values),
            Some(flag) if parameter.switch => {
                if values.iter().any(|value| value == "true") {
                    self.does.push(format!("--{flag}"));
                }
            }
            Some(flag) if parameter.joined => self.does.push(format!("--{flag}={}", values.join(","))),
            Some(flag) => self.does.extend(values.into_iter().map(|value| format!("--{flag}={value}"))),
        }
        Ok(())
    }

    /// What the call does, without how it is shown: what a confirmation confirms. The order of keys in
    /// objects says nothing.
    pub fn essence(&self) -> Vec<String> {
        let does = self.does.iter().map(|word| match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => match serde_json::from_str::<Value>(value) {
                Ok(value) if value.is_object() || value.is_array() => format!("{flag}={}", sorted(value)),
                _ => word.clone(),
            },
            _ => word.clone(),
        });
        does.chain(["--".to_owned()]).chain(self.positional.iter().cloned()).collect()
    }

    /// The arguments under the names that the command gives them, without those that were null.
    pub fn given(&self) -> &Map<String, Value> {
        &self.given
    }

    /// Whether the command line has this switch or flag, whatever its value.
    pub fn has_flag(&self, flag: &str) -> bool {
        let named = |word: &String| {
            let rest = word.strip_prefix("--").and_then(|word| word.strip_prefix(flag));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        self.does.iter().any(named)
    }

    /// Sends this body, whatever the arguments that it was made from would make of it later: a file can
    /// change, and a span of time passes.
    pub fn settle(&mut self, entry: &Entry, body: &Value) {
        let in_body = |flag: &str| {
            ["body-json", "null"].contains(&flag)
                || entry.operation().is_some_and(|operation| {
                    operation.parameters.iter().any(|it| it.place == Place::Body && it.flag == flag)
                })
        };
        let makes_body = |word: &String| {
            let flag = word.strip_prefix("--").map(|word| word.split('=').next().unwrap_or_default());
            flag.is_some_and(in_body)
        };
        let kept = self.does.iter().filter(|word| !makes_body(word)).cloned();
        self.settled = Some(kept.chain([format!("--body-json={body}")]).collect());
    }

    /// Whether only key fields are shown, though nobody asked for that.
    pub fn is_compact(&self) -> bool {
        self.shows.iter().any(|flag| flag == COMPACT) && !self.given.contains_key("compact")
    }

    /// Whether values are taken out of their places.
    pub fn moves_values(&self) -> bool {
        let renames = |select: &Value| select.as_str().is_some_and(|select| select.contains(':'));
        self.given.contains_key("jq") || self.given.get("select").is_some_and(renames)
    }

    /// Whether the answer is what a program of the caller made.
    pub fn has_program(&self) -> bool {
        self.given.contains_key("jq")
    }

    /// The command line that shows what the call would do, all of it.
    pub fn plan_arguments(&self) -> Vec<String> {
        let flags = ["--json", "--no-input", "--dry-run", "--"].map(str::to_owned);
        self.does.iter().cloned().chain(flags).chain(self.positional.iter().cloned()).collect()
    }

    /// The command line, with these flags added.
    pub fn arguments(&self, more: &[&str]) -> Vec<String> {
        let more = more.iter().map(|flag| (*flag).to_owned());
        let does = self.settled.as_ref().unwrap_or(&self.does);
        let flags = does.iter().chain(&self.shows).cloned().chain(more);
        flags.chain(["--".to_owned()]).chain(self.positional.iter().cloned()).collect()
    }
}

/// Whether a command answers with a list of documents.
pub fn is_list(entry: &Entry) -> bool {
    let lists = entry.operation().is_some_and(|operation| operation.paging != Paging::None);
    entry.effect == Effect::Read && (lists || ["agent-context", "tail"].contains(&entry.words.as_str()))
}

/// Whether a command answers with a thread of messages, which are read as text.
pub fn is_thread(entry: &Entry) -> bool {
    let shows = |path| {
        ["/conversations/{id}", "/conversations/{conversation_id}", "/tickets/{id}", "/tickets/{ticket_id}"]
            .contains(&path)
    };
    entry.operation().is_some_and(|operation| operation.method == Method::Get && shows(operation.path))
}

/// The value with the keys of its objects in order.
pub fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.into_iter().collect::<Map<_, _>>().into()
        }
        Value::Array(elements) => elements.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// The arguments under the names that the command gives them. Dashes and underscores mean the same, and what
/// is null was not given. Nothing is taken from arguments in any other way, so that no two readers of a call
/// can find different values in it.
///
/// # Errors
/// [`Error::Usage`] for an argument that is unknown, or given under two names.
fn normalised(
    entry: &Entry,
    arguments: &Map<String, Value>,
    files: &Files,
) -> Result<Map<String, Value>, Error> {
    let mut normalised = Map::new();
    for (name, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
        known(entry, name, files)?;
        let own = canonical(entry, name);
        if normalised.insert(own.clone(), value.clone()).is_some() {
            let message = format!("{}: the argument {own:?} is given twice", entry.words);
            return Err(Error::usage_with_hint(message, "give each argument once, under one name"));
        }
    }
    Ok(normalised)
}

/// The name of an argument as the command has it.
fn canonical(entry: &Entry, name: &str) -> String {
    let folded = name.replace('-', "_");
    // Searches page like lists, only that the API takes it in the body.
    let paging = format!("pagination_{folded}");
    let has = |name: &str| entry.parameters.iter().any(|parameter| parameter.name == name);
    if !has(&folded) && has(&paging) { paging } else { folded }
}

fn known(entry: &Entry, name: &str, files: &Files) -> Result<(), Error> {
    let folded = name.replace('-', "_");
    let hidden =
        ["dry_run", "confirmation", "idempotent", "ignore_missing", "data_source", "compact", "full"];
    let paging = format!("pagination_{folded}");
    let is_known = offered(entry, files)
        .any(|parameter| parameter.name == folded || parameter.name == paging)
        || common(entry).iter().any(|(other, _)| *other == folded)
        || hidden.contains(&folded.as_str());
    if is_known {
        return Ok(());
    }
    let is_file =
        entry.parameters.iter().any(|parameter| parameter.access.is_some() && parameter.name == folded);
    let hint = match is_file {
        true => "files of this machine can only be named when the server runs with --root FOLDER".to_owned(),
        false => {
            let names: Vec<&str> = offered(entry, files).map(|parameter| parameter.name.as_str()).collect();
            format!("it takes: {}", names.join(", "))
        }
    };
    Err(Error::usage_with_hint(format!("{} takes no argument {name:?}", entry.words), hint))
}

/// The value of an argument as people would type it, or each of several; of the declared type. Numbers may
/// be given as texts, and ids as numbers.
fn typed(parameter: &Parameter, value: &Value) -> Result<Vec<String>, Error> {
    let name = &parameter.name;
    let wrong = |kind: &str| Error::usage(format!("{name}: {value} is no {kind}"));
    let text = match (&parameter.shape, value) {
        (Shape::Boolean, _) => boolean(name, Some(value))?.to_string(),
        (Shape::List, Value::Array(elements)) => {
            return elements.iter().map(|element| text(name, element)).collect();
        }
        (Shape::Json, Value::Object(_) | Value::Array(_)) => value.to_string(),
        (Shape::Text | Shape::Time | Shape::Choice(_), Value::Bool(_)) => return Err(wrong("text")),
        _ => text(name, value)?,
    };
    match &parameter.shape {
        Shape::Integer if text.parse::<i128>().is_err() => Err(wrong("whole number")),
        Shape::Number if !text.parse::<f64>().is_ok_and(f64::is_finite) => Err(wrong("number")),
        Shape::Choice(choices) => match choice(choices, &text) {
            Some(meant) => Ok(vec![meant.to_owned()]),
            None => {
                let message = format!("{name}: {value} is not one of {}", choices.join(", "));
                Err(Error::usage_with_hint(message, "use one of these values"))
            }
        },
        _ => Ok(vec![text]),
    }
}

/// A scalar as people would type it. Whole numbers stay whole.
fn text(name: &str, value: &Value) -> Result<String, Error> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9.0e15 => {
                format!("{float:.0}")
            }
            _ => number.to_string(),
        },
        Value::Object(_) | Value::Array(_) => {
            return Err(Error::usage(format!("{name}: {value} is no single value")));
        }
        Value::Null => return Err(Error::usage(format!("{name}: null is no value"))),
    };
    match text.contains('\0') {
        true => Err(Error::usage(format!("{name}: the value holds a null character"))),
        false => Ok(text),
    }
}

fn boolean(name: &str, value: Option<&Value>) -> Result<bool, Error> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(Value::String(text)) if text == "true" => Ok(true),
        Some(Value::String(text)) if text == "false" => Ok(false),
        Some(other) => Err(Error::usage(format!("{name}: {other} is neither true nor false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::catalog;
    use serde_json::json;

    fn bound(command: &str, arguments: Value) -> Result<Vec<String>, String> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let call = Call::bind(catalog().entry(command).unwrap(), &arguments, &Files::None);
        call.map(|call| call.essence()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_cannot_become_flags() {
        let line = bound("contacts_show", json!({"id": "--base-url=http://evil"})).unwrap();
        assert_eq!(line, ["contacts", "show", "--", "--base-url=http://evil"]);
        let line = bound("sql", json!({"statement": "SELECT 1", "limit": 5})).unwrap();
        assert_eq!(line, ["sql", "--limit=5", "--", "SELECT 1"]);
    }

    #[test]
    fn long_ids_stay_exact() {
        for id in [json!("123456789012345"), json!(123456789012345_u64), json!(123456789012345.0)] {
            let line = bound("contacts_show", json!({ "id": id })).unwrap();
            assert_eq!(line[3], "123456789012345");
        }
    }

    #[test]
    fn every_value_is_of_its_declared_type() {
        for (command, arguments) in [
            ("contacts_show", json!({ "id": ["a"] })),
            ("contacts_show", json!({ "id": {} })),
            ("contacts_show", json!({ "id": true })),
            ("contacts_list", json!({ "per_page": "many" })),
            ("contacts_list", json!({ "per_page": [5] })),
            ("contacts_list", json!({ "limit": 1.5 })),
            ("contacts_list", json!({ "jq": [".meta"] })),
            ("conversations_sla", json!({ "group_by": "colour" })),
            ("sync", json!({ "resources": { "tags": true } })),
            ("sync", json!({ "resources": [["tags"]] })),
            ("sync", json!({ "full": 1 })),
        ] {
            let error = bound(command, arguments.clone()).unwrap_err();
            let name = arguments.as_object().unwrap().keys().next().unwrap();
            assert!(error.starts_with(&format!("{name}: ")), "{command} {arguments}: {error}");
        }
        assert_eq!(bound("contacts_list", json!({ "limit": "5" })).unwrap()[2], "--limit=5");
    }

    #[test]
    fn only_declared_arguments_are_taken() {
        for name in
            ["base_url", "token", "region", "config", "db", "deliver", "header", "profile", "yes", "out"]
        {
            let error = bound("contacts_list", json!({ name: "x" })).unwrap_err();
            assert!(error.contains("takes no argument"), "{name}: {error}");
        }
        assert!(bound("export", json!({"resource": "contacts", "output": "/tmp/x"})).is_err());
        assert!(bound("contacts_show", json!({})).unwrap_err().contains("\"id\" is missing"));
        assert!(bound("contacts_list", json!({"all": "maybe"})).is_err());
    }

    #[test]
    fn an_id_stays_in_its_place() {
        for id in ["../admins", "..", "a/../../b", "..\\x"] {
            assert!(bound("contacts_show", json!({ "id": id })).is_err(), "{id}");
        }
        assert!(bound("contacts_show-by-external-id", json!({"external_id": "acme/7"})).is_ok());
    }

    #[test]
    fn structured_values_are_sent_as_json() {
        let line =
            bound("contacts_search", json!({"query": {"field": "role", "operator": "=", "value": "user"}}))
                .unwrap();
        assert_eq!(line[2], r#"--query={"field":"role","operator":"=","value":"user"}"#);
        let line = bound("sync", json!({"resources": ["tags", "teams"], "full": true})).unwrap();
        assert_eq!(line, ["sync", "--resources=tags,teams", "--full", "--"]);
        let line = bound("contacts_companies_attach-contact-to-acompany", json!({"id": "c", "body_id": "k"}))
            .unwrap();
        assert_eq!(line[3..], ["--id=k", "--", "c"]);
    }
}
