//! Sends every operation through the typed client and validates the request against the description in `spec/`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::codegen;
use crate::codegen::description::{Description, OperationFacts};
use crate::codegen::schema;
use crate::endpoints::sample;
use crate::support::{RecordedRequest, Server};
use intercom::api::commands::{OPERATIONS, SPEC_VERSION};
use intercom::api::operation::{Kind, Operation, Paging, Place};
use intercom::{Client, Token};
use serde_json::Value;

#[path = "../../generated/calls.rs"]
#[allow(clippy::all, reason = "generated")]
mod calls;

/// Parameters that lists set themselves.
const PAGING: [&str; 5] = ["page", "per_page", "starting_after", "cursor", "scroll_param"];

fn expected_path(operation: &Operation) -> String {
    let mut path = operation.path.to_owned();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
        path = path.replace(&format!("{{{}}}", parameter.name), "5f%2F%C3%BC%201");
    }
    path
}

fn expected_query(kind: Kind) -> Option<String> {
    Some(match kind {
        Kind::String => "a text/with ünsafe?&".into(),
        Kind::Integer => "12345678901".into(),
        Kind::Number => "1.5".into(),
        Kind::Boolean => "false".into(),
        Kind::Time => "1779580800".into(),
        Kind::Choice(values) => values[0].into(),
        Kind::List(_) | Kind::Json => return None,
    })
}

fn problems(description: &Description, operation: &Operation, facts: &OperationFacts, request: &RecordedRequest) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expect = |what: &str, actual: String, expected: String| {
        if actual != expected {
            problems.push(format!("{}: {what} {actual}, expected {expected}", operation.id));
        }
    };
    expect("method", request.method.clone(), facts.method.to_ascii_uppercase());
    expect("path", request.path.clone(), expected_path(operation));
    let version = request.header("intercom-version").unwrap_or_default();
    expect("version", version.to_owned(), operation.version.unwrap_or(SPEC_VERSION).to_owned());
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Query) {
        let is_set_by_list = operation.paging != Paging::None && PAGING.contains(&parameter.name);
        if parameter.name.contains('.') || is_set_by_list {
            continue;
        }
        if let Some(expected) = expected_query(parameter.kind) {
            let sent = request.query(parameter.name).unwrap_or("nothing").to_owned();
            // Ids in the query have types of their own.
            let expected = if parameter.name.ends_with("_id") && sent == "12345678901" { sent.clone() } else { expected };
            expect(parameter.name, sent, expected);
        }
    }
    let Some((_, schema)) = facts.body else {
        expect("body", String::from_utf8_lossy(&request.body).into_owned(), String::new());
        return problems;
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let is_search = matches!(operation.paging, Paging::CursorInBody { .. });
    for field in schema::fields(description, schema).iter().filter(|_| !is_search) {
        if body.get(&field.name).is_none() {
            problems.push(format!("{}: {} is not sent", operation.id, field.name));
        }
    }
    let mut checked = schema::json_schema(schema);
    checked["$defs"] = Value::Object(schema::definitions(description, std::iter::once(schema)));
    let validator = jsonschema::validator_for(&checked).unwrap();
    problems.extend(validator.iter_errors(&body).map(|error| format!("{}: {error} in {body}", operation.id)));
    problems
}

#[tokio::test]
async fn every_operation_is_sent_as_described() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec");
    let description = codegen::load(&spec).unwrap().description;
    let facts = description.operations();
    let server = Server::always(200, "{}");
    let client = Client::builder()
        .base_url(&server.url)
        .unwrap()
        .token(Token::new("dG9rOnRlc3Q").unwrap())
        .no_retries()
        .no_rate_limit()
        .build()
        .unwrap();
    let samples = |id: &str, name: &str| {
        let facts = facts.iter().find(|facts| facts.id == id).unwrap();
        let mut schema = facts.body.map(|(_, schema)| schema.clone()).unwrap_or_default();
        for key in name.split('.').filter(|key| !key.is_empty()) {
            let resolved = description.resolve(&schema);
            let inside = if resolved["type"] == "array" { &resolved["items"] } else { resolved };
            let fields = schema::fields(&description, inside);
            schema = fields.into_iter().find(|field| field.name == key).unwrap().schema;
        }
        sample(&description, &schema)
    };
    let mut found = Vec::new();
    for operation in OPERATIONS {
        let facts = facts.iter().find(|facts| facts.id == operation.id).unwrap();
        calls::send(&client, &samples, operation.id).await;
        let requests = server.take();
        match &requests[..] {
            [request] => found.extend(problems(&description, operation, facts, request)),
            others => found.push(format!("{}: {} requests", operation.id, others.len())),
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let called: BTreeSet<&str> = calls::IDS.iter().copied().collect();
    assert_eq!(called, OPERATIONS.iter().map(|operation| operation.id).collect());
}
