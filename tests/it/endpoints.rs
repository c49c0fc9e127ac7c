//! Runs every operation through the binary and validates the request against the description in `spec/`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::codegen;
use crate::codegen::description::{Description, OperationFacts};
use crate::codegen::overlay::Overlay;
use crate::codegen::schema;
use crate::support::{RecordedRequest, Server, against, stderr};
use intercom::api::ApiVersion;
use intercom::api::commands::OPERATIONS;
use intercom::api::operation::{Answer, Effect, Kind, Operation, Parameter, Place, Scalar};
use serde_json::{Map, Value, json};

fn spec() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("spec")
}

/// The merged description, from which command lines are made.
pub fn description() -> Description {
    codegen::load(&spec()).unwrap().description
}

/// The corrected description of each version alone, against which requests are checked.
pub fn descriptions() -> BTreeMap<String, Description> {
    let paths = codegen::description_paths(&spec()).unwrap();
    let described = paths.into_iter().map(|(version, path)| {
        let overlay = std::fs::read_to_string(spec().join("overlay.yaml")).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let merged = codegen::merged(&[text], Overlay::parse(&overlay).unwrap()).unwrap();
        (version.to_string(), merged.description)
    });
    described.collect()
}

/// The operation in the description of one version.
pub fn facts_in<'a>(description: &'a Description, operation: &Operation) -> Option<OperationFacts<'a>> {
    let shape = |path: &str| {
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
        segments.collect::<Vec<_>>().join("/")
    };
    let same = |facts: &OperationFacts| {
        facts.method.eq_ignore_ascii_case(operation.method.as_str())
            && shape(facts.path) == shape(operation.path)
    };
    description.operations().into_iter().find(same)
}

/// The version that a request names by default: the pinned one, or another one that has the operation.
pub fn default_version(operation: &Operation) -> ApiVersion {
    let order = |version: &str| version.parse::<ApiVersion>().unwrap();
    let base =
        operation.until.map_or_else(ApiVersion::pinned, |until| ApiVersion::pinned().min(order(until)));
    operation.version.map_or(base.clone(), |needed| base.max(order(needed)))
}

/// Whether a version of the API has a parameter.
fn is_in(parameter: &Parameter, version: &str) -> bool {
    let order = |version: &str| version.parse::<ApiVersion>().unwrap();
    parameter.place == Place::Path
        || parameter.history.is_none_or(|history| {
            history.since.is_none_or(|since| order(since) <= order(version))
                && history.until.is_none_or(|until| order(until) >= order(version))
        })
}

/// A small value that matches a schema of the description.
pub fn sample(description: &Description, schema: &Value) -> Value {
    nested_sample(description, schema, 0)
}

