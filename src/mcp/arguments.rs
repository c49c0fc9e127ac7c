//! Converts the arguments of a tool call to a command line.
//!
//! Every value becomes the value of one flag or one positional argument, whatever it contains: nothing that an
//! agent sends may become a flag. Only declared arguments are accepted.

mod values;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::values::{boolean, text, typed};
use super::schema::{common, is_list, is_thread, offered};
use crate::api::operation::Place;
use crate::cli::catalog::{CatalogEntry, CommandParameter, Shape};
use crate::cli::error::Error;
use crate::cli::streams::FilePolicy;

const COMPACT: &str = "--compact";

/// A call whose arguments are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The command's words and its flags.
    command: Vec<String>,
    positional: Vec<String>,
    /// Flags for the format of the output.
    output_flags: Vec<String>,
    /// The arguments under their canonical names.
    given: Map<String, Value>,
    /// Replaces `command` once the request body is fixed.
    fixed_body: Option<Vec<String>>,
    pub dry_run: bool,
    pub confirmation: Option<String>,
}

impl ToolCall {
    /// Binds the arguments of a call of this command.
    ///
    /// # Errors
    /// [`Error::Usage`] for an argument that is unknown, missing, duplicate, of the wrong type or not allowed.
    pub fn bind(
        entry: &CatalogEntry,
        arguments: &Map<String, Value>,
        files: &FilePolicy,
    ) -> Result<Self, Error> {
        let arguments = &normalized(entry, arguments, files)?;
        let mut call = ToolCall {
            command: entry.words.split(' ').map(str::to_owned).collect(),
            positional: Vec::new(),
            output_flags: vec!["--json".to_owned(), "--no-input".to_owned()],
            given: arguments.clone(),
            fixed_body: None,
            dry_run: false,
            confirmation: None,
        };
        for parameter in offered(entry, files) {
            match arguments.get(&parameter.name) {
                Some(value) if !value.is_null() => call.add(parameter, value)?,
                // A flag may have alternatives, so the command itself checks whether one is missing.
                _ if parameter.required && parameter.flag.is_none() && entry.operation().is_some() => {
                    return Err(Error::usage_with_hint(
                        format!("{}: missing argument {:?}", entry.words, parameter.name),
                        format!("see describe_command with command {:?}", entry.words),
                    ));
                }
                _ => {}
            }
        }
        // Without a limit, `tail` would never end.
        if entry.words == "tail" && !arguments.contains_key("polls") {
            call.command.push("--polls=1".to_owned());
        }
        call.add_common(entry, arguments)?;
        Ok(call)
    }

    fn add_common(&mut self, entry: &CatalogEntry, arguments: &Map<String, Value>) -> Result<(), Error> {
        let declares = |name: &str| entry.parameters.iter().any(|parameter| parameter.name == name);
        for name in ["select", "jq"].into_iter().filter(|name| !declares(name)) {
            if let Some(value) = arguments.get(name).filter(|value| !value.is_null()) {
                self.output_flags.push(format!("--{name}={}", text(name, value)?));
            }
        }
        if let Some(value) = arguments.get("data_source") {
            self.output_flags.push(format!("--data-source={}", text("data_source", value)?));
        }
        for name in ["idempotent", "ignore_missing"].into_iter().filter(|name| !declares(name)) {
            if boolean(name, arguments.get(name))? {
                self.output_flags.push(format!("--{}", name.replace('_', "-")));
            }
        }
        let compact = match (arguments.get("compact"), arguments.get("full")) {
            (Some(compact), _) => Some(boolean("compact", Some(compact))?),
            (None, Some(full)) if !declares("full") => Some(!boolean("full", Some(full))?),
            (None, _) => None,
        };
        // `select` and `jq` may refer to any field.
        let chooses = ["select", "jq"].into_iter().any(|name| arguments.contains_key(name));
        if compact.unwrap_or((is_list(entry) || is_thread(entry)) && !chooses) && !declares("compact") {
            self.output_flags.push(COMPACT.to_owned());
        }
        self.dry_run = boolean("dry_run", arguments.get("dry_run"))?;
        self.confirmation =
            arguments.get("confirmation").map(|value| text("confirmation", value)).transpose()?;
        Ok(())
    }

    fn add(&mut self, parameter: &CommandParameter, value: &Value) -> Result<(), Error> {
        let name = &parameter.name;
        let values = typed(parameter, value)?;
        // Prevent path traversal in URLs.
        let is_id = parameter.flag.is_none() && parameter.access.is_none() && parameter.shape != Shape::Json;
        if is_id && values.iter().any(|value| value.split(['/', '\\']).any(|part| part == "..")) {
            return Err(Error::usage_with_hint(
                format!("{name}: invalid id {:?}", values.join(",")),
                "use the id alone, exactly as in the field `id` of a result",
            ));
        }
        match &parameter.flag {
            None => self.positional.extend(values),
            Some(flag) if parameter.is_switch => {
                if values.iter().any(|value| value == "true") {
                    self.command.push(format!("--{flag}"));
                }
            }
            Some(flag) if parameter.is_comma_separated => {
                self.command.push(format!("--{flag}={}", values.join(",")))
            }
            Some(flag) => self.command.extend(values.into_iter().map(|value| format!("--{flag}={value}"))),
        }
        Ok(())
    }

