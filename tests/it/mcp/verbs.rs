//! Verbs as tools: undoable ones run at once, a reply only after somebody has agreed to its text and receiver.

use intercom::sandbox::{Sandbox, TOKEN};
use serde_json::{Value, json};

use crate::commands::sandbox;
use crate::mcp::client::Client;

fn writes(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.requests();
    let changing =
        requests.iter().filter(|request| request.method != "GET" && !request.path.ends_with("/search"));
    changing.map(|request| format!("{} {}", request.method, request.path)).collect()
}

fn open_conversation(sandbox: &Sandbox) -> String {
    sandbox.with_workspace(|workspace| {
        let open = workspace.conversations.iter().find(|one| one.state.as_str() == "open");
        open.unwrap().id.clone()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undoable_verb_needs_only_the_permission_to_write() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let id = open_conversation(&sandbox);
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &["--allow-writes"]);
    let closed = client.content("conversations_close", json!({ "ids": [id] }));
    assert_eq!(closed["results"][0]["status"], "done", "{closed}");
    assert_eq!(closed["results"][0]["state_before"]["state"], "open", "{closed}");
    assert_eq!(writes(&sandbox), [format!("POST /conversations/{id}/parts")]);
    let note = client.content("conversations_note", json!({ "id": id, "text": "@team - look" }));
    assert_eq!(note["results"][0]["status"], "done", "{note}");
    sandbox.forget_requests();
    let refused = client.call("conversations_reply", json!({ "id": id, "text": "hello" }));
    assert_eq!(refused["isError"], true, "{refused}");
    assert_eq!(writes(&sandbox), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_sent_once_after_its_plan_was_confirmed() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let id = open_conversation(&sandbox);
    let flags = ["--allow-writes", "--allow-destructive"];
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &flags);
    let call = json!({ "id": id, "text": "On its way" });
    let planned = client.call("conversations_reply", call.clone())["structuredContent"].clone();
    let row: &Value = &planned["plan"]["results"][0];
    assert!(row["to"].as_str().unwrap().contains('@'), "{planned}");
    assert!(row.to_string().contains("On its way"), "{planned}");
    assert_eq!(writes(&sandbox), Vec::<String>::new());
    let mut confirmed = call;
    confirmed["confirmation"] = planned["confirmation"].clone();
    let sent = client.content("conversations_reply", confirmed.clone());
    assert_eq!(sent["results"][0]["status"], "done", "{sent}");
    let again = client.call("conversations_reply", confirmed);
    assert_eq!(again["structuredContent"]["error"]["kind"], "confirmation", "{again}");
    assert_eq!(writes(&sandbox), [format!("POST /conversations/{id}/reply")]);
}
