//! Permissions depend on the request that a call makes, however its arguments are written.

use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::{Value, json};

use crate::commands::{code, run, sandbox};
use crate::mcp::client::Client;
use crate::support::stderr;

fn writes(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.requests();
    let changing =
        requests.iter().filter(|request| request.method != "GET" && !request.path.ends_with("/search"));
    changing.map(|request| format!("{} {}", request.method, request.path)).collect()
}

fn writer(home: &std::path::Path, sandbox: &Sandbox) -> Client {
    Client::start(home, &sandbox.base_url(), TOKEN, &["--allow-writes"])
}

fn conversation(client: &mut Client) -> String {
    let listed = client.content("conversations_list", json!({ "per_page": 1 }));
    listed["results"]["conversations"][0]["id"].as_str().unwrap().to_owned()
}

fn contacts(client: &mut Client, most: usize) -> Vec<String> {
    let listed = client.content("contacts_list", json!({ "per_page": most, "select": "id" }));
    let ids = listed["results"]["data"].as_array().unwrap().iter();
    ids.map(|contact| contact["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_given_under_two_names_is_refused() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = writer(home.path(), &sandbox);
    let id = conversation(&mut client);
    let common = |more: &str| -> Value {
        let text = format!(r#"{{"id":"{id}","type":"admin","admin_id":"1","body":"hi customer",{more}}}"#);
        serde_json::from_str(&text).unwrap()
    };
    for twice in [
        r#""message-type":"note","message_type":"comment""#,
        r#""message_type":"note","message-type":"comment""#,
        r#""message_type":"comment","message-type":"note""#,
        r#""message_type":"note","message-type":"note""#,
    ] {
        for tool in ["conversations_reply_conversation", "tickets_reply_ticket"] {
            let error = client.error(tool, common(twice));
            assert_eq!(error["kind"], "usage", "{twice}: {error}");
            assert!(error["message"].as_str().unwrap().contains("given twice"), "{error}");
        }
        let by_name = json!({ "command": "conversations reply conversation", "arguments": common(twice) });
        assert_eq!(client.error("run_write", by_name)["kind"], "usage");
    }
    // The same argument inside and beside `arguments`.
    for (outer, value) in [("message_type", "comment"), ("message-type", "comment")] {
        let mut by_name = json!({ "command": "conversations reply conversation",
            "arguments": common(r#""message_type":"note""#) });
        by_name[outer] = json!(value);
        assert_eq!(client.error("run_write", by_name)["kind"], "usage", "{outer}");
    }
    for (name, twice) in [
        ("contacts_list", json!({ "per_page": 5, "per-page": 6 })),
        ("contacts_search", json!({ "where": "role = user", "per_page": 5, "pagination_per_page": 6 })),
        ("conversations_bulk-close", json!({ "where": "state = open", "dry-run": true, "dry_run": false })),
    ] {
        assert_eq!(client.error(name, twice)["kind"], "usage", "{name}");
    }
    assert_eq!(writes(&sandbox), Vec::<String>::new());
    // A null argument counts as absent.
    let once = common(&format!(
        r#""message-type":null,"message_type":"note","admin-id":null,"created_at":null,"admin_id":"{}""#,
        client.content("me", json!({}))["results"]["id"].as_str().unwrap()
    ));
    client.content("conversations_reply_conversation", once);
    assert_eq!(writes(&sandbox).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn allow_writes_refuses_bodies_that_reach_customers_overwrite_or_change_many() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = writer(home.path(), &sandbox);
    let id = conversation(&mut client);
    let people: Vec<Value> = (0..250).map(|at| json!({ "id": format!("c{at}") })).collect();
    let part = |kind: &str, body: &str| json!({ "id": id, "message_type": kind, "type": "admin", "admin_id": "1", "assignee_id": "1", "body": body });
    for (name, arguments) in [
        ("conversations parts manage-conversation", part("close", "<p>Bye</p>")),
        ("conversations parts manage-conversation", part("assignment", "For you")),
        ("conversations parts manage-conversation", json!({ "id": id, "body_json": part("close", "Bye") })),
        (
            "conversations parts manage-conversation",
            json!({ "id": id, "body_json": part("close", "Bye").to_string() }),
        ),
        ("tags create", json!({ "name": "mass", "users": people })),
        ("tags create", json!({ "body_json": { "name": "mass", "users": people } })),
        ("tags create", json!({ "body-json": json!({ "name": "mass", "users": people }).to_string() })),
        ("tags create", json!({ "name": "renamed", "id": "1" })),
        ("tags create", json!({ "name": "vip", "companies": [{ "id": "1", "untag": true }] })),
        ("companies create-or-update-company", json!({ "company_id": "1", "name": "Other" })),
        (
            "custom-object-instances create",
            json!({ "custom_object_type_identifier": "Order", "external_id": "1" }),
        ),
        (
            "contacts subscriptions attach-type-to-contact",
            json!({ "contact_id": "c", "id": "1", "consent_type": "opt_out" }),
        ),
        (
            "ai create-external-page",
            json!({ "title": "x", "html": "x", "external_id": "1", "source_id": 1, "locale": "en" }),
        ),
        ("articles create", json!({ "title": "x", "author_id": 1, "state": "published" })),
    ] {
        let by_name = json!({ "command": name, "arguments": arguments });
        for error in [client.error(&name.replace(' ', "_"), arguments), client.error("run_write", by_name)] {
            assert_eq!(error["kind"], "not_permitted", "{name}: {error}");
            assert!(error["hint"].as_str().unwrap().contains("--allow-destructive"), "{name}: {error}");
        }
    }
    assert_eq!(writes(&sandbox), Vec::<String>::new());
    let admin = client.content("me", json!({}))["results"]["id"].clone();
    let some: Vec<Value> = contacts(&mut client, 2).iter().map(|id| json!({ "id": id })).collect();
    for (name, arguments) in [
        (
            "conversations_manage",
            json!({ "id": id, "message_type": "snoozed", "admin_id": admin, "snoozed_until": "+2d" }),
        ),
        (
            "conversations_manage",
            json!({ "id": id, "message_type": "close", "type": "admin", "admin_id": admin }),
        ),
        ("tags_create", json!({ "name": "new" })),
        ("tags_create", json!({ "name": "new", "users": some })),
    ] {
        let described = client.content("describe_command", json!({ "command": name }));
        assert_eq!(
            (&described["permitted"], &described["run_with"], &described["least_effect"]),
            (&json!(true), &json!("run_write"), &json!("write")),
            "{described}"
        );
        client.content(name, arguments);
    }
    assert_eq!(writes(&sandbox).len(), 4, "{:?}", writes(&sandbox));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_counts_the_records_of_a_body() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let people: Vec<Value> = (0..300).map(|at| json!({ "id": format!("c{at}") })).collect();
    let (users, body) = (json!(people).to_string(), json!({ "name": "mass", "users": people }).to_string());
    for line in [
        &["tags", "create", "--name", "mass", "--users", &users, "--agent"][..],
        &["tags", "create", "--body-json", &body, "--agent"],
        &["tags", "create", "--body-json", &body],
        &["api", "POST", "/tags", "--body-json", &body, "--agent"],
    ] {
        let output = run(home.path(), &sandbox, line);
        assert_ne!(code(&output), 0);
        assert!(stderr(&output).contains("more than 100 records"), "{}", stderr(&output));
    }
    assert_eq!(writes(&sandbox), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_runs_only_under_its_own_command() {
    let options = Options { contacts: 30, conversations: 10, ..Options::default() };
    let (sandbox, home) = (Sandbox::start(options).await.unwrap(), tempfile::tempdir().unwrap());
    let flags = ["--allow-writes", "--root", "."];
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &flags);
    for (made, more) in [
        ("contacts bulk-archive", json!({})),
        ("contacts bulk-update", json!({ "set": ["name=x"] })),
        ("conversations bulk-reply-note", json!({ "body": "n" })),
    ] {
        let group = made.split(' ').next().unwrap();
        let mut arguments = json!({ "where": "created_at > 2000d", "limit": 3, "save_plan": "plan.json" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.content("run_local", json!({ "command": made, "arguments": arguments }));
        let text = std::fs::read_to_string(home.path().join("plan.json")).unwrap();
        assert!(text.contains(made), "{text}");
        let forged = text.replace(made, &format!("{group} bulk-tag"));
        std::fs::write(home.path().join("plan.json"), forged).unwrap();
        let error = client.error(&format!("{group}_bulk-tag"), json!({ "plan": "plan.json", "apply": true }));
        assert_eq!(error["kind"], "usage", "{error}");
        assert!(error["message"].as_str().unwrap().contains("cannot make the change"), "{error}");
    }
    assert_eq!(writes(&sandbox), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_headers_are_never_shown() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let settings = home.path().join("settings.toml");
    std::fs::write(&settings, "[headers]\nX-Proxy-Auth = \"S3CRET\"\nX-Team = \"0PS\"\n").unwrap();
    let settings = settings.to_str().unwrap();
    let flags = ["--config", settings, "--header", "X-Typed: TYP3D", "--allow-writes", "--allow-destructive"];
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &flags);
    for (name, arguments) in [
        ("tags_list", json!({ "dry_run": true })),
        ("tags_create", json!({ "name": "x", "dry_run": true })),
        ("api", json!({ "method": "GET", "path": "/tags", "dry_run": true })),
        ("api", json!({ "method": "DELETE", "path": "/tags/1", "dry_run": true })),
    ] {
        let shown = client.content(name, arguments).to_string();
        assert!(shown.contains("/tags"), "{shown}");
        for secret in ["S3CRET", "0PS", "TYP3D", "Bearer"] {
            assert!(!shown.contains(secret), "{name}: {shown}");
        }
    }
    let typed = ["--config", settings, "--header", "X-Typed: TYP3D", "tags", "list", "--dry-run", "--json"];
    let output = run(home.path(), &sandbox, &typed);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(!shown.contains("S3CRET") && !shown.contains("0PS") && shown.contains("TYP3D"), "{shown}");
}