fn nested_sample(description: &Description, schema: &Value, depth: usize) -> Value {
    let schema = description.resolve(schema);
    let choices = schema["enum"].as_array();
    if let Some(choice) = choices.and_then(|choices| choices.iter().find(|choice| !choice.is_null())) {
        return choice.clone();
    }
    let is_complete = |alternative: &&Value| {
        description.resolve(alternative).get("type").is_some() || alternative.get("properties").is_some()
    };
    for combination in ["oneOf", "anyOf"] {
        let first = schema[combination].as_array().and_then(|alternatives| alternatives.first());
        if let Some(first) = first.filter(is_complete) {
            return nested_sample(description, first, depth + 1);
        }
    }
    match schema["type"].as_str() {
        Some("string") => {
            let length = schema["minLength"].as_u64().unwrap_or(1);
            json!("x".repeat(usize::try_from(length).unwrap()))
        }
        Some("integer") => json!(7),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        // A list can be empty where its elements would never end.
        Some("array") if depth > 16 => json!([]),
        Some("array") => json!([nested_sample(description, &schema["items"], depth + 1)]),
        _ => {
            // Schemas can be recursive.
            let fields = schema::fields(description, schema);
            let fields = fields.iter().filter(|field| depth < 4 || field.required);
            let fields = fields
                .map(|field| (field.name.clone(), nested_sample(description, &field.schema, depth + 1)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn text(kind: Kind, json: impl FnOnce() -> String) -> String {
    match kind {
        Kind::String | Kind::List(Scalar::String) => "a text/with ünsafe?&".into(),
        Kind::Integer | Kind::List(Scalar::Integer) => "12345678901".into(),
        Kind::Number | Kind::List(Scalar::Number) => "1.5".into(),
        Kind::Boolean | Kind::List(Scalar::Boolean) => "false".into(),
        Kind::Time => "2026-05-24".into(),
        Kind::Choice(values) => values[0].into(),
        Kind::Json => json(),
    }
}

/// The JSON that is sent for the text from [`text`].
fn wire(kind: Kind) -> Value {
    match kind {
        Kind::List(_) => json!([scalar(kind)]),
        _ => scalar(kind),
    }
}

fn scalar(kind: Kind) -> Value {
    match kind {
        Kind::Integer | Kind::List(Scalar::Integer) => json!(12345678901_u64),
        Kind::Number | Kind::List(Scalar::Number) => json!(1.5),
        Kind::Boolean | Kind::List(Scalar::Boolean) => json!(false),
        Kind::Time => json!(1_779_580_800),
        _ => json!(text(kind, || unreachable!("JSON values are checked against the schema"))),
    }
}

/// The command line for an operation, with all flags that a version has.
fn command_line(
    description: &Description,
    operation: &Operation,
    facts: &OperationFacts,
    version: &str,
) -> Vec<String> {
    let fields = facts.body.map(|(_, schema)| schema::fields(description, schema)).unwrap_or_default();
    let mut words: Vec<String> = operation.command.split(' ').map(str::to_owned).collect();
    let mut flags = Vec::new();
    for parameter in operation.parameters.iter().filter(|parameter| is_in(parameter, version)) {
        let json = || {
            let schema = match parameter.place {
                Place::Body => &fields.iter().find(|field| field.name == parameter.name).unwrap().schema,
                _ => &facts.parameters.iter().find(|other| other.name == parameter.name).unwrap().schema,
            };
            sample(description, schema).to_string()
        };
        match parameter.place {
            Place::Path => words.push(path_value(parameter).into()),
            // An object is given either whole or field by field, so skip its fields.
            _ if parameter.name.contains('.') => {}
            _ => flags.push(format!("--{}={}", parameter.flag, text(parameter.kind, json))),
        }
    }
    if let Some((_, schema)) = facts.body.filter(|_| fields.is_empty()) {
        flags.push(format!("--body-json={}", sample(description, schema)));
    }
    words.extend(flags);
    words.extend(["--json".into(), "--yes".into()]);
    words
}

fn path_value(parameter: &Parameter) -> &'static str {
    if parameter.kind == Kind::Integer { "12345678901" } else { "5f/ü 1" }
}

fn expected_path(operation: &Operation) -> String {
    let mut path = operation.path.to_owned();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
        let value = if parameter.kind == Kind::Integer { "12345678901" } else { "5f%2F%C3%BC%201" };
        path = path.replace(&format!("{{{}}}", parameter.name), value);
    }
    path
}

fn check_body(
    description: &Description,
    operation: &Operation,
    facts: &OperationFacts,
    version: &str,
    request: &RecordedRequest,
) {
    let id = operation.id;
    let Some((_, schema)) = facts.body else {
        assert!(request.body.is_empty(), "{id} takes no body");
        return;
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_else(|error| panic!("{id}: {error}"));
    let fields = operation.parameters.iter().filter(|parameter| parameter.place == Place::Body);
    for parameter in fields.filter(|parameter| is_in(parameter, version)) {
        if parameter.name.contains('.') {
            continue;
        }
        let sent =
            body.get(parameter.name).unwrap_or_else(|| panic!("{id} does not send {}", parameter.name));
        let is_retyped = parameter.history.is_some_and(|history| history.retyped.is_some());
        if parameter.kind != Kind::Json && !is_retyped {
            assert_eq!(*sent, wire(parameter.kind), "{id}: {}", parameter.name);
        }
    }
    let mut checked = schema::json_schema(schema);
    checked["$defs"] = Value::Object(schema::definitions(description, std::iter::once(schema)));
    let errors: Vec<String> = jsonschema::validator_for(&checked)
        .unwrap()
        .iter_errors(&body)
        .map(|error| error.to_string())
        // The samples are large, to show that no number passes through a float.
        .filter(|error| !error.contains("greater than the maximum"))
        // Choices that are not text are typed as any number, for example.
        .filter(|error| error.starts_with('"') || !error.contains(" is not one of "))
        // Lists of choices are typed as lists of texts.
        .filter(|error| !(error.contains("a text/with") && error.contains("is not one of")))
        .collect();
    assert!(errors.is_empty(), "{id}: {body} {errors:?}");
}

#[test]
fn every_operation_sends_a_request_that_matches_the_description() {
    let (description, descriptions) = (description(), descriptions());
    let facts = description.operations();
    let newest = descriptions.keys().next_back().unwrap();
    let server = Server::always(200, "{}");
    let home = tempfile::tempdir().unwrap();
    for operation in OPERATIONS {
        let facts = facts.iter().find(|facts| facts.id == operation.id).unwrap();
        let default = default_version(operation).to_string();
        let latest = operation.until.unwrap_or(newest);
        for (version, requested) in
            [(default.as_str(), None), (latest, Some(format!("--api-version={newest}")))]
        {
            let mut words = command_line(&description, operation, facts, version);
            words.extend(requested);
            let output = against(home.path(), &server.url).args(&words).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
            let requests = server.take();
            assert_eq!(requests.len(), 1, "{words:?}");
            check(operation, version, &requests[0], &words);
            let described = &descriptions[version];
            let facts = facts_in(described, operation).unwrap_or_else(|| panic!("{}", operation.id));
            check_body(described, operation, &facts, version, &requests[0]);
        }
    }
}

fn check(operation: &Operation, version: &str, request: &RecordedRequest, words: &[String]) {
    assert_eq!(request.method, operation.method.as_str(), "{words:?}");
    assert_eq!(request.path, expected_path(operation), "{words:?}");
    assert_eq!(request.header("authorization"), Some("Bearer dG9rOnRlc3Q"));
    assert_eq!(request.header("intercom-version"), Some(version), "{words:?}");
    if !request.body.is_empty() {
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    let queried = operation.parameters.iter().filter(|parameter| parameter.place == Place::Query);
    for parameter in queried.filter(|parameter| is_in(parameter, version)) {
        if parameter.kind == Kind::Json || parameter.name.contains('.') {
            continue;
        }
        let expected = scalar(parameter.kind);
        let expected = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
        assert_eq!(request.query(parameter.name), Some(expected.as_str()), "{words:?}");
    }
}

#[test]
fn every_spelling_of_a_command_calls_the_same_operation() {
    let server = Server::always(200, "{}");
    let home = tempfile::tempdir().unwrap();
    let is_json_read = |operation: &&Operation| {
        operation.effect == Effect::Read && operation.body.is_none() && operation.answer == Answer::Json
    };
    for operation in OPERATIONS.iter().filter(is_json_read) {
        for spelling in operation.readable {
            let mut words: Vec<String> = spelling.split(' ').map(str::to_owned).collect();
            let required = operation.parameters.iter().filter(|parameter| parameter.required);
            words.extend(required.map(|parameter| match parameter.place {
                Place::Path => path_value(parameter).to_owned(),
                _ => format!("--{}={}", parameter.flag, text(parameter.kind, || r#"{"user_id":"1"}"#.into())),
            }));
            let output = against(home.path(), &server.url).args(&words).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
            let requests = server.take();
            assert_eq!(requests[0].path, expected_path(operation), "{words:?}");
        }
    }
}

#[test]
fn a_group_with_a_single_operation_runs_it() {
    let server = Server::always(200, r#"{"id":"1"}"#);
    let home = tempfile::tempdir().unwrap();
    for (words, path) in [
        (["contacts", "archive", "abc"], "/contacts/abc/archive"),
        (["contacts", "block", "abc"], "/contacts/abc/block"),
    ] {
        let output = against(home.path(), &server.url).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(server.take()[0].path, path);
    }
}

#[test]
fn an_exploded_object_in_the_query_can_be_given_in_any_form() {
    let server = Server::always(200, "{}");
    let home = tempfile::tempdir().unwrap();
    for filter in [r#"--filter={"user_id":"u1"}"#, "--filter=user_id=u1", "--filter-user-id=u1"] {
        let words = ["events", "lis-data", "--type=user", filter];
        let output = against(home.path(), &server.url).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let requests = server.take();
        assert_eq!(requests[0].query("user_id"), Some("u1"), "{filter}");
        assert_eq!(requests[0].query("type"), Some("user"));
        assert_eq!(requests[0].query("filter"), None);
    }
    let output =
        against(home.path(), &server.url).args(["events", "lis-data", "--type=user"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}
