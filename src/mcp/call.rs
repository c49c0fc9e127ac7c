//! From the arguments of a tool call to a command line.
//!
//! Every value becomes the value of one flag or one positional argument, whatever it holds: nothing that
//! an agent sends can become a flag of its own. Only what a command declares can be given.

use std::path::Path;

use serde_json::{Map, Value};

use super::schema::{common, offered};
use crate::cli::capture::{self, Files};
use crate::cli::catalog::{Entry, Parameter, Shape};
use crate::cli::error::Error;

/// A call that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is done: words, flags and positional arguments.
    does: Vec<String>,
    positional: Vec<String>,
    /// How the answer is shown.
    shows: Vec<String>,
    pub dry_run: bool,
    pub confirmation: Option<String>,
}

impl Call {
    /// Binds the arguments of a call of this command.
    ///
    /// # Errors
    /// [`Error::Usage`] for an argument that is unknown, missing, of the wrong shape or not allowed.
    pub fn bind(entry: &Entry, arguments: &Map<String, Value>, files: &Files) -> Result<Self, Error> {
        let mut call = Call {
            does: entry.words.split(' ').map(str::to_owned).collect(),
            positional: Vec::new(),
            shows: vec!["--json".to_owned(), "--no-input".to_owned()],
            dry_run: false,
            confirmation: None,
        };
        for name in arguments.keys() {
            known(entry, name, files)?;
        }
        for parameter in offered(entry, files) {
            match given(arguments, &parameter.name) {
                Some(value) if !value.is_null() => call.add(parameter, value, files)?,
                _ if parameter.required && !arguments.contains_key("body_json") => {
                    return Err(Error::usage_with_hint(
                        format!("{}: the argument {:?} is missing", entry.words, parameter.name),
                        format!("see describe_command with command {:?}", entry.words),
                    ));
                }
                _ => {}
            }
        }
        call.add_places(entry, arguments, files)?;
        // Following for ever has no answer.
        if entry.words == "tail" && !arguments.contains_key("polls") {
            call.does.push("--polls=1".to_owned());
        }
        call.add_common(entry, arguments)?;
        Ok(call)
    }

    /// Files that a command uses when none is named: below the allowed folder, or not at all.
    fn add_places(
        &mut self,
        entry: &Entry,
        arguments: &Map<String, Value>,
        files: &Files,
    ) -> Result<(), Error> {
        let assumed = entry.parameters.iter().filter(|it| it.path && given(arguments, &it.name).is_none());
        for parameter in assumed {
            match (&parameter.default, files) {
                (None, _) | (_, Files::All) => {}
                (Some(path), Files::Below(_)) => self.add(parameter, &Value::String(path.clone()), files)?,
                (Some(_), Files::None) => {
                    return Err(Error::usage_with_hint(
                        format!("{} works with files, which this server does not allow", entry.words),
                        "ask the owner to start the server with --root FOLDER",
                    ));
                }
            }
        }
        Ok(())
    }

    fn add_common(&mut self, entry: &Entry, arguments: &Map<String, Value>) -> Result<(), Error> {
        let own = |name: &str| entry.parameters.iter().any(|it| it.name == name);
        for name in ["select", "jq"].into_iter().filter(|name| !own(name)) {
            if let Some(value) = given(arguments, name).filter(|value| !value.is_null()) {
                self.shows.push(format!("--{name}={}", text(name, value)?));
            }
        }
        if let Some(value) = given(arguments, "data_source") {
            self.shows.push(format!("--data-source={}", text("data_source", value)?));
        }
        for name in ["compact", "idempotent", "ignore_missing"].into_iter().filter(|name| !own(name)) {
            if boolean(name, given(arguments, name))? {
                self.shows.push(format!("--{}", name.replace('_', "-")));
            }
        }
        self.dry_run = boolean("dry_run", given(arguments, "dry_run"))?;
        self.confirmation =
            given(arguments, "confirmation").map(|value| text("confirmation", value)).transpose()?;
        Ok(())
    }

    fn add(&mut self, parameter: &Parameter, value: &Value, files: &Files) -> Result<(), Error> {
        let name = &parameter.name;
        let values = typed(parameter, value)?;
        let values = match (parameter.path, files) {
            (true, Files::Below(root)) => {
                values.iter().map(|path| below(name, root, path)).collect::<Result<_, _>>()?
            }
            _ => values,
        };
        // A value that climbs out of its place in an address is no id.
        let is_id = parameter.flag.is_none() && !parameter.path && parameter.shape != Shape::Json;
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

    /// What the call does, without how it is shown: what a confirmation confirms.
    pub fn essence(&self) -> Vec<String> {
        self.does.iter().cloned().chain(["--".to_owned()]).chain(self.positional.iter().cloned()).collect()
    }

    /// The command line, with these flags added.
    pub fn arguments(&self, more: &[&str]) -> Vec<String> {
        let more = more.iter().map(|flag| (*flag).to_owned());
        let flags = self.does.iter().chain(&self.shows).cloned().chain(more);
        flags.chain(["--".to_owned()]).chain(self.positional.iter().cloned()).collect()
    }
}

/// The argument of this name; flags may be written with dashes.
fn given<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let dashed = || arguments.get(&name.replace('_', "-"));
    // Searches page like lists, only that the API takes it in the body.
    let paging = || arguments.get(name.strip_prefix("pagination_")?);
    arguments.get(name).or_else(dashed).or_else(paging)
}

fn known(entry: &Entry, name: &str, files: &Files) -> Result<(), Error> {
    let folded = name.replace('-', "_");
    let hidden = ["dry_run", "confirmation", "idempotent", "ignore_missing", "data_source"];
    let paging = format!("pagination_{folded}");
    let is_known = offered(entry, files)
        .any(|parameter| parameter.name == folded || parameter.name == paging)
        || common(entry).iter().any(|(other, _)| *other == folded)
        || hidden.contains(&folded.as_str());
    if is_known {
        return Ok(());
    }
    let is_file = entry.parameters.iter().any(|parameter| parameter.path && parameter.name == folded);
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
        Shape::Choice(choices) if !choices.contains(&text) => {
            let message = format!("{name}: {value} is none of {}", choices.join(", "));
            Err(Error::usage_with_hint(message, "use one of these values, letter by letter"))
        }
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

fn below(name: &str, root: &Path, path: &str) -> Result<String, Error> {
    let allowed = capture::below(root, Path::new(path)).map_err(|reason| {
        Error::usage_with_hint(format!("{name}: {reason}"), "name a path below the folder given with --root")
    })?;
    Ok(allowed.to_string_lossy().into_owned())
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
    fn a_command_that_assumes_a_folder_needs_one_that_is_allowed() {
        let mut command = catalog().entry("tags_list").unwrap().clone();
        let folder = Parameter {
            name: "folder".to_owned(),
            flag: Some("from".to_owned()),
            shape: Shape::Text,
            required: false,
            path: true,
            switch: false,
            joined: false,
            default: Some("articles".to_owned()),
            help: String::new(),
        };
        command.parameters.push(folder);
        assert!(Call::bind(&command, &Map::new(), &Files::None).is_err());
        let root = tempfile::tempdir().unwrap();
        let call = Call::bind(&command, &Map::new(), &Files::Below(root.path().to_owned())).unwrap();
        let expected = root.path().canonicalize().unwrap().join("articles");
        assert_eq!(call.essence()[2], format!("--from={}", expected.display()));
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
