//! Sends every operation through the typed client and validates the request against the description in `spec/`.

use std::collections::{BTreeMap, BTreeSet};

use crate::codegen::description::Description;
use crate::codegen::schema;
use crate::endpoints::{default_version, description, descriptions, facts_in, sample};
use crate::support::{RecordedRequest, Server};
use intercom::api::ApiVersion;
use intercom::api::commands::OPERATIONS;
use intercom::api::operation::{Kind, Operation, Paging, Place};
use intercom::{Client, Token};
use serde_json::Value;

#[rustfmt::skip]
#[path = "../../generated/calls.rs"]
#[allow(clippy::all, reason = "generated")]
#[rustfmt::skip]
pub mod calls;

type Descriptions = BTreeMap<String, Description>;

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

/// The version that a request names: the pinned one, or another one that describes the operation and everything that was
/// sent.
fn named_version(descriptions: &Descriptions, operation: &Operation, sent: &BTreeSet<String>) -> String {
    let lowest = default_version(operation);
    let first_with = |name: &String| {
        let mut versions = descriptions.iter().filter(|(_, description)| {
            let Some(facts) = facts_in(description, operation) else { return false };
            let is_field = facts.body.is_some_and(|(_, schema)| {
                schema::fields(description, schema).iter().any(|field| field.name == *name)
            });
            is_field || facts.parameters.iter().any(|parameter| parameter.name == *name)
        });
        versions.next().map(|(version, _)| version.parse::<ApiVersion>().unwrap())
    };
    sent.iter().filter_map(first_with).fold(lowest, Ord::max).to_string()
}

/// What is wrong with a request in which everything is set.
fn problems(
    merged: &Description,
    descriptions: &Descriptions,
    operation: &Operation,
    request: &RecordedRequest,
) -> Vec<String> {
    let facts = merged.operations().into_iter().find(|facts| facts.id == operation.id).unwrap();
    let mut problems = Vec::new();
    let mut sent = BTreeSet::new();
    let mut expect = |what: &str, actual: &str, expected: &str| {
        if actual != expected {
            problems.push(format!("{}: {what} is {actual}, expected {expected}", operation.id));
        }
    };
    expect("method", &request.method, &facts.method.to_ascii_uppercase());
    expect("path", &request.path, &expected_path(operation));
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Query) {
        let is_set_by_list = operation.paging != Paging::None && PAGING.contains(&parameter.name);
        if parameter.name.contains('.') || is_set_by_list {
            continue;
        }
        if let Some(expected) = expected_query(parameter.kind) {
            let value = request.query(parameter.name).unwrap_or("nothing");
            // Some ids in the query are types, which accept integers.
            if !(parameter.name.ends_with("_id") && value == "12345678901") {
                expect(parameter.name, value, &expected);
            }
            sent.insert(parameter.name.to_owned());
        }
    }
    let body: Value = match facts.body {
        Some(_) => {
            serde_json::from_slice(&request.body).unwrap_or_else(|error| panic!("{}: {error}", operation.id))
        }
        None => {
            expect("body", &String::from_utf8_lossy(&request.body), "");
            Value::Null
        }
    };
    sent.extend(body.as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    let version = request.header("intercom-version").unwrap_or_default();
    expect("version", version, &named_version(descriptions, operation, &sent));
    let Some((_, schema)) = facts.body else { return problems };
    let is_search = matches!(operation.paging, Paging::CursorInBody { .. });
    for field in schema::fields(merged, schema).iter().filter(|_| !is_search) {
        if body.get(&field.name).is_none() {
            problems.push(format!("{}: {} is not sent", operation.id, field.name));
        }
    }
    let mut checked = schema::json_schema(schema);
    checked["$defs"] = Value::Object(schema::definitions(merged, std::iter::once(schema)));
    let validator = jsonschema::validator_for(&checked).unwrap();
    // The samples keep to no limits on lengths, and to no choices that are not text.
    let errors = validator.iter_errors(&body).map(|error| error.to_string()).filter(|error| {
        // Choices of lists, and those that are not text, are typed as any text or number.
        let is_sample = !error.starts_with('"') || error.contains("a text/with");
        let is_other_choice = is_sample && error.contains(" is not one of ");
        !is_other_choice && !error.contains(" is shorter than ")
    });
    problems.extend(errors.map(|error| format!("{}: {error} in {body}", operation.id)));
    problems
}

/// The calls set every field of every body, which takes more stack than a test has without optimizations.
const STACK: usize = 256 << 20;

#[test]
fn every_operation_is_sent_as_described() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = move || runtime.block_on(send_every_operation());
    std::thread::Builder::new().stack_size(STACK).spawn(test).unwrap().join().unwrap();
}

async fn send_every_operation() {
    let (description, descriptions) = (description(), descriptions());
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
    let offered = || OPERATIONS.iter().filter(|operation| !calls::OMITTED.contains(&operation.id));
    for operation in offered() {
        calls::send(&client, &samples, operation.id).await;
        let requests = server.take();
        // A scroll that ends without records starts again once.
        let expected = if operation.paging == Paging::Scroll { 2 } else { 1 };
        assert_eq!(requests.len(), expected, "{}", operation.id);
        found.extend(problems(&description, &descriptions, operation, &requests[0]));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let called: BTreeSet<&str> = calls::IDS.iter().copied().collect();
    assert_eq!(called, offered().map(|operation| operation.id).collect());
}
