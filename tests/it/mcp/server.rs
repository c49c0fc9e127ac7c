//! The MCP server, tested message by message.

use std::path::Path;

use intercom::sandbox::{Sandbox, TOKEN};
use serde_json::{Value, json};

use crate::commands::{code, run, sandbox};
use crate::mcp::client::Client;
use crate::support::document;
use crate::support::{self, Server};

fn serve(home: &Path, sandbox: &Sandbox, arguments: &[&str]) -> Client {
    Client::start(home, &sandbox.base_url(), TOKEN, arguments)
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

fn deletes(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.method == "DELETE").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_describes_the_server_and_lists_tools_in_each_mode() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut few = serve(home.path(), &sandbox, &[]);
    assert_eq!(few.server["serverInfo"]["name"], "intercom-pp-cli");
    let instructions = few.server["instructions"].as_str().unwrap().to_owned();
    assert!(
        instructions.contains(&sandbox.base_url()) && instructions.contains("Read-only"),
        "{instructions}"
    );
    let tools = few.tools();
    assert!(few.bytes <= 8 * 1024, "{}", few.bytes);
    for name in [
        "search_commands",
        "describe_command",
        "run_read",
        "read_more",
        "sync",
        "sql",
        "search",
        "conversations_sla",
    ] {
        assert!(names(&tools).contains(&name), "{name}: {:?}", names(&tools));
    }
    assert!(!names(&tools).iter().any(|name| ["run_write", "run_destructive"].contains(name)));
    for tool in &tools {
        let local = ["sync", "run_local"].contains(&tool["name"].as_str().unwrap());
        assert_eq!(tool["annotations"]["readOnlyHint"], !local, "{tool}");
        assert_eq!(tool["inputSchema"]["type"], "object");
        assert!(!tool.to_string().contains("stdin"), "{tool}");
    }
    let mut all = serve(home.path(), &sandbox, &["--all-tools", "--allow-writes", "--allow-destructive"]);
    let tools = all.tools();
    let contract = ["contacts_list", "companies_get", "data-attributes_list", "me", "calls_transcript"];
    assert!(contract.iter().all(|name| names(&tools).contains(name)), "{:?}", names(&tools));
    assert!(!names(&tools).contains(&"companies_retrieve-acompany-by-id"));
    assert!(tools.len() >= 150);
    let hints = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap()["annotations"].clone();
    assert_eq!(hints("contacts_get"), json!({ "readOnlyHint": true }));
    assert_eq!(
        hints("tags_delete"),
        json!({ "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true })
    );
    assert_eq!(
        hints("contacts_create"),
        json!({ "readOnlyHint": false, "destructiveHint": false, "idempotentHint": false })
    );
    let kind = |name: &str, argument: &str| {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        tool["inputSchema"]["properties"][argument]["type"].clone()
    };
    assert_eq!(
        (kind("contacts_search", "where"), kind("filter_explain", "filter")),
        (json!("string"), json!("string"))
    );
    assert!(!tools.iter().any(|tool| tool.to_string().contains("stdin")));
    let mut group = serve(home.path(), &sandbox, &["--toolsets", "tags,teams"]);
    let tools = group.tools();
    assert!(names(&tools).contains(&"teams_get") && !names(&tools).contains(&"contacts_list"));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_can_be_searched_described_and_run() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &[]);
    let found = client.content("search_commands", json!({ "need": "show one contact" }));
    let commands = found["commands"].as_array().unwrap();
    assert!(commands.iter().any(|command| command["command"] == "contacts get"), "{found}");
    let described = client.content("describe_command", json!({ "command": "contacts search" }));
    assert_eq!((&described["effect"], &described["run_with"]), (&json!("read"), &json!("run_read")));
    assert!(described["arguments"]["properties"]["query"].is_object(), "{described}");
    let arguments = json!({ "query": { "field": "role", "operator": "=", "value": "user" }, "per_page": 2, "select": "id,mail:email" });
    let found = client.content("run_read", json!({ "command": "contacts search", "arguments": arguments }));
    let people = found["results"]["data"].as_array().unwrap();
    assert!(people.len() == 2 && people[0]["mail"].is_string(), "{found}");
    // An unlisted command can be called by name.
    for spelling in ["contacts_show", "contacts_get"] {
        let shown = client.content(spelling, json!({ "id": people[0]["id"] }));
        assert_eq!(shown["results"]["id"], people[0]["id"]);
    }
    let shown = client.content("contacts_show", json!({ "id": people[0]["id"] }));
    assert_eq!(shown["meta"]["source"], "live");
    let wrong = client.request("tools/call", json!({ "name": "contacts_fly", "arguments": {} }));
    assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
    let error = client.error("run_read", json!({ "command": "contacts fly" }));
    assert!(error["hint"].as_str().unwrap().contains("search_commands"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn report_tools_read_the_mirror() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &[]);
    let error = client.error("sql", json!({ "statement": "SELECT 1" }));
    assert!(error["hint"].as_str().unwrap().contains("sync"), "{error}");
    let id = client
        .begin("tools/call", json!({ "name": "sync", "arguments": {}, "_meta": { "progressToken": "p1" } }));
    let synced = client.answer(id);
    assert_eq!(synced["result"]["structuredContent"]["results"]["complete"], true, "{synced}");
    let progress: Vec<&Value> =
        client.notifications.iter().filter(|event| event["method"] == "notifications/progress").collect();
    assert!(!progress.is_empty() && progress.iter().all(|event| event["params"]["progressToken"] == "p1"));
    // Progress messages are readable and have a total.
    assert!(
        progress.iter().all(|event| !event["params"]["message"].as_str().unwrap().contains('{')),
        "{progress:?}"
    );
    let messages: Vec<&str> =
        progress.iter().map(|event| event["params"]["message"].as_str().unwrap()).collect();
    for expected in ["contacts: 60 of 60", "contacts: done, "] {
        assert!(messages.iter().any(|message| message.starts_with(expected)), "{expected}: {messages:?}");
    }
    let steps: Vec<f64> =
        progress.iter().map(|event| event["params"]["progress"].as_f64().unwrap()).collect();
    assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
    let counted = client.content("sql", json!({ "statement": "SELECT count(*) AS n FROM contacts" }));
    assert_eq!(counted["results"]["rows"][0]["n"], 60);
    let sla = client.content("conversations_sla", json!({ "group_by": "team", "min_samples": 1 }));
    assert!(sla["results"][0]["first_response_p50_minutes"].is_number(), "{sla}");
    let rows = client.content("status", json!({ "select": "resource,rows" }));
    assert!(
        rows["results"].as_array().unwrap().contains(&json!({ "resource": "contacts", "rows": 60 })),
        "{rows}"
    );
    let again = serve(home.path(), &sandbox, &[]);
    let instructions = again.server["instructions"].as_str().unwrap();
    assert!(instructions.contains("Sandbox") || instructions.contains("sandbox1"), "{instructions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changes_without_permission() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut reader = serve(home.path(), &sandbox, &[]);
    let new = json!({ "email": "new@example.com" });
    for error in [
        reader.error("contacts_create", new.clone()),
        reader.error("run_read", json!({ "command": "contacts create", "arguments": new })),
        reader.error("run_write", json!({ "command": "contacts create", "arguments": new })),
        reader.error("api", json!({ "method": "POST", "path": "/contacts", "body_json": new })),
    ] {
        assert_eq!(error["kind"], "not_permitted", "{error}");
        assert!(error["hint"].as_str().unwrap().contains("--allow-writes"), "{error}");
    }
    for name in ["auth_set-token", "sandbox_serve", "mcp", "profile_use"] {
        assert_eq!(reader.error(name, json!({}))["kind"], "not_permitted");
    }
    assert!(sandbox.requests().iter().all(|request| request.method == "GET"));
    let read = reader.content("api", json!({ "method": "GET", "path": "/me" }));
    assert_eq!(read["results"]["type"], "admin");
    let mut writer = serve(home.path(), &sandbox, &["--allow-writes"]);
    let wrong = writer.error("run_read", json!({ "command": "contacts create", "arguments": new }));
    assert!(wrong["hint"].as_str().unwrap().contains("run_write"), "{wrong}");
    let plan = writer.content("contacts_create", json!({ "email": "new@example.com", "dry_run": true }));
    assert_eq!(plan["method"], "POST");
    let created = writer.content("run_write", json!({ "command": "contacts create", "arguments": new }));
    assert_eq!(created["results"]["email"], "new@example.com");
    assert_eq!(writer.error("tags_delete", json!({ "id": "5000001" }))["kind"], "not_permitted");
    assert_eq!(deletes(&sandbox), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_needs_the_confirmation_of_its_plan() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &["--allow-writes", "--allow-destructive"]);
    let tags = client.content("tags_list", json!({ "select": "id" }));
    let id = |at: usize| tags["results"]["data"][at]["id"].clone();
    let refused = client.error("tags_delete", json!({ "id": id(0) }));
    assert_eq!(refused["kind"], "confirmation", "{refused}");
    let plan = client.content("tags_delete", json!({ "id": id(0), "dry_run": true }));
    assert_eq!(plan["plan"]["method"], "DELETE");
    assert!(!plan.to_string().contains(TOKEN));
    let token = plan["confirmation"].clone();
    let other = client.error("tags_delete", json!({ "id": id(1), "confirmation": token }));
    assert!(other["message"].as_str().unwrap().contains("other arguments"), "{other}");
    assert_eq!(
        client.error("tags_delete", json!({ "id": id(0), "confirmation": "00" }))["kind"],
        "confirmation"
    );
    assert_eq!(deletes(&sandbox), 0);
    let run = |more: Value| {
        let mut call = json!({ "command": "tags delete", "arguments": { "id": id(0) } });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    };
    let plan = client.content("run_destructive", run(json!({ "dry_run": true })));
    let done = run(json!({ "confirmation": plan["confirmation"] }));
    client.content("run_destructive", done.clone());
    assert_eq!(deletes(&sandbox), 1);
    assert_eq!(client.error("run_destructive", done)["kind"], "confirmation");
    assert_eq!(deletes(&sandbox), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_calls_are_errors_and_the_server_keeps_running() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &["--allow-writes"]);
    for (name, arguments) in [
        ("contacts_show", json!({})),
        ("contacts_show", json!({ "id": "../admins" })),
        ("contacts_show", json!({ "id": ".." })),
        ("contacts_show", json!({ "id": ["a"] })),
        ("contacts_show", json!({ "id": {} })),
        ("contacts_show", json!({ "id": true })),
        ("search_commands", json!({ "need": "tag", "limit": "many" })),
        ("conversations_search", json!({ "where": { "state": "open" } })),
        ("contacts_show", json!({ "id": { "a": 1 }, "base_url": "http://localhost:1" })),
        ("contacts_list", json!({ "per_page": "many" })),
        ("contacts_list", json!({ "jq": ".[" })),
        ("contacts_search", json!({ "query": "@/etc/passwd" })),
        ("contacts_create", json!({ "body_json": "-" })),
        ("conversations_sla", json!({ "group_by": "colour" })),
        ("sql", json!({ "statement": "DELETE FROM contacts" })),
        ("run_read", json!({ "command": "contacts list", "arguments": [1] })),
        ("run_read", json!({ "arguments": {} })),
        ("export", json!({ "resource": "contacts", "output": "/tmp/x.csv" })),
    ] {
        let error = client.error(name, arguments.clone());
        assert!(error["message"].is_string() && error["hint"].is_string(), "{name} {arguments}: {error}");
        let hint = error["hint"].as_str().unwrap();
        assert!(!hint.contains("--help") && !hint.contains("intercom-pp-cli"), "{name} {arguments}: {hint}");
    }
    for (method, parameters) in [
        ("tools/call", json!({ "name": "contacts_list", "arguments": "x" })),
        ("tools/call", json!({ "name": "contacts_list", "arguments": [1] })),
        ("tools/call", json!({ "arguments": {} })),
        ("tools/call", json!({ "name": "zzz", "arguments": {} })),
        ("tools/list", json!({ "cursor": "nope" })),
        ("resources/list", json!({ "cursor": "nope" })),
        ("resources/read", json!({})),
        ("prompts/list", json!({ "cursor": "nope" })),
        ("prompts/get", json!({})),
    ] {
        let answer = client.request(method, parameters.clone());
        assert_eq!(answer["error"]["code"], -32602, "{method} {parameters}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(!message.trim_end().ends_with([':', ';']), "{message}");
    }
    assert_eq!(client.request("tools/fly", json!({}))["error"]["code"], -32601);
    let asked: Vec<String> = sandbox.requests().iter().map(|request| request.path.clone()).collect();
    assert!(!asked.iter().any(|path| path.contains("..") || path.contains("%2F")), "{asked:?}");
    let long = client.error("contacts_show", json!({ "id": 123456789012345_u64 }));
    assert_eq!(long["http_status"], 404);
    assert!(sandbox.requests().iter().any(|request| request.path == "/contacts/123456789012345"));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_results_are_split_into_parts() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &["--max-rows", "25"]);
    let mut part = client.content("contacts_list", json!({ "all": true, "select": "id" }));
    let mut ids = Vec::new();
    loop {
        ids.extend(part["results"]["data"].as_array().unwrap().iter().map(|row| row["id"].clone()));
        match part["cursor"].as_str().map(str::to_owned) {
            Some(cursor) => part = client.content("read_more", json!({ "cursor": cursor })),
            None => break,
        }
    }
    assert_eq!(ids.len(), 60);
    ids.sort_by_key(ToString::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 60);
    assert!(client.error("read_more", json!({ "cursor": "gone.1" }))["hint"].is_string());
    let mut small = serve(home.path(), &sandbox, &["--max-bytes", "3000"]);
    let page = small.content("conversations_list", json!({ "per_page": 20 }));
    assert!(page["cursor"].is_string() && small.bytes < 10_000, "{}", small.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_text_is_marked_untrusted() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &["--all-tools"]);
    let page = client.content("conversations_list", json!({ "per_page": 5, "full": true }));
    let fields = page["untrusted"]["fields"].as_array().unwrap();
    assert!(fields.contains(&json!("results.conversations[].source.body")), "{fields:?}");
    assert!(!fields.contains(&json!("results.conversations[].id")));
    let body = page["results"]["conversations"][0]["source"]["body"].as_str().unwrap();
    let described: String = client.tools().iter().map(ToString::to_string).collect();
    assert!(!body.is_empty() && !described.contains(body));
}

/// Stdin belongs to the protocol, so commands refuse it instead of reading an empty input.
#[tokio::test(flavor = "multi_thread")]
async fn stdin_cannot_be_an_argument() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &[]);
    client.content("sync", json!({ "resources": ["tags"] }));
    for (tool, arguments) in [
        ("sql", json!({ "statement": "-" })),
        ("contacts_search", json!({ "query": "-" })),
        ("conversations_bulk-tag", json!({ "ids": ["-"], "tag": "x" })),
    ] {
        let error = client.error(tool, arguments);
        assert!(error["message"].as_str().unwrap().contains("stdin cannot be read here"), "{tool}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_accessible_below_the_root_only() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let root = home.path().join("shared");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("people.jsonl"), "{\"email\":\"from-file@example.com\"}\n").unwrap();
    std::fs::write(home.path().join("secret.jsonl"), "{\"email\":\"secret@example.com\"}\n").unwrap();
    let mut client = serve(home.path(), &sandbox, &["--allow-writes", "--root", "shared"]);
    let imported = client.content("import", json!({ "resource": "contacts", "input": "people.jsonl" }));
    assert!(imported.to_string().contains("created"), "{imported}");
    for path in ["../secret.jsonl", "/etc/hostname"] {
        let error = client.error("import", json!({ "resource": "contacts", "input": path }));
        assert!(error["message"].as_str().unwrap().contains("not below"), "{error}");
        let error = client.error("contacts_create", json!({ "body_json": format!("@{path}") }));
        assert!(error["message"].as_str().unwrap().contains("not below"), "{error}");
    }
    assert!(!sandbox.requests().iter().any(|request| format!("{request:?}").contains("secret@example.com")));
    let mut none = serve(home.path(), &sandbox, &["--allow-writes"]);
    let error = none.error("import", json!({ "resource": "contacts", "input": "shared/people.jsonl" }));
    assert!(error["hint"].as_str().unwrap().contains("--root"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_and_prompts_can_be_listed_and_read() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &[]);
    client.content("sync", json!({ "resources": ["tags"] }));
    let listed =
        client.request("resources/list", json!({}))["result"]["resources"].as_array().unwrap().clone();
    assert!(listed.len() >= 3);
    for resource in &listed {
        let read = client.request("resources/read", json!({ "uri": resource["uri"] }));
        let text = read["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{read}"));
        let document: Value = serde_json::from_str(text).unwrap();
        assert!(!text.contains("\"error\""), "{document}");
    }
    let inventory = client.request("resources/read", json!({ "uri": "intercom://workspace/inventory" }));
    assert!(inventory.to_string().contains("vip") && inventory.to_string().contains("Billing"));
    assert!(client.request("resources/read", json!({ "uri": "file:///etc/passwd" }))["error"].is_object());
    let prompts = client.request("prompts/list", json!({}))["result"]["prompts"].as_array().unwrap().clone();
    assert_eq!(prompts.len(), 3);
    let prompt = client.request(
        "prompts/get",
        json!({ "name": "triage_contact", "arguments": { "contact": "ann@example.com" } }),
    );
    assert!(prompt["result"]["messages"][0]["content"]["text"].as_str().unwrap().contains("ann@example.com"));
    assert!(client.request("prompts/get", json!({ "name": "incident" }))["error"].is_object());
}

#[test]
fn a_long_call_can_be_cancelled() {
    let slow = Server::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(20));
        support::json(200, "{}")
    });
    let home = tempfile::tempdir().unwrap();
    let mut client = Client::start(home.path(), &slow.url, "dG9rOnRlc3Q", &[]);
    let began = std::time::Instant::now();
    let id = client.begin("tools/call", json!({ "name": "me", "arguments": {} }));
    client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id, "reason": "enough" } }));
    let next =
        client.request("tools/call", json!({ "name": "search_commands", "arguments": { "need": "tag" } }));
    assert!(next["result"]["structuredContent"]["commands"].is_array(), "{next}");
    assert!(began.elapsed().as_secs() < 10);
}

