//! The declared effect of every command, compared with the requests that it sends.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use intercom::sandbox::{Sandbox, TOKEN};
use serde_json::{Map, Value, json};

use crate::commands::{code, run, sandbox};
use crate::mcp::client::Client;
use crate::support::{document, stderr};

/// Requests that only read, although they are not GET.
const ASKING: [&str; 4] = ["/companies/list", "/contacts/search", "/conversations/search", "/tickets/search"];

fn changes(sandbox: &Sandbox) -> Vec<String> {
    let all = sandbox.requests();
    let changing =
        all.iter().filter(|request| request.method != "GET" && !ASKING.contains(&request.path.as_str()));
    changing.map(|request| format!("{} {}", request.method, request.path)).collect()
}

fn commands(home: &Path, sandbox: &Sandbox) -> Vec<Value> {
    let described = document(&run(home, sandbox, &["agent-context", "--json"]));
    described["results"]["commands"].as_array().unwrap().clone()
}

/// A valid value for an argument.
fn value(argument: &Value) -> Value {
    let named = [
        ("--method", json!("GET")),
        ("<method>", json!("GET")),
        ("<path>", json!("/me")),
        ("<contact>", json!("ann@example.com")),
        ("<filter>", json!("state = open")),
        ("<statement>", json!("SELECT 1")),
        ("--idle", json!("7d")),
        ("--images", json!("link")),
        ("--interval", json!("1s")),
        ("--polls", json!(1)),
        ("--resource", json!("conversations")),
        ("<resource>", json!("conversations")),
        ("<run>", json!("latest")),
        ("--tag", json!("vip")),
        ("--where", json!("created_at > 90d")),
    ];
    if let Some((_, value)) = named.iter().find(|(name, _)| argument["name"] == *name) {
        return value.clone();
    }
    match argument["type"].as_str().unwrap() {
        "boolean" => json!(true),
        "integer" | "number" => json!(1),
        "choice" => argument["choices"].as_array().unwrap().last().unwrap().clone(),
        "list" => json!(["name"]),
        "time" => json!("7d"),
        "json" => json!({}),
        _ => argument.get("default").cloned().unwrap_or_else(|| json!("latest")),
    }
}