    /// What a confirmation refers to: the command line without its output format. The order of object keys is
    /// ignored.
    pub fn identity(&self) -> Vec<String> {
        let command = self.command.iter().map(|word| match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => match serde_json::from_str::<Value>(value) {
                Ok(value) if value.is_object() || value.is_array() => format!("{flag}={}", sorted(value)),
                _ => word.clone(),
            },
            _ => word.clone(),
        });
        command.chain(["--".to_owned()]).chain(self.positional.iter().cloned()).collect()
    }

    /// The arguments under their canonical names, without nulls.
    pub fn given(&self) -> &Map<String, Value> {
        &self.given
    }

    /// Whether the command line has this flag, with any value.
    pub fn has_flag(&self, flag: &str) -> bool {
        let is_flag = |word: &String| {
            let rest = word.strip_prefix("--").and_then(|word| word.strip_prefix(flag));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        self.command.iter().any(is_flag)
    }

    /// Sends exactly this body. Building it from the arguments again could give another one: files change, and
    /// relative times pass.
    pub fn fix_body(&mut self, entry: &CatalogEntry, body: &Value) {
        let in_body = |flag: &str| {
            ["body-json", "null"].contains(&flag)
                || entry.operation().is_some_and(|operation| {
                    operation
                        .parameters
                        .iter()
                        .any(|parameter| parameter.place == Place::Body && parameter.flag == flag)
                })
        };
        let makes_body = |word: &String| {
            let flag = word.strip_prefix("--").map(|word| word.split('=').next().unwrap_or_default());
            flag.is_some_and(in_body)
        };
        let kept = self.command.iter().filter(|word| !makes_body(word)).cloned();
        self.fixed_body = Some(kept.chain([format!("--body-json={body}")]).collect());
    }

    /// Whether only key fields are shown by default.
    pub fn is_compact(&self) -> bool {
        self.output_flags.iter().any(|flag| flag == COMPACT) && !self.given.contains_key("compact")
    }

    /// Whether values leave their original fields.
    pub fn derives_values(&self) -> bool {
        let renames = |select: &Value| select.as_str().is_some_and(|select| select.contains(':'));
        self.given.contains_key("jq") || self.given.get("select").is_some_and(renames)
    }

    /// Whether the output is made by the caller's jq program.
    pub fn has_program(&self) -> bool {
        self.given.contains_key("jq")
    }

    /// The command line of the full dry run.
    pub fn plan_arguments(&self) -> Vec<String> {
        let flags = ["--json", "--no-input", "--dry-run", "--"].map(str::to_owned);
        self.command.iter().cloned().chain(flags).chain(self.positional.iter().cloned()).collect()
    }

    /// The command line, plus these flags.
    pub fn arguments(&self, more: &[&str]) -> Vec<String> {
        let more = more.iter().map(|flag| (*flag).to_owned());
        let command = self.fixed_body.as_ref().unwrap_or(&self.command);
        let flags = command.iter().chain(&self.output_flags).cloned().chain(more);
        flags.chain(["--".to_owned()]).chain(self.positional.iter().cloned()).collect()
    }
}

/// Sorts the keys of all objects.
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

/// The arguments under their canonical names: dashes equal underscores, and null means not given. All code reads
/// the arguments from here, so that no two readers can see different values.
///
/// # Errors
/// [`Error::Usage`] for an argument that is unknown, or given under two names.
fn normalized(
    entry: &CatalogEntry,
    arguments: &Map<String, Value>,
    files: &FilePolicy,
) -> Result<Map<String, Value>, Error> {
    let mut canonical = Map::new();
    for (name, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
        check_known(entry, name, files)?;
        let declared = canonical_name(entry, name);
        if canonical.insert(declared.clone(), value.clone()).is_some() {
            let message = format!("{}: the argument {declared:?} is given twice", entry.words);
            return Err(Error::usage_with_hint(message, "give each argument only once"));
        }
    }
    Ok(canonical)
}

/// The name of an argument as the command declares it.
fn canonical_name(entry: &CatalogEntry, name: &str) -> String {
    let folded = name.replace('-', "_");
    // Searches have their pagination in the body.
    let paging = format!("pagination_{folded}");
    let has = |name: &str| entry.parameters.iter().any(|parameter| parameter.name == name);
    if !has(&folded) && has(&paging) { paging } else { folded }
}

fn check_known(entry: &CatalogEntry, name: &str, files: &FilePolicy) -> Result<(), Error> {
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
    let hint = if is_file {
        "local files can only be named if the server runs with --root FOLDER".to_owned()
    } else {
        let names: Vec<&str> = offered(entry, files).map(|parameter| parameter.name.as_str()).collect();
        format!("expected one of: {}", names.join(", "))
    };
    Err(Error::usage_with_hint(format!("{}: unknown argument {name:?}", entry.words), hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;
    use serde_json::json;

    fn bound(command: &str, arguments: Value) -> Result<Vec<String>, String> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let call = ToolCall::bind(catalog().entry(command).unwrap(), &arguments, &FilePolicy::None);
        call.map(|call| call.identity()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_cannot_become_flags() {
        let line = bound("contacts_show", json!({"id": "--base-url=http://evil"})).unwrap();
        assert_eq!(line, ["contacts", "show", "--", "--base-url=http://evil"]);
        let line = bound("sql", json!({"statement": "SELECT 1", "limit": 5})).unwrap();
        assert_eq!(line, ["sql", "--limit=5", "--", "SELECT 1"]);
    }

    #[test]
    fn values_of_the_wrong_type_are_usage_errors() {
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
    fn only_declared_arguments_are_accepted() {
        for name in
            ["base_url", "token", "region", "config", "db", "deliver", "header", "profile", "yes", "out"]
        {
            let error = bound("contacts_list", json!({ name: "x" })).unwrap_err();
            assert!(error.contains("unknown argument"), "{name}: {error}");
        }
        assert!(bound("export", json!({"resource": "contacts", "output": "/tmp/x"})).is_err());
        assert!(bound("contacts_show", json!({})).unwrap_err().contains("missing argument \"id\""));
        assert!(bound("contacts_list", json!({"all": "maybe"})).is_err());
    }

    #[test]
    fn an_id_cannot_contain_path_traversal() {
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