#[test]
fn many_calls_leak_no_memory() {
    let server = Server::always(200, r#"{"type":"list","data":[{"type":"tag","id":"1","name":"vip"}]}"#);
    let home = tempfile::tempdir().unwrap();
    let mut client = Client::start(home.path(), &server.url, "dG9rOnRlc3Q", &[]);
    let resident = |client: &Client| -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", client.process_id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let call = |client: &mut Client| {
        let listed = client.content("tags_list", json!({}));
        assert_eq!(listed["results"]["data"][0]["id"], "1");
    };
    (0..200).for_each(|_| call(&mut client));
    let before = resident(&client);
    (0..1_000).for_each(|_| call(&mut client));
    let after = resident(&client);
    assert!(after <= before + 3 * 1024, "{before} kB before, {after} kB after");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_the_server_even_after_commands_that_handle_signals() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox, &[]);
    client.content("sync", json!({ "resources": ["tags"] }));
    let killed = std::process::Command::new("kill").arg(client.process_id().to_string()).status().unwrap();
    assert!(killed.success() && client.has_ended());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_binary_serves_mcp_until_its_client_disconnects() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut command = support::binary(home.path());
    command.env("INTERCOM_BASE_URL", sandbox.base_url()).env("INTERCOM_ACCESS_TOKEN", TOKEN).arg("mcp");
    let mut client = Client::of(command);
    assert_eq!(client.content("me", json!({}))["results"]["type"], "admin");
    // A client that disconnects at once is not an error.
    let output = support::binary(home.path()).arg("mcp").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", support::stderr(&output));
    assert!(output.stdout.is_empty());
    let wrong = support::binary(home.path()).args(["mcp", "--toolsets", "nothing"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let nobody = support::binary(home.path()).args(["mcp", "--profile", "nobody"]).output().unwrap();
    assert_eq!((nobody.status.code(), nobody.stdout.len()), (Some(10), 0), "{}", support::stderr(&nobody));
}

#[test]
fn the_server_shows_its_own_usage() {
    let help =
        std::process::Command::new(env!("CARGO_BIN_EXE_intercom-pp-mcp")).arg("--help").output().unwrap();
    assert!(
        support::stdout(&help).contains("Usage: intercom-pp-mcp [OPTIONS]"),
        "{}",
        support::stdout(&help)
    );
    let home = tempfile::tempdir().unwrap();
    let help = support::binary(home.path()).args(["mcp", "--help"]).output().unwrap();
    assert!(support::stdout(&help).contains("Usage: intercom-pp-cli mcp [OPTIONS]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_argument_opens_a_file_outside_the_root() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert_eq!(code(&run(home.path(), &sandbox, &["sync"])), 0);
    let secret = home.path().join("secret.txt");
    let plan = json!({ "field": "role", "operator": "=", "value": "hunter2" }).to_string();
    std::fs::write(&secret, &plan).unwrap();
    let root = home.path().join("shared");
    std::fs::create_dir(&root).unwrap();
    std::os::unix::fs::symlink(&secret, root.join("link")).unwrap();
    std::os::unix::fs::symlink(home.path(), root.join("up")).unwrap();
    let described = document(&run(home.path(), &sandbox, &["agent-context", "--json"]));
    let commands = described["results"]["commands"].as_array().unwrap().clone();
    let writing = ["--allow-writes", "--allow-destructive"];
    let rooted = ["--allow-writes", "--allow-destructive", "--root", "shared"];
    for (flags, files) in [
        (&writing[..], vec![secret.to_str().unwrap().to_owned()]),
        (&rooted[..], vec!["link".to_owned(), "up/secret.txt".to_owned()]),
    ] {
        let mut client = serve(home.path(), &sandbox, flags);
        for command in
            commands.iter().filter(|command| command["effect"] != "terminal" && command["name"] != "tail")
        {
            let name = command["name"].as_str().unwrap();
            let takes = command["arguments"].as_array().unwrap();
            for argument in takes.iter().filter(|argument| {
                !["boolean", "integer", "number", "choice"].contains(&argument["type"].as_str().unwrap())
            }) {
                let key = argument["name"].as_str().unwrap().trim_matches(['<', '>', '-']).replace('-', "_");
                for file in &files {
                    for value in [file.clone(), format!("@{file}"), "-".to_owned()] {
                        let arguments = json!({ key.as_str(): value, "dry_run": true });
                        let answer = client.call(&name.replace(' ', "_"), arguments.clone()).to_string();
                        assert!(!answer.contains("hunter2"), "{name} {arguments}: {answer}");
                    }
                }
            }
        }
        for (name, arguments) in [
            (
                "conversations_bulk-reply-note",
                json!({ "ids": ["1"], "body": format!("@{}", files[files.len() - 1]) }),
            ),
            ("contacts_search", json!({ "query": format!("@{}", files[files.len() - 1]) })),
        ] {
            let error = client.error(name, arguments);
            assert!(error["hint"].as_str().unwrap().contains("--root"), "{name}: {error}");
        }
    }
    assert!(!sandbox.requests().iter().any(|request| format!("{request:?}").contains("hunter2")));
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), plan);
    let mut client = serve(home.path(), &sandbox, &rooted);
    std::fs::write(root.join("query.json"), &plan).unwrap();
    let found = client.content("contacts_search", json!({ "query": "@query.json" }));
    assert_eq!(found["results"]["data"], json!([]));
}