/// Argument sets of a command: the required ones alone, with each optional one, and with all of them.
fn argument_sets(command: &Value) -> Vec<Map<String, Value>> {
    let arguments: Vec<&Value> = command["arguments"].as_array().unwrap().iter().collect();
    let name =
        |argument: &Value| argument["name"].as_str().unwrap().trim_matches(['<', '>', '-']).replace('-', "_");
    let to_object = |chosen: Vec<&Value>| {
        chosen.into_iter().map(|argument| (name(argument), value(argument))).collect::<Map<_, _>>()
    };
    let excluded = ["--db", "--watch", "--stdin"];
    let usable: Vec<&Value> = arguments
        .into_iter()
        .filter(|argument| !excluded.iter().any(|name| argument["name"] == *name))
        .collect();
    let required: Vec<&Value> =
        usable.iter().filter(|argument| argument["required"] == true).copied().collect();
    let with = |more: &Value| to_object(required.iter().copied().chain([more]).collect());
    let each = usable.iter().filter(|argument| argument["required"] != true).map(|argument| with(argument));
    let mut sets: Vec<_> = each.collect();
    sets.extend([to_object(required.clone()), to_object(usable.clone())]);
    sets
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_changes_nothing() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert_eq!(code(&run(home.path(), &sandbox, &["sync"])), 0);
    let ids = document(&run(home.path(), &sandbox, &["conversations", "list", "--per-page", "2", "--json"]));
    let id = ids["results"]["conversations"][0]["id"].as_str().unwrap().to_owned();
    let tagged = ["conversations", "bulk-tag", &id, "--tag", "walk", "--apply", "--yes"];
    assert_eq!(code(&run(home.path(), &sandbox, &tagged)), 0);
    let before = changes(&sandbox).len();
    let shared = home.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    let files = || std::fs::read_dir(&shared).unwrap().count();
    let mut refused = 0;
    let local_commands =
        commands(home.path(), &sandbox).into_iter().filter(|command| command["request"].is_null());
    let local_commands: Vec<Value> = local_commands.collect();
    for flags in [&[][..], &["--root", "shared"]] {
        let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, flags);
        for command in &local_commands {
            let (name, effect) = (command["name"].as_str().unwrap(), command["effect"].as_str().unwrap());
            for arguments in argument_sets(command) {
                let shown = format!("{name} {}", json!(arguments));
                let carries_out = ["apply", "resume"].iter().any(|key| arguments.contains_key(*key));
                let arguments = json!({ "command": name, "arguments": arguments });
                let before_call = files();
                // Refused even under the wrong tool.
                let tool = if effect == "local" { "run_local" } else { "run_read" };
                let result = client.call(tool, arguments);
                if effect == "terminal" || carries_out {
                    assert_eq!(
                        result["structuredContent"]["error"]["kind"], "not_permitted",
                        "{shown}: {result}"
                    );
                    refused += 1;
                }
                assert_eq!(changes(&sandbox).len(), before, "{shown}: {:?}", changes(&sandbox).last());
                assert!(effect == "local" || files() == before_call, "{shown} wrote a file");
            }
        }
    }
    assert!(refused > 40, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn merging_contacts_needs_permission_and_a_confirmation() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    for role in ["user", "lead"] {
        let twin = ["contacts", "create", "--email", "twin@example.com", "--role", role];
        assert_eq!(code(&run(home.path(), &sandbox, &twin)), 0);
    }
    assert_eq!(code(&run(home.path(), &sandbox, &["sync", "--resources", "contacts"])), 0);
    let merges = || changes(&sandbox).iter().filter(|change| change.ends_with("/merge")).count();
    let merge = json!({ "by": "email", "merge": true, "apply": true });
    let mut reader = Client::start(home.path(), &sandbox.base_url(), TOKEN, &["--all-tools"]);
    for arguments in [merge.clone(), json!({ "merge": true, "apply": "true" })] {
        assert_eq!(reader.error("contacts_dupes", arguments)["kind"], "not_permitted");
    }
    let by_name = json!({ "command": "contacts dupes", "arguments": merge });
    assert_eq!(reader.error("run_read", by_name)["kind"], "not_permitted");
    let planned =
        reader.content("run_read", json!({ "command": "contacts dupes", "arguments": { "merge": true } }));
    assert_eq!(planned["results"][0]["status"], "planned", "{planned}");
    let mut writer = Client::start(home.path(), &sandbox.base_url(), TOKEN, &["--allow-writes"]);
    assert_eq!(writer.error("contacts_dupes", merge.clone())["kind"], "not_permitted");
    let allowed = ["--allow-writes", "--allow-destructive"];
    let mut merger = Client::start(home.path(), &sandbox.base_url(), TOKEN, &allowed);
    assert_eq!(merger.error("contacts_dupes", merge.clone())["kind"], "confirmation");
    assert_eq!(merges(), 0);
    let mut confirmed = merge.clone();
    confirmed["dry_run"] = json!(true);
    let plan = merger.content("contacts_dupes", confirmed);
    let mut confirmed = merge;
    confirmed["confirmation"] = plan["confirmation"].clone();
    // A call that cannot run does not use up the confirmation.
    for (name, wrong) in [("limit", json!("many")), ("limit", json!(1))] {
        let mut wrong_call = confirmed.clone();
        wrong_call[name] = wrong;
        merger.error("contacts_dupes", wrong_call);
    }
    assert_eq!(merges(), 0);
    merger.content("contacts_dupes", confirmed);
    assert_eq!(merges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_a_file_is_not_a_read() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert_eq!(code(&run(home.path(), &sandbox, &["sync", "--resources", "tags"])), 0);
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &["--all-tools", "--root", "."]);
    let tools = client.tools();
    let hints = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap()["annotations"].clone();
    for name in ["export", "articles_pull", "run_local"] {
        assert_eq!(
            (&hints(name)["readOnlyHint"], &hints(name)["destructiveHint"]),
            (&json!(false), &json!(true)),
            "{name}"
        );
    }
    assert_eq!(
        (&hints("sync")["destructiveHint"], &hints("sql")["readOnlyHint"]),
        (&json!(false), &json!(true))
    );
    let into_file =
        json!({ "command": "export", "arguments": { "resource": "tags", "output": "tags.jsonl" } });
    let error = client.error("run_read", into_file.clone());
    assert!(error["hint"].as_str().unwrap().contains("run_local"), "{error}");
    assert!(!home.path().join("tags.jsonl").exists());
    client.content("run_local", into_file);
    assert!(home.path().join("tags.jsonl").exists());
    client.content("run_read", json!({ "command": "export", "arguments": { "resource": "tags" } }));
}

