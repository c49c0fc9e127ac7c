//! The input schemas of all tools: compatible with every client, and consistent with the commands.

use intercom::sandbox::TOKEN;
use serde_json::{Map, Value, json};

use crate::commands::{code, sandbox};
use crate::mcp::client::Client;
use crate::support::{Server, against, binary, document, stderr, stdout};

const MODES: [&[&str]; 5] = [
    &[],
    &["--allow-writes"],
    &["--allow-writes", "--allow-destructive"],
    &["--toolsets", "contacts,conversations,messages", "--allow-writes", "--allow-destructive"],
    &["--all-tools", "--allow-writes", "--allow-destructive", "--root", "."],
];

/// Constructs of this schema that some client refuses.
fn faults(schema: &Value, place: &str, faults: &mut Vec<String>) {
    let Some(kind) = schema["type"].as_str() else {
        return faults.push(format!("{place}: {} is not one type", schema["type"]));
    };
    for keyword in ["anyOf", "oneOf", "allOf", "$ref", "not"] {
        if schema.get(keyword).is_some() {
            faults.push(format!("{place}: {keyword}"));
        }
    }
    if kind == "array" {
        self::faults(&schema["items"], &format!("{place}[]"), faults);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        self::faults(property, &format!("{place}.{name}"), faults);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if schema["properties"].get(name.as_str().unwrap()).is_none() {
            faults.push(format!("{place}: {name} is required and unknown"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_property_has_one_type_and_every_array_an_item_type() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut found = Vec::new();
    for mode in MODES {
        let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, mode);
        for tool in client.tools() {
            let name = tool["name"].as_str().unwrap();
            faults(&tool["inputSchema"], name, &mut found);
            // Clients prefix the server's name, and allow 60 characters in total.
            assert!(name.len() <= 42, "{name}");
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_that_are_always_listed_have_full_descriptions() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    for mode in &MODES[..3] {
        let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, mode);
        for tool in client.tools() {
            let properties = tool["inputSchema"]["properties"].as_object().unwrap().clone();
            for (name, property) in properties {
                let about = property["description"].as_str().unwrap_or_default();
                assert!(
                    about.len() > 2 && !about.ends_with([',', ';', ':']),
                    "{}.{name}: {about:?}",
                    tool["name"]
                );
            }
            let size = &tool["_meta"]["anthropic/maxResultSizeChars"];
            assert!(size.is_null() || size.as_u64().unwrap() >= 25_000, "{tool}");
        }
    }
}

/// The smallest object that a schema accepts.
fn least(schema: &Value) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = required.iter().map(|name| {
        let name = name.as_str().unwrap();
        (name.to_owned(), value(name, &schema["properties"][name]))
    });
    properties.collect::<Map<_, _>>().into()
}

fn value(name: &str, schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().map(|values| &values[0]) {
        return first.clone();
    }
    match schema["type"].as_str().unwrap() {
        "integer" | "number" => json!(1_800_000_000),
        "boolean" => json!(true),
        "array" => json!([value(name, &schema["items"])]),
        "object" => least(schema),
        _ if name == "where" => json!("updated_at > 1d"),
        _ if name == "set" => json!("name=Ann"),
        _ if name.contains("until") || name.contains("at") && name.contains('_') => json!("2030-01-01"),
        _ => json!("1"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_required_fields_of_a_schema_suffice() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mode = ["--all-tools", "--allow-writes", "--allow-destructive"];
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &mode);
    client.content("sync", json!({ "resources": ["tags"] }));
    let mut refused = Vec::new();
    for tool in client.tools() {
        let name = tool["name"].as_str().unwrap().to_owned();
        let mut arguments = least(&tool["inputSchema"]);
        if !tool["inputSchema"]["properties"]["dry_run"].is_null() {
            arguments["dry_run"] = json!(true);
        }
        let result = client.call(&name, arguments.clone());
        let error = &result["structuredContent"]["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let complains = ["missing", "required", "contradict", "which", "to whom", "give "]
            .iter()
            .any(|phrase| message.contains(phrase));
        if error["kind"] == "usage" && complains {
            refused.push(format!("{name} {arguments}: {message}"));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_given_whole_or_by_fields_but_not_with_conflicting_values() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client =
        Client::start(home.path(), &sandbox.base_url(), TOKEN, &["--allow-writes", "--allow-destructive"]);
    let body = |more: Value| {
        let mut arguments = json!({ "body": "Hello", "dry_run": true });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let whole = json!({ "from": { "type": "user", "id": "c1" } });
    let parts = json!({ "from_type": "user", "from_id": "c1" });
    let both = json!({ "from": { "type": "user", "id": "c1" }, "from_type": "user" });
    for arguments in [whole, parts, both] {
        let plan = client.content("conversations_create", body(arguments));
        let sent = if plan["plan"].is_object() { &plan["plan"]["body"] } else { &plan["body"] };
        assert_eq!(sent["from"], json!({ "type": "user", "id": "c1" }), "{plan}");
    }
    let contradiction = json!({ "from": { "type": "user", "id": "c1" }, "from_id": "c2" });
    let error = client.error("conversations_create", body(contradiction));
    assert!(error["message"].as_str().unwrap().contains("contradict"), "{error}");
    let listed = client.content("contacts_list", json!({ "limit": 1 }));
    let email = &listed["results"]["data"][0]["email"];
    let event = client.content("events_list-data", json!({ "type": "user", "filter_email": email }));
    assert!(event["results"].is_object(), "{event}");
    let error = client.error(
        "events_list-data",
        json!({ "type": "user", "filter": { "email": "ann@example.com" }, "filter_email": "bo@example.com" }),
    );
    assert!(error["message"].as_str().unwrap().contains("contradict"), "{error}");
    for line in [
        &[
            "conversations",
            "create",
            "--body",
            "x",
            "--from",
            r#"{"type":"user","id":"1"}"#,
            "--from-id",
            "2",
        ][..],
        &[
            "events",
            "list-data",
            "--type",
            "user",
            "--filter",
            "email=a@example.com",
            "--filter-email",
            "b@example.com",
        ],
    ] {
        let output = against(home.path(), &sandbox.base_url()).args(line).arg("--dry-run").output().unwrap();
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains("contradict each other"), "{}", stderr(&output));
    }
}

#[test]
fn help_and_schema_require_the_same_fields() {
    let home = tempfile::tempdir().unwrap();
    let help = |line: &[&str]| {
        let output = binary(home.path()).args(line).arg("--help").output().unwrap();
        // Examples name flags too.
        stdout(&output).split("Options:").nth(1).unwrap().to_owned()
    };
    let of = |help: &str, flag: &str| {
        let after = help.split(&format!("--{flag} ")).nth(1).unwrap_or_else(|| panic!("{flag}: {help}"));
        after.split("\n  --").next().unwrap().contains("required")
    };
    let create = help(&["conversations", "create"]);
    assert!(
        !of(&create, "from") && of(&create, "from-type") && of(&create, "from-id") && of(&create, "body")
    );
    let message = help(&["messages"]);
    assert!(
        of(&message, "message-type")
            && of(&message, "body")
            && of(&message, "from-id")
            && of(&message, "to-id")
    );
    assert!(!of(&message, "subject"));
}

#[test]
fn an_in_app_message_is_sent_with_the_api_value() {
    let server = Server::always(200, r#"{"type":"admin_message","id":"1"}"#);
    let home = tempfile::tempdir().unwrap();
    for written in ["inapp", "in_app", "in-app", "In_App"] {
        let line = [
            "messages",
            "--message-type",
            written,
            "--body",
            "Hi",
            "--from-id",
            "1",
            "--to-type",
            "user",
            "--to-id",
            "c1",
        ];
        let output = against(home.path(), &server.url).args(line).args(["--yes", "--json"]).output().unwrap();
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(document(&output)["results"]["id"], "1");
        assert_eq!(server.take().last().unwrap().json()["message_type"], "inapp", "{written}");
    }
    let mut client =
        Client::start(home.path(), &server.url, "dG9rOnRlc3Q", &["--allow-writes", "--allow-destructive"]);
    let call = json!({ "message_type": "in_app", "body": "Hi", "from_id": 1, "to_type": "user", "to_id": "c1", "dry_run": true });
    let plan = client.content("messages", call);
    assert_eq!(plan["plan"]["body"]["message_type"], "inapp", "{plan}");
}