/// Their examples name a run, a profile, a conflict or a file that must exist; the tests of the help prepare these.
const NEEDS_PREPARATION: [&str; 7] = [
    "articles resolve",
    "auth switch",
    "bulk undo",
    "profile delete",
    "profile show",
    "profile use",
    "workflow run",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert_eq!(code(&run(home.path(), &sandbox, &["sync"])), 0);
    let folder = home.path().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("intercom-pp-cli");
    std::fs::write(&program, format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_intercom-pp-cli")))
        .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let before = changes(&sandbox).len();
    let mut failures = BTreeMap::new();
    for command in commands(home.path(), &sandbox) {
        let Some(example) = command["example"].as_str() else { continue };
        assert!(!example.contains("..."), "{example}");
        if NEEDS_PREPARATION.contains(&command["command"].as_str().unwrap()) {
            continue;
        }
        let mut shell = Command::new("sh");
        shell.env_clear().current_dir(home.path()).args(["-c", &format!("{example} --dry-run")]);
        shell.env("PATH", &path).env("HOME", home.path()).env("TOKEN", TOKEN);
        let output = shell
            .env("INTERCOM_BASE_URL", sandbox.base_url())
            .env("INTERCOM_ACCESS_TOKEN", TOKEN)
            .output()
            .unwrap();
        if !output.status.success() {
            failures.insert(example.to_owned(), stderr(&output));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(changes(&sandbox).len(), before, "{:?}", changes(&sandbox));
}

/// Tools that add a record and change no other.
const ADDING: [&str; 34] = [
    "ai_create-content-import-source",
    "articles_create",
    "articles_tags_attach",
    "audiences_create",
    "companies_notes_create",
    "contacts_companies_attach",
    "contacts_create",
    "contacts_notes_create",
    "contacts_tags_attach",
    "content-snippets_create",
    "content-snippets_tags_attach",
    "conversations_attributes_create",
    "conversations_attributes_options_create",
    "conversations_create",
    "conversations_customers_attach",
    "conversations_tags_attach",
    "data-attributes_create",
    "data-connectors_create",
    "events_create-data",
    "fin-voice_register",
    "help-center_create-collection",
    "help-center_redirects_create",
    "intercom-export_create",
    "internal-articles_create",
    "internal-articles_tags_attach",
    "news_create-item",
    "office-hours_create",
    "office-hours_exceptions_create",
    "reporting-export_enqueue",
    "ticket-types_attributes_create",
    "ticket-types_create",
    "tickets_create",
    "tickets_enqueue",
    "tickets_tags_attach",
];

#[tokio::test(flavor = "multi_thread")]
async fn only_additions_lack_the_destructive_hint() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let flags = ["--all-tools", "--allow-writes", "--allow-destructive"];
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &flags);
    let tools = client.tools();
    let changing = tools.iter().filter(|tool| tool["annotations"]["readOnlyHint"] == false);
    let harmless = changing.filter(|tool| tool["annotations"]["destructiveHint"] == false);
    let mut names: Vec<&str> = harmless.map(|tool| tool["name"].as_str().unwrap()).collect();
    // Local commands, and no folder was allowed.
    names.retain(|name| !["articles_pull", "mirror_vacuum", "run_local", "sync"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ADDING);
}

#[tokio::test(flavor = "multi_thread")]
async fn allow_writes_does_not_permit_merges_redactions_archiving_or_messages() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let first = |command: &str, list: &str| {
        let listed = document(&run(home.path(), &sandbox, &[command, "list", "--per-page", "2", "--json"]));
        listed["results"][list][0]["id"].as_str().unwrap().to_owned()
    };
    let (contact, conversation) = (first("contacts", "data"), first("conversations", "conversations"));
    let mut writer = Client::start(home.path(), &sandbox.base_url(), TOKEN, &["--allow-writes"]);
    let comment = json!({ "message_type": "comment", "type": "admin", "admin_id": "1", "body": "Hello" });
    let reply = |more: Value| {
        let mut arguments = json!({ "id": conversation });
        for fields in [&comment, &more] {
            let fields = fields.as_object().unwrap().clone();
            arguments.as_object_mut().unwrap().extend(fields);
        }
        arguments
    };
    let disguised = json!({ "id": conversation, "message_type": "note", "body_json": comment });
    for (name, arguments) in [
        ("contacts merge", json!({ "from": contact, "into": contact })),
        ("contacts archive contact", json!({ "id": contact })),
        ("contacts block contact", json!({ "id": contact })),
        ("contacts bulk-archive", json!({ "ids": [contact], "apply": true })),
        (
            "conversations redact",
            json!({ "type": "source", "conversation_id": conversation, "source_id": "1" }),
        ),
        (
            "conversations convert conversation-to-ticket",
            json!({ "id": conversation, "ticket_type_id": "1" }),
        ),
        ("conversations reply conversation", reply(json!({}))),
        ("conversations reply conversation", reply(json!({ "message_type": "Note" }))),
        ("conversations reply conversation", disguised),
        (
            "conversations reply conversation",
            reply(json!({ "message_type": "note", "null": ["message_type"] })),
        ),
        ("messages", json!({ "message_type": "in_app", "body": "Hello" })),
        ("visitors convert", json!({ "type": "user", "user_id": "1", "visitor_id": "2" })),
        ("phone-call-redirects", json!({ "phone": "+1" })),
        ("api", json!({ "method": "POST", "path": "/contacts/merge", "body_json": {} })),
        ("api", json!({ "method": "POST", "path": "/contacts/search/", "body_json": {} })),
    ] {
        let by_name = json!({ "command": name, "arguments": arguments });
        for error in [writer.error(&name.replace(' ', "_"), arguments), writer.error("run_write", by_name)] {
            assert_eq!(error["kind"], "not_permitted", "{name}: {error}");
            assert!(error["hint"].as_str().unwrap().contains("--allow-destructive"), "{name}: {error}");
        }
    }
    assert_eq!(changes(&sandbox), Vec::<String>::new());
    writer.content(
        "run_write",
        json!({ "command": "contacts notes create", "arguments": { "id": contact, "body": "n" } }),
    );
    let admin = writer.content("me", json!({}))["results"]["id"].clone();
    let note = reply(json!({ "message_type": "note", "admin_id": admin }));
    writer.content("conversations_reply_conversation", note);
    let search = json!({ "method": "POST", "path": "/contacts/search",
        "body_json": { "query": { "field": "role", "operator": "=", "value": "user" } } });
    writer.content("run_read", json!({ "command": "api", "arguments": search }));
    assert_eq!(changes(&sandbox).len(), 2, "{:?}", changes(&sandbox));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_100_records_need_a_confirmation() {
    let options = intercom::sandbox::Options { contacts: 130, conversations: 10, ..Default::default() };
    let (sandbox, home) = (Sandbox::start(options).await.unwrap(), tempfile::tempdir().unwrap());
    let tag =
        |limit: u64| json!({ "where": "created_at > 2000d", "tag": "wave", "apply": true, "limit": limit });
    let mut writer = Client::start(home.path(), &sandbox.base_url(), TOKEN, &["--allow-writes"]);
    let tagged = || {
        changes(&sandbox)
            .iter()
            .filter(|change| change.ends_with("/tags") && change.contains("/contacts/"))
            .count()
    };
    for (name, arguments) in [
        ("contacts_bulk-tag", tag(101)),
        ("run_write", json!({ "command": "contacts bulk-tag", "arguments": tag(101) })),
    ] {
        let error = writer.error(name, arguments);
        assert_eq!(error["kind"], "not_permitted", "{error}");
        assert!(error["message"].as_str().unwrap().contains("more than 100"), "{error}");
    }
    assert_eq!(tagged(), 0);
    writer.call("contacts_bulk-tag", tag(7));
    assert_eq!(tagged(), 7);
    let flags = ["--allow-writes", "--allow-destructive"];
    let mut owner = Client::start(home.path(), &sandbox.base_url(), TOKEN, &flags);
    let refused = owner.call("contacts_bulk-tag", tag(101));
    let refused = &refused["structuredContent"];
    assert_eq!(refused["error"]["kind"], "confirmation", "{refused}");
    assert_eq!(tagged(), 7);
    let mut confirmed = tag(101);
    confirmed["confirmation"] = refused["confirmation"].clone();
    owner.call("contacts_bulk-tag", confirmed);
    assert_eq!(tagged(), 108);
}
